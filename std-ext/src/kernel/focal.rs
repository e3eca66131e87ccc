//! The kernel of the focal loss, a function of the cross-entropy.

use topk_loss::loss::Focal;

use super::cross_entropy::Exponentials;
use super::executor::Executor;
use super::fast_path::{FastPath, ScaledGrad};
use crate::elementary::Elementary;

pub(super) struct Focused<F> {
    loss: Focal<F>,
    cross_entropy: Exponentials<F>,
}

impl<F: Elementary> Focused<F> {
    pub fn new(loss: Focal<F>, executor: Executor) -> Self {
        Self { loss, cross_entropy: Exponentials::new(executor) }
    }
}

impl<F: Elementary> FastPath<F> for Focused<F> {
    fn try_row(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let softmax = self.cross_entropy.softmax(scores, label, &mut grad)?;
        let (value, slope) = self.loss.of(&softmax);
        self.cross_entropy.differentiate(softmax, label, slope, grad)?;
        Some(value)
    }
}
