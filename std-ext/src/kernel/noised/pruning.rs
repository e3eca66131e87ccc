//! Finds the classes that can reach a threshold in some draw, from their random words alone: the others are not drawn.

use core::ops::Range;

use pulp::{Simd, WithSimd};

use super::tail::tail_at_most;
use super::{AT_ONCE, Noise};
use crate::elementary::Elementary;
use crate::kernel::executor::Executor;
use crate::kernel::noise::{classes_per_counter, philox};

/// How many counters are pruned at a time.
const COUNTERS: usize = 256;
/// How many of them side by side.
const LANES: usize = 16;
/// How many of them are looked through at once.
const WORD: usize = 64;
/// How many classes are looked at before the program branches.
const CLASSES: usize = 64;
/// The word that no class without a chance reaches, but for one draw in 2³².
const NEVER: u32 = u32::MAX;

/// What is left of the classes, draw by draw, and room to find it.
#[derive(Default)]
pub(super) struct Pruning {
    pending: Box<Pending>,
    survivors: [Vec<usize>; AT_ONCE],
}

/// Counters of the generator that wait for their words: of each a class may matter, if its word is large enough.
struct Pending {
    len: usize,
    counters: [u64; COUNTERS],
    /// Word by word, the least that may matter.
    bounds: [[u32; COUNTERS]; 4],
    /// One bit a class.
    hits: [u8; COUNTERS],
}

impl Default for Pending {
    fn default() -> Self {
        Self { len: 0, counters: [0; COUNTERS], bounds: [[NEVER; COUNTERS]; 4], hits: [0; COUNTERS] }
    }
}

impl Pruning {
    /// Finds the classes, in their order, that may reach `threshold` in each of at most [`AT_ONCE`] draws. The first score is that of
    /// class `first`.
    ///
    /// None that does reach it is missing.
    pub fn prune<F: Elementary>(&mut self, executor: Executor, noise: Noise<'_, F>, first: usize, threshold: F, draws: Range<u64>) {
        let Self { pending, survivors } = self;
        survivors.iter_mut().for_each(Vec::clear);
        executor.dispatch(Prune { pending, noise, first, threshold, draws, survivors });
    }

    /// Those of a draw.
    pub fn survivors(&self, place: usize) -> &[usize] {
        &self.survivors[place]
    }
}

struct Prune<'a, F> {
    pending: &'a mut Pending,
    noise: Noise<'a, F>,
    first: usize,
    threshold: F,
    draws: Range<u64>,
    survivors: &'a mut [Vec<usize>; AT_ONCE],
}

impl<F: Elementary> WithSimd for Prune<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let per_counter = classes_per_counter::<F>();
        let bound = Bound::new(self.noise, self.threshold);
        let lowest = self.threshold - self.noise.reach();
        let (blocks, left) = self.noise.scores.as_chunks::<CLASSES>();
        let mut padded = [F::neg_infinity(); CLASSES];
        padded[..left.len()].copy_from_slice(left);
        for (first, scores) in (self.first..).step_by(CLASSES).zip(blocks.iter().chain([&padded])) {
            if !scores.iter().fold(false, |any, &score| any | (score - self.noise.center >= lowest)) {
                continue;
            }
            let mut bounds = [NEVER; CLASSES];
            for place in 0..CLASSES {
                bounds[place] = bound.of(scores[place]);
            }
            if self.pending.len + CLASSES / per_counter > COUNTERS {
                self.flush();
            }
            for (counter, bounds) in ((first / per_counter) as u64..).zip(bounds.chunks_exact(per_counter)) {
                let place = self.pending.len;
                self.pending.counters[place] = counter;
                (0..per_counter).for_each(|j| self.pending.bounds[j][place] = bounds[j]);
                self.pending.len += usize::from(bounds.iter().fold(false, |any, &bound| any | (bound < NEVER)));
            }
        }
        self.flush();
    }
}

impl<F: Elementary> Prune<'_, F> {
    /// Prunes the pending counters, for every draw.
    #[inline(always)]
    fn flush(&mut self) {
        let per_counter = classes_per_counter::<F>();
        let Pending { len, counters, bounds, hits } = &mut *self.pending;
        let key = self.noise.key.words();
        for (draw, survivors) in self.draws.clone().zip(&mut *self.survivors) {
            for chunk in 0..len.div_ceil(LANES) {
                let counters = &counters.as_chunks::<LANES>().0[chunk];
                let bounds: [_; 4] = core::array::from_fn(|j| &bounds[j].as_chunks::<LANES>().0[chunk]);
                let hits = &mut hits.as_chunks_mut::<LANES>().0[chunk];
                for lane in 0..LANES {
                    let words = philox(key, counters[lane], draw);
                    let mut hit = 0;
                    for j in 0..per_counter {
                        let bound: u64 = bounds[j][lane].into();
                        hit |= u64::from(words[j * F::UNIFORM_WORDS] >= bound) << j;
                    }
                    hits[lane] = hit as u8;
                }
            }
            // Places without a counter may have passed.
            hits[*len..].fill(0);
            for (first, hits) in (0..*len).step_by(WORD).zip(hits.as_chunks::<WORD>().0) {
                let mut any = 0_u64;
                for (place, &hit) in hits.iter().enumerate() {
                    any |= u64::from(hit != 0) << place;
                }
                while any != 0 {
                    let place = any.trailing_zeros() as usize;
                    any &= any - 1;
                    let mut hit = hits[place];
                    while hit != 0 {
                        let class = counters[first + place] as usize * per_counter + hit.trailing_zeros() as usize;
                        hit &= hit - 1;
                        // So may classes that pad the last counter.
                        if class - self.first < self.noise.scores.len() {
                            survivors.push(class);
                        }
                    }
                }
            }
        }
        *len = 0;
    }
}

/// The least word of a class that may reach the threshold.
struct Bound<F> {
    center: F,
    threshold: F,
    per_epsilon: F,
    allowance: f32,
}

impl<F: Elementary> Bound<F> {
    #[inline(always)]
    fn new(Noise { center, epsilon, .. }: Noise<'_, F>, threshold: F) -> Self {
        let per_epsilon = epsilon.recip();
        let t = (threshold * per_epsilon).to_single();
        Self { center, threshold, per_epsilon, allowance: ROUNDING * (8.0 + if t < 0.0 { -t } else { t }) }
    }

    /// Everything is rounded towards a lower bound: the noise needed, by far more than the noised score and it itself are rounded; its
    /// probability, by far more than the approximations of the tail and of the quantile are off; and the word.
    #[inline(always)]
    fn of(&self, score: F) -> u32 {
        let needed = ((self.threshold - (score - self.center)) * self.per_epsilon).to_single();
        let needed = needed - self.allowance - ROUNDING * if needed < 0.0 { -needed } else { needed };
        // In units of the 23 bits that single precision looks at; 2²³ + n has n in its last bits.
        const UNITS: f32 = 8_388_608.0;
        let chances = tail_at_most(needed) * (1.001 * UNITS) + 2.0;
        let chances = if chances < UNITS - 1.0 { chances } else { UNITS - 1.0 };
        let bound = !(((chances + UNITS).to_bits() << 9) | 511);
        // NaN, where infinities cancelled, needs nothing.
        if needed > F::REACH { NEVER } else { bound }
    }
}

/// 16 times the rounding of single precision.
const ROUNDING: f32 = 1.0 / 1_048_576.0;

#[cfg(test)]
mod tests {
    use topk_loss::Key;
    use topk_loss::noise::{Noise as _, Normal};

    use super::{Bound, Noise};
    use crate::variate::Variate;

    /// Noise z at score 0 reaches the threshold z. All single-precision uniforms: none may be below the bound of its own noise, nor of less.
    #[test]
    fn no_word_that_matters_is_below_its_bound() {
        let mut highest = 0;
        let mut tight = 0_u64;
        for n in 0..1_u32 << 23 {
            let threshold: f32 = Normal.quantile(f32::uniform(n << 9, 0));
            let noise = Noise { scores: &[], center: 0.0, epsilon: 1.0, key: Key::new(0) };
            highest = highest.max(Bound::new(noise, threshold).of(0.0));
            assert!(highest <= n << 9, "{n}: {highest}");
            tight += u64::from(highest / 512);
        }
        // Perfect bounds would make it ½, tails that are a tenth too large take a tenth of the other half away; no bounds at all make it 0.
        assert!(tight as f64 / 2_f64.powi(46) > 0.45, "{tight}");
    }
}
