//! Samplers: where the noise of a draw comes from, one file a kind.
//!
//! ```
//! use topk_loss::noise::Normal;
//! use topk_loss::sampler::{Antithetic, Sampler};
//! use topk_loss::Key;
//! // Draws come in mirrored pairs.
//! let (pairs, mut draws) = (Antithetic::new(Normal, 4)?, [[0.0_f64; 3]; 2]);
//! for (index, draw) in draws.iter_mut().enumerate() {
//!     pairs.sample(Key::new(7), index, draw);
//! }
//! assert_eq!(draws[0], draws[1].map(|z| -z));
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod antithetic;
mod given_draws;
mod monte_carlo;
mod randomized_lattice;
mod sequential;

pub use antithetic::Antithetic;
pub use given_draws::GivenDraws;
pub use monte_carlo::MonteCarlo;
pub use randomized_lattice::RandomizedLattice;
pub use sequential::Sequential;

use crate::{Key, Noise, Real, Result};

/// A sequence of noise vectors, each addressable by its index.
///
/// ```
/// use topk_loss::Key;
/// use topk_loss::noise::Normal;
/// use topk_loss::sampler::{Antithetic, Sampler};
/// let (pairs, key) = (Antithetic::new(Normal, 4)?, Key::new(1));
/// let (mut first, mut second) = ([0.0_f64; 3], [0.0; 3]);
/// pairs.sample(key, 0, &mut first)?;
/// pairs.sample(key, 1, &mut second)?;
/// assert_eq!(first.map(|z| -z), second);
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait Sampler<F: Real> {
    /// The law of every entry.
    ///
    /// ```
    /// use topk_loss::noise::{Noise, Normal};
    /// use topk_loss::sampler::{MonteCarlo, Sampler};
    /// fn median<S: Sampler<f64>>(sampler: S) -> f64 {
    ///     sampler.law().quantile(0.5)
    /// }
    /// assert_eq!(median(MonteCarlo::new(Normal, 1)?), 0.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    type Law: Noise<F>;

    /// The law of every entry.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{Antithetic, Sampler};
    /// let pairs = Antithetic::new(Normal, 4)?;
    /// assert_eq!(Sampler::<f64>::law(&pairs), Normal);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn law(&self) -> Self::Law;

    /// How many draws an estimate averages, at least 1.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{Antithetic, Sampler};
    /// let pairs = Antithetic::new(Normal, 4)?;
    /// assert_eq!(Sampler::<f64>::num_samples(&pairs), 4);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn num_samples(&self) -> usize;

    /// How many consecutive draws depend on one another: 1 for independent draws, 2 for pairs, all for a lattice. Draws 0..block_len
    /// are one block, the next as many another, and different blocks are independent. It divides the number of draws.
    ///
    /// Standard errors are those of the means of the blocks.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{Antithetic, Sampler};
    /// let pairs = Antithetic::new(Normal, 4)?;
    /// assert_eq!(Sampler::<f64>::block_len(&pairs), 2);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn block_len(&self) -> usize {
        1
    }

    /// Whether the draws can have `dim` entries: what an estimator asks before it writes anything. By default they can.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{GivenDraws, Sampler};
    /// let draws = GivenDraws::new(Normal, &[0.5, -0.5], 2)?;
    /// assert_eq!((draws.check_dim(2), draws.check_dim(3).map_err(|error| error.code())), (Ok(()), Err(1)));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A dimension it has no draw for.
    fn check_dim(&self, dim: usize) -> Result<()> {
        let _ = dim;
        Ok(())
    }

    /// Fills `z` with draw `index`.
    ///
    /// **Cost.** Each sampler says its own; most take one quantile of the law an entry.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{GivenDraws, Sampler};
    /// let mut z = [0.0; 2];
    /// GivenDraws::new(Normal, &[0.5, -0.5, 1.0, 2.0], 2)?.sample(Key::new(0), 1, &mut z)?;
    /// assert_eq!(z, [1.0, 2.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the sampler cannot serve: an index or a dimension it has no draw for.
    fn sample(&self, key: Key, index: usize, z: &mut [F]) -> Result<()>;
}

impl<F: Real, S: Sampler<F> + ?Sized> Sampler<F> for &S {
    type Law = S::Law;

    fn law(&self) -> S::Law {
        (**self).law()
    }

    fn num_samples(&self) -> usize {
        (**self).num_samples()
    }

    fn block_len(&self) -> usize {
        (**self).block_len()
    }

    fn check_dim(&self, dim: usize) -> Result<()> {
        (**self).check_dim(dim)
    }

    fn sample(&self, key: Key, index: usize, z: &mut [F]) -> Result<()> {
        (**self).sample(key, index, z)
    }
}
