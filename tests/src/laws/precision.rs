//! Laws of single precision: what `f32` keeps of `f64`.
//!
//! ```
//! use topk_loss::{CrossEntropy, TopKHinge};
//! use topk_loss_laws::{Example, laws, tolerances::ROUNDING};
//! let example: Example<f32> = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
//! assert_eq!(laws::agrees_in_single_precision(&TopKHinge::new(1)?, &TopKHinge::new(1)?, &example, ROUNDING), Ok(()));
//! assert!(laws::agrees_in_single_precision(&CrossEntropy, &TopKHinge::new(1)?, &example, ROUNDING).is_err()); // two losses
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::Loss;

use super::law::{Law, magnitude};
use crate::violation::Violation;
use crate::{Example, Tolerance};

/// In `f32` the loss is what it is in `f64` on the same scores; so is the gradient, unless the loss is so near zero that rounding decides whether a
/// hinge is satisfied.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, tolerances::ROUNDING};
/// let example: Example<f32> = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::agrees_in_single_precision(&CrossEntropy, &CrossEntropy, &example, ROUNDING), Ok(()));
/// ```
///
/// # Errors
/// It is not.
pub fn agrees_in_single_precision(
    single: &dyn Loss<f32>,
    double: &dyn Loss<f64>,
    example: &Example<f32>,
    tolerance: Tolerance,
) -> Result<(), Violation> {
    Law("agrees_in_single_precision").judge(|law| {
        let same: Vec<f64> = example.scores.iter().map(|&s| f64::from(s)).collect();
        let (value, grad) = law.evaluate(single, &example.scores, example.label)?;
        let expected = law.evaluate(double, &same, example.label)?;
        let allowed = tolerance.of::<f32>(magnitude(&same, &expected).max(magnitude(&example.scores, &(value, grad.clone()))));
        law.close("the value", f64::from(value), expected.0, allowed)?;
        if expected.0.abs() <= allowed || f64::from(value.abs()) <= allowed {
            return Ok(());
        }
        let largest = expected.1.iter().fold(0.0_f64, |largest, g| largest.max(g.abs()));
        for (class, (&entry, &expected)) in grad.iter().zip(&expected.1).enumerate() {
            let place = format_args!("entry {class} of the gradient");
            law.close(place, f64::from(entry), expected, tolerance.of::<f32>(largest))?;
        }
        Ok(())
    })
}
