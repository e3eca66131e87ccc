//! The top-K hinge under conditional smoothing: core's draws and value to the bit, the gradient within rounding of core's.
//!
//! All classes below the (K+1)-th noised score share one interval; the few others have their own.

use topk_loss::{Margins, TopKHinge};

use super::executor::Executor;
use super::fast_path::{FastPath, ScaledGrad};
use super::interval::Units;
use super::noised::{self, Noise, TopNoised};
use super::pathwise::Draws;
use super::row::Row;
use super::select::{self, TopScores};
use crate::elementary::Elementary;

pub(super) struct Conditional<'a, F> {
    loss: TopKHinge<F, Margins<'a, F>>,
    draws: Draws<F>,
    executor: Executor,
    best: TopScores<F>,
    top_noised: TopNoised<F>,
    room: Vec<F>,
    /// The classes that are not below the (K+1)-th noised score, their noised scores, and their gradient before the draw.
    ahead: Vec<(usize, F, F)>,
}

impl<'a, F: Elementary> Conditional<'a, F> {
    pub fn new(loss: TopKHinge<F, Margins<'a, F>>, draws: Draws<F>, top_noised: TopNoised<F>, executor: Executor) -> Self {
        Self { loss, draws, executor, best: TopScores::new(executor), top_noised, room: vec![], ahead: vec![] }
    }
}

impl<F: Elementary> FastPath<F> for Conditional<'_, F> {
    fn try_row(&mut self, example: u64, scores: &[F], label: usize, mut grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let Self {
            loss,
            draws: Draws { epsilon, num_samples, key },
            executor,
            ref mut best,
            ref mut top_noised,
            ref mut room,
            ref mut ahead,
        } = *self;
        // The order statistics on both sides of the (K+1)-th, where there is one below.
        let needed = loss.first_missed().saturating_add(1).min(scores.len());
        let row = Row::new(executor, &loss, scores, label, noised::worth_knowing(needed), best)?;
        let noise = Noise { scores, center: row.missed.value, epsilon, key: key.fold_in(example) };
        if !noise.is_ordinary(num_samples) || grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        if let Some(grad) = &mut grad {
            executor.clear(grad.grad);
        }
        if row.is_surely_zero(noise.reach(), num_samples) {
            return Some(F::zero());
        }
        let count = F::from_usize(num_samples);
        let (k, share) = (loss.k(), loss.scale() / count);
        let units = Units { center: noise.center, per_epsilon: epsilon.recip() };
        let mut sum = F::zero();
        top_noised.of_draws(noise, num_samples, needed, best.found(), |classes, noised| {
            let [above, value, below] = [k, k + 1, k + 2].map(|rank| select::nth_value(executor, noised, rank, room));
            sum += value;
            let Some(ScaledGrad { grad, .. }) = &mut grad else { return };
            ahead.clear();
            let not_below = classes.iter().zip(noised).filter(|&(_, &noised)| noised >= value);
            ahead.extend(not_below.map(|(&class, &noised)| (class, noised, grad[class])));
            units.add_probabilities(executor, scores, value, above, share, grad);
            for &(class, noised, before) in &*ahead {
                let high = if noised > value { value } else { above };
                grad[class] = before + share * units.probability(scores[class], below, high);
            }
        });
        row.finish(executor, sum / count, label, grad)
    }
}
