//! Laws of oracles, beyond those of losses: to add the gradient, and to know their translation.
//!
//! ```
//! use topk_loss::oracle::TopKSum;
//! use topk_loss_laws::{check, laws::oracle, strategies};
//! let law = |example| oracle::gradient_is_added_with_its_weight(&TopKSum::new(1).unwrap(), &example);
//! assert!(check(strategies::example::<f64>(), law).is_ok());
//! ```

use topk_loss::Real;
use topk_loss::oracle::{Oracle, Translation};

use super::law::{Law, Stop, magnitude};
use crate::reference::{ValueAndGrad, to_f64};
use crate::violation::Violation;
use crate::{Example, Tolerance};

/// The gradient, times the weight, is added to what was there.
///
/// **Cost.** Four calls of the oracle.
///
/// ```
/// use topk_loss::oracle::KthLargest;
/// use topk_loss_laws::{Example, laws::oracle};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(oracle::gradient_is_added_with_its_weight(&KthLargest::new(2)?, &example), Ok(()));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// It is not.
pub fn gradient_is_added_with_its_weight<F: Real>(oracle: &dyn Oracle<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("gradient_is_added_with_its_weight").judge(|law| {
        let (value, grad) = evaluate(law, oracle, &example.scores, F::one(), F::zero())?;
        for (weight, before) in [(-3.0, 0.0), (0.5, -2.0), (0.0, 1.0)].map(|(w, b)| (F::from_f64(w), F::from_f64(b))) {
            let (weighed_value, weighed) = evaluate(law, oracle, &example.scores, weight, before)?;
            law.close(format_args!("the value with weight {weight}"), weighed_value, value, 0.0)?;
            for (entry, (&found, &g)) in weighed.iter().zip(&grad).enumerate() {
                let place = format_args!("entry {entry} of the gradient with weight {weight}, on {before}");
                // The parts may be added to what is there one by one.
                let allowed = crate::tolerances::SUM.of::<F>(1.0 + to_f64(g.abs()));
                law.close(place, found, before + weight * g, allowed)?;
            }
        }
        Ok(())
    })
}

/// f(θ) = f(θ − center·1) + center·mass, for the center and the mass that the oracle names.
///
/// **Cost.** Three calls of the oracle.
///
/// ```
/// use topk_loss::oracle::KthLargest;
/// use topk_loss_laws::{Example, laws::oracle, tolerances::ROUNDING};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(oracle::translation_is_as_claimed(&KthLargest::new(2)?, &example, ROUNDING), Ok(()));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// Its claim is false.
pub fn translation_is_as_claimed<F: Real>(oracle: &dyn Oracle<F>, example: &Example<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("translation_is_as_claimed").judge(|law| {
        let theta = &example.scores;
        let scratch = || vec![F::zero(); oracle.scratch_len(theta.len())];
        let Translation { center, mass } = law.good(|| oracle.translation(theta, &mut scratch()))?;
        let at = evaluate(law, oracle, theta, F::one(), F::zero())?;
        let centered: Vec<F> = theta.iter().map(|&t| t - center).collect();
        let moved = law.good(|| oracle.value(&centered, &mut scratch()))?;
        let allowed = tolerance.of::<F>(magnitude(theta, &at) + to_f64((center * mass).abs()));
        Ok(law.close(format_args!("the value about {center}, moved back,"), moved + center * mass, at.0, allowed)?)
    })
}

/// f(θ + c·1) = f(θ) + c·`mass`: 1 for an order statistic, k for the sum of k of them.
///
/// **Cost.** Three calls of the oracle.
///
/// ```
/// use topk_loss::oracle::KthLargest;
/// use topk_loss_laws::{Example, laws::oracle, tolerances::ROUNDING};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(oracle::follows_a_common_offset(&KthLargest::new(2)?, &example, 1.0, ROUNDING), Ok(()));
/// assert!(oracle::follows_a_common_offset(&KthLargest::new(2)?, &example, 2.0, ROUNDING).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// They differ.
pub fn follows_a_common_offset<F: Real>(
    oracle: &dyn Oracle<F>,
    example: &Example<F>,
    mass: F,
    tolerance: Tolerance,
) -> Result<(), Violation> {
    Law("follows_a_common_offset").judge(|law| {
        let before = evaluate(law, oracle, &example.scores, F::one(), F::zero())?;
        for offset in [-4.0, 1024.0].map(F::from_f64) {
            let moved: Vec<F> = example.scores.iter().map(|&t| t + offset).collect();
            let after = law.good(|| oracle.value(&moved, &mut vec![F::zero(); oracle.scratch_len(moved.len())]))?;
            let allowed = tolerance.of::<F>(magnitude(&moved, &before));
            law.close(format_args!("the value with an offset of {offset}"), after, before.0 + offset * mass, allowed)?;
        }
        Ok(())
    })
}

fn evaluate<F: Real>(law: Law, oracle: &dyn Oracle<F>, theta: &[F], weight: F, before: F) -> Result<ValueAndGrad<F>, Stop> {
    let mut grad = vec![before; theta.len()];
    let mut scratch = vec![F::zero(); oracle.scratch_len(theta.len())];
    let value = law.good(|| oracle.value_and_add_grad(theta, weight, &mut grad, &mut scratch))?;
    Ok((value, grad))
}
