//! The focal loss: a cross-entropy with less weight on what is already right.

use super::Loss;
use super::softmax::{Row, Softmax};
use crate::compiled::{Example, values_by};
use crate::{Error, FoldIn, Real, Result, check};

/// ℓ(s, y) = −(1 − p_y)^γ ln p_y with p = softmax(s): the cross-entropy, with less weight on what is already right.
///
/// With q = 1 − p_y its gradient is w times the cross-entropy's, p − e_y, where w = q^γ (1 + γ p_y (−ln p_y)/q). As the label wins, (−ln
/// p_y)/q tends to 1, so that w tends to (1 + γ) q^γ: finite for every γ ≥ 0, although the derivative of q^γ alone is not for γ < 1. With
/// γ = 0 it is [`CrossEntropy`](crate::CrossEntropy). Not convex for γ > 0.
///
/// **Shapes.** L scores, L ≥ 2; no scratch.
///
/// **Errors.** Fewer than two classes, a label that is no class, NaN or infinite scores.
///
/// **Ties and NaN.** Smooth, so ties do not matter. NaN is an error. Scores of ±1e30 do not overflow.
///
/// **Accuracy.** The sum over the classes is that of [`CrossEntropy`](crate::CrossEntropy), however many they are.
///
/// **Cost.** One exponential a class and one power.
///
/// ```
/// use topk_loss::loss::Focal;
/// use topk_loss::Loss;
/// let mut grad = [0.0; 2];
/// let value = Focal::new(2.0)?.value_and_grad(&[0.0_f64, 0.0], 1, &mut grad, &mut [])?;
/// let ln_2 = 2.0_f64.ln();
/// assert_eq!((value, grad), (ln_2 / 4.0, [0.125 + ln_2 / 4.0, -(0.125 + ln_2 / 4.0)]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", ICCV 2017 (for two classes; this is the same
/// weight on the softmax's cross-entropy).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Focal<F> {
    gamma: F,
}

impl<F: Real> Focal<F> {
    /// The loss with focusing parameter γ; the paper's choice is 2.
    ///
    /// ```
    /// use topk_loss::loss::Focal;
    /// assert_eq!(Focal::new(2.0)?.gamma(), 2.0);
    /// assert!(Focal::new(-1.0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A γ that is negative or not finite.
    pub fn new(gamma: F) -> Result<Self> {
        if gamma >= F::zero() && gamma.is_finite() {
            Ok(Self { gamma })
        } else {
            Err(Error::Parameter { name: "gamma", must: "at least 0 and finite" })
        }
    }

    /// The focusing parameter.
    ///
    /// ```
    /// assert_eq!(topk_loss::loss::Focal::new(2.0)?.gamma(), 2.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn gamma(&self) -> F {
        self.gamma
    }

    /// The loss, and what it multiplies the cross-entropy's gradient by.
    #[doc(hidden)]
    #[must_use]
    pub fn of(&self, softmax: &Softmax<F>) -> (F, F) {
        let (miss, surprise) = (softmax.miss(), softmax.surprise());
        let focus = miss.powf(self.gamma);
        // (−ln(1 − q))/q is 1 where q underflows.
        let ratio = if miss > F::zero() { surprise / miss } else { F::one() };
        (focus * surprise, focus * (F::one() + self.gamma * (softmax.hit() * ratio)))
    }

    #[inline(always)]
    pub(crate) fn evaluate(&self, example: Example<'_, F>) -> Result<F> {
        let Example { scores, label, grad, .. } = example;
        let grad = grad.unwrap_or_default();
        let row = Row::new(scores, label, grad)?;
        let (value, slope) = self.of(&row.softmax);
        row.differentiate(label, slope, grad);
        Ok(value)
    }
}

impl<F: Real> Loss<F> for Focal<F> {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    values_by!(F::focal);
}

impl<F: Real> FoldIn for Focal<F> {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
