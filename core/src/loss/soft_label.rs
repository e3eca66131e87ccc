//! Losses of a target distribution over the classes in place of one label.

use super::Loss;
use crate::{FoldIn, Real, Result, check};

/// A loss of the scores of L classes and a target distribution over them: soft labels, label smoothing, several annotators, distillation.
///
/// What it means is the implementation's to say. [`CrossEntropy`](crate::CrossEntropy) compares two distributions, in one pass;
/// [`ExpectedLoss`] is the mean over labels drawn from the target of any [`Loss`], which for the cross-entropy is the same number;
/// [`LogitAdjusted`](crate::loss::LogitAdjusted) adjusts either.
///
/// The target is as long as the scores, its entries are at least 0 and sum to 1 within 2L machine epsilons or a hundredth. Anything else is
/// an error, and the rest is as for [`Loss`]: nothing is allocated, the scratch's contents are irrelevant, an error leaves the gradient as
/// it was unless only the computation could find the fault.
///
/// A type may be a `Loss` too: the methods have names of their own.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss::loss::SoftLabelLoss;
/// let mut grad = [0.0_f64; 2];
/// let value = CrossEntropy.soft_value_and_grad(&[0.0, 0.0], &[0.9, 0.1], &mut grad, &mut [])?;
/// assert!((value - 2_f64.ln()).abs() < 1e-15 && (grad[0] + 0.4).abs() < 1e-15);
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait SoftLabelLoss<F: Real> {
    /// How much scratch `num_classes` scores need.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::{ExpectedLoss, SoftLabelLoss};
    /// assert_eq!(SoftLabelLoss::<f64>::soft_scratch_len(&CrossEntropy, 5), 0);
    /// assert_eq!(SoftLabelLoss::<f64>::soft_scratch_len(&ExpectedLoss::new(CrossEntropy), 5), 5);
    /// ```
    fn soft_scratch_len(&self, num_classes: usize) -> usize;

    /// The loss of one example and its target distribution, without its gradient.
    ///
    /// **Ties and NaN.** Each loss says its rule for ties; NaN is an error.
    ///
    /// **Cost.** Each loss says its own.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::SoftLabelLoss;
    /// let value = CrossEntropy.soft_value(&[0.0_f64, 0.0], &[0.75, 0.25], &mut [])?;
    /// assert!((value - 2.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the trait's description.
    fn soft_value(&self, scores: &[F], target: &[F], scratch: &mut [F]) -> Result<F>;

    /// Overwrites `grad` with the gradient with respect to the scores and returns the loss.
    ///
    /// **Ties and NaN.** Each loss says its rule for ties; NaN is an error.
    ///
    /// **Cost.** Each loss says its own.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::SoftLabelLoss;
    /// let mut grad = [0.0_f64; 2];
    /// CrossEntropy.soft_value_and_grad(&[0.0, 0.0], &[0.75, 0.25], &mut grad, &mut [])?;
    /// assert!((grad[0] + 0.25).abs() < 1e-15 && (grad[1] - 0.25).abs() < 1e-15);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`soft_value`](SoftLabelLoss::soft_value), and a `grad` that is not as long as the scores.
    fn soft_value_and_grad(&self, scores: &[F], target: &[F], grad: &mut [F], scratch: &mut [F]) -> Result<F>;
}

impl<F: Real, L: SoftLabelLoss<F> + ?Sized> SoftLabelLoss<F> for &L {
    fn soft_scratch_len(&self, num_classes: usize) -> usize {
        (**self).soft_scratch_len(num_classes)
    }

    fn soft_value(&self, scores: &[F], target: &[F], scratch: &mut [F]) -> Result<F> {
        (**self).soft_value(scores, target, scratch)
    }

    fn soft_value_and_grad(&self, scores: &[F], target: &[F], grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        (**self).soft_value_and_grad(scores, target, grad, scratch)
    }
}

/// A target for `num_classes` scores.
pub(super) fn check<F: Real>(target: &[F], num_classes: usize) -> Result<()> {
    check::length("target", target, num_classes)?;
    check::distribution("target", target)
}

/// Σ_y η_y ℓ(s, y) for any [`Loss`] ℓ and a target distribution η: the conditional risk, whose minimiser calibration is about.
///
/// It asks what the loss costs on average when the label is drawn from the target, and is the reading of soft labels that fits every loss:
/// a label noise that is known, the share of annotators who chose a class. For the cross-entropy it equals −Σ η_y ln p_y, which
/// [`CrossEntropy`](crate::CrossEntropy) itself computes in one pass.
///
/// **Shapes.** Scores, target and gradient of L entries; scratch L plus the loss's.
///
/// **Errors.** The loss's, for every class of the target that is not 0; a target that is no distribution, see [`SoftLabelLoss`].
///
/// **Ties and NaN.** The loss's; NaN is an error.
///
/// **Cost.** One call of the loss and one pass for each class whose share is not 0.
///
/// ```
/// use topk_loss::loss::{ExpectedLoss, SoftLabelLoss};
/// use topk_loss::{Margins, Smoothing, TopKHinge};
/// let top_2 = TopKHinge::new(2)?;
/// // Label 0 would cost 1.5, label 1 nothing.
/// let mut grad = [0.0; 3];
/// let risk = ExpectedLoss::new(top_2).soft_value_and_grad(&[0.5, 2.0, 1.0], &[0.5, 0.5, 0.0], &mut grad, &mut [0.0; 9])?;
/// assert_eq!((risk, grad), (0.5, [0.0, 0.0, 0.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020 (the conditional risk and top-K calibration).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExpectedLoss<L> {
    loss: L,
}

impl<L> ExpectedLoss<L> {
    /// The expectation of `loss` over the label.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::{ExpectedLoss, SoftLabelLoss};
    /// let value = ExpectedLoss::new(CrossEntropy).soft_value(&[0.0_f64, 0.0], &[0.75, 0.25], &mut [0.0; 2])?;
    /// assert!((value - 2.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn new(loss: L) -> Self {
        Self { loss }
    }
}

impl<L> ExpectedLoss<L> {
    /// The mean of what `evaluate` makes of every label with a share, all checks before the first.
    fn mean<F: Real>(&self, scores: &[F], target: &[F], mut evaluate: impl FnMut(usize, F) -> Result<F>) -> Result<F> {
        check::scores(scores)?;
        self::check(target, scores.len())?;
        let mut sum = F::zero();
        for (label, &share) in target.iter().enumerate().filter(|&(_, &share)| share > F::zero()) {
            sum += share * evaluate(label, share)?;
        }
        check::in_range("loss", sum)
    }
}

impl<F: Real, L: Loss<F>> SoftLabelLoss<F> for ExpectedLoss<L> {
    fn soft_scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_add(self.loss.scratch_len(num_classes))
    }

    fn soft_value(&self, scores: &[F], target: &[F], scratch: &mut [F]) -> Result<F> {
        let scratch = check::scratch(scratch, SoftLabelLoss::<F>::soft_scratch_len(self, scores.len()))?;
        self.mean(scores, target, |label, _| self.loss.value(scores, label, scratch))
    }

    fn soft_value_and_grad(&self, scores: &[F], target: &[F], grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let scratch = check::scratch(scratch, SoftLabelLoss::<F>::soft_scratch_len(self, scores.len()))?;
        let (part, scratch) = check::split(scratch, scores.len())?;
        let mut started = false;
        let value = self.mean(scores, target, |label, share| {
            let value = self.loss.value_and_grad(scores, label, part, scratch)?;
            // What the loss refuses, it refuses at the first label: until then the caller's gradient is left alone.
            if !started {
                grad.fill(F::zero());
                started = true;
            }
            grad.iter_mut().zip(part.iter()).for_each(|(sum, &g)| *sum += share * g);
            Ok(value)
        })?;
        check::all_in_range("gradient", grad)?;
        Ok(value)
    }
}

impl<L: FoldIn> FoldIn for ExpectedLoss<L> {
    fn fold_in(&self, data: u64) -> Self {
        Self { loss: self.loss.fold_in(data) }
    }
}
