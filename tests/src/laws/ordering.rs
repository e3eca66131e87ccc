//! What the label's place among the scores decides.

use topk_loss::{Loss, Real};

use super::law::{Law, magnitude};
use crate::reference::ranking;
use crate::violation::Violation;
use crate::{Example, Tolerance};

/// A higher score of the label never raises the loss.
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
