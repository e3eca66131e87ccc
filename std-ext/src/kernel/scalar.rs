//! Any loss by its own code, compiled for the instruction set at hand.

use pulp::{Simd, WithSimd};
use topk_loss::{Error, FoldIn, Loss, Real, Result};

use super::Kernel;
use super::workers::Workers;

/// A loss with its scratch.
#[derive(Debug)]
pub(super) struct Scalar<'a, L, F> {
    loss: &'a L,
    workers: Workers,
    scratch: Vec<F>,
}

impl<'a, L: Loss<F>, F: Real> Scalar<'a, L, F> {
    pub fn new(loss: &'a L, num_classes: usize, workers: Workers) -> Self {
        Self { loss, workers, scratch: vec![F::zero(); loss.scratch_len(num_classes)] }
    }
}

/// One example; what core's code inlines takes the instruction set.
struct Evaluate<'a, L, F> {
    loss: &'a L,
    scores: &'a [F],
    label: usize,
    grad: Option<(F, &'a mut [F])>,
    scratch: &'a mut [F],
}

impl<L: Loss<F>, F: Real> WithSimd for Evaluate<'_, L, F> {
    type Output = Result<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Result<F> {
        let Self { loss, scores, label, grad, scratch } = self;
        let Some((weight, grad)) = grad else { return loss.value(scores, label, scratch) };
        let value = loss.value_and_grad(scores, label, grad, scratch)?;
        let largest = F::max_value();
        let mut in_range = true;
        for entry in grad {
            *entry *= weight;
            in_range &= (*entry <= largest) & (*entry >= -largest);
        }
        if in_range { Ok(value) } else { Err(Error::Overflow { what: "gradient" }) }
    }
}

impl<L: Loss<F> + FoldIn, F: Real> Kernel<F> for Scalar<'_, L, F> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F> {
        let loss = &self.loss.fold_in(example);
        self.workers.dispatch(Evaluate { loss, scores, label, grad: None, scratch: &mut self.scratch })
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        let loss = &self.loss.fold_in(example);
        self.workers.dispatch(Evaluate { loss, scores, label, grad: Some((weight, grad)), scratch: &mut self.scratch })
    }
}
