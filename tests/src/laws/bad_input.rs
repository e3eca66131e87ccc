//! Laws of bad input: an error that names it, nothing written, no panic.
//!
//! ```
//! use topk_loss::CrossEntropy;
//! use topk_loss_laws::{check_loss, laws};
//! assert!(check_loss(|_| CrossEntropy, |loss, example| laws::wrong_lengths_are_errors::<f64>(loss, example)).is_ok());
//! ```

use topk_loss::{Error, Loss, Real};

use super::law::Law;
use crate::Example;
use crate::violation::Violation;

/// A gradient of another length than the scores, or a scratch that is too short, is an [`Error::Length`].
///
/// **Cost.** At most five calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::wrong_lengths_are_errors(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// It is not, or something was written.
pub fn wrong_lengths_are_errors<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    let law = Law("wrong_lengths_are_errors");
    let (len, needed) = (example.scores.len(), loss.scratch_len(example.scores.len()));
    for grad_len in [0, len - 1, len + 1] {
        let refused = Refused { law, what: format_args!("a gradient of {grad_len} entries for {len} scores"), is_due: is_length };
        refused.gradient_call(loss, &example.scores, example.label, grad_len, needed)?;
    }
    if let Some(short) = needed.checked_sub(1) {
        let refused = Refused { law, what: format_args!("a scratch of {short} where {needed} are needed"), is_due: is_length };
        refused.value_call(loss, &example.scores, example.label, short)?;
        refused.gradient_call(loss, &example.scores, example.label, len, short)?;
    }
    Ok(())
}

/// A label that is no class is an [`Error::Label`].
///
/// **Cost.** Four calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::a_label_that_is_no_class_is_an_error(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// It is not, or something was written.
pub fn a_label_that_is_no_class_is_an_error<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    let law = Law("a_label_that_is_no_class_is_an_error");
    let (len, needed) = (example.scores.len(), loss.scratch_len(example.scores.len()));
    for label in [len, usize::MAX] {
        let is_due = |error| matches!(error, Error::Label { .. });
        let refused = Refused { law, what: format_args!("label {label} of {len} classes"), is_due };
        refused.value_call(loss, &example.scores, label, needed)?;
        refused.gradient_call(loss, &example.scores, label, len, needed)?;
    }
    Ok(())
}

/// A NaN or infinite score is an [`Error::NotFinite`], wherever it is.
///
/// **Cost.** Six calls of the loss a class.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::scores_that_are_no_numbers_are_errors(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// It is not, or something was written.
pub fn scores_that_are_no_numbers_are_errors<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    let law = Law("scores_that_are_no_numbers_are_errors");
    let (len, needed) = (example.scores.len(), loss.scratch_len(example.scores.len()));
    for class in 0..len {
        for bad in [F::nan(), F::infinity(), F::neg_infinity()] {
            let mut scores = example.scores.clone();
            scores[class] = bad;
            let is_due = |error| matches!(error, Error::NotFinite { .. });
            let refused = Refused { law, what: format_args!("score {class} being {bad}"), is_due };
            refused.value_call(loss, &scores, example.label, needed)?;
            refused.gradient_call(loss, &scores, example.label, len, needed)?;
        }
    }
    Ok(())
}

fn is_length(error: Error) -> bool {
    matches!(error, Error::Length { .. })
}

/// A call that must be refused.
struct Refused<W, E> {
    law: Law,
    what: W,
    is_due: E,
}

impl<W: core::fmt::Display, E: Fn(Error) -> bool> Refused<W, E> {
    fn value_call<F: Real>(&self, loss: &dyn Loss<F>, scores: &[F], label: usize, scratch_len: usize) -> Result<(), Violation> {
        let mut scratch = vec![F::zero(); scratch_len];
        self.judge("the value call", self.law.caught(|| loss.value(scores, label, &mut scratch))?)
    }

    fn gradient_call<F: Real>(
        &self,
        loss: &dyn Loss<F>,
        scores: &[F],
        label: usize,
        grad_len: usize,
        scratch_len: usize,
    ) -> Result<(), Violation> {
        // No gradient has this number in every place.
        let before = F::from_f64(-7.125);
        let (mut grad, mut scratch) = (vec![before; grad_len], vec![F::zero(); scratch_len]);
        self.judge("the gradient call", self.law.caught(|| loss.value_and_grad(scores, label, &mut grad, &mut scratch))?)?;
        match grad.iter().position(|&entry| entry != before) {
            None => Ok(()),
            Some(class) => {
                let place = format_args!("entry {class} of the gradient, for {},", self.what);
                Err(self.law.violation(place, grad[class], "as it was"))
            }
        }
    }

    fn judge<F: Real>(&self, call: &str, answer: topk_loss::Result<F>) -> Result<(), Violation> {
        match answer {
            Err(error) if (self.is_due)(error) => Ok(()),
            Err(error) => {
                Err(self.law.violation(format_args!("{call}, for {},", self.what), format_args!("\"{error}\""), "an error that names it"))
            }
            Ok(value) => Err(self.law.violation(format_args!("{call}, for {},", self.what), value, "an error")),
        }
    }
}
