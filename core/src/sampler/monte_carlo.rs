//! Monte Carlo: independent draws.

use super::Sampler;
use crate::{Key, Noise, Real, Result, check};

/// Independent draws by inversion of counter-based uniforms: entry i of draw b depends on the key, b and i alone.
///
/// **Cost.** One uniform and one quantile of the law an entry.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss::sampler::{MonteCarlo, Sampler};
/// use topk_loss::Key;
/// let sampler = MonteCarlo::new(Normal, 5)?;
/// let (mut three, mut two) = ([0.0_f32; 3], [0.0_f32; 2]);
/// sampler.sample(Key::new(1), 0, &mut three)?;
/// sampler.sample(Key::new(1), 0, &mut two)?;
/// assert_eq!(three[..2], two);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Devroye, "Non-Uniform Random Variate Generation", Springer, 1986 (inversion).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonteCarlo<N> {
    law: N,
    num_samples: usize,
}

impl<N> MonteCarlo<N> {
    /// `num_samples` independent draws from `law`.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{MonteCarlo, Sampler};
    /// assert_eq!(Sampler::<f64>::num_samples(&MonteCarlo::new(Normal, 5)?), 5);
    /// assert_eq!(MonteCarlo::new(Normal, 0).unwrap_err().code(), 4);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// No draw at all.
    pub fn new(law: N, num_samples: usize) -> Result<Self> {
        check::at_least_one("num_samples", num_samples)?;
        Ok(Self { law, num_samples })
    }
}

impl<F: Real, N: Noise<F>> Sampler<F> for MonteCarlo<N> {
    type Law = N;

    fn law(&self) -> N {
        self.law
    }

    fn num_samples(&self) -> usize {
        self.num_samples
    }

    fn sample(&self, key: Key, index: usize, z: &mut [F]) -> Result<()> {
        key.fill_uniform(index as u64, z);
        z.iter_mut().for_each(|place| *place = self.law.quantile(*place));
        Ok(())
    }
}
