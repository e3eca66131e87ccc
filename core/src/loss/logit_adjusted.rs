//! Logit adjustment: a loss of shifted scores.

use super::{Loss, SoftLabelLoss};
use crate::{FoldIn, Real, Result, check};

/// ℓ(s + a, y) for any [`Loss`] or [`SoftLabelLoss`] ℓ and an adjustment a of every class.
///
/// With the [`log_priors`](crate::imbalance::log_priors) τ ln π of the training classes, the adjusted cross-entropy is the logit-adjusted
/// loss of Menon et al., and for τ = 1 the balanced softmax of Ren et al.: a frequent class must win by more than its prior gives it, and
/// the scores, used unadjusted at test time, serve every class alike. Any other loss of this crate is adjusted in the same way.
///
/// **Shapes.** One adjustment a class; scores and gradient of L entries; scratch L plus the loss's.
///
/// **Errors.** The loss's; adjustments that are not L; adjusted scores beyond the float's range.
///
/// **Ties and NaN.** The loss's, of the adjusted scores; NaN is an error. Beside scores of 1e6 an adjustment rounds to 1/16 in `f32`; for a
/// loss with ℓ(s + c·1, y) = ℓ(s, y), say so by [`shift_invariant`](Self::shift_invariant).
///
/// **Cost.** The loss's and one pass.
///
/// ```
/// use topk_loss::imbalance::log_priors;
/// use topk_loss::loss::LogitAdjusted;
/// use topk_loss::{CrossEntropy, Loss};
/// let mut adjustments = [0.0; 2];
/// log_priors(&[300, 100], 1.0, &mut adjustments)?;
/// let loss = LogitAdjusted::new(CrossEntropy, &adjustments)?;
/// let mut grad = [0.0_f64; 2];
/// let value = loss.value_and_grad(&[0.0, 0.0], 1, &mut grad, &mut [0.0; 2])?;
/// assert_eq!(value, 4.0_f64.ln());
/// assert!((grad[0] - 0.75).abs() < 1e-15 && grad[1] == -grad[0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Menon, Jayasumana, Rawat, Jain, Veit, Kumar, "Long-tail learning via logit adjustment", ICLR 2021; Ren, Yu, Sheng, Ma,
/// Zhao, Yi, Li, "Balanced meta-softmax for long-tailed visual recognition", NeurIPS 2020.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogitAdjusted<L, T> {
    loss: L,
    adjustments: T,
    shift_invariant: bool,
}

impl<L, T> LogitAdjusted<L, T> {
    /// `loss` of the scores plus `adjustments`.
    ///
    /// **Cost.** One pass over the adjustments.
    ///
    /// ```
    /// use topk_loss::loss::LogitAdjusted;
    /// use topk_loss::{CrossEntropy, Loss};
    /// // The adjusted scores are tied.
    /// let loss = LogitAdjusted::new(CrossEntropy, [0.0, -2.0])?;
    /// assert_eq!(loss.value(&[0.0, 2.0], 0, &mut [0.0; 2])?, 2.0_f64.ln());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An adjustment that is not finite.
    pub fn new<F: Real>(loss: L, adjustments: T) -> Result<Self>
    where
        T: AsRef<[F]>,
    {
        check::finite("adjustments", adjustments.as_ref())?;
        Ok(Self { loss, adjustments, shift_invariant: false })
    }

    /// The same, with the largest score subtracted from all before the adjustments are added: right for a loss that depends on differences
    /// of scores only, as every loss of this crate does, and wrong for any other.
    ///
    /// ```
    /// use topk_loss::loss::LogitAdjusted;
    /// use topk_loss::{CrossEntropy, Loss};
    /// let loss = LogitAdjusted::new(CrossEntropy, [0.5_f32, 0.0])?;
    /// // Beside 1e8 an adjustment of 0.5 is lost in `f32`.
    /// let value = |loss: LogitAdjusted<_, _>| loss.value(&[1e8, 1e8], 1, &mut [0.0; 2]);
    /// assert!((value(loss)? - 0.693).abs() < 1e-3);
    /// assert!((value(loss.shift_invariant())? - 0.974).abs() < 1e-3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn shift_invariant(self) -> Self {
        Self { shift_invariant: true, ..self }
    }

    /// The loss of the adjusted scores.
    ///
    /// ```
    /// use topk_loss::loss::LogitAdjusted;
    /// use topk_loss::CrossEntropy;
    /// let loss = LogitAdjusted::new(CrossEntropy, [0.5, -0.5])?.shift_invariant();
    /// assert_eq!((loss.loss(), loss.adjustments(), loss.is_shift_invariant()), (&CrossEntropy, &[0.5, -0.5], true));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn loss(&self) -> &L {
        &self.loss
    }

    /// The adjustments, one a class.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::LogitAdjusted;
    /// assert_eq!(LogitAdjusted::new(CrossEntropy, vec![0.5, -0.5])?.adjustments()[1], -0.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn adjustments(&self) -> &T {
        &self.adjustments
    }

    /// Whether the largest score is [subtracted](Self::shift_invariant) first.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::LogitAdjusted;
    /// assert!(!LogitAdjusted::new(CrossEntropy, [0.5, -0.5])?.is_shift_invariant());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn is_shift_invariant(&self) -> bool {
        self.shift_invariant
    }

    /// s + a, and the scratch that is left for the loss.
    fn adjusted<'s, F: Real>(&self, scores: &[F], scratch: &'s mut [F]) -> Result<(&'s [F], &'s mut [F])>
    where
        T: AsRef<[F]>,
    {
        let adjustments = self.adjustments.as_ref();
        check::scores(scores)?;
        check::length("adjustments", adjustments, scores.len())?;
        let (adjusted, scratch) = check::split(scratch, scores.len())?;
        let largest = scores.iter().copied().fold(F::neg_infinity(), F::max);
        let center = if self.shift_invariant { largest } else { F::zero() };
        adjusted.iter_mut().zip(scores).zip(adjustments).for_each(|((sum, &s), &a)| *sum = (s - center) + a);
        check::all_in_range("adjusted scores", adjusted)?;
        Ok((adjusted, scratch))
    }
}

impl<L: Loss<F>, T: AsRef<[F]>, F: Real> Loss<F> for LogitAdjusted<L, T> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_add(self.loss.scratch_len(num_classes))
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
        let scratch = check::scratch(scratch, Loss::scratch_len(self, scores.len()))?;
        let (adjusted, scratch) = self.adjusted(scores, scratch)?;
        self.loss.value(adjusted, label, scratch)
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let scratch = check::scratch(scratch, Loss::scratch_len(self, scores.len()))?;
        let (adjusted, scratch) = self.adjusted(scores, scratch)?;
        self.loss.value_and_grad(adjusted, label, grad, scratch)
    }
}

impl<L: SoftLabelLoss<F>, T: AsRef<[F]>, F: Real> SoftLabelLoss<F> for LogitAdjusted<L, T> {
    fn soft_scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_add(self.loss.soft_scratch_len(num_classes))
    }

    fn soft_value(&self, scores: &[F], target: &[F], scratch: &mut [F]) -> Result<F> {
        let scratch = check::scratch(scratch, SoftLabelLoss::soft_scratch_len(self, scores.len()))?;
        let (adjusted, scratch) = self.adjusted(scores, scratch)?;
        self.loss.soft_value(adjusted, target, scratch)
    }

    fn soft_value_and_grad(&self, scores: &[F], target: &[F], grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let scratch = check::scratch(scratch, SoftLabelLoss::soft_scratch_len(self, scores.len()))?;
        let (adjusted, scratch) = self.adjusted(scores, scratch)?;
        self.loss.soft_value_and_grad(adjusted, target, grad, scratch)
    }
}

impl<L: FoldIn, T: Clone> FoldIn for LogitAdjusted<L, T> {
    fn fold_in(&self, data: u64) -> Self {
        Self { loss: self.loss.fold_in(data), adjustments: self.adjustments.clone(), shift_invariant: self.shift_invariant }
    }
}
