//! A fast kernel that may decline a row, and core's code for the rows that it declines.

use topk_loss::{FoldIn, Loss, Real, Result};

use super::Kernel;
use super::scalar::Scalar;

/// Where a gradient goes, and what it is multiplied by.
#[derive(Debug)]
pub struct ScaledGrad<'a, F> {
    pub weight: F,
    pub grad: &'a mut [F],
}

impl<F: Real> ScaledGrad<'_, F> {
    /// Whether core accepts it for a row of so many classes.
    pub fn is_usable(&self, num_classes: usize) -> bool {
        self.grad.len() == num_classes && self.weight.is_finite()
    }
}

/// A fast computation of a loss.
pub trait FastPath<F: Real> {
    /// The loss of a row, and its gradient where one is asked for. Nothing, and an unspecified gradient, for a row that is refused or too
    /// near the end of the float's range: core's code then computes it or finds the error.
    fn try_row(&mut self, example: u64, scores: &[F], label: usize, grad: Option<ScaledGrad<'_, F>>) -> Option<F>;
}

/// The two together; the scratch of the second is allocated for the row that needs it.
pub(super) struct WithFallback<A, L> {
    pub fast_path: A,
    pub loss: L,
}

impl<A: FastPath<F>, L: Loss<F> + FoldIn, F: Real> Kernel<F> for WithFallback<A, L> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F> {
        let value = self.fast_path.try_row(example, scores, label, None);
        let scalar = || Scalar::new(scores.len(), |example| self.loss.fold_in(example));
        value.map_or_else(|| scalar().value(example, scores, label), Ok)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        let value = self.fast_path.try_row(example, scores, label, Some(ScaledGrad { weight, grad: &mut *grad }));
        let scalar = || Scalar::new(scores.len(), |example| self.loss.fold_in(example));
        value.map_or_else(|| scalar().value_and_grad(example, scores, label, weight, grad), Ok)
    }
}
