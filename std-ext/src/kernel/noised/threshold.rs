//! A threshold that somewhat more noised scores reach than are wanted: an estimate, on which no result depends.

use core::array;

use pulp::{Simd, WithSimd};
use topk_loss::select::Ranked;

use super::Noise;
use super::tail::tail_at_most;
use crate::elementary::Elementary;
use crate::kernel::executor::Executor;

/// Scores are taken and tallied in blocks.
const LANES: usize = 16;

/// The blocks that stand for all: one of sixteen, but not fewer nor more than these.
const SHARE: usize = 16;
const FEWEST: usize = 8;
const MOST: usize = 128;

/// A score that does not count.
const NONE: f32 = -64.0;

/// Where about n + 3√n + 3 noised scores are expected above; nothing where that is most of them. `best` are the largest scores.
pub(super) fn choose<F: Elementary>(executor: Executor, noise: Noise<'_, F>, n: usize, best: &[Ranked<F>]) -> Option<F> {
    let wanted = n as f32;
    // Three standard deviations of a Poisson count, or somewhat more: one draw in some hundreds falls short.
    let target = wanted + 3.0 * wanted.sqrt() + 3.0;
    if target > 0.5 * noise.scores.len() as f32 {
        return None;
    }
    let threshold = executor.dispatch(Bracket { noise, best, target })?;
    Some(F::from_f64(f64::from(threshold)) * noise.epsilon)
}

/// Two thresholds around the one that is looked for, and ln(expected number above) interpolated between them.
struct Bracket<'a, F> {
    noise: Noise<'a, F>,
    best: &'a [Ranked<F>],
    target: f32,
}

impl<F: Elementary> WithSimd for Bracket<'_, F> {
    type Output = Option<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<f32> {
        let Self { noise: Noise { scores, center, epsilon, .. }, best, target } = self;
        let per_epsilon = epsilon.recip();
        let units = |score: F| {
            let unit = ((score - center) * per_epsilon).to_single();
            let unit = if unit > NONE { unit } else { NONE };
            if unit < -NONE { unit } else { -NONE }
        };
        // The best count one by one, since one of them may outweigh all others.
        let least = best.iter().fold(-NONE, |least, entry| if units(entry.value) < least { units(entry.value) } else { least });
        let best: Vec<[f32; LANES]> =
            best.chunks(LANES).map(|chunk| array::from_fn(|lane| chunk.get(lane).map_or(NONE, |entry| units(entry.value)))).collect();
        let blocks = scores.as_chunks::<LANES>().0;
        let step = blocks.len().div_ceil((blocks.len() / SHARE).clamp(FEWEST, MOST)).max(1);
        let mut others = Vec::with_capacity(MOST);
        for block in blocks.iter().step_by(step) {
            let mut other = [NONE; LANES];
            for lane in 0..LANES {
                let unit = units(block[lane]);
                other[lane] = if unit < least { unit } else { NONE };
            }
            others.push(other);
        }
        let weight = scores.len() as f32 / (others.len() * LANES) as f32;
        let sample = Sample { best, others, weight };

        let mut here = (0.0, sample.above(0.0));
        let upwards = here.1 >= target;
        for distance in [1.0, 2.0, 4.0, 8.0] {
            let t = if upwards { distance } else { -distance };
            let there = (t, sample.above(t));
            if (there.1 >= target) != upwards {
                return Some(here.0 + (there.0 - here.0) * (target / here.1).ln() / (there.1 / here.1).ln());
            }
            here = there;
        }
        None
    }
}

/// Scores in units of ε.
struct Sample {
    best: Vec<[f32; LANES]>,
    others: Vec<[f32; LANES]>,
    /// For how many classes each of the others stands.
    weight: f32,
}

impl Sample {
    /// The expected number of noised scores above t, or somewhat more.
    #[inline(always)]
    fn above(&self, t: f32) -> f32 {
        let mut tails = [0.0; LANES];
        for block in &self.others {
            for lane in 0..LANES {
                tails[lane] += self.weight * tail_at_most(t - block[lane]);
            }
        }
        for block in &self.best {
            for lane in 0..LANES {
                tails[lane] += tail_at_most(t - block[lane]);
            }
        }
        tails.iter().sum()
    }
}
