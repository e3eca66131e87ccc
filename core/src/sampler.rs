//! Samplers: where the noise of a draw comes from, one file a kind.

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
    type Law: Noise<F>;

    /// The law of every entry.
    fn law(&self) -> Self::Law;

    /// How many draws an estimate averages, at least 1.
    fn num_samples(&self) -> usize;

    /// How many consecutive draws depend on one another: 1 for independent draws, 2 for pairs, all for a lattice. Draws 0..block_len
    /// are one block, the next as many another, and different blocks are independent. It divides the number of draws.
    ///
    /// Standard errors are those of the means of the blocks.
    fn block_len(&self) -> usize {
        1
    }

    /// Whether the draws can have `dim` entries: what an estimator asks before it writes anything. By default they can.
    ///
    /// # Errors
    /// A dimension it has no draw for.
    fn check_dim(&self, dim: usize) -> Result<()> {
        let _ = dim;
        Ok(())
    }

    /// Fills `z` with draw `index`.
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
