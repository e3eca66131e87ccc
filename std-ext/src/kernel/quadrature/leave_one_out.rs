//! The distributions without one of the trials that no division takes out again: those of p > ½.
//!
//! Without one half of the trials, then without either half of the other half, and so on: each trial is added once a halving, to ever fewer
//! entries, since of the distribution without m trials only the last m are needed to add all but one of them.

use pulp::Simd;

use super::counts::{TOGETHER, add_trials};
use crate::elementary::Elementary;
use crate::vectors::{LANES, Lanes, Vectors};

/// Room for the last entries of the distributions, halving by halving: without [`TOGETHER`] trials, without twice as many, …
#[derive(Debug)]
pub struct LeaveOneOut<F> {
    windows: Vec<Vec<Lanes<F>>>,
}

impl<F: Vectors> LeaveOneOut<F> {
    pub fn new() -> Self {
        Self { windows: vec![] }
    }

    /// Multiplies each of `factors` by the last entry of the distribution that one of the `trials` is missing from; `counts` has
    /// none of them.
    #[inline(always)]
    pub fn multiply<S: Simd>(
        &mut self,
        simd: S,
        counts: &[Lanes<F>],
        trials: &[[Lanes<F>; TOGETHER]],
        factors: &mut [[Lanes<F>; TOGETHER]],
    ) {
        let levels = trials.len().next_power_of_two().ilog2() as usize;
        self.windows.resize_with(self.windows.len().max(levels + 1), Vec::new);
        set(&mut self.windows[levels], last(counts, TOGETHER << levels));
        for (group, (own, factors)) in trials.iter().zip(factors).enumerate() {
            // What the group before was left out of too is there already.
            let shared = if group == 0 { levels } else { group.trailing_zeros() as usize + 1 };
            for level in (0..shared).rev() {
                let sibling = ((group >> level) ^ 1) << level;
                let others = &trials[sibling.min(trials.len())..(sibling + (1 << level)).min(trials.len())];
                let [window, parent] = &mut self.windows[level..level + 2] else { continue };
                set(window, parent);
                let needed = TOGETHER << level;
                for (left, others) in (1..=others.len()).rev().zip(others) {
                    add_trials(simd, last_mut(window, needed + TOGETHER * left), others.each_ref());
                }
                window.drain(..window.len() - needed.min(window.len()));
            }
            for (i, factor) in factors.iter_mut().enumerate() {
                let mut rest = [[F::zero(); LANES]; TOGETHER];
                let rest = last_mut(&mut rest, self.windows[0].len());
                rest.copy_from_slice(&self.windows[0]);
                add_trials(simd, rest, core::array::from_fn::<_, { TOGETHER - 1 }, _>(|j| &own[j + usize::from(j >= i)]));
                let probability = rest[rest.len() - 1];
                for lane in 0..LANES {
                    factor[lane] *= probability[lane];
                }
            }
        }
    }
}

fn set<F: Elementary>(window: &mut Vec<Lanes<F>>, entries: &[Lanes<F>]) {
    window.clear();
    window.extend_from_slice(entries);
}

/// The last entries, or all there are.
fn last<F>(entries: &[Lanes<F>], len: usize) -> &[Lanes<F>] {
    &entries[entries.len().saturating_sub(len)..]
}

fn last_mut<F>(entries: &mut [Lanes<F>], len: usize) -> &mut [Lanes<F>] {
    let first = entries.len().saturating_sub(len);
    &mut entries[first..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::WithSimd;

    use super::*;
    use crate::instruction_sets::available;

    struct Multiply<'a> {
        counts: &'a [Lanes<f64>],
        trials: &'a [[Lanes<f64>; TOGETHER]],
        factors: &'a mut [[Lanes<f64>; TOGETHER]],
    }

    impl WithSimd for Multiply<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            LeaveOneOut::new().multiply(simd, self.counts, self.trials, self.factors);
        }
    }

    /// The last entry with all trials but one added, one by one.
    fn with_all_but(left_out: usize, counts: &[f64], trials: &[f64]) -> f64 {
        let mut counts = counts.to_vec();
        for (_, &p) in trials.iter().enumerate().filter(|&(i, _)| i != left_out) {
            for j in (0..counts.len()).rev() {
                counts[j] = (1.0 - p) * counts[j] + if j > 0 { p * counts[j - 1] } else { 0.0 };
            }
        }
        counts[counts.len() - 1]
    }

    proptest! {
        /// Each addition of a trial rounds three times, and loses another digit where 1 − p is 0.1.
        #[test]
        fn leaving_out_by_halves_is_leaving_out_one_by_one(
            counts in prop::collection::vec(1e-3..1.0, 1..80_usize),
            trials in prop::collection::vec(0.0..0.9, 0..200_usize),
        ) {
            let filled = trials.len().next_multiple_of(TOGETHER);
            let lanes = |x: f64| core::array::from_fn(|lane| x / (1.0 + lane as f64));
            let mut tails: Vec<Lanes<f64>> = trials.iter().map(|&p| lanes(p)).collect();
            tails.resize(filled, lanes(0.0));
            let start: Vec<Lanes<f64>> = counts.iter().map(|&count| [count; LANES]).collect();
            for arch in available() {
                let mut factors = vec![[lanes(1.0); TOGETHER]; filled / TOGETHER];
                let trials_together = tails.as_chunks::<TOGETHER>().0;
                arch.dispatch(Multiply { counts: &start, trials: trials_together, factors: &mut factors });
                for lane in [0, 1, LANES - 1] {
                    let of_lane: Vec<f64> = trials.iter().map(|&p| lanes(p)[lane]).collect();
                    for (i, factor) in factors.as_flattened()[..trials.len()].iter().enumerate() {
                        let expected = lanes(1.0)[lane] * with_all_but(i, &counts, &of_lane);
                        let tolerance = 30.0 * f64::EPSILON * (1 + trials.len()) as f64;
                        prop_assert!((factor[lane] / expected - 1.0).abs() <= tolerance, "{} where {expected} is true", factor[lane]);
                    }
                }
            }
        }
    }
}
