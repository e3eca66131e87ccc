//! Any loss by its own code.

use topk_loss::{Error, FoldIn, Loss, Real, Result};

use super::Kernel;

/// A loss with its scratch.
#[derive(Debug)]
pub(super) struct Scalar<'a, L, F> {
    loss: &'a L,
    scratch: Vec<F>,
}

impl<'a, L: Loss<F>, F: Real> Scalar<'a, L, F> {
    pub fn new(loss: &'a L, num_classes: usize) -> Self {
        Self { loss, scratch: vec![F::zero(); loss.scratch_len(num_classes)] }
    }
}

impl<L: Loss<F> + FoldIn, F: Real> Kernel<F> for Scalar<'_, L, F> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F> {
        self.loss.fold_in(example).value(scores, label, &mut self.scratch)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        let value = self.loss.fold_in(example).value_and_grad(scores, label, grad, &mut self.scratch)?;
        multiply(grad, weight).then_some(value).ok_or(Error::Overflow { what: "gradient" })
    }
}

/// Multiplies a gradient; whether it stays in the float's range.
#[inline(always)]
pub(super) fn multiply<F: Real>(grad: &mut [F], weight: F) -> bool {
    let largest = F::max_value();
    let mut in_range = true;
    for entry in grad {
        *entry *= weight;
        in_range &= (*entry <= largest) & (*entry >= -largest);
    }
    in_range
}
