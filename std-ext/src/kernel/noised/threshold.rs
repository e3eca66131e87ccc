//! A threshold that somewhat more noised scores reach than are wanted: an estimate, on which no result depends.

use pulp::{Arch, Simd, WithSimd};
use topk_loss::Ranked;

use super::Noise;
use crate::elementary::Elementary;

/// The classes that stand for all.
const FEWEST: usize = 256;
const MOST: usize = 2048;
const SHARE: usize = 16;

/// Scores that are tallied side by side.
const LANES: usize = 16;

/// Where about n + 4√n + 4 noised scores are expected above, n the number of the `best`; nothing where that is most of them.
pub(super) fn choose<F: Elementary>(arch: Arch, noise: Noise<'_, F>, best: &[Ranked<F>]) -> Option<F> {
    let wanted = best.len() as f32;
    // Four standard deviations of a Poisson count: one draw in some thousands falls short.
    let target = wanted + 4.0 * wanted.sqrt() + 4.0;
    if target > 0.5 * noise.scores.len() as f32 {
        return None;
    }
    let step = noise.scores.len().div_ceil((noise.scores.len() / SHARE).clamp(FEWEST, MOST));
    let per_epsilon = noise.epsilon.recip();
    let units = |score: F| ((score - noise.center) * per_epsilon).to_single().clamp(-64.0, 64.0);
    // The best count one by one, since one of them may outweigh all others.
    let least = best.iter().fold(f32::INFINITY, |least, entry| least.min(units(entry.value)));
    let others = noise.scores.iter().step_by(step).map(|&score| units(score)).filter(|&score| score < least);
    let (best, others) = (best.iter().map(|entry| units(entry.value)).collect(), others.collect());
    let threshold = arch.dispatch(Solve { best, others, weight: step as f32, target });
    Some(F::from_f64(f64::from(threshold)) * noise.epsilon)
}

/// Newton's method for ln(expected number above t) = ln(target).
struct Solve {
    best: Vec<f32>,
    others: Vec<f32>,
    weight: f32,
    target: f32,
}

impl WithSimd for Solve {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        let mut t = 0.0_f32;
        for _ in 0..4 {
            let (best, best_density) = tally(&self.best, t);
            let (others, others_density) = tally(&self.others, t);
            let count = best + self.weight * others;
            let density = best_density + self.weight * others_density;
            let step = (count / self.target).ln() * count / density;
            t += if step > -2.0 { step.min(2.0) } else { -2.0 };
        }
        t
    }
}

/// Σ P(s + Z > t) and its density.
#[inline(always)]
fn tally(scores: &[f32], t: f32) -> (f32, f32) {
    let (mut tails, mut densities) = ([0.0; LANES], [0.0; LANES]);
    for chunk in scores.chunks(LANES) {
        let mut padded = [-64.0; LANES];
        padded[..chunk.len()].copy_from_slice(chunk);
        for lane in 0..LANES {
            let (tail, density) = (t - padded[lane]).normal_tail_and_density();
            tails[lane] += tail;
            densities[lane] += density;
        }
    }
    (tails.iter().sum(), densities.iter().sum())
}
