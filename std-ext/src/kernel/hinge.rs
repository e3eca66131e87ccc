//! The calibrated top-K hinge itself: one selection and two entries of the gradient. The bits are core's.

use topk_loss::{Margins, TopKHinge};

use super::executor::Executor;
use super::fast_path::{FastPath, ScaledGrad};
use super::row::Row;
use super::select::TopScores;
use crate::elementary::Elementary;

/// Room for the largest scores, 2K + 66 of them and their classes.
pub(super) struct Hard<'a, F> {
    executor: Executor,
    loss: TopKHinge<F, Margins<'a, F>>,
    best: TopScores<F>,
}

impl<'a, F: Elementary> Hard<'a, F> {
    pub fn new(loss: TopKHinge<F, Margins<'a, F>>, executor: Executor) -> Self {
        Self { executor, loss, best: TopScores::new(executor) }
    }
}

impl<F: Elementary> FastPath<F> for Hard<'_, F> {
    fn try_row(&mut self, _: u64, scores: &[F], label: usize, grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let row = Row::new(self.executor, &self.loss, scores, label, self.loss.first_missed(), &mut self.best)?;
        if grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        let slack = row.slack(F::zero())?;
        if slack <= F::zero() {
            if let Some(ScaledGrad { grad, .. }) = grad {
                self.executor.clear(grad);
            }
            return Some(F::zero());
        }
        if let Some(ScaledGrad { weight, grad }) = grad {
            let entry = Some(self.loss.scale() * weight).filter(|entry| entry.is_finite())?;
            self.executor.clear(grad);
            grad[row.missed.index] += entry;
            grad[label] -= entry;
        }
        Some(slack)
    }
}
