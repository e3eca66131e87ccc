//! Laws of invariance: a common offset, other names for the classes, another unit.
//!
//! ```
//! use topk_loss::{CrossEntropy, Loss};
//! use topk_loss_laws::{check_loss, laws, tolerances::ROUNDING};
//! let law = |loss: &dyn Loss<f64>, example: &_| laws::ignores_a_common_offset(loss, example, ROUNDING);
//! assert!(check_loss(|_| CrossEntropy, law).is_ok());
//! ```

use topk_loss::{Loss, Real};

use super::law::{Law, magnitude, size};
use crate::reference::{ValueAndGrad, to_f64};
use crate::violation::Violation;
use crate::{Example, Tolerance};

/// ℓ(s + c·1, y) = ℓ(s, y), and so for the gradient.
///
/// **Cost.** At most seven calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, tolerances::ROUNDING, loss_fn};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::ignores_a_common_offset(&CrossEntropy, &example, ROUNDING), Ok(()));
/// let square = loss_fn(|s: &[f64], _| s[0] * s[0], |s: &[f64], _| (s[0] * s[0], vec![2.0 * s[0], 0.0, 0.0]));
/// assert!(laws::ignores_a_common_offset(&square, &example, ROUNDING).is_err());
/// ```
///
/// # Errors
/// They differ.
pub fn ignores_a_common_offset<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("ignores_a_common_offset").judge(|law| {
        let before = law.evaluate(loss, &example.scores, example.label)?;
        for offset in [-4.0, 1.0, 1024.0].map(F::from_f64) {
            let moved: Vec<F> = example.scores.iter().map(|&s| s + offset).collect();
            // The offset rounds the scores: compared are losses of the same differences.
            let back: Vec<F> = moved.iter().map(|&s| s - offset).collect();
            let expected = if back == example.scores { before.clone() } else { law.evaluate(loss, &back, example.label)? };
            let after = law.evaluate(loss, &moved, example.label)?;
            let scale = magnitude(&moved, &expected).max(magnitude(&moved, &after));
            let allowed = tolerance.of::<F>(scale);
            law.close(format_args!("the value with an offset of {offset}"), after.0, expected.0, allowed)?;
            if is_kink(&back, &expected, allowed) || is_kink(&moved, &after, allowed) {
                continue;
            }
            for (class, (&entry, &expected)) in after.1.iter().zip(&expected.1).enumerate() {
                law.close(format_args!("entry {class} of the gradient with an offset of {offset}"), entry, expected, allowed)?;
            }
        }
        Ok(())
    })
}

/// Exchanging two classes, and the label if it is one of them, exchanges their entries of the gradient and leaves the value.
///
/// Neighbours are exchanged, from which every other permutation is made. Where scores are tied, or the loss is zero, a gradient may
/// depend on the order; there only the values are compared.
///
/// **Cost.** A call of the loss a class.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, tolerances::ROUNDING, loss_fn};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::treats_classes_alike(&CrossEntropy, &example, ROUNDING), Ok(()));
/// let square = loss_fn(|s: &[f64], _| s[0] * s[0], |s: &[f64], _| (s[0] * s[0], vec![2.0 * s[0], 0.0, 0.0]));
/// assert!(laws::treats_classes_alike(&square, &example, ROUNDING).is_err());
/// ```
///
/// # Errors
/// It does not.
pub fn treats_classes_alike<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("treats_classes_alike").judge(|law| {
        let before = law.evaluate(loss, &example.scores, example.label)?;
        let allowed = tolerance.of::<F>(magnitude(&example.scores, &before));
        for first in 0..example.scores.len() - 1 {
            let exchanged = |class| match class {
                _ if class == first => first + 1,
                _ if class == first + 1 => first,
                _ => class,
            };
            let mut scores = example.scores.clone();
            scores.swap(first, first + 1);
            let after = law.evaluate(loss, &scores, exchanged(example.label))?;
            let names = format!("with classes {first} and {} exchanged", first + 1);
            law.close(format_args!("the value {names}"), after.0, before.0, allowed)?;
            if is_kink(&example.scores, &before, allowed) || is_kink(&scores, &after, allowed) {
                continue;
            }
            for (class, &entry) in before.1.iter().enumerate() {
                law.close(format_args!("entry {} of the gradient {names}", exchanged(class)), after.1[exchanged(class)], entry, allowed)?;
            }
        }
        Ok(())
    })
}

/// ℓ(c·s, y) = c·ℓ(s, y) for c > 0: no length is built in.
///
/// **Cost.** Three calls of the loss.
///
/// ```
/// use topk_loss::{CrossEntropy, oracle::KthLargest};
/// use topk_loss_laws::{Example, OfScores, laws, tolerances::ROUNDING};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::is_homogeneous(&OfScores(KthLargest::new(2)?), &example, ROUNDING), Ok(()));
/// assert!(laws::is_homogeneous(&CrossEntropy, &example, ROUNDING).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// They differ.
pub fn is_homogeneous<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("is_homogeneous").judge(|law| {
        let before = law.evaluate(loss, &example.scores, example.label)?;
        for factor in [0.5, 3.0].map(F::from_f64) {
            let scaled: Vec<F> = example.scores.iter().map(|&s| factor * s).collect();
            let after = law.value(loss, &scaled, example.label)?;
            let allowed = tolerance.of::<F>(3.0 * magnitude(&scaled, &before));
            law.close(format_args!("the value of {factor} times the scores"), after, factor * before.0, allowed)?;
        }
        Ok(())
    })
}

/// The entries of the gradient sum to `sum`: 0 for a loss that ignores a common offset, 1 for an order statistic. A gradient that is zero
/// altogether, as where a hinge is satisfied, may be that.
///
/// **Cost.** One call of the loss.
///
/// ```
/// use topk_loss::{CrossEntropy, oracle::KthLargest};
/// use topk_loss_laws::{Example, OfScores, laws, tolerances::ROUNDING};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::gradient_sums_to(&CrossEntropy, &example, 0.0, ROUNDING), Ok(()));
/// assert_eq!(laws::gradient_sums_to(&OfScores(KthLargest::new(2)?), &example, 1.0, ROUNDING), Ok(()));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// They do not.
pub fn gradient_sums_to<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, sum: F, tolerance: Tolerance) -> Result<(), Violation> {
    Law("gradient_sums_to").judge(|law| {
        let (value, grad) = law.evaluate(loss, &example.scores, example.label)?;
        if value == F::zero() && size(&grad) == 0.0 {
            return Ok(());
        }
        let found: f64 = grad.iter().map(|&g| to_f64(g)).sum();
        Ok(law.close("the sum of the gradient", found, to_f64(sum), tolerance.of::<F>(to_f64(sum).abs() + size(&grad)))?)
    })
}

/// Whether the gradient may hang on less than rounding: tied scores, or a value that is nearly zero without being small for its slope.
fn is_kink<F: Real>(scores: &[F], (value, _): &ValueAndGrad<F>, allowed: f64) -> bool {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(core::cmp::Ordering::Equal));
    sorted.windows(2).any(|pair| to_f64(pair[1] - pair[0]) <= allowed) || to_f64(value.abs()) <= allowed
}
