//! The calibrated hinge of several K at once: one selection and two entries of the gradient a hinge. The bits are core's.

use topk_loss::Margins;
use topk_loss::loss::TopKHinges;
use topk_loss::oracle::Ranks;

use super::executor::Executor;
use super::fast_path::{FastPath, ScaledGrad};
use super::ordinary::are_ordinary;
use super::select::TopScores;
use crate::elementary::Elementary;

/// Room for the largest scores, as for one hinge.
pub(super) struct HardHinges<'a, F> {
    executor: Executor,
    loss: TopKHinges<F, &'a [F], Margins<'a, F>>,
    best: TopScores<F>,
}

impl<'a, F: Elementary> HardHinges<'a, F> {
    pub fn new(loss: TopKHinges<F, &'a [F], Margins<'a, F>>, executor: Executor) -> Self {
        Self { executor, loss, best: TopScores::new(executor) }
    }
}

impl<F: Elementary> FastPath<F> for HardHinges<'_, F> {
    fn try_row(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let (ranks, scale) = (Ranks::Weighted(self.loss.shares()), self.loss.scale());
        let (own, margin) = (*scores.get(label)?, self.loss.margins().of(label, scores.len()).ok()?);
        let is_usable = grad.as_ref().is_none_or(|grad| grad.is_usable(scores.len()));
        if ranks.last() >= scores.len() || !is_usable || !are_ordinary(self.executor, scores) {
            return None;
        }
        self.best.find(scores, ranks.last() + 1);
        if let Some(ScaledGrad { grad, .. }) = &mut grad {
            self.executor.clear(grad);
        }
        let (mut loss, mut active) = (F::zero(), F::zero());
        for (share, k) in ranks.each() {
            let missed = self.best.found()[k];
            let slack = share * (margin + (missed.value - own));
            if slack > F::zero() {
                loss += scale * slack;
                active += scale * share;
                if let Some(ScaledGrad { grad, .. }) = &mut grad {
                    grad[missed.index] = scale * share;
                }
            }
        }
        if let Some(ScaledGrad { weight, grad }) = grad {
            grad[label] -= active;
            let others = self.best.found().iter().map(|missed| missed.index).filter(|&class| class != label);
            for class in others.chain([label]) {
                grad[class] *= weight;
                grad[class].is_finite().then_some(())?;
            }
        }
        loss.is_finite().then_some(loss)
    }
}
