//! The calibrated top-K hinge itself: one selection and two entries of the gradient. The bits are core's.

use topk_loss::{Margins, TopKHinge};

use super::attempt::{Attempt, Weighted};
use super::row::Row;
use super::select::Best;
use super::workers::Workers;
use crate::elementary::Elementary;

/// Room for the largest scores, 2K + 66 of them and their classes.
pub(super) struct Hard<'a, F> {
    workers: Workers,
    loss: TopKHinge<F, Margins<'a, F>>,
    best: Best<F>,
}

impl<'a, F: Elementary> Hard<'a, F> {
    pub fn new(loss: TopKHinge<F, Margins<'a, F>>, workers: Workers) -> Self {
        Self { workers, loss, best: Best::new(workers) }
    }
}

impl<F: Elementary> Attempt<F> for Hard<'_, F> {
    fn attempt(&mut self, _: u64, scores: &[F], label: usize, grad: Option<Weighted<'_, F>>) -> Option<F> {
        let row = Row::new(self.workers, &self.loss, scores, label, self.loss.first_missed(), &mut self.best)?;
        if grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        let slack = row.slack(F::zero())?;
        if slack <= F::zero() {
            if let Some(Weighted { grad, .. }) = grad {
                self.workers.clear(grad);
            }
            return Some(F::zero());
        }
        if let Some(Weighted { weight, grad }) = grad {
            let entry = Some(self.loss.scale() * weight).filter(|entry| entry.is_finite())?;
            self.workers.clear(grad);
            grad[row.missed.index] += entry;
            grad[label] -= entry;
        }
        Some(slack)
    }
}
