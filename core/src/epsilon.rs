//! Choosing ε: what a scale of noise does to an order statistic, before and after looking at the scores.
//!
//! ```
//! use topk_loss::epsilon::{effective_classes, epsilon_for_effective_classes};
//! use topk_loss::estimator::Exact;
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::{KthLargest, Oracle};
//! // Noise by which the gradient reaches two classes and not one.
//! let (theta, second) = ([3.0_f64, 2.0, 1.0, 0.0], KthLargest::new(2)?);
//! let (mut grad, mut scratch) = ([0.0; 4], [0.0; 1000]);
//! let epsilon = epsilon_for_effective_classes(second, Normal, &theta, 2.0, &mut grad, &mut scratch)?;
//! grad.fill(0.0);
//! Exact::new(second, Normal, epsilon)?.value_and_add_grad(&theta, 1.0, &mut grad, &mut scratch)?;
//! assert!((effective_classes(&grad) - 2.0).abs() < 0.002);
//! # Ok::<(), topk_loss::Error>(())
//! ```

use crate::lanes::Compensated;
use crate::noise::Reflected;
use crate::noise::{Side, reach};
use crate::{Error, Exact, KthLargest, Noise, Oracle, Real, Result, check};

/// An interval that holds E (θ + εZ)₍ₖ₎ − θ₍ₖ₎ for **every** θ of `num_classes` entries.
///
/// The k-th largest of the noised scores is at least the least of the k noised scores that led, and at most the largest of the others
/// and the k-th. So the bias is between ε·E min(Z₁ … Z_k) and ε·E max(Z₁ … Z_{L−k+1}). Both are bounded by upper sums of a monotone
/// integrand with step 1/64, hence at most ε/64 wide of the mark, whatever the law. The bias at one θ is [`Exact`]'s value minus the
/// [`KthLargest`]'s.
///
/// **Cost.** A few thousand distribution functions, whatever L.
///
/// ```
/// use topk_loss::epsilon::bias_interval;
/// use topk_loss::noise::Normal;
/// let (low, high) = bias_interval(Normal, 0.1, 1, 1000)?;
/// // E Z = 0 and E max of 1000 normals = 3.2414.
/// assert!((-0.0016..=0.0).contains(&low) && (0.32414..=0.3257).contains(&high));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// An ε that is not positive and finite, k outside 1..=L, a law that returns NaN, a bound beyond the float's range.
pub fn bias_interval<F: Real, N: Noise<F>>(law: N, epsilon: F, k: usize, num_classes: usize) -> Result<(F, F)> {
    check::positive("epsilon", epsilon)?;
    check::rank(k, num_classes)?;
    let low = -epsilon * expected_maximum(Reflected { law, is_reflected: true }, k);
    let high = epsilon * expected_maximum(law, num_classes - k + 1);
    if low.is_nan() || high.is_nan() {
        return Err(Error::NotFinite { what: "noise law", index: 0 });
    }
    check::all_in_range("bias interval", &[low, high])?;
    Ok((low, high))
}

/// At least E max(Z₁ … Z_n), at most 1/64 more: t₀ + ∫ P(max > t) dt from t₀ on, by upper sums.
fn expected_maximum<F: Real>(law: impl Noise<F>, n: usize) -> F {
    const STEPS_A_UNIT: usize = 64;
    let n = F::from_usize(n);
    let negligible = F::epsilon() * F::epsilon();
    let start = -reach(&law, Side::Lower, negligible / n);
    let end = reach(&law, Side::Upper, negligible / n);
    let step = F::from_usize(STEPS_A_UNIT).recip();
    let steps = ((end - start) / step).to_usize().unwrap_or(0);
    let exceeds = |i: usize| {
        let t = start + step * F::from_usize(i);
        -(n * (-law.survival(t)).ln_1p()).exp_m1()
    };
    start + step * (0..steps).fold(F::zero(), |sum, i| sum + exceeds(i))
}

/// The effective number of classes in a gradient that sums to 1: 1/Σᵢ ∇ᵢ², from 1 (one class learns) to L (all do alike).
///
/// **Ties and NaN.** Nothing is checked; of no entry, or of zeros only, it is infinite.
///
/// **Cost.** One pass.
///
/// ```
/// use topk_loss::epsilon::effective_classes;
/// assert_eq!(effective_classes(&[1.0, 0.0, 0.0, 0.0]), 1.0);
/// assert_eq!(effective_classes(&[0.5, 0.5, 0.0, 0.0]), 2.0);
/// ```
#[must_use]
pub fn effective_classes<F: Real>(grad: &[F]) -> F {
    Compensated::of(grad.iter().map(|&g| g * g)).recip()
}

/// An ε for which the gradient of the smoothed k-th largest of `theta` has `wanted` [effective classes](effective_classes).
///
/// The number goes from 1 to L as ε grows, so halving an interval of ln ε finds a crossing; it is matched to one part in a thousand.
///
/// **Shapes.** `grad` L long, its contents lost; scratch as for [`Exact`].
///
/// **Cost.** About 20 to 60 evaluations of [`Exact`].
///
/// **Ties and NaN.** [`Exact`]'s: tied scores share alike. NaN is an error.
///
/// ```
/// use topk_loss::epsilon::epsilon_for_effective_classes;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// let theta = [3.0_f64, 2.0, 1.0, 0.0];
/// let (mut grad, mut scratch) = ([0.0; 4], [0.0; 1000]);
/// let epsilon = epsilon_for_effective_classes(KthLargest::new(2)?, Normal, &theta, 2.0, &mut grad, &mut scratch)?;
/// assert!((0.5..1.0).contains(&epsilon));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// What [`Exact`] reports; scores that are all equal, for which every ε gives L; a number that no ε within a million times the
/// scores' range either way gives, such as 1 or L.
pub fn epsilon_for_effective_classes<F: Real, N: Noise<F>>(
    oracle: KthLargest,
    law: N,
    theta: &[F],
    wanted: F,
    grad: &mut [F],
    scratch: &mut [F],
) -> Result<F> {
    check::length("grad", grad, theta.len())?;
    check::scores(theta)?;
    check::positive("wanted", wanted)?;
    let largest = theta.iter().copied().fold(F::neg_infinity(), F::max);
    let least = theta.iter().copied().fold(F::infinity(), F::min);
    let range = check::in_range("range of the scores", largest - least)?;
    check::positive("range of the scores", range)?;
    let at = |ln_epsilon: F| ln_epsilon.exp().max(F::min_positive_value()).min(F::max_value());
    let mut classes_at = |ln_epsilon: F| -> Result<F> {
        grad.fill(F::zero());
        Exact::new(oracle, law, at(ln_epsilon))?.value_and_add_grad(theta, F::one(), grad, scratch)?;
        Ok(effective_classes(grad))
    };
    let unreachable = Error::Parameter { name: "wanted", must: "an effective number of classes that some epsilon gives" };
    let million = F::from_f64(1e6);
    let (mut low, mut high) = (range.ln() - million.ln(), range.ln() + million.ln());
    if classes_at(low)? >= wanted || classes_at(high)? <= wanted {
        return Err(unreachable);
    }
    const HALVINGS: usize = 60;
    let half = F::from_f64(0.5);
    for _ in 0..HALVINGS {
        let middle = (low + high) * half;
        let classes = classes_at(middle)?;
        if (classes - wanted).abs() <= F::from_f64(1e-3) * wanted {
            return Ok(at(middle));
        }
        if classes < wanted { low = middle } else { high = middle }
    }
    Err(unreachable)
}
