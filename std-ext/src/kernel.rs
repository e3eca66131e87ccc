//! The trait of losses that batches compute, and which kernel computes which loss: one kernel a thread, one call an example.

mod class_weighted;
pub(crate) mod compiled;
mod conditional;
mod cross_entropy;
mod dispatched;
mod evaluated;
pub(crate) mod executor;
mod fast_path;
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
pub(crate) mod scalar;
mod select;
#[cfg(test)]
mod tests;

use topk_loss::compiled::Law;
use topk_loss::config::{AnyLoss, BaseLoss};
use topk_loss::loss::{
    AsMargins, ClassWeighted, Focal, Hinge, Ldam, LogitAdjusted, MeanOfHinge, PolyhedralHinge, SmoothTopKSvm, SmoothedLoss,
    TopKCrossEntropy, TopKHinges, TopKMarginCrossEntropy, TopKSvm,
};
use topk_loss::noise::{Gumbel, Logistic, Noise, Normal};
use topk_loss::oracle::{AsRanks, Oracle};
use topk_loss::sampler::Sampler;
use topk_loss::{CrossEntropy, FoldIn, Loss, Real, Result, TopKHinge, of_any_loss, of_base_loss};

use crate::Threads;
use crate::elementary::Elementary;
use dispatched::Dispatched;
use executor::Executor;
pub use scalar::scalar_kernel;

/// A loss that batches can compute; also behind `dyn`, for a loss that is chosen when the program runs.
///
/// A loss of your own needs one method, and runs by its own code. It is handed the scores as they are: that NaN is an error is its own
/// affair, as everywhere with a [`Loss`].
///
/// ```
/// use topk_loss::{CrossEntropy, Loss, Result};
/// use topk_loss_batch::{BatchLoss, Kernel, Rows, Targets, Threads, scalar_kernel, values};
///
/// /// −s_y.
/// struct Lowest;
///
/// impl BatchLoss<f32> for Lowest {
///     fn kernel(&self, num_classes: usize, _: Threads) -> Box<dyn Kernel<f32> + '_> {
///         // The same loss for every example; one that draws folds the example's number into its key.
///         scalar_kernel(num_classes, move |_example| self)
///     }
/// }
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
/// let losses: [Box<dyn BatchLoss<f32>>; 2] = [Box::new(Lowest), Box::new(CrossEntropy)];
/// let mut lowest = [0.0; 2];
/// values(&losses[0], Rows::new(&[0.5, 0.0, 2.0, 1.0], 2)?, &Targets::new(&[0, 1]), &mut lowest, Threads::ONE)?;
/// assert_eq!(lowest, [-0.5, -1.0]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
pub trait BatchLoss<F: Real>: Sync {
    /// What one thread computes examples of `num_classes` classes by, with the room that it needs.
    ///
    /// `threads` says how many threads may share a row; no bit of a result depends on it. A loss of your own returns [`scalar_kernel`].
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// use topk_loss_batch::{BatchLoss, Threads};
    /// let loss = TopKHinge::new(1)?;
    /// let mut kernel = loss.kernel(3, Threads::ONE);
    /// assert_eq!(kernel.value(0, &[0.5, 0.0, 0.25], 0)?, 0.75);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_>;

    /// The weight by which the loss itself multiplies examples of a label: 1 but for [`ClassWeighted`] ones. It counts in the divisor of a
    /// [weighted mean](crate::Reduction::WeightedMean), as in torch.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::ClassWeighted;
    /// use topk_loss_batch::BatchLoss;
    /// let loss = ClassWeighted::new(CrossEntropy, [3.0, 1.0])?;
    /// assert_eq!((loss.label_weight(0), BatchLoss::<f64>::label_weight(&CrossEntropy, 0)), (3.0, 1.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[expect(unused_variables, reason = "most losses have no weights")]
    fn label_weight(&self, label: usize) -> F {
        F::one()
    }
}

/// Both methods of the loss inside.
macro_rules! as_the_one_inside {
    () => {
        fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
            (**self).kernel(num_classes, threads)
        }

        fn label_weight(&self, label: usize) -> F {
            (**self).label_weight(label)
        }
    };
}

impl<L: BatchLoss<F> + ?Sized, F: Real> BatchLoss<F> for &L {
    as_the_one_inside!();
}

impl<L: BatchLoss<F> + ?Sized, F: Real> BatchLoss<F> for Box<L> {
    as_the_one_inside!();
}

/// One thread's computation of a loss, one example after the other, with the room that it needs.
///
/// Example b is computed by the loss with b [folded into](FoldIn::fold_in) its key. Made by [`BatchLoss::kernel`]; the calls on batches do
/// that
/// for every thread.
///
/// **Errors.** Those of [`Loss`]; they leave the gradient unspecified.
///
/// **Ties and NaN.** The loss's.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss_batch::{BatchLoss, Threads};
/// let loss = TopKHinge::new(1)?;
/// let (mut kernel, mut grad) = (loss.kernel(3, Threads::ONE), [0.0; 3]);
/// let value = kernel.value_and_grad(0, &[2.0, 1.0, 0.0], 2, 0.5, &mut grad)?;
/// assert_eq!((value, grad), (2.0, [0.0, 0.5, -0.5])); // the weight multiplies the gradient alone
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait Kernel<F: Real> {
    /// The loss of one example: of its number, scores and label.
    ///
    /// **Shapes.** As many scores as classes that the kernel was made for.
    ///
    /// **Ties and NaN.** The loss's.
    ///
    /// **Cost.** The loss's. See [`Kernel`] for an example.
    ///
    /// # Errors
    /// Those of the [`Loss`].
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F>;

    /// The loss of one example, unweighted, and `weight` times its gradient, which overwrites `grad`.
    ///
    /// **Shapes.** As many scores, and entries of `grad`, as classes that the kernel was made for.
    ///
    /// **Ties and NaN.** The loss's.
    ///
    /// **Cost.** As [`value`](Self::value). See [`Kernel`] for an example.
    ///
    /// # Errors
    /// Those of the [`Loss`]; a gradient beyond the float's range.
    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F>;
}

impl<K: Kernel<F> + ?Sized, F: Real> Kernel<F> for Box<K> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F> {
        (**self).value(example, scores, label)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        (**self).value_and_grad(example, scores, label, weight, grad)
    }
}

/// Losses that run by their own code.
macro_rules! by_their_own_code {
    ($([$($parameters:tt)*] $loss:ty, $borrowed:ident;)+) => {
        $(impl<F: Real, $($parameters)*> BatchLoss<F> for $loss {
            fn kernel(&self, num_classes: usize, _: Threads) -> Box<dyn Kernel<F> + '_> {
                let loss = self.$borrowed();
                scalar_kernel(num_classes, move |example| loss.fold_in(example))
            }
        })+
    };
}

by_their_own_code! {
    [] SmoothTopKSvm<F>, clone;
    [M: AsMargins<F> + Sync] TopKSvm<F, M>, borrowed;
    [O: Oracle<F> + FoldIn + Clone + Sync, M: AsMargins<F> + Sync] Hinge<O, F, M>, borrowed;
    [O: Oracle<F> + FoldIn + Clone + Sync, S: Sampler<F> + Copy + Sync, M: AsMargins<F> + Sync] MeanOfHinge<O, S, F, M>, borrowed;
    [L: Loss<F> + FoldIn + Clone + Sync, S: Sampler<F> + Copy + Sync] SmoothedLoss<L, S, F>, clone;
}

impl<F: Elementary> BatchLoss<F> for CrossEntropy {
    fn kernel(&self, _: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::cross_entropy_kernel(Executor::new(threads))
    }
}

impl<F: Elementary> BatchLoss<F> for Focal<F> {
    fn kernel(&self, _: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::focal_kernel(*self, Executor::new(threads))
    }
}

impl<F: Elementary, M: AsMargins<F> + Sync> BatchLoss<F> for Ldam<F, M> {
    fn kernel(&self, _: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::ldam_kernel(self.borrowed(), Executor::new(threads))
    }
}

impl<L: BatchLoss<F>, T: AsRef<[F]> + Sync, F: Elementary> BatchLoss<F> for ClassWeighted<L, T> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::weighted(self.weights().as_ref(), self.loss().kernel(num_classes, threads), Executor::new(threads))
    }

    fn label_weight(&self, label: usize) -> F {
        // One that there is not is found when the example is computed.
        self.weights().as_ref().get(label).map_or(F::one(), |&weight| weight * self.loss().label_weight(label))
    }
}

impl<L: BatchLoss<F>, T: AsRef<[F]> + Sync, F: Elementary> BatchLoss<F> for LogitAdjusted<L, T> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        let kernel = self.loss().kernel(num_classes, threads);
        F::adjusted(self.adjustments().as_ref(), self.is_shift_invariant(), kernel, Executor::new(threads))
    }

    fn label_weight(&self, label: usize) -> F {
        self.loss().label_weight(label)
    }
}

impl<F: Elementary, T: AsRef<[F]> + Sync> BatchLoss<F> for BaseLoss<F, T> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        of_base_loss!(self, loss => loss.kernel(num_classes, threads))
    }
}

impl<F: Elementary, T: AsRef<[F]> + Sync> BatchLoss<F> for AnyLoss<F, T> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        of_any_loss!(self, loss => loss.kernel(num_classes, threads))
    }

    fn label_weight(&self, label: usize) -> F {
        of_any_loss!(self, loss => loss.label_weight(label))
    }
}

impl<F: Elementary, M: AsMargins<F> + Sync> BatchLoss<F> for TopKHinge<F, M> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::hinge_kernel(self.borrowed(), num_classes, Executor::new(threads))
    }
}

impl<F: Elementary, M: AsMargins<F> + Sync> BatchLoss<F> for PolyhedralHinge<F, M> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::polyhedral_kernel(self.borrowed(), num_classes, Executor::new(threads))
    }
}

impl<F: Elementary, M: AsMargins<F> + Sync> BatchLoss<F> for TopKMarginCrossEntropy<F, M> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::margin_kernel(self.borrowed(), num_classes, Executor::new(threads))
    }
}

impl<F: Elementary, T: AsRef<[F]> + Sync, M: AsMargins<F> + Sync> BatchLoss<F> for TopKHinges<F, T, M> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        F::hinges_kernel(self.borrowed(), num_classes, Executor::new(threads))
    }
}

impl<N: Noise<F> + Sync, F: Elementary, R: AsRanks<F> + Sync> BatchLoss<F> for TopKCrossEntropy<N, F, R> {
    fn kernel(&self, num_classes: usize, threads: Threads) -> Box<dyn Kernel<F> + '_> {
        let executor = Executor::new(threads);
        match self.law().compiled() {
            Some(Law::Normal) => F::normal_kernel(self.under(Normal), num_classes, executor),
            Some(Law::Gumbel) => F::gumbel_kernel(self.under(Gumbel), num_classes, executor),
            Some(Law::Logistic) => F::logistic_kernel(self.under(Logistic), num_classes, executor),
            None => Box::new(Dispatched::new(self.borrowed(), num_classes, executor)),
        }
    }
}
