//! The largest noised scores of a row, draw by draw, without drawing what cannot be among them.
//!
//! A class matters to a draw only where its noised score reaches a threshold T, so where its noise reaches (T − s)/ε, so where its uniform
//! number reaches the normal law's distribution function there. That bound on the generator's word is computed once for all draws;
//! a draw then costs the generator and one comparison of integers a class, and the quantile is left for the few that pass.
//!
//! T decides how much is computed, never what comes out: a draw with too few noised scores from T on is repeated with a lower T, at last
//! with one that they are known to reach.

mod pruning;
mod tail;
mod threshold;

use core::ops::Range;

use topk_loss::Key;
use topk_loss::select::Ranked;

use super::executor::{Executor, Piece};
use super::noise::normals_of;
use crate::elementary::Elementary;
use pruning::Pruning;

/// Scores of which only the differences from `center` matter, and their noise.
#[derive(Clone, Copy)]
pub(super) struct Noise<'a, F> {
    pub scores: &'a [F],
    pub center: F,
    pub epsilon: F,
    pub key: Key,
}

impl<F: Elementary> Noise<'_, F> {
    /// Whether no noised score is near the end of the float's range, and neither is the sum of `num_draws` that lie near the center.
    pub fn is_ordinary(&self, num_draws: usize) -> bool {
        let bound = F::from_f64(16.0) * self.epsilon * F::from_usize(num_draws);
        bound.is_finite() && bound <= F::max_value() / F::from_f64(16.0) && self.epsilon.recip().is_finite()
    }

    /// Above every noise.
    pub fn reach(&self) -> F {
        F::from_f64(f64::from(F::REACH)) * self.epsilon
    }
}

/// How many of the largest scores decide where the threshold is set for the n largest noised ones: fewer, and chance would.
pub(super) fn worth_knowing(n: usize) -> usize {
    n.saturating_mul(2).saturating_add(8)
}

/// How many draws are pruned in one pass over the scores.
const AT_ONCE: usize = 16;

/// Where the threshold is: no result depends on it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ThresholdPolicy {
    /// Where somewhat more noised scores than are wanted reach it.
    Usual,
    /// Nowhere: every class is drawn.
    #[cfg(test)]
    Off,
    /// So high that many draws must be repeated.
    #[cfg(test)]
    TooHigh,
}

/// Room for the pruning, 6 kB a piece of the row, and for the survivors of some draws: 16 times the classes that may reach the threshold,
/// which are about K + 3√K + 8, with 28 or 32 bytes each.
pub(super) struct TopNoised<F> {
    executor: Executor,
    prunings: Vec<Pruning>,
    classes: Vec<usize>,
    draws: Vec<u64>,
    /// How many of the classes are of each draw.
    counts: [usize; AT_ONCE],
    noised: Vec<F>,
    policy: ThresholdPolicy,
}

impl<F: Elementary> TopNoised<F> {
    pub fn new(executor: Executor, policy: ThresholdPolicy) -> Self {
        Self { executor, prunings: vec![], classes: vec![], draws: vec![], counts: [0; AT_ONCE], noised: vec![], policy }
    }

    /// Calls `visit` for every draw, in order, with some classes in their order and their noised scores, among them the `n` largest.
    ///
    /// `best` are the largest scores, at least `n`, in the order of their ranks and not centered.
    pub fn of_draws(&mut self, noise: Noise<'_, F>, num_draws: usize, n: usize, best: &[Ranked<F>], mut visit: impl FnMut(&[usize], &[F])) {
        let least = best[n - 1].value;
        // So many scores are at least `least`, and their noise is above −reach: rounding is monotone, so this needs no allowance for it.
        let reached_surely = (least - noise.center) - noise.reach();
        let estimate = threshold::choose(self.executor, noise, n, best).filter(|&estimate| estimate > reached_surely);
        let threshold = match self.policy {
            ThresholdPolicy::Usual => estimate.unwrap_or(reached_surely),
            #[cfg(test)]
            ThresholdPolicy::Off => F::neg_infinity(),
            #[cfg(test)]
            ThresholdPolicy::TooHigh => estimate.unwrap_or(reached_surely) + (noise.epsilon + noise.epsilon),
        };
        for first in (0..num_draws).step_by(AT_ONCE) {
            let draws = first as u64..(first + AT_ONCE).min(num_draws) as u64;
            self.evaluate(noise, threshold, draws.clone());
            let mut start = 0;
            for (place, draw) in draws.clone().enumerate() {
                let these = start..start + self.counts[place];
                start = these.end;
                let noised = &self.noised[these.clone()];
                if num_reaching(noised, threshold) >= n {
                    visit(&self.classes[these], noised);
                    continue;
                }
                let mut again = Self::new(self.executor, self.policy);
                let (mut lowered, mut step) = (threshold, noise.epsilon);
                while num_reaching(&again.noised, lowered) < n {
                    // Not at once to where nearly every class may reach it: that many would have to be kept.
                    lowered = (lowered - step).max(reached_surely);
                    step += step;
                    again.evaluate(noise, lowered, draw..draw + 1);
                }
                visit(&again.classes, &again.noised);
            }
        }
    }

    /// The noised scores of the classes that may reach the threshold, draw after draw.
    fn evaluate(&mut self, noise: Noise<'_, F>, threshold: F, draws: Range<u64>) {
        self.executor.map_with(noise.scores, None, &mut self.prunings, |Piece { first, scores, room: pruning, .. }| {
            pruning.prune(self.executor, Noise { scores, ..noise }, first, threshold, draws.clone());
        });
        self.classes.clear();
        self.draws.clear();
        for (place, draw) in draws.enumerate() {
            let before = self.classes.len();
            self.prunings.iter().for_each(|pruning| self.classes.extend_from_slice(pruning.survivors(place)));
            self.counts[place] = self.classes.len() - before;
            self.draws.resize(self.classes.len(), draw);
        }
        self.noised.resize(self.classes.len(), F::zero());
        normals_of(self.executor, noise.key, &self.draws, &self.classes, &mut self.noised);
        for (place, &class) in self.noised.iter_mut().zip(&self.classes) {
            *place = (noise.scores[class] - noise.center) + noise.epsilon * *place;
        }
    }
}

fn num_reaching<F: Elementary>(noised: &[F], threshold: F) -> usize {
    noised.iter().fold(0, |count, &noised| count + usize::from(noised >= threshold))
}
