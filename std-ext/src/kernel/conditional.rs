//! The top-K hinge under conditional smoothing: core's draws and value to the bit, the gradient within rounding of core's.
//!
//! All classes below the (K+1)-th noised score share one interval; the few others have their own.

use topk_loss::{Margins, TopKHinge};

use super::attempt::{Attempt, Weighted};
use super::interval::Units;
use super::noised::{self, Leaders, Noise};
use super::pathwise::Draws;
use super::row::Row;
use super::select::{self, Best};
use super::workers::Workers;
use crate::elementary::Elementary;

pub(super) struct Conditional<'a, F> {
    loss: TopKHinge<F, Margins<'a, F>>,
    draws: Draws<F>,
    workers: Workers,
    best: Best<F>,
    leaders: Leaders<F>,
    room: Vec<F>,
    /// The classes that are not below the (K+1)-th noised score, their noised scores, and their gradient before the draw.
    ahead: Vec<(usize, F, F)>,
}

impl<'a, F: Elementary> Conditional<'a, F> {
    pub fn new(loss: TopKHinge<F, Margins<'a, F>>, draws: Draws<F>, leaders: Leaders<F>, workers: Workers) -> Self {
        Self { loss, draws, workers, best: Best::new(workers), leaders, room: vec![], ahead: vec![] }
    }
}

impl<F: Elementary> Attempt<F> for Conditional<'_, F> {
    fn attempt(&mut self, example: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let Self { loss, draws: Draws { epsilon, num_samples, key }, workers, ref mut best, ref mut leaders, ref mut room, ref mut ahead } =
            *self;
        // The order statistics on both sides of the (K+1)-th, where there is one below.
        let needed = loss.first_missed().saturating_add(1).min(scores.len());
        let row = Row::new(workers, &loss, scores, label, noised::worth_knowing(needed), best)?;
        let noise = Noise { scores, center: row.missed.value, epsilon, key: key.fold_in(example) };
        if !noise.is_ordinary(num_samples) || grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        if let Some(grad) = &mut grad {
            workers.clear(grad.grad);
        }
        if row.is_surely_zero(noise.reach(), num_samples) {
            return Some(F::zero());
        }
        let count = F::from_usize(num_samples);
        let (k, share) = (loss.k(), loss.scale() / count);
        let units = Units { center: noise.center, per_epsilon: epsilon.recip() };
        let mut sum = F::zero();
        leaders.of_draws(noise, num_samples, needed, best.found(), |classes, noised| {
            let [above, value, below] = [k, k + 1, k + 2].map(|rank| select::nth_value(workers, noised, rank, room));
            sum += value;
            let Some(Weighted { grad, .. }) = &mut grad else { return };
            ahead.clear();
            let not_below = classes.iter().zip(noised).filter(|&(_, &noised)| noised >= value);
            ahead.extend(not_below.map(|(&class, &noised)| (class, noised, grad[class])));
            units.add_probabilities(workers, scores, value, above, share, grad);
            for &(class, noised, before) in &*ahead {
                let high = if noised > value { value } else { above };
                grad[class] = before + share * units.probability(scores[class], below, high);
            }
        });
        row.finish(workers, sum / count, label, grad)
    }
}
