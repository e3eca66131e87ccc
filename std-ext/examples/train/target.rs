//! Finds how soon a training is good enough.

use crate::outcome::{Outcome, Statistic};
use crate::study::Run;

/// The share of the best loss's or estimator's final accuracy that is good enough.
pub const SHARE: f64 = 0.95;

/// A macro top-K accuracy to be reached.
pub struct Target(pub f64);

impl Target {
    /// [`SHARE`] of the highest mean final accuracy.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let finals = outcomes.iter().map(|outcome| outcome.macro_accuracy().mean);
        Self(SHARE * finals.fold(0.0, f64::max))
    }

    /// The first epoch, counted from 1, after which the run has reached it.
    pub fn epoch(&self, run: &Run) -> Option<f64> {
        run.curve.iter().position(|&accuracy| accuracy >= self.0).map(|epoch| (epoch + 1) as f64)
    }

    /// The first epochs of the runs that reach it, and how many runs do.
    pub fn epochs(&self, outcome: &Outcome) -> (Statistic, usize) {
        let reached = outcome.runs.iter().filter(|run| self.epoch(run).is_some()).count();
        (outcome.over_seeds(|run| self.epoch(run)), reached)
    }
}
