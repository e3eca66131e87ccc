//! Draws from any generator of the `rand_core` traits.

use core::fmt;
use core::marker::PhantomData;

use rand_core::{Rng, SeedableRng};

use super::Sampler;
use crate::{Key, Noise, Real, Result, check};

/// Independent draws by inversion of the output of a sequential generator `R`, seeded afresh for each draw from the key and the
/// draw's index.
///
/// The draws are addressable, the classes inside one are not: entry i comes after i earlier outputs, so a class that could be
/// skipped must still be drawn. Prefer [`MonteCarlo`](crate::sampler::MonteCarlo) unless a result has to come from a given generator.
///
/// **Cost.** A seed for each draw; one uniform and one quantile of the law an entry.
///
/// ```
/// use rand_pcg::Pcg64Dxsm;
/// use topk_loss::noise::Uniform;
/// use topk_loss::sampler::{Sampler, Sequential};
/// use topk_loss::Key;
/// let sampler = Sequential::<_, Pcg64Dxsm>::new(Uniform, 5)?;
/// let (mut z, mut again) = ([0.0_f32; 4], [0.0_f32; 4]);
/// sampler.sample(Key::new(1), 3, &mut z)?;
/// sampler.sample(Key::new(1), 3, &mut again)?;
/// assert_eq!(z, again);
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub struct Sequential<N, R> {
    law: N,
    num_samples: usize,
    generator: PhantomData<fn() -> R>,
}

impl<N, R> Sequential<N, R> {
    /// `num_samples` independent draws from `law`.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::{Sampler, Sequential};
    /// assert_eq!(Sampler::<f64>::num_samples(&Sequential::<_, rand_pcg::Pcg64Dxsm>::new(Normal, 5)?), 5);
    /// assert_eq!(Sequential::<_, rand_pcg::Pcg64Dxsm>::new(Normal, 0).unwrap_err().code(), 4);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// No draw at all.
    pub fn new(law: N, num_samples: usize) -> Result<Self> {
        check::at_least_one("num_samples", num_samples)?;
        Ok(Self { law, num_samples, generator: PhantomData })
    }
}

// By hand, since a derive would ask the generator to be Copy and Debug, of which none is held.
impl<N: Copy, R> Copy for Sequential<N, R> {}

impl<N: Copy, R> Clone for Sequential<N, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N: fmt::Debug, R> fmt::Debug for Sequential<N, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequential").field("law", &self.law).field("num_samples", &self.num_samples).finish()
    }
}

impl<F: Real, N: Noise<F>, R: SeedableRng + Rng> Sampler<F> for Sequential<N, R> {
    type Law = N;

    fn law(&self) -> N {
        self.law
    }

    fn num_samples(&self) -> usize {
        self.num_samples
    }

    fn sample(&self, key: Key, index: usize, z: &mut [F]) -> Result<()> {
        let mut rng: R = key.fold_in(index as u64).rng();
        for place in z {
            let words = if F::UNIFORM_WORDS == 1 { [rng.next_u32(), 0] } else { [rng.next_u32(), rng.next_u32()] };
            *place = self.law.quantile(F::open_uniform(words));
        }
        Ok(())
    }
}
