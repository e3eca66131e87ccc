//! Keys: randomness as a value, from which every draw follows.

use rand_core::{Rng, SeedableRng};

use crate::Real;
use crate::philox::philox4x32;

/// Where a stochastic estimate finds its draws: a value, copied freely, that names one stream of random numbers.
///
/// The same key gives the same draws on every machine, in every thread and in a replayed backward pass. Fold in what must
/// differ: the training step, then the example (the batched calls do the latter).
///
/// ```
/// use topk_loss::Key;
/// let key = Key::new(7);
/// assert_eq!(key.fold_in(3), Key::new(7).fold_in(3));
/// assert_ne!(key.fold_in(3), key.fold_in(4));
/// ```
///
/// A key also seeds any generator of the `rand_core` traits:
///
/// ```
/// use rand_core::Rng;
/// use topk_loss::Key;
/// let mut rng: rand_pcg::Pcg64Dxsm = Key::new(7).rng();
/// assert_eq!(rng.next_u64(), Key::new(7).rng::<rand_pcg::Pcg64Dxsm>().next_u64());
/// ```
///
/// **References.** Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox4x32-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Key([u32; 2]);

/// The last counter word of what is not a draw, so that keys and seeds never repeat the words of a draw.
const FOLD: u32 = u32::MAX;
const SEED: u32 = u32::MAX - 1;
const CLASS: u32 = u32::MAX - 2;

impl Key {
    /// The key of a seed.
    ///
    /// ```
    /// use topk_loss::Key;
    /// assert_eq!(Key::new(7).words(), [0, 7]);
    /// ```
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self([(seed >> 32) as u32, seed as u32])
    }

    /// A key drawn from a generator: its next two 32-bit words.
    ///
    /// ```
    /// use rand_core::SeedableRng;
    /// use topk_loss::Key;
    /// let draw = || Key::from_rng(&mut rand_pcg::Pcg64Dxsm::seed_from_u64(1));
    /// assert_eq!(draw().words(), draw().words());
    /// ```
    pub fn from_rng(rng: &mut (impl Rng + ?Sized)) -> Self {
        Self([rng.next_u32(), rng.next_u32()])
    }

    /// The key of one step, example or draw under this one: a hash of both, 64 bits wide.
    ///
    /// **Cost.** One block of Philox4x32-10.
    ///
    /// ```
    /// use topk_loss::Key;
    /// let step = Key::new(7).fold_in(3);
    /// // A word differs, and every fold depends on those before it.
    /// assert_ne!(step.words(), Key::new(7).fold_in(4).words());
    /// assert_ne!(step.fold_in(0).words(), Key::new(7).fold_in(0).fold_in(3).words());
    /// ```
    #[must_use]
    pub fn fold_in(self, data: u64) -> Self {
        let [a, b, _, _] = philox4x32([data as u32, (data >> 32) as u32, 0, FOLD], self.0);
        Self([a, b])
    }

    /// The words that key Philox4x32-10, for whoever draws the same numbers elsewhere: in vector code, on a device.
    ///
    /// Draw b of class i is word i mod 4 at counter [i div 4, its upper half, b, its upper half] for floats of one
    /// [word](Real::UNIFORM_WORDS), and words 2(i mod 2) and 2(i mod 2) + 1 at counter i div 2 for floats of two.
    ///
    /// ```
    /// use topk_loss::Key;
    /// assert_eq!(Key::new(0x1234_5678_9abc_def0).words(), [0x1234_5678, 0x9abc_def0]);
    /// ```
    #[must_use]
    pub const fn words(self) -> [u32; 2] {
        self.0
    }

    /// A sequential generator whose whole seed is hashed from the key.
    ///
    /// **Cost.** One block of Philox4x32-10 for every 16 bytes of the seed.
    ///
    /// ```
    /// use rand_core::Rng;
    /// use topk_loss::Key;
    /// let mut draw = |seed| Key::new(seed).rng::<rand_pcg::Pcg64Dxsm>().next_u64();
    /// assert_eq!(draw(7), draw(7));
    /// assert_ne!(draw(7), draw(8));
    /// ```
    #[must_use]
    pub fn rng<R: SeedableRng>(self) -> R {
        let mut seed = R::Seed::default();
        for (block, chunk) in (0..).zip(seed.as_mut().chunks_mut(16)) {
            let words = philox4x32([block, 0, 0, SEED], self.0);
            let bytes = words.into_iter().flat_map(u32::to_le_bytes);
            chunk.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        }
        R::from_seed(seed)
    }

    /// Uniform numbers in (0, 1) for every class of draw `draw`. Class i depends on the key, the draw and i alone.
    pub(crate) fn fill_uniform<F: Real>(self, draw: u64, uniforms: &mut [F]) {
        self.fill_with(draw, uniforms, |_, words| F::open_uniform(words));
    }

    /// What `make` makes of every class of draw `draw` and the words that are its own; one-word floats get a second word of 0.
    pub(crate) fn fill_with<F: Real>(self, draw: u64, places: &mut [F], make: impl Fn(u64, [u32; 2]) -> F) {
        let per_block = 4 / F::UNIFORM_WORDS;
        for (block, chunk) in (0_u64..).zip(places.chunks_mut(per_block)) {
            let [a, b, c, d] = philox4x32([block as u32, (block >> 32) as u32, draw as u32, (draw >> 32) as u32], self.0);
            let pairs = if F::UNIFORM_WORDS == 1 { [[a, 0], [b, 0], [c, 0], [d, 0]] } else { [[a, b], [c, d], [0; 2], [0; 2]] };
            let classes = block * per_block as u64..;
            chunk.iter_mut().zip(classes.zip(pairs)).for_each(|(place, (class, words))| *place = make(class, words));
        }
    }

    /// Random words that a class keeps through all draws.
    pub(crate) fn class_words(self, class: u64) -> [u32; 4] {
        philox4x32([class as u32, (class >> 32) as u32, 0, CLASS], self.0)
    }
}

/// What draws random numbers under a key of its own, and can be given another: a loss, an estimator.
///
/// Deterministic types return themselves.
///
/// ```
/// use topk_loss::{FoldIn, Key, Loss, Smoothing, TopKHinge};
/// let one_draw = Smoothing::Pathwise { epsilon: 1.0, num_samples: 1, key: Key::new(1) };
/// let loss = TopKHinge::new(1)?.with_smoothing(one_draw)?;
/// let at = |step| loss.fold_in(step).value(&[0.0_f64, 1.0], 0, &mut [0.0; 6]);
/// assert!(at(1)? == at(1)? && at(1)? != at(2)?);
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait FoldIn {
    /// The same function with `data` folded into its key: other draws, of the same law.
    ///
    /// ```
    /// use topk_loss::{FoldIn, Key, Smoothing};
    /// let draws = |key| Smoothing::Pathwise { epsilon: 1.0, num_samples: 1, key };
    /// assert_eq!(draws(Key::new(1)).fold_in(5), draws(Key::new(1).fold_in(5)));
    /// assert_eq!(Smoothing::Exact { epsilon: 1.0 }.fold_in(5), Smoothing::Exact { epsilon: 1.0 });
    /// ```
    #[must_use]
    fn fold_in(&self, data: u64) -> Self;
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn a_draw_is_addressable_by_class() {
        let (mut long, mut short) = ([0.0_f32; 11], [0.0_f32; 6]);
        Key::new(5).fill_uniform(9, &mut long);
        Key::new(5).fill_uniform(9, &mut short);
        assert_eq!(long.first_chunk::<6>(), Some(&short));
        Key::new(5).fill_uniform(10, &mut short);
        assert_ne!(long.first_chunk::<6>(), Some(&short));
    }
}
