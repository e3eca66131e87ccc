//! Laws of buffers: what a loss does with the slices it is given.
//!
//! ```
//! use topk_loss::CrossEntropy;
//! use topk_loss_laws::{check_loss, laws};
//! assert!(check_loss(|_| CrossEntropy, |loss, example| laws::gradient_is_overwritten::<f64>(loss, example)).is_ok());
//! ```

use topk_loss::{Loss, Real};

use super::law::Law;
use crate::Example;
use crate::reference::ValueAndGrad;
use crate::violation::Violation;

/// The two calls of a loss return the same number.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, loss_fn};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::value_is_that_of_the_gradient_call(&CrossEntropy, &example), Ok(()));
/// let other = loss_fn(|_: &[f64], _| 1.0, |_: &[f64], _| (2.0, vec![0.0; 3]));
/// assert!(laws::value_is_that_of_the_gradient_call(&other, &example).is_err());
/// ```
///
/// # Errors
/// They do not.
pub fn value_is_that_of_the_gradient_call<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("value_is_that_of_the_gradient_call").judge(|law| {
        let alone = law.value(loss, &example.scores, example.label)?;
        let (value, _) = law.evaluate(loss, &example.scores, example.label)?;
        Ok(law.close("the value alone", alone, value, 0.0)?)
    })
}

/// What the scratch holds before, and that there is more of it than needed, changes no bit of value or gradient.
///
/// **Cost.** Seven calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::scratch_is_irrelevant(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// It does.
pub fn scratch_is_irrelevant<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    let needed = loss.scratch_len(example.scores.len());
    let scratches = [(F::nan(), 0), (F::infinity(), 1), (-F::one(), 7)].map(|(content, extra)| vec![content; needed + extra]);
    Law("scratch_is_irrelevant").judge(|law| {
        let clean = law.evaluate(loss, &example.scores, example.label)?;
        for scratch in scratches {
            let content = format!("with a scratch of {} times {}", scratch.len(), scratch.first().copied().unwrap_or(F::zero()));
            let value = law.good(|| loss.value(&example.scores, example.label, &mut scratch.clone()))?;
            law.close(format_args!("the value alone {content}"), value, clean.0, 0.0)?;
            let mut grad = vec![F::zero(); example.scores.len()];
            let value = law.good(|| loss.value_and_grad(&example.scores, example.label, &mut grad, &mut scratch.clone()))?;
            same(law, &content, &(value, grad), &clean)?;
        }
        Ok(())
    })
}

/// What the gradient's slice holds before is gone after.
///
/// **Cost.** Three calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::gradient_is_overwritten(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// It is not.
pub fn gradient_is_overwritten<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("gradient_is_overwritten").judge(|law| {
        let clean = law.evaluate(loss, &example.scores, example.label)?;
        for content in [F::one(), F::nan()] {
            let mut grad = vec![content; example.scores.len()];
            let mut scratch = vec![F::zero(); loss.scratch_len(example.scores.len())];
            let value = law.good(|| loss.value_and_grad(&example.scores, example.label, &mut grad, &mut scratch))?;
            same(law, &format!("over a gradient of {content}"), &(value, grad), &clean)?;
        }
        Ok(())
    })
}

/// Value and gradient from buffers full of garbage; the value alone must be the same, whatever the scratch holds and even if it is longer.
///
/// **Cost.** Three calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::laws::buffers::evaluate;
/// let (value, grad) = evaluate(&CrossEntropy, &[0.0_f64, 0.0], 1)?;
/// assert_eq!((value, grad), (2.0_f64.ln(), vec![0.5, -0.5]));
/// # Ok::<(), topk_loss_laws::Violation>(())
/// ```
///
/// # Errors
/// It is not, or the loss fails.
pub fn evaluate<F: Real>(loss: &dyn Loss<F>, scores: &[F], label: usize) -> Result<ValueAndGrad<F>, Violation> {
    let law = Law("scratch_is_irrelevant");
    let needed = loss.scratch_len(scores.len());
    let (mut grad, mut scratch) = (vec![F::nan(); scores.len()], vec![F::nan(); needed]);
    let number = |answer: topk_loss::Result<F>| answer.map_err(|error| law.violation("the call", error, "a number"));
    let value = number(law.caught(|| loss.value_and_grad(scores, label, &mut grad, &mut scratch))?)?;
    for mut scratch in [scratch, vec![F::infinity(); needed + 1]] {
        let alone = number(law.caught(|| loss.value(scores, label, &mut scratch))?)?;
        law.close("the value alone", alone, value, 0.0)?;
    }
    Ok((value, grad))
}

fn same<F: Real>(law: Law, content: &str, (value, grad): &ValueAndGrad<F>, clean: &ValueAndGrad<F>) -> Result<(), Violation> {
    law.close(format_args!("the value {content}"), *value, clean.0, 0.0)?;
    for (class, (&entry, &expected)) in grad.iter().zip(&clean.1).enumerate() {
        law.close(format_args!("entry {class} of the gradient {content}"), entry, expected, 0.0)?;
    }
    Ok(())
}
