//! Laws of growth: how fast a loss and its gradient may change.
//!
//! ```
//! use topk_loss::{CrossEntropy, Loss};
//! use topk_loss_laws::{Segment, check_loss, laws, tolerances::ROUNDING};
//! // The gradient of a cross-entropy is at most √2 long.
//! let law = |loss: &dyn Loss<f64>, segment: &Segment<f64>| laws::is_lipschitz(loss, segment, 2.0_f64.sqrt(), ROUNDING);
//! assert!(check_loss(|_| CrossEntropy, law).is_ok());
//! ```

use topk_loss::{Loss, Real};

use super::law::{Law, magnitude, size};
use crate::Tolerance;
use crate::reference::to_f64;
use crate::strategies::Segment;
use crate::violation::Violation;

/// |ℓ(t) − ℓ(s)| ≤ `constant`·‖t − s‖₂.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, Segment, laws, tolerances::ROUNDING};
/// let segment = Segment { example: Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 }, to: vec![-1.0, 2.0, 0.0] };
/// assert_eq!(laws::is_lipschitz(&CrossEntropy, &segment, 2.0_f64.sqrt(), ROUNDING), Ok(()));
/// assert!(laws::is_lipschitz(&CrossEntropy, &segment, 0.1, ROUNDING).is_err());
/// ```
///
/// # Errors
/// It is not.
pub fn is_lipschitz<F: Real>(loss: &dyn Loss<F>, segment: &Segment<F>, constant: F, tolerance: Tolerance) -> Result<(), Violation> {
    Law("is_lipschitz").judge(|law| {
        let from = law.evaluate(loss, &segment.example.scores, segment.example.label)?;
        let to = law.evaluate(loss, &segment.to, segment.example.label)?;
        let scale = magnitude(&segment.example.scores, &from).max(magnitude(&segment.to, &to));
        let most = to_f64(constant) * segment.length();
        let change = to_f64(to.0) - to_f64(from.0);
        Ok(law.between("the change of the value", change.abs(), (0.0, most), tolerance.of::<F>(scale + most))?)
    })
}

/// ‖∇ℓ(t) − ∇ℓ(s)‖₂ ≤ `constant`·‖t − s‖₂: what a step size is chosen by.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, Segment, laws, tolerances::ROUNDING};
/// let segment = Segment { example: Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 }, to: vec![-1.0, 2.0, 0.0] };
/// assert_eq!(laws::is_smooth(&CrossEntropy, &segment, 1.0, ROUNDING), Ok(()));
/// assert!(laws::is_smooth(&CrossEntropy, &segment, 0.01, ROUNDING).is_err());
/// ```
///
/// # Errors
/// It is not.
pub fn is_smooth<F: Real>(loss: &dyn Loss<F>, segment: &Segment<F>, constant: F, tolerance: Tolerance) -> Result<(), Violation> {
    Law("is_smooth").judge(|law| {
        let from = law.evaluate(loss, &segment.example.scores, segment.example.label)?.1;
        let to = law.evaluate(loss, &segment.to, segment.example.label)?.1;
        let squares = from.iter().zip(&to).map(|(&a, &b)| (to_f64(b) - to_f64(a)).powi(2));
        let most = to_f64(constant) * segment.length();
        let allowed = tolerance.of::<F>(size(&from) + size(&to) + most);
        Ok(law.between("the change of the gradient", squares.sum::<f64>().sqrt(), (0.0, most), allowed)?)
    })
}
