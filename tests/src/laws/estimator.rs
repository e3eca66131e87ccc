//! Laws of estimators: what their mean is, and that an estimate is the plain call.
//!
//! ```
//! use topk_loss::estimator::Conditional;
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::KthLargest;
//! use topk_loss::sampler::MonteCarlo;
//! use topk_loss::Key;
//! use topk_loss_laws::laws::estimator::is_unbiased;
//! // The larger of two equal scores under normal noise of scale 1 is 1/√π above them, and either as often.
//! let drawn = Conditional::new(KthLargest::new(1)?, MonteCarlo::new(Normal, 50)?, 1.0, Key::new(1))?;
//! let expected = (core::f64::consts::PI.sqrt().recip(), vec![0.5, 0.5]);
//! assert_eq!(is_unbiased(&drawn, &[0.0, 0.0], &expected, 200), Ok(()));
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::estimator::Estimator;
use topk_loss::oracle::Oracle;
use topk_loss::{FoldIn, Real};

use super::law::{Law, magnitude};
use crate::reference::{ValueAndGrad, to_f64};
use crate::statistics::{Moments, critical};
use crate::violation::Violation;
use crate::{Example, Tolerance};

/// Over keys that differ, the mean of value and gradient is `expected`, as far as so many estimates can tell at [`FAMILY_LEVEL`].
///
/// The keys are fixed: the verdict is the same every time. An estimate should be the mean of many draws, so that its law is nearly normal; a
/// bias is found if it is several times the spread over √`repeats`.
///
/// [`FAMILY_LEVEL`]: crate::tolerances::FAMILY_LEVEL
///
/// **Cost.** `repeats` calls of the estimator.
///
/// ```
/// use topk_loss::estimator::{Exact, Pathwise};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::MonteCarlo;
/// use topk_loss::Key;
/// use topk_loss_laws::laws::estimator::is_unbiased;
/// use topk_loss_laws::unbiased::evaluate;
/// let (theta, second) = ([0.9, 0.4, 0.6], KthLargest::new(2)?);
/// let drawn = Pathwise::new(second, MonteCarlo::new(Normal, 50)?, 0.5, Key::new(1))?;
/// let expected = evaluate(&Exact::new(second, Normal, 0.5)?, &theta);
/// assert_eq!(is_unbiased(&drawn, &theta, &expected, 200), Ok(()));
/// assert!(is_unbiased(&drawn, &theta, &(2.0 * expected.0, expected.1), 200).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// It is not: the coordinate that is further off than chance allows.
pub fn is_unbiased(
    estimator: &(impl Oracle<f64> + FoldIn),
    theta: &[f64],
    expected: &ValueAndGrad<f64>,
    repeats: u64,
) -> Result<(), Violation> {
    Law("is_unbiased").judge(|law| {
        let mut value = Moments::default();
        let mut gradient = vec![Moments::default(); theta.len()];
        for step in 0..repeats {
            let keyed = estimator.fold_in(step);
            let (mut grad, mut scratch) = (vec![0.0; theta.len()], vec![0.0; keyed.scratch_len(theta.len())]);
            value.extend([law.good(|| keyed.value_and_add_grad(theta, 1.0, &mut grad, &mut scratch))?]);
            gradient.iter_mut().zip(grad).for_each(|(moments, g)| moments.extend([g]));
        }
        let most = critical(1 + theta.len());
        // An entry that never varies must be right to rounding.
        let allowed = |moments: &Moments, expected: f64| most * moments.standard_error() + 1e-6 * (1e-6 + expected.abs());
        law.close("the mean value", value.mean(), expected.0, allowed(&value, expected.0))?;
        for (entry, (moments, &expected)) in gradient.iter().zip(&expected.1).enumerate() {
            law.close(format_args!("the mean of entry {entry} of the gradient"), moments.mean(), expected, allowed(moments, expected))?;
        }
        Ok(())
    })
}

/// An [`Estimator`]'s estimate has the value of its plain call, and the gradient up to the order of summation.
///
/// **Cost.** Two calls of the estimator.
///
/// ```
/// use topk_loss::estimator::Pathwise;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::MonteCarlo;
/// use topk_loss::Key;
/// use topk_loss_laws::laws::estimator::estimate_is_the_plain_call;
/// use topk_loss_laws::{Example, tolerances::ESTIMATE};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// let drawn = Pathwise::new(KthLargest::new(2)?, MonteCarlo::new(Normal, 8)?, 0.5, Key::new(1))?;
/// assert_eq!(estimate_is_the_plain_call(&drawn, &example, ESTIMATE), Ok(()));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// It has not.
pub fn estimate_is_the_plain_call<F: Real>(
    estimator: &dyn Estimator<F>,
    example: &Example<F>,
    tolerance: Tolerance,
) -> Result<(), Violation> {
    Law("estimate_is_the_plain_call").judge(|law| {
        let theta = &example.scores;
        let (mut grad, mut scratch) = (vec![F::zero(); theta.len()], vec![F::zero(); estimator.estimate_scratch_len(theta.len())]);
        let estimate = law.good(|| estimator.estimate(theta, F::one(), &mut grad, &mut scratch))?;
        let mut plain = vec![F::zero(); theta.len()];
        let value = law.good(|| estimator.value_and_add_grad(theta, F::one(), &mut plain, &mut scratch))?;
        let allowed = tolerance.of::<F>(magnitude(theta, &(value, plain.clone())));
        law.close("the estimate's value", estimate.value, value, allowed)?;
        for (entry, (&found, &expected)) in grad.iter().zip(&plain).enumerate() {
            law.close(format_args!("entry {entry} of the estimate's gradient"), found, expected, allowed)?;
        }
        law.between("the estimate's standard error", to_f64(estimate.standard_error), (0.0, f64::INFINITY), 0.0)?;
        Ok(())
    })
}
