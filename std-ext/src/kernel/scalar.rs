//! The kernel of a loss without a vector kernel: the loss's own code, a row at a time.

use topk_loss::{Error, Loss, Real, Result};

use super::Kernel;

/// The loss of every example, with its scratch.
#[derive(Debug)]
pub(super) struct Scalar<T, F> {
    loss_of: T,
    scratch: Vec<F>,
}

impl<L: Loss<F>, T: Fn(u64) -> L, F: Real> Scalar<T, F> {
    pub fn new(num_classes: usize, loss_of: T) -> Self {
        let scratch = vec![F::zero(); loss_of(0).scratch_len(num_classes)];
        Self { loss_of, scratch }
    }
}

impl<L: Loss<F>, T: Fn(u64) -> L, F: Real> Kernel<F> for Scalar<T, F> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F> {
        (self.loss_of)(example).value(scores, label, &mut self.scratch)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        let value = (self.loss_of)(example).value_and_grad(scores, label, grad, &mut self.scratch)?;
        multiply(grad, weight).then_some(value).ok_or(Error::Overflow { what: "gradient" })
    }
}

/// The kernel of a loss of your own, by the loss's own code.
///
/// `loss_of` gives the loss of an example by the example's number: usually that loss with the number [folded in](topk_loss::FoldIn), so
/// that every
/// example has draws of its own.
///
/// **Errors, Ties and NaN.** The loss's; a gradient that its weight takes beyond the float's range is an error too.
///
/// **Cost.** The loss's, and its scratch for `num_classes` classes, allocated once.
///
/// ```
/// use topk_loss::{FoldIn, TopKHinge};
/// use topk_loss_batch::{Kernel, scalar_kernel};
/// let loss = TopKHinge::new(1)?;
/// let mut kernel = scalar_kernel(3, |example| loss.fold_in(example));
/// assert_eq!(kernel.value(0, &[0.5, 0.0, 0.25], 0)?, 0.75);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// See [`BatchLoss`](crate::BatchLoss) for a loss written from scratch.
pub fn scalar_kernel<'a, L: Loss<F>, F: Real>(num_classes: usize, loss_of: impl Fn(u64) -> L + 'a) -> Box<dyn Kernel<F> + 'a> {
    Box::new(Scalar::new(num_classes, loss_of))
}

/// Multiplies a gradient; whether it stays in the float's range.
#[inline(always)]
pub(crate) fn multiply<F: Real>(grad: &mut [F], weight: F) -> bool {
    let largest = F::max_value();
    let mut in_range = true;
    for entry in grad {
        *entry *= weight;
        in_range &= (*entry <= largest) & (*entry >= -largest);
    }
    in_range
}
