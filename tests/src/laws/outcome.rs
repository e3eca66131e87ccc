//! What comes out of finite scores: finite numbers, and the same ones every time.

use topk_loss::{Loss, Real};

use super::law::Law;
use crate::Example;
use crate::violation::Violation;

/// Finite scores give a finite value and gradient, or an error where the float's range ends; never a NaN in silence.
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
