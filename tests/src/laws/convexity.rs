//! Laws of convexity, on segments. Refuting it is [`check`](crate::check)ing it: the counter-example is the witness.
//!
//! ```
//! use topk_loss::TopKHinge;
//! use topk_loss_laws::{check, laws::is_convex, strategies::segment, tolerances::ROUNDING};
//! // The calibrated hinge is not convex; here is where.
//! let refuted = check(segment::<f64>(), |s| is_convex(&TopKHinge::new(s.example.k).unwrap(), &s, ROUNDING)).unwrap_err();
//! assert_eq!(refuted.violation.law, "is_convex");
//! ```

use topk_loss::{Loss, Real};

use super::law::{Law, magnitude};
use crate::Tolerance;
use crate::reference::to_f64;
use crate::strategies::Segment;
use crate::violation::Violation;

/// Between two points the loss is not above the straight line.
///
/// **Cost.** Five calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, Segment, laws, loss_fn, tolerances::ROUNDING};
/// let segment = Segment { example: Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 }, to: vec![-1.0, 2.0, 0.0] };
/// assert_eq!(laws::is_convex(&CrossEntropy, &segment, ROUNDING), Ok(()));
/// let concave = loss_fn(|s: &[f64], _| -s[0] * s[0], |s: &[f64], _| (-s[0] * s[0], vec![-2.0 * s[0], 0.0, 0.0]));
/// assert!(laws::is_convex(&concave, &segment, ROUNDING).is_err());
/// ```
///
/// # Errors
/// It is.
pub fn is_convex<F: Real>(loss: &dyn Loss<F>, segment: &Segment<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("is_convex").judge(|law| {
        let label = segment.example.label;
        let (from, to) = (law.evaluate(loss, &segment.example.scores, label)?, law.evaluate(loss, &segment.to, label)?);
        for share in [0.25, 0.5, 0.75] {
            let point = segment.at(share);
            let between = law.evaluate(loss, &point, label)?;
            let line = (1.0 - share) * to_f64(from.0) + share * to_f64(to.0);
            let scale = [&from, &between, &to].map(|end| magnitude(&point, end)).into_iter().fold(0.0, f64::max);
            let place = format_args!("the value {share} of the way");
            law.between(place, to_f64(between.0), (f64::NEG_INFINITY, line), tolerance.of::<F>(scale))?;
        }
        Ok(())
    })
}

/// ℓ(t) ≥ ℓ(s) + ⟨∇ℓ(s), t − s⟩: the gradient is a subgradient, at kinks and ties too. True of a convex loss only.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, Segment, laws, loss_fn, tolerances::ROUNDING};
/// let segment = Segment { example: Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 }, to: vec![-1.0, 2.0, 0.0] };
/// assert_eq!(laws::lies_above_its_tangents(&CrossEntropy, &segment, ROUNDING), Ok(()));
/// let concave = loss_fn(|s: &[f64], _| -s[0] * s[0], |s: &[f64], _| (-s[0] * s[0], vec![-2.0 * s[0], 0.0, 0.0]));
/// assert!(laws::lies_above_its_tangents(&concave, &segment, ROUNDING).is_err());
/// ```
///
/// # Errors
/// It is not.
pub fn lies_above_its_tangents<F: Real>(loss: &dyn Loss<F>, segment: &Segment<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("lies_above_its_tangents").judge(|law| {
        let from = law.evaluate(loss, &segment.example.scores, segment.example.label)?;
        let to = law.evaluate(loss, &segment.to, segment.example.label)?;
        let steps = segment.example.scores.iter().zip(&segment.to).map(|(&s, &t)| to_f64(t) - to_f64(s));
        let rise: f64 = steps.zip(&from.1).map(|(step, &g)| step * to_f64(g)).sum();
        let scale = magnitude(&segment.example.scores, &from) + magnitude(&segment.to, &from).max(magnitude(&segment.to, &to));
        let tangent = to_f64(from.0) + rise;
        Ok(law.between("the value at the other end", to_f64(to.0), (tangent, f64::INFINITY), tolerance.of::<F>(scale))?)
    })
}
