//! The top-K hinge under pathwise smoothing. The bits are core's.

use topk_loss::{Key, Margins, TopKHinge};

use super::executor::Executor;
use super::fast_path::{FastPath, ScaledGrad};
use super::noised::{self, Noise, TopNoised};
use super::row::Row;
use super::select::{self, TopScores};
use crate::elementary::Elementary;

/// The noise of a smoothing that draws.
#[derive(Clone, Copy)]
pub(super) struct Draws<F> {
    pub epsilon: F,
    pub num_samples: usize,
    pub key: Key,
}

pub(super) struct Pathwise<'a, F> {
    loss: TopKHinge<F, Margins<'a, F>>,
    draws: Draws<F>,
    executor: Executor,
    best: TopScores<F>,
    top_noised: TopNoised<F>,
    room: Vec<F>,
}

impl<'a, F: Elementary> Pathwise<'a, F> {
    pub fn new(loss: TopKHinge<F, Margins<'a, F>>, draws: Draws<F>, top_noised: TopNoised<F>, executor: Executor) -> Self {
        Self { loss, draws, executor, best: TopScores::new(executor), top_noised, room: vec![] }
    }
}

impl<F: Elementary> FastPath<F> for Pathwise<'_, F> {
    fn try_row(&mut self, example: u64, scores: &[F], label: usize, mut grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let Draws { epsilon, num_samples, key } = self.draws;
        let rank = self.loss.first_missed();
        let row = Row::new(self.executor, &self.loss, scores, label, noised::worth_knowing(rank), &mut self.best)?;
        let noise = Noise { scores, center: row.missed.value, epsilon, key: key.fold_in(example) };
        if !noise.is_ordinary(num_samples) || grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        if let Some(grad) = &mut grad {
            self.executor.clear(grad.grad);
        }
        if row.is_surely_zero(noise.reach(), num_samples) {
            return Some(F::zero());
        }
        let count = F::from_usize(num_samples);
        let share = self.loss.scale() / count;
        let mut sum = F::zero();
        let Self { executor, best, top_noised, room, .. } = self;
        top_noised.of_draws(noise, num_samples, rank, best.found(), |classes, noised| {
            let value = select::nth_value(*executor, noised, rank, room);
            sum += value;
            if let Some(grad) = &mut grad {
                // Of equal ones the earliest rank first.
                let ahead = noised.iter().fold(0, |count, &other| count + usize::from(other > value));
                let mut equals = classes.iter().zip(noised).filter(|&(_, &other)| other == value);
                if let Some((&class, _)) = equals.nth(rank - 1 - ahead) {
                    grad.grad[class] += share;
                }
            }
        });
        row.finish(self.executor, sum / count, label, grad)
    }
}
