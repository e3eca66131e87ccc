//! The kernel of the focal loss, a function of the cross-entropy.

use topk_loss::loss::Focal;

use super::attempt::{Attempt, Weighted};
use super::cross_entropy::Exponentials;
use super::workers::Workers;
use crate::elementary::Elementary;

pub(super) struct Focused<F> {
    loss: Focal<F>,
    cross_entropy: Exponentials<F>,
}

impl<F: Elementary> Focused<F> {
    pub fn new(loss: Focal<F>, workers: Workers) -> Self {
        Self { loss, cross_entropy: Exponentials::new(workers) }
    }
}

impl<F: Elementary> Attempt<F> for Focused<F> {
    fn attempt(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let softmax = self.cross_entropy.softmax(scores, label, &mut grad)?;
        let (value, slope) = self.loss.of(&softmax);
        self.cross_entropy.differentiate(softmax, label, slope, grad)?;
        Some(value)
    }
}
