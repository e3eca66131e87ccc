//! A test whether reported standard errors are as large as the errors.

use core::fmt;

use topk_loss::estimator::Estimate;

use super::{Moments, Outlier, detectable, judge};
use crate::reference::ValueAndGrad;

/// Standard errors that cover.
///
/// See [`covers`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// The share of values within 1.96 standard errors of the limit; 0.95 if the estimates are normal.
    pub share: f64,
    /// The relative error of the standard errors, of value and gradient, that would have been found with probability
    /// [`POWER`](crate::tolerances::POWER).
    pub detectable: [f64; 2],
}

/// Standard errors that do not cover.
///
/// See [`covers`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Miscovered {
    /// The share of values within 1.96 standard errors of the limit.
    pub share: f64,
    /// The root-mean-square error over the root-mean-square standard error, of value and gradient.
    pub error_ratios: [f64; 2],
    /// What cannot be chance: 0 the share, 1 the squared error of the value, 2 that of the gradient.
    pub outlier: Outlier,
}

impl fmt::Display for Miscovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [value, gradient] = self.error_ratios;
        let what = ["share of values within 1.96 standard errors", "error of the value", "error of the gradient"][self.outlier.index];
        write!(f, "{:.2} % are within 1.96 standard errors, the errors are {value:.3} (value) and ", 100.0 * self.share)?;
        write!(f, "{gradient:.3} (gradient) of the standard errors; the {what} is off by {:.1} standard deviations", self.outlier.z)
    }
}

impl core::error::Error for Miscovered {}

/// Whether reported standard errors are those of the estimates, which come with their gradients and have independent keys.
///
/// 95 % of the values should be within 1.96 standard errors of `expected`, and squared error minus squared standard error should be 0 on
/// average, for the value and for the gradient (whose standard error is the root of the trace of its covariance). All three are judged
/// together, at [`FAMILY_LEVEL`](crate::tolerances::FAMILY_LEVEL).
///
/// **Cost.** Three passes over the estimates.
///
/// ```
/// use topk_loss::estimator::{Estimator, Pathwise};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::MonteCarlo;
/// use topk_loss::{FoldIn, Key};
/// use topk_loss_laws::smoothed::smoothed_kth_largest;
/// use topk_loss_laws::statistics::covers;
/// let theta = [0.0, 0.5];
/// let drawn = Pathwise::new(KthLargest::new(1)?, MonteCarlo::new(Normal, 64)?, 1.0, Key::new(1))?;
/// let estimates = (0..500).map(|step| {
///     let (drawn, mut grad) = (drawn.fold_in(step), vec![0.0; 2]);
///     let mut scratch = vec![0.0; drawn.estimate_scratch_len(2)];
///     Ok((drawn.estimate(&theta, 1.0, &mut grad, &mut scratch)?, grad))
/// });
/// let mut estimates = estimates.collect::<topk_loss::Result<Vec<_>>>()?;
/// let expected = smoothed_kth_largest(&theta, 1, Normal, 1.0);
/// assert!((covers(&expected, &estimates)?.share - 0.95).abs() < 0.05);
///
/// // Standard errors of half the size are found.
/// estimates.iter_mut().for_each(|(estimate, _)| estimate.standard_error /= 2.0);
/// assert!(covers(&expected, &estimates).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// One of the three is off.
///
/// # Panics
/// No estimate.
pub fn covers(expected: &ValueAndGrad<f64>, reported: &[(Estimate<f64>, Vec<f64>)]) -> Result<Coverage, Miscovered> {
    const NOMINAL: f64 = 0.95;
    const WITHIN: f64 = 1.959964;
    assert!(!reported.is_empty(), "no estimate to judge");
    let (limit, gradient) = expected;
    let count = reported.len() as f64;
    let distance = |grad: &[f64]| grad.iter().zip(gradient).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let covered = reported.iter().filter(|(estimate, _)| (estimate.value - limit).abs() <= WITHIN * estimate.standard_error).count();
    let share = covered as f64 / count;
    let values = Pairs::of(reported.iter().map(|(estimate, _)| [(estimate.value - limit).powi(2), estimate.standard_error.powi(2)]));
    let gradients = Pairs::of(reported.iter().map(|(estimate, grad)| [distance(grad), estimate.gradient_standard_error.powi(2)]));
    let z_scores =
        [(share - NOMINAL) / (NOMINAL * (1.0 - NOMINAL) / count).sqrt(), values.excess.z_score(0.0), gradients.excess.z_score(0.0)];
    match judge(&z_scores) {
        Ok(()) => Ok(Coverage { share, detectable: [values.detectable(), gradients.detectable()] }),
        Err(outlier) => Err(Miscovered { share, error_ratios: [values.error_ratio(), gradients.error_ratio()], outlier }),
    }
}

/// Squared errors against squared standard errors.
struct Pairs {
    excess: Moments,
    square: Moments,
}

impl Pairs {
    fn of(pairs: impl Iterator<Item = [f64; 2]> + Clone) -> Self {
        Self { excess: pairs.clone().map(|[error, square]| error - square).collect(), square: pairs.map(|[_, square]| square).collect() }
    }

    /// Standard errors that are a share δ too large change the excess by about 2δ times their square.
    fn detectable(&self) -> f64 {
        detectable(3) * self.excess.standard_error() / (2.0 * self.square.mean())
    }

    fn error_ratio(&self) -> f64 {
        (1.0 + self.excess.mean() / self.square.mean()).sqrt()
    }
}
