//! The kernel of a class-weighted loss: any other kernel, times the weight of the label's class.

use topk_loss::{Error, Result, check};

use super::Kernel;
use super::executor::Executor;
use super::row::multiply;
use crate::elementary::Elementary;

pub(super) struct ByClass<'a, F> {
    executor: Executor,
    weights: &'a [F],
    kernel: Box<dyn Kernel<F> + 'a>,
}

impl<'a, F: Elementary> ByClass<'a, F> {
    /// Around the kernel of the loss that is weighted.
    pub fn new(weights: &'a [F], kernel: Box<dyn Kernel<F> + 'a>, executor: Executor) -> Self {
        Self { executor, weights, kernel }
    }
}

impl<F: Elementary> ByClass<'_, F> {
    fn weight(&self, scores: &[F], label: usize) -> Result<F> {
        check::length("weights", self.weights, scores.len())?;
        check::label(self.weights, label)
    }
}

/// Steps, errors and bits are core's.
impl<F: Elementary> Kernel<F> for ByClass<'_, F> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F> {
        let weight = self.weight(scores, label)?;
        check::in_range("loss", weight * self.kernel.value(example, scores, label)?)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        let class_weight = self.weight(scores, label)?;
        let value = match self.kernel.value_and_grad(example, scores, label, class_weight, grad) {
            Ok(value) => check::in_range("loss", class_weight * value)?,
            // The loss may be beyond the range too, and is looked at first.
            Err(error) => return self.value(example, scores, label).and(Err(error)),
        };
        // One weight after the other: their product would round differently.
        if weight == F::one() || multiply(self.executor, grad, weight) { Ok(value) } else { Err(Error::Overflow { what: "gradient" }) }
    }
}
