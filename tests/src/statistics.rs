//! Statistical tests that do not flake: fixed keys, thresholds at a family-wise level, and a power that is stated.
//!
//! | question | call | raises a false alarm | finds, with probability [`POWER`] |
//! |---|---|---|---|
//! | is the mean of an estimator the right one? | [`unbiased`](crate::unbiased::unbiased) | [`FAMILY_LEVEL`] over all coordinates | the bias it returns, [`detectable`] standard errors |
//! | are these z-scores chance? | [`judge`] | [`FAMILY_LEVEL`] over all of them | a mean that is off by [`detectable`] standard errors |
//! | which of two estimators varies less? | [`compare_variances`] | [`FAMILY_LEVEL`] an interval | a ratio beyond [`VarianceRatio::detectable`] |
//! | do reported standard errors cover? | [`covers`] | [`FAMILY_LEVEL`] | standard errors off by [`Coverage::detectable`] |
//! | do these numbers follow this law? | [`follows_law`] | [`FAMILY_LEVEL`] | a law at [`detectable_distance`] |
//!
//! The last holds for every sample size; the others lean on the central limit theorem, so let each estimate be a mean of many draws.
//! Keys are fixed, so whoever passes once passes always; the level says how likely it was that a correct estimator failed.
//!
//! ```
//! use topk_loss_laws::statistics::{critical, judge};
//! // Of a hundred z-scores 3.9 is chance; further out than the threshold is not.
//! let mut z_scores = [0.0; 100];
//! z_scores[7] = 3.9;
//! assert!(judge(&z_scores).is_ok());
//! z_scores[7] = critical(100) + 0.1;
//! assert_eq!(judge(&z_scores).unwrap_err().index, 7);
//! ```

mod coverage;
mod judge;
mod law;
mod variance;

pub use coverage::{Coverage, Miscovered, covers};
pub use judge::{Outlier, critical, detectable, judge, reject};
pub use law::{OffLaw, detectable_distance, follows_law};
pub use variance::{VarianceRatio, VarianceRatios, compare_variances};

#[cfg(doc)]
use crate::tolerances::{FAMILY_LEVEL, POWER};

/// Count, mean and variance of a stream of numbers.
///
/// **References.** Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4, 1962.
///
/// ```
/// use topk_loss_laws::statistics::Moments;
/// let moments: Moments = [1.0, 2.0, 3.0, 6.0].into_iter().collect();
/// assert_eq!((moments.mean(), moments.standard_error()), (3.0, (14.0_f64 / 3.0 / 4.0).sqrt()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// A number that is known without error: a mean whose standard error is 0.
    ///
    /// ```
    /// use topk_loss_laws::statistics::Moments;
    /// assert_eq!((Moments::exact(0.5).mean(), Moments::exact(0.5).standard_error()), (0.5, 0.0));
    /// ```
    #[must_use]
    pub fn exact(mean: f64) -> Self {
        Self { count: f64::INFINITY, mean, squares: 0.0 }
    }

    /// The mean of the numbers seen. See [`Moments`] for an example.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard error of the mean, √(s²/n) with s² the variance over n − 1. See [`Moments`] for an example.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        (self.squares / (self.count - 1.0) / self.count).sqrt()
    }

    /// How many standard errors the mean is from `expected`: its z-score.
    ///
    /// ```
    /// use topk_loss_laws::statistics::Moments;
    /// let moments: Moments = [1.0, 2.0, 3.0].into_iter().collect();
    /// assert!((moments.z_score(1.0) - 3.0_f64.sqrt()).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn z_score(&self, expected: f64) -> f64 {
        self.z_score_from(&Self::exact(expected))
    }

    /// How many standard errors of their difference the mean is from that of other, independent numbers; 0 where the two are equal.
    ///
    /// ```
    /// use topk_loss_laws::statistics::Moments;
    /// let moments: Moments = [1.0, 2.0, 3.0].into_iter().collect();
    /// assert!((moments.z_score_from(&moments.scaled(2.0)) + 2.0 / (5.0_f64 / 3.0).sqrt()).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn z_score_from(&self, other: &Self) -> f64 {
        let difference = self.mean - other.mean;
        if difference == 0.0 { 0.0 } else { difference / self.standard_error().hypot(other.standard_error()) }
    }

    /// The moments of the same numbers, each `factor` times as large.
    ///
    /// ```
    /// use topk_loss_laws::statistics::Moments;
    /// let moments: Moments = [1.0, 2.0, 3.0].into_iter().collect();
    /// assert_eq!(moments.scaled(-2.0).mean(), -4.0);
    /// ```
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self { count: self.count, mean: factor * self.mean, squares: factor * factor * self.squares }
    }
}

impl Extend<f64> for Moments {
    fn extend<T: IntoIterator<Item = f64>>(&mut self, numbers: T) {
        for x in numbers {
            self.count += 1.0;
            let before = x - self.mean;
            self.mean += before / self.count;
            self.squares += before * (x - self.mean);
        }
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<T: IntoIterator<Item = f64>>(numbers: T) -> Self {
        let mut moments = Self::default();
        moments.extend(numbers);
        moments
    }
}
