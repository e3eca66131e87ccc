//! The exactly smoothed hinge by core's own code, compiled for the instruction set at hand: the same functions, and so the same bits.

use pulp::{Simd, WithSimd};
use topk_loss::{Error, Result, TopKHinge};

use super::Kernel;
use super::scalar::multiply;
use super::workers::Workers;
use crate::elementary::Elementary;

/// The loss with its scratch.
#[derive(Debug)]
pub(super) struct Dispatched<'a, F> {
    loss: &'a TopKHinge<'a, F>,
    workers: Workers,
    scratch: Vec<F>,
}

impl<'a, F: Elementary> Dispatched<'a, F> {
    pub fn new(loss: &'a TopKHinge<'a, F>, num_classes: usize, workers: Workers) -> Self {
        let scratch = vec![F::zero(); topk_loss::Loss::scratch_len(loss, num_classes)];
        Self { loss, workers, scratch }
    }
}

/// One example.
#[derive(Debug)]
pub struct Evaluate<'a, F> {
    loss: &'a TopKHinge<'a, F>,
    scores: &'a [F],
    label: usize,
    grad: Option<(F, &'a mut [F])>,
    scratch: &'a mut [F],
}

impl<F: Elementary> WithSimd for Evaluate<'_, F> {
    type Output = Result<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Result<F> {
        let Self { loss, scores, label, mut grad, scratch } = self;
        let value = loss.evaluate_inlined(scores, label, grad.as_mut().map(|(_, grad)| &mut **grad), scratch)?;
        let in_range = grad.is_none_or(|(weight, grad)| multiply(grad, weight));
        if in_range { Ok(value) } else { Err(Error::Overflow { what: "gradient" }) }
    }
}

/// It draws nothing: no example has a key of its own.
impl<F: Elementary> Kernel<F> for Dispatched<'_, F> {
    fn value(&mut self, _: u64, scores: &[F], label: usize) -> Result<F> {
        F::smoothed_hinge(self.workers, Evaluate { loss: self.loss, scores, label, grad: None, scratch: &mut self.scratch })
    }

    fn value_and_grad(&mut self, _: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        let grad = Some((weight, grad));
        F::smoothed_hinge(self.workers, Evaluate { loss: self.loss, scores, label, grad, scratch: &mut self.scratch })
    }
}
