//! A comparison: which of two estimators varies less.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{Moments, critical};
use crate::reference::ValueAndGrad;
use crate::tolerances::POWER;

/// The variance of one estimator over that of another, with a confidence interval.
///
/// See [`compare_variances`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceRatio {
    /// The ratio of the two sample variances.
    pub ratio: f64,
    /// The ends of the interval, which misses the true ratio with probability [`FAMILY_LEVEL`](crate::tolerances::FAMILY_LEVEL).
    pub interval: [f64; 2],
    /// A true ratio as far from 1 as this factor or its inverse leaves 1 outside of the interval with probability [`POWER`].
    pub detectable: f64,
}

/// The ratios of the variances of two estimators: of the value, and of the gradient, whose variance is the trace of the covariance. See
/// [`compare_variances`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceRatios {
    /// Var of the first value over Var of the second.
    pub value: VarianceRatio,
    /// The same of the gradients.
    pub gradient: VarianceRatio,
}

/// Compares the variances of two estimators by independent estimates of each.
///
/// The variance is the mean of the squared deviations d, whose own spread gives its standard error; the logarithm of the ratio is
/// taken as normal with the variance Var d₁/(n₁ d̄₁²) + Var d₂/(n₂ d̄₂²). No normality of the estimates is asked for.
///
/// **Cost.** Two passes over the estimates of each.
///
/// ```
/// use topk_loss_laws::statistics::compare_variances;
/// let estimates = |size: f64| (0..1000).map(|i| (size * f64::from(i % 7), vec![size * f64::from(i % 5)])).collect::<Vec<_>>();
/// let ratios = compare_variances(&estimates(1.0), &estimates(2.0));
/// assert_eq!(ratios.value.ratio, 0.25);
/// assert!(ratios.value.interval[1] < 0.31 && ratios.gradient.detectable < 2.0);
/// ```
#[must_use]
pub fn compare_variances(first: &[ValueAndGrad<f64>], second: &[ValueAndGrad<f64>]) -> VarianceRatios {
    let values = |estimates: &[ValueAndGrad<f64>]| squared_deviations(estimates.iter().map(|e| core::slice::from_ref(&e.0)));
    let gradients = |estimates: &[ValueAndGrad<f64>]| squared_deviations(estimates.iter().map(|e| &e.1[..]));
    VarianceRatios { value: ratio(&values(first), &values(second)), gradient: ratio(&gradients(first), &gradients(second)) }
}

/// n/(n − 1) · ‖x − x̄‖², whose mean is the variance.
fn squared_deviations<'a>(vectors: impl Iterator<Item = &'a [f64]> + Clone) -> Moments {
    let mut means: Vec<Moments> = Vec::new();
    let mut count = 0.0;
    for vector in vectors.clone() {
        means.resize(vector.len(), Moments::default());
        means.iter_mut().zip(vector).for_each(|(mean, &x)| mean.extend([x]));
        count += 1.0;
    }
    let square = |x: &[f64]| x.iter().zip(&means).map(|(x, mean)| (x - mean.mean()).powi(2)).sum::<f64>();
    vectors.map(|vector| count / (count - 1.0) * square(vector)).collect()
}

fn ratio(first: &Moments, second: &Moments) -> VarianceRatio {
    let ratio = first.mean() / second.mean();
    let relative = |moments: &Moments| moments.standard_error() / moments.mean();
    let error = relative(first).hypot(relative(second));
    let allowed = critical(1) * error;
    let detectable = (allowed + Normal::standard().inverse_cdf(POWER) * error).exp();
    VarianceRatio { ratio, interval: [ratio * (-allowed).exp(), ratio * allowed.exp()], detectable }
}
