//! Given draws: noise that the caller brings.

use super::Sampler;
use crate::{Error, Key, Noise, Real, Result, check};

/// Draws that were made elsewhere: replayed noise, another library's, a designed point set. The key is not used.
///
/// **Cost.** A copy.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss::sampler::{GivenDraws, Sampler};
/// use topk_loss::Key;
/// let two_draws_of_three = [0.1, -0.2, 0.3, 1.0, 0.0, -1.0];
/// let sampler = GivenDraws::new(Normal, &two_draws_of_three, 3)?;
/// let mut z = [0.0; 3];
/// sampler.sample(Key::new(0), 1, &mut z)?;
/// assert_eq!(z, [1.0, 0.0, -1.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenDraws<'a, N, F> {
    law: N,
    draws: &'a [F],
    dim: usize,
}

impl<'a, N, F: Real> GivenDraws<'a, N, F> {
    /// Draws of `dim` entries each, one after the other, and the law they are from.
    ///
    /// **Cost.** One pass over the draws.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{GivenDraws, Sampler};
    /// assert_eq!(GivenDraws::new(Normal, &[0.5, -0.5, 1.0, 2.0], 2)?.num_samples(), 2);
    /// assert_eq!(GivenDraws::new(Normal, &[0.5, -0.5, 1.0], 2).unwrap_err().code(), 1);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A `dim` of 0, no draw, a length that is not a multiple of `dim`, a NaN or infinite draw.
    pub fn new(law: N, draws: &'a [F], dim: usize) -> Result<Self> {
        check::at_least_one("dim", dim)?;
        if draws.is_empty() || !draws.len().is_multiple_of(dim) {
            let expected = draws.len().div_ceil(dim).max(1) * dim;
            return Err(Error::Length { what: "draws", expected, actual: draws.len() });
        }
        check::finite("draws", draws)?;
        Ok(Self { law, draws, dim })
    }
}

impl<F: Real, N: Noise<F>> Sampler<F> for GivenDraws<'_, N, F> {
    type Law = N;

    fn law(&self) -> N {
        self.law
    }

    fn num_samples(&self) -> usize {
        self.draws.len() / self.dim
    }

    fn check_dim(&self, dim: usize) -> Result<()> {
        if dim == self.dim { Ok(()) } else { Err(Error::Length { what: "draws", expected: dim, actual: self.dim }) }
    }

    fn sample(&self, _: Key, index: usize, z: &mut [F]) -> Result<()> {
        check::length("z", z, self.dim)?;
        let draw = self.draws.chunks_exact(self.dim).nth(index);
        let draw = draw.ok_or(Error::Parameter { name: "index", must: "below the number of draws" })?;
        z.copy_from_slice(draw);
        Ok(())
    }
}
