//! Losses of one example: a value and its gradient with respect to the scores. One file each.
//!
//! ```
//! use topk_loss::Loss;
//! use topk_loss::loss::{CrossEntropy, PolyhedralHinge};
//! // What a training step needs of any of them, here of two without noise.
//! let losses: [&dyn Loss<f64>; 2] = [&CrossEntropy, &PolyhedralHinge::new(1)?];
//! for loss in losses {
//!     let (mut grad, mut scratch) = ([0.0; 3], vec![0.0; loss.scratch_len(3)]);
//!     let value = loss.value_and_grad(&[0.0, 0.0, 0.0], 1, &mut grad, &mut scratch)?;
//!     // The label's score is to rise, and the others to fall as much.
//!     assert!(value > 0.0 && grad[1] < 0.0 && grad.iter().sum::<f64>().abs() < 1e-15);
//! }
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod class_weighted;
mod cross_entropy;
mod fenchel_young;
mod focal;
mod hinge;
mod ldam;
mod logit_adjusted;
mod mean_of_hinge;
mod others;
mod polyhedral_hinge;
mod reduction;
mod smooth_top_k_svm;
mod smoothed_loss;
mod smoothing;
mod soft_label;
#[doc(hidden)]
pub mod softmax;
mod top_k_cross_entropy;
mod top_k_hinge;
mod top_k_hinges;
mod top_k_margin_cross_entropy;
mod top_k_svm;

pub use crate::margins::{AsMargins, Margins};
pub use class_weighted::ClassWeighted;
pub use cross_entropy::CrossEntropy;
pub use fenchel_young::FenchelYoung;
pub use focal::Focal;
pub use hinge::Hinge;
pub(crate) use hinge::positive_part;
pub use ldam::Ldam;
pub use logit_adjusted::LogitAdjusted;
pub use mean_of_hinge::MeanOfHinge;
pub use polyhedral_hinge::PolyhedralHinge;
#[doc(hidden)]
pub use polyhedral_hinge::Sharing;
pub use reduction::Reduction;
pub use smooth_top_k_svm::SmoothTopKSvm;
pub use smoothed_loss::SmoothedLoss;
pub use smoothing::Smoothing;
pub use soft_label::{ExpectedLoss, SoftLabelLoss};
pub use top_k_cross_entropy::TopKCrossEntropy;
pub use top_k_hinge::TopKHinge;
pub use top_k_hinges::TopKHinges;
pub use top_k_margin_cross_entropy::TopKMarginCrossEntropy;
pub use top_k_svm::{TopKSvm, TopKSvmForm};

use crate::{Real, Result};

/// A loss of the scores of L classes and a label.
///
/// Nothing is allocated: `scratch` is at least [`scratch_len`](Loss::scratch_len) long, its contents are irrelevant before and after.
/// Implementations return an error for a label that is no class, for NaN or infinite scores, a gradient of another length or a
/// scratch that is too short, and then leave the gradient as it was. Where only the computation itself can find the fault (a result
/// beyond the float's range, a noise law that returns NaN), the gradient is unspecified. Whatever is returned without an error is finite,
/// each entry of the gradient too; where value and gradient are both beyond the range, either is named.
///
/// **Masked classes.** −∞ is an error. A class that cannot be guessed gets −1e30 (in half precision the lowest number): every loss of this
/// crate is then, within its accuracy, the loss without that class, and the class's gradient is 0. K must be less than the number of
/// classes that are left, since a guess too many would go to a masked one.
///
/// **Stack.** Whatever L and K; kB of one call, seen on x86-64 and held to limits in a test:
///
/// | | `f32` | `f64` |
/// |---|---|---|
/// | hinges: hard, drawn, of several K, [`TopKSvm`], [`MeanOfHinge`] | 0.3–1.1 | 0.4–1.2 |
/// | [`CrossEntropy`], [`Focal`], [`Ldam`], and around them [`ClassWeighted`], [`LogitAdjusted`], [`SmoothedLoss`] | 1.8–2.0 | 3.2–3.4 |
/// | [`SmoothTopKSvm`] | 2.0 | 2.6 |
/// | [`TopKHinge`] and [`TopKHinges`] under [`Smoothing::Exact`] | 7.9 | 10.6 |
/// | [`TopKCrossEntropy`] | 8.7 | 11.2 |
///
/// A batch wants one key an example, so its calls also ask for [`FoldIn`](crate::FoldIn); a deterministic loss of your own
/// implements it by returning itself.
///
/// A loss of your own is three methods, and [`check`](crate::check) has the checks:
///
/// ```
/// use topk_loss::{FoldIn, Loss, Result, check};
///
/// /// (s_y − 1)²/2: pulls the label's score to 1.
/// struct ToOne;
///
/// impl Loss<f64> for ToOne {
///     fn scratch_len(&self, _: usize) -> usize {
///         0
///     }
///
///     fn value(&self, scores: &[f64], label: usize, _: &mut [f64]) -> Result<f64> {
///         check::scores(scores)?;
///         let excess = check::label(scores, label)? - 1.0;
///         check::in_range("loss", excess * excess / 2.0)
///     }
///
///     fn value_and_grad(&self, scores: &[f64], label: usize, grad: &mut [f64], scratch: &mut [f64]) -> Result<f64> {
///         let value = self.value(scores, label, scratch)?;
///         check::length("grad", grad, scores.len())?;
///         grad.fill(0.0);
///         grad[label] = scores[label] - 1.0;
///         Ok(value)
///     }
/// }
///
/// impl FoldIn for ToOne {
///     fn fold_in(&self, _: u64) -> Self {
///         Self
///     }
/// }
///
/// let mut grad = [0.0; 2];
/// assert_eq!(ToOne.value_and_grad(&[0.0, 3.0], 1, &mut grad, &mut [])?, 2.0);
/// assert_eq!(grad, [0.0, 2.0]);
/// assert!(ToOne.value(&[0.0, 3.0], 2, &mut []).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait Loss<F: Real> {
    /// How much scratch `num_classes` scores need.
    ///
    /// ```
    /// use topk_loss::{CrossEntropy, Loss, TopKHinge};
    /// assert_eq!(Loss::<f64>::scratch_len(&TopKHinge::<f64>::new(2)?, 5), 10);
    /// assert_eq!(Loss::<f64>::scratch_len(&CrossEntropy, 5), 0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn scratch_len(&self, num_classes: usize) -> usize;

    /// The loss of one example, without its gradient.
    ///
    /// **Ties and NaN.** Each loss says its rule for ties; NaN is an error.
    ///
    /// **Cost.** Each loss says its own.
    ///
    /// ```
    /// use topk_loss::{Loss, TopKHinge};
    /// let loss = TopKHinge::new(2)?;
    /// // 1 + 1.8 − 0.3, by the third largest score.
    /// assert_eq!(loss.value(&[0.3_f64, 2.0, 1.9, 1.8, -1.0], 0, &mut [0.0; 10])?, 2.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the trait's description.
    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F>;

    /// Overwrites `grad` with the gradient and returns the loss.
    ///
    /// **Ties and NaN.** Each loss says its rule for ties; NaN is an error.
    ///
    /// **Cost.** Each loss says its own.
    ///
    /// ```
    /// use topk_loss::{Loss, TopKHinge};
    /// let loss = TopKHinge::new(2)?;
    /// let mut grad = [7.0; 5]; // what was there does not matter
    /// let value = loss.value_and_grad(&[0.3, 2.0, 1.9, 1.8, -1.0], 0, &mut grad, &mut [0.0; 10])?;
    /// assert_eq!((value, grad), (2.5, [-1.0, 0.0, 0.0, 1.0, 0.0]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`value`](Loss::value), and a `grad` that is not as long as the scores.
    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F>;
}

impl<F: Real, L: Loss<F> + ?Sized> Loss<F> for &L {
    fn scratch_len(&self, num_classes: usize) -> usize {
        (**self).scratch_len(num_classes)
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
        (**self).value(scores, label, scratch)
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        (**self).value_and_grad(scores, label, grad, scratch)
    }
}
