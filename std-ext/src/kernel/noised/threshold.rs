//! A threshold that somewhat more noised scores reach than are wanted: an estimate, on which no result depends.

use pulp::{Arch, Simd, WithSimd};
use topk_loss::Ranked;

use super::Noise;
use crate::elementary::Elementary;

/// Scores are taken and tallied in blocks.
const LANES: usize = 16;

/// The blocks that stand for all: one of sixteen, but not fewer nor more than these.
const SHARE: usize = 16;
const FEWEST: usize = 8;
const MOST: usize = 128;

/// A score that does not count.
const NONE: f32 = -64.0;

/// Where about n + 4√n + 4 noised scores are expected above, n the number of the `best`; nothing where that is most of them.
pub(super) fn choose<F: Elementary>(arch: Arch, noise: Noise<'_, F>, best: &[Ranked<F>]) -> Option<F> {
    let wanted = best.len() as f32;
    // Four standard deviations of a Poisson count: one draw in some thousands falls short.
    let target = wanted + 4.0 * wanted.sqrt() + 4.0;
    if target > 0.5 * noise.scores.len() as f32 {
        return None;
    }
    let threshold = arch.dispatch(Solve { noise, best, target });
    Some(F::from_f64(f64::from(threshold)) * noise.epsilon)
}

/// Newton's method for ln(expected number above t) = ln(target).
struct Solve<'a, F> {
    noise: Noise<'a, F>,
    best: &'a [Ranked<F>],
    target: f32,
}

impl<F: Elementary> WithSimd for Solve<'_, F> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        let Self { noise: Noise { scores, center, epsilon, .. }, best, target } = self;
        let per_epsilon = epsilon.recip();
        let units = |score: F| {
            let unit = ((score - center) * per_epsilon).to_single();
            let unit = if unit > NONE { unit } else { NONE };
            if unit < -NONE { unit } else { -NONE }
        };
        // The best count one by one, since one of them may outweigh all others.
        let least = best.iter().fold(-NONE, |least, entry| if units(entry.value) < least { units(entry.value) } else { least });
        let best_blocks = best.chunks(LANES).map(|chunk| {
            let mut block = [NONE; LANES];
            for (place, entry) in block.iter_mut().zip(chunk) {
                *place = units(entry.value);
            }
            block
        });
        let blocks = scores.as_chunks::<LANES>().0;
        let step = blocks.len().div_ceil((blocks.len() / SHARE).clamp(FEWEST, MOST)).max(1);
        let mut sample = [[NONE; LANES]; MOST];
        let mut taken = 0;
        for block in blocks.iter().step_by(step) {
            for lane in 0..LANES {
                let unit = units(block[lane]);
                sample[taken][lane] = if unit < least { unit } else { NONE };
            }
            taken += 1;
        }
        let weight = scores.len() as f32 / (taken.max(1) * LANES) as f32;

        let mut t = 0.5_f32;
        for _ in 0..3 {
            let (count, density) = (0..taken).fold((0.0, 0.0), |sums, place| tally(sums, &sample[place], t));
            let (count, density) = best_blocks.clone().fold((weight * count, weight * density), |sums, block| tally(sums, &block, t));
            let step = (count / target).ln() * count / density;
            t += if step > -2.0 { step.min(2.0) } else { -2.0 };
        }
        t
    }
}

/// Adds Σ P(s + Z > t) and its density.
#[inline(always)]
fn tally((mut count, mut density): (f32, f32), scores: &[f32; LANES], t: f32) -> (f32, f32) {
    let mut tails = [(0.0, 0.0); LANES];
    for lane in 0..LANES {
        tails[lane] = (t - scores[lane]).normal_tail_and_density();
    }
    for (tail, other) in tails {
        count += tail;
        density += other;
    }
    (count, density)
}
