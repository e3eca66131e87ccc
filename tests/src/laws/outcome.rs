//! Laws of results: finite scores give finite numbers, and the same ones every time.
//!
//! ```
//! use topk_loss::CrossEntropy;
//! use topk_loss_laws::{check_loss, laws};
//! assert!(check_loss(|_| CrossEntropy, |loss, example| laws::results_are_finite::<f64>(loss, example)).is_ok());
//! ```

use topk_loss::{Loss, Real};

use super::law::Law;
use crate::Example;
use crate::violation::Violation;

/// Finite scores give a finite value and gradient, or an error where the float's range ends; never a NaN in silence.
///
/// **Cost.** One call of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, loss_fn};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::results_are_finite(&CrossEntropy, &example), Ok(()));
/// let endless = loss_fn(|_: &[f64], _| f64::INFINITY, |_: &[f64], _| (f64::INFINITY, vec![0.0; 3]));
/// assert!(laws::results_are_finite(&endless, &example).is_err());
/// ```
///
/// # Errors
/// They do not.
pub fn results_are_finite<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("results_are_finite").judge(|law| {
        let (value, grad) = law.evaluate(loss, &example.scores, example.label)?;
        let all = (F::min_value(), F::max_value());
        law.between("the value", value, all, 0.0)?;
        for (class, &entry) in grad.iter().enumerate() {
            law.between(format_args!("entry {class} of the gradient"), entry, all, 0.0)?;
        }
        Ok(())
    })
}

/// The same call gives the same value and gradient, to the last bit.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::is_deterministic(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// It does not.
pub fn is_deterministic<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("is_deterministic").judge(|law| {
        let first = law.evaluate(loss, &example.scores, example.label)?;
        let again = law.evaluate(loss, &example.scores, example.label)?;
        law.close("the value of the second call", again.0, first.0, 0.0)?;
        for (class, (&entry, &expected)) in again.1.iter().zip(&first.1).enumerate() {
            law.close(format_args!("entry {class} of the second call's gradient"), entry, expected, 0.0)?;
        }
        Ok(())
    })
}
