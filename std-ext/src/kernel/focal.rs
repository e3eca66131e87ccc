//! The focal loss, a function of the cross-entropy.

use topk_loss::Real;

use super::attempt::{Attempt, Weighted};
use super::cross_entropy::Exponentials;
use super::row::multiply;
use super::workers::Workers;
use crate::elementary::Elementary;

pub(super) struct Focused<F> {
    workers: Workers,
    gamma: F,
    cross_entropy: Exponentials,
}

impl<F: Elementary> Focused<F> {
    pub fn new(gamma: F, workers: Workers) -> Self {
        Self { workers, gamma, cross_entropy: Exponentials::new(workers) }
    }
}

impl<F: Elementary> Attempt<F> for Focused<F> {
    fn attempt(&mut self, example: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let unweighted = grad.as_mut().map(|grad| grad.with_weight(F::one()));
        let surprise = self.cross_entropy.attempt(example, scores, label, unweighted)?;
        // 1 − p_y; a small cross-entropy has kept its digits, so this has.
        let miss = -Real::exp_m1(-surprise);
        let focus = Real::powf(miss, self.gamma);
        if let Some(Weighted { weight, grad }) = grad {
            // (−ln(1 − q))/q is 1 where q underflows.
            let ratio = if miss > F::zero() { surprise / miss } else { F::one() };
            let slope = focus * (F::one() + self.gamma * (Real::exp(-surprise) * ratio));
            multiply(self.workers, grad, weight * slope).then_some(())?;
        }
        Some(focus * surprise)
    }
}
