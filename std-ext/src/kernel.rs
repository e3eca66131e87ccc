//! A loss as the threads of a batch see it: one kernel a thread, one call an example. One file a kernel.

mod attempt;
mod class_weighted;
pub(crate) mod compiled;
mod conditional;
mod cross_entropy;
mod dispatched;
pub(crate) mod focal;
mod hinge;
mod hinges;
mod interval;
mod ldam;
mod logit_adjusted;
pub(crate) mod noise;
mod noised;
mod ordinary;
mod pathwise;
mod row;
mod scalar;
mod select;
#[cfg(test)]
mod tests;
pub(crate) mod workers;

use faer::Par;
use topk_loss::compiled::Law;
use topk_loss::{
    ClassWeighted, CrossEntropy, Focal, FoldIn, Gumbel, Hinge, Ldam, Logistic, LogitAdjusted, Loss, MeanOfHinge, Noise, Normal, Oracle,
    Real, Result, Sampler, SmoothTopKSvm, SmoothedLoss, TopKCrossEntropy, TopKHinge, TopKHinges, TopKSvm,
};

use crate::elementary::Elementary;
use attempt::OrScalar;
use dispatched::Dispatched;
use scalar::Scalar;
use workers::Workers;

/// A loss that batches can compute.
///
/// A loss of your own needs a line, and runs by its own code. It is handed the scores as they are: that NaN is an error is its own affair,
/// as everywhere with a [`Loss`].
///
/// ```
/// use faer::{Par, mat};
/// use topk_loss::{FoldIn, Loss, Result};
/// use topk_loss_batch::{BatchLoss, Targets, values};
///
/// /// −s_y.
/// struct Lowest;
///
/// impl BatchLoss<f32> for Lowest {}
///
/// impl Loss<f32> for Lowest {
///     // …
/// #   fn scratch_len(&self, _: usize) -> usize { 0 }
/// #   fn value(&self, scores: &[f32], label: usize, _: &mut [f32]) -> Result<f32> { Ok(-scores[label]) }
/// #   fn value_and_grad(&self, scores: &[f32], label: usize, grad: &mut [f32], _: &mut [f32]) -> Result<f32> {
/// #       grad.fill(0.0);
/// #       grad[label] = -1.0;
/// #       Ok(-scores[label])
/// #   }
/// }
///
/// impl FoldIn for Lowest {
///     // …
/// #   fn fold_in(&self, _: u64) -> Self { Self }
/// }
///
/// let mut losses = [0.0; 2];
/// values(&Lowest, mat![[0.5, 2.0], [0.0, 1.0]].as_ref(), &Targets::new(&[0, 1]), &mut losses, Par::Seq)?;
/// assert_eq!(losses, [-0.5, -1.0]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
pub trait BatchLoss<F: Real>: Loss<F> + FoldIn + Sync + Sized {
    /// What one thread computes examples of so many classes by: the loss's own scalar code, unless there is faster.
    ///
    /// `par` says how many threads may share a row; no bit depends on it.
    #[expect(unused_variables, reason = "scalar code is one thread's")]
    fn kernel(&self, num_classes: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        Box::new(Scalar::new(self, num_classes))
    }
}

/// One thread's computation of a loss, with the room it needs.
///
/// Example b is computed by the loss with b [folded into](FoldIn::fold_in) its key. Errors are those of [`Loss`], and leave the
/// gradient unspecified.
pub trait Kernel<F: Real> {
    /// The loss of example `example`.
    ///
    /// # Errors
    /// Those of the [`Loss`].
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F>;

    /// The same, and overwrites `grad` with `weight` times its gradient.
    ///
    /// # Errors
    /// Those of the [`Loss`]; a gradient beyond the float's range.
    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F>;
}

/// Losses that run by their own code.
macro_rules! by_their_own_code {
    ($([$($parameters:tt)*] $loss:ty;)+) => {
        $(impl<F: Real, $($parameters)*> BatchLoss<F> for $loss {})+
    };
}

by_their_own_code! {
    [] SmoothTopKSvm<F>;
    [] TopKSvm<'_, F>;
    [O: Oracle<F> + FoldIn + Sync] Hinge<'_, O, F>;
    [O: Oracle<F> + FoldIn + Sync, S: Sampler<F> + Copy + Sync] MeanOfHinge<'_, O, S, F>;
    [L: Loss<F> + FoldIn + Sync, S: Sampler<F> + Copy + Sync] SmoothedLoss<L, S, F>;
}

impl<F: Elementary> BatchLoss<F> for CrossEntropy {
    fn kernel(&self, _: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        F::cross_entropy_kernel(self, Workers::new(par))
    }
}

impl<F: Elementary> BatchLoss<F> for Focal<F> {
    fn kernel(&self, _: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        F::focal_kernel(self, Workers::new(par))
    }
}

impl<F: Elementary> BatchLoss<F> for Ldam<'_, F> {
    fn kernel(&self, _: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        F::ldam_kernel(self, Workers::new(par))
    }
}

impl<L: BatchLoss<F>, F: Elementary> BatchLoss<F> for ClassWeighted<'_, L, F> {
    fn kernel(&self, num_classes: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        let attempt = F::weighted(self.weights(), self.loss().kernel(num_classes, par), Workers::new(par));
        Box::new(OrScalar { attempt, loss: self })
    }
}

impl<L: BatchLoss<F>, F: Elementary> BatchLoss<F> for LogitAdjusted<'_, L, F> {
    fn kernel(&self, num_classes: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        let kernel = self.loss().kernel(num_classes, par);
        let attempt = F::adjusted(self.adjustments(), self.is_shift_invariant(), kernel, Workers::new(par));
        Box::new(OrScalar { attempt, loss: self })
    }
}

impl<F: Elementary> BatchLoss<F> for TopKHinge<'_, F> {
    fn kernel(&self, num_classes: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        F::hinge_kernel(self, num_classes, Workers::new(par))
    }
}

impl<F: Elementary> BatchLoss<F> for TopKHinges<'_, F> {
    fn kernel(&self, num_classes: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        F::hinges_kernel(self, num_classes, Workers::new(par))
    }
}

impl<N: Noise<F> + Sync, F: Elementary> BatchLoss<F> for TopKCrossEntropy<'_, N, F> {
    fn kernel(&self, num_classes: usize, par: Par) -> Box<dyn Kernel<F> + '_> {
        let workers = Workers::new(par);
        match self.law().compiled() {
            Some(Law::Normal) => F::normal_kernel(self.under(Normal), num_classes, workers),
            Some(Law::Gumbel) => F::gumbel_kernel(self.under(Gumbel), num_classes, workers),
            Some(Law::Logistic) => F::logistic_kernel(self.under(Logistic), num_classes, workers),
            None => Box::new(Dispatched::new(*self, num_classes, workers)),
        }
    }
}
