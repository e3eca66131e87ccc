//! A loss by core's own code, compiled for the instruction set at hand: the same functions, and so the same bits.

use pulp::{Simd, WithSimd};
use topk_loss::{Error, Inlined, Real, Result};

use super::Kernel;
use super::scalar::multiply;
use super::workers::Workers;

/// A loss with its scratch.
#[derive(Debug)]
pub(super) struct Dispatched<'a, L, F> {
    loss: &'a L,
    workers: Workers,
    scratch: Vec<F>,
}

impl<'a, L: Inlined<F>, F: Real> Dispatched<'a, L, F> {
    pub fn new(loss: &'a L, num_classes: usize, workers: Workers) -> Self {
        Self { loss, workers, scratch: vec![F::zero(); loss.scratch_len(num_classes)] }
    }
}

/// One example.
struct Evaluate<'a, L, F> {
    loss: &'a L,
    scores: &'a [F],
    label: usize,
    grad: Option<(F, &'a mut [F])>,
    scratch: &'a mut [F],
}

impl<L: Inlined<F>, F: Real> WithSimd for Evaluate<'_, L, F> {
    type Output = Result<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Result<F> {
        let Self { loss, scores, label, mut grad, scratch } = self;
        let value = loss.evaluate_inlined(scores, label, grad.as_mut().map(|(_, grad)| &mut **grad), scratch)?;
        let in_range = grad.is_none_or(|(weight, grad)| multiply(grad, weight));
        if in_range { Ok(value) } else { Err(Error::Overflow { what: "gradient" }) }
    }
}

/// Neither draws: no example has a key of its own.
impl<L: Inlined<F>, F: Real> Kernel<F> for Dispatched<'_, L, F> {
    fn value(&mut self, _: u64, scores: &[F], label: usize) -> Result<F> {
        self.workers.dispatch(Evaluate { loss: self.loss, scores, label, grad: None, scratch: &mut self.scratch })
    }

    fn value_and_grad(&mut self, _: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        let grad = Some((weight, grad));
        self.workers.dispatch(Evaluate { loss: self.loss, scores, label, grad, scratch: &mut self.scratch })
    }
}
