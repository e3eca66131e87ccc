//! Antithetic draws: mirrored pairs.

use super::Sampler;
use crate::{Error, Key, Noise, Real, Result};

/// Pairs of draws at the uniforms u and 1 − u, both exact: draw 2j + 1 mirrors draw 2j, and different pairs are independent.
///
/// Under a symmetric law the mirror of z is −z, bit for bit, so whatever part of f is odd about θ cancels in a pair. Each draw by
/// itself has the law, so nothing is biased; the sample variance over single draws is not the variance of their mean, the one
/// over pairs is.
///
/// **Cost.** One uniform and one quantile of the law an entry.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss::sampler::{Antithetic, Sampler};
/// use topk_loss::Key;
/// let sampler = Antithetic::new(Normal, 10)?;
/// let (mut z, mut mirror) = ([0.0_f64; 3], [0.0_f64; 3]);
/// sampler.sample(Key::new(1), 4, &mut z)?;
/// sampler.sample(Key::new(1), 5, &mut mirror)?;
/// assert_eq!(mirror, z.map(|z| -z));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Hammersley, Morton, "A new Monte Carlo technique: antithetic variates", Proceedings of the Cambridge
/// Philosophical Society 52, 1956.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Antithetic<N> {
    law: N,
    num_samples: usize,
}

impl<N> Antithetic<N> {
    /// `num_samples` draws from `law`, half of them mirrors of the other half.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{Antithetic, Sampler};
    /// assert_eq!(Sampler::<f64>::num_samples(&Antithetic::new(Normal, 10)?), 10);
    /// assert_eq!(Antithetic::new(Normal, 5).unwrap_err().code(), 4);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// No draw at all, or an odd number of them.
    pub fn new(law: N, num_samples: usize) -> Result<Self> {
        if num_samples == 0 || !num_samples.is_multiple_of(2) {
            return Err(Error::Parameter { name: "num_samples", must: "even and at least 2" });
        }
        Ok(Self { law, num_samples })
    }
}

impl<F: Real, N: Noise<F>> Sampler<F> for Antithetic<N> {
    type Law = N;

    fn law(&self) -> N {
        self.law
    }

    fn num_samples(&self) -> usize {
        self.num_samples
    }

    fn block_len(&self) -> usize {
        2
    }

    fn sample(&self, key: Key, index: usize, z: &mut [F]) -> Result<()> {
        let mirrored = index % 2 == 1;
        key.fill_uniform(index as u64 / 2, z);
        z.iter_mut().for_each(|place| *place = self.law.quantile(if mirrored { F::one() - *place } else { *place }));
        Ok(())
    }
}
