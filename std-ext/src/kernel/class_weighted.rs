//! Any loss times the weight of the label's class.

use super::Kernel;
use super::attempt::{Attempt, Weighted};
use super::row::multiply;
use super::workers::Workers;
use crate::elementary::Elementary;

pub(super) struct ByClass<'a, F> {
    workers: Workers,
    weights: &'a [F],
    kernel: Box<dyn Kernel<F> + 'a>,
}

impl<'a, F: Elementary> ByClass<'a, F> {
    /// Around the kernel of the loss that is weighted.
    pub fn new(weights: &'a [F], kernel: Box<dyn Kernel<F> + 'a>, workers: Workers) -> Self {
        Self { workers, weights, kernel }
    }
}

impl<F: Elementary> Attempt<F> for ByClass<'_, F> {
    fn attempt(&mut self, example: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        if scores.len() != self.weights.len() {
            return None;
        }
        let class_weight = *self.weights.get(label)?;
        let weighted = grad.as_mut().map(|grad| grad.with_weight(class_weight));
        let value = class_weight * self.kernel.attempt(example, scores, label, weighted)?;
        // One weight after the other, as in core: their product would round differently.
        if let Some(Weighted { weight, grad }) = grad.filter(|grad| grad.weight != F::one()) {
            multiply(self.workers, grad, weight).then_some(())?;
        }
        value.is_finite().then_some(value)
    }
}
