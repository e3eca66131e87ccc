//! Losses by core's own code, all of it compiled for the instruction set at hand: the same functions, and so the same bits.

use pulp::{Simd, WithSimd};
use topk_loss::compiled::{Evaluate, Example};
use topk_loss::{Loss, Result, check};

use super::Kernel;
use super::executor::Executor;
use crate::elementary::Elementary;

/// The loss with its scratch.
pub(super) struct Evaluated<L, F> {
    loss: L,
    executor: Executor,
    scratch: Vec<F>,
}

impl<L: Loss<F>, F: Elementary> Evaluated<L, F> {
    pub fn new(loss: L, num_classes: usize, executor: Executor) -> Self {
        let scratch = vec![F::zero(); loss.scratch_len(num_classes)];
        Self { loss, executor, scratch }
    }
}

/// It draws nothing: no example has a key of its own.
impl<L: Loss<F> + Evaluate<F>, F: Elementary> Kernel<F> for Evaluated<L, F> {
    fn value(&mut self, _: u64, scores: &[F], label: usize) -> Result<F> {
        let example = Example { scores, label, grad: None, scratch: &mut self.scratch };
        self.executor.dispatch(Run { loss: &self.loss, example, weight: F::one() })
    }

    fn value_and_grad(&mut self, _: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let example = Example { scores, label, grad: Some(grad), scratch: &mut self.scratch };
        self.executor.dispatch(Run { loss: &self.loss, example, weight })
    }
}

/// The loss of a row; its gradient times a weight.
struct Run<'a, L, F> {
    loss: &'a L,
    example: Example<'a, F>,
    weight: F,
}

impl<L: Evaluate<F>, F: Elementary> WithSimd for Run<'_, L, F> {
    type Output = Result<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Result<F> {
        self.loss.evaluate(self.example, self.weight)
    }
}
