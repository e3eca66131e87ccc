//! A test whether chance explains several z-scores, all judged together.

use core::fmt;

use statrs::distribution::{ContinuousCDF, Normal};

use crate::tolerances::{FAMILY_LEVEL, POWER};

/// A z-score that chance does not explain.
///
/// See [`judge`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlier {
    /// Which of them.
    pub index: usize,
    /// How many standard errors.
    pub z: f64,
    /// How many would have been allowed.
    pub critical: f64,
}

impl fmt::Display for Outlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mean {} is off by {:.2} standard errors, of which {:.2} are allowed", self.index, self.z, self.critical)
    }
}

impl core::error::Error for Outlier {}

/// Whether chance explains all of these z-scores, at [`FAMILY_LEVEL`] for all of them together (Bonferroni); the worst, if not.
///
/// A z-score that is NaN or infinite is never explained. A mean that is off by [`detectable`] standard errors is found with probability
/// [`POWER`].
///
/// **Cost.** One pass.
///
/// ```
/// use topk_loss_laws::statistics::judge;
/// assert_eq!(judge(&[0.3, -4.8]), Ok(()));
/// let outlier = judge(&[0.3, -5.1]).unwrap_err();
/// assert_eq!((outlier.index, outlier.z), (1, -5.1));
/// assert!(judge(&[f64::NAN]).is_err());
/// ```
///
/// # Errors
/// One of them is an outlier.
///
/// # Panics
/// No z-score: a test of nothing is a mistake.
pub fn judge(z_scores: &[f64]) -> Result<(), Outlier> {
    assert!(!z_scores.is_empty(), "no z-score to judge");
    let critical = critical(z_scores.len());
    let size = |z: f64| if z.is_nan() { f64::INFINITY } else { z.abs() };
    let worst = z_scores.iter().copied().enumerate().max_by(|a, b| size(a.1).total_cmp(&size(b.1)));
    worst.filter(|&(_, z)| size(z) > critical).map_or(Ok(()), |(index, z)| Err(Outlier { index, z, critical }))
}

/// Whether chance does not explain these z-scores, see [`judge`].
///
/// **Cost.** One pass.
///
/// ```
/// use topk_loss_laws::statistics::reject;
/// assert!(!reject(&[0.3, -4.8]) && reject(&[0.3, -5.1]));
/// ```
///
/// # Panics
/// No z-score.
#[must_use]
pub fn reject(z_scores: &[f64]) -> bool {
    judge(z_scores).is_err()
}

/// How large one of so many z-scores may be by chance.
///
/// ```
/// use topk_loss_laws::statistics::critical;
/// assert!((critical(1) - 4.89).abs() < 0.01 && critical(100) > critical(1));
/// ```
#[must_use]
pub fn critical(count: usize) -> f64 {
    -Normal::standard().inverse_cdf(FAMILY_LEVEL / (2 * count) as f64)
}

/// By how many standard errors one of so many means must be off to be found with probability [`POWER`].
///
/// ```
/// use topk_loss_laws::statistics::detectable;
/// assert!((detectable(10) - 7.65).abs() < 0.01);
/// ```
#[must_use]
pub fn detectable(count: usize) -> f64 {
    critical(count) + Normal::standard().inverse_cdf(POWER)
}
