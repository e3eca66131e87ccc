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
        grad.iter_mut().for_each(|entry| *entry *= weight);
        let in_range = grad.iter().fold(true, |all, entry| all & entry.is_finite());
        if in_range { Ok(value) } else { Err(Error::Overflow { what: "gradient" }) }
    }
}
