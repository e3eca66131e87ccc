//! Laws of order: what the label's place among the scores decides.
//!
//! ```
//! use topk_loss::{CrossEntropy, Loss};
//! use topk_loss_laws::{check_loss, laws, tolerances::ROUNDING};
//! let law = |loss: &dyn Loss<f64>, example: &_| laws::falls_with_the_label_score(loss, example, ROUNDING);
//! assert!(check_loss(|_| CrossEntropy, law).is_ok());
//! ```

use topk_loss::{Loss, Real};

use super::law::{Law, magnitude};
use crate::reference::ranking;
use crate::violation::Violation;
use crate::{Example, Tolerance};

/// A higher score of the label never raises the loss.
///
/// **Cost.** Five calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, tolerances::ROUNDING, loss_fn};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::falls_with_the_label_score(&CrossEntropy, &example, ROUNDING), Ok(()));
/// let square = loss_fn(|s: &[f64], _| s[0] * s[0], |s: &[f64], _| (s[0] * s[0], vec![2.0 * s[0], 0.0, 0.0]));
/// assert!(laws::falls_with_the_label_score(&square, &example, ROUNDING).is_err());
/// ```
///
/// # Errors
/// It does.
pub fn falls_with_the_label_score<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("falls_with_the_label_score").judge(|law| {
        let before = law.evaluate(loss, &example.scores, example.label)?;
        for by in [0.01, 0.5, 4.0, 32.0].map(F::from_f64) {
            let mut scores = example.scores.clone();
            scores[example.label] += by;
            let after = law.value(loss, &scores, example.label)?;
            let allowed = tolerance.of::<F>(magnitude(&scores, &before));
            law.between(format_args!("the value with {by} more for the label"), after, (F::neg_infinity(), before.0), allowed)?;
        }
        Ok(())
    })
}

/// The loss is at least zero.
///
/// **Cost.** One call of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, loss_fn};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::is_never_negative(&CrossEntropy, &example), Ok(()));
/// let negative = loss_fn(|_: &[f64], _| -1.0, |_: &[f64], _| (-1.0, vec![0.0; 3]));
/// assert!(laws::is_never_negative(&negative, &example).is_err());
/// ```
///
/// # Errors
/// It is not.
pub fn is_never_negative<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("is_never_negative").judge(|law| {
        let value = law.value(loss, &example.scores, example.label)?;
        Ok(law.between("the value", value, (F::zero(), F::infinity()), 0.0)?)
    })
}

/// The loss of the example's K guesses is zero where the label's score leads the (K+1)-th largest of all by `margin`, and above zero where it does
/// not.
///
/// **Cost.** One call of the loss.
///
/// ```
/// use topk_loss::{CrossEntropy, TopKHinge};
/// use topk_loss_laws::{Example, laws, tolerances::ROUNDING};
/// let example = Example { scores: vec![2.0, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::vanishes_with_the_lead(&TopKHinge::new(1)?, &example, 1.0, ROUNDING), Ok(()));
/// assert!(laws::vanishes_with_the_lead(&CrossEntropy, &example, 1.0, ROUNDING).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// It is not zero, or not above it.
pub fn vanishes_with_the_lead<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, margin: F, tolerance: Tolerance) -> Result<(), Violation> {
    Law("vanishes_with_the_lead").judge(|law| {
        let value = law.value(loss, &example.scores, example.label)?;
        let missed = example.scores[ranking(&example.scores)[example.k]];
        let lead = example.scores[example.label] - missed;
        let size = missed.abs().max(example.scores[example.label].abs()).max(margin.abs());
        let rounding = F::from_f64(tolerance.of::<F>(crate::reference::to_f64(size)));
        if lead >= margin + rounding {
            law.close(format_args!("the value at a lead of {lead}"), value, F::zero(), 0.0)?;
        }
        if lead < margin - rounding {
            law.between(format_args!("the value at a lead of {lead}"), value, (F::min_positive_value(), F::infinity()), 0.0)?;
        }
        Ok(())
    })
}
