//! Statistical tests that do not flake: fixed keys, and thresholds at a family-wise level.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::tolerances::FAMILY_LEVEL;

/// Count, mean and variance of a stream of numbers.
///
/// **References.** Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4, 1962.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// The mean of the numbers seen.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard error of the mean.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        (self.squares / (self.count - 1.0) / self.count).sqrt()
    }

    /// How many standard errors the mean is from `expected`.
    #[must_use]
    pub fn z_score(&self, expected: f64) -> f64 {
        (self.mean - expected) / self.standard_error()
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

/// Whether some of these z-scores is too large for chance, at [`FAMILY_LEVEL`] for all of them together (Bonferroni).
///
/// A z-score that is not finite is rejected.
///
/// ```
/// use topk_loss_laws::statistics::reject;
/// assert!(!reject(&[0.3, -4.8]));
/// assert!(reject(&[0.3, -5.1]));
/// assert!(reject(&[f64::NAN]));
/// ```
///
/// # Panics
/// No z-score: a test of nothing is a mistake.
#[must_use]
pub fn reject(z_scores: &[f64]) -> bool {
    assert!(!z_scores.is_empty(), "no z-score to judge");
    let critical = critical(z_scores.len());
    !z_scores.iter().all(|z| z.abs() <= critical)
}

/// How large the largest of `count` z-scores may be, at [`FAMILY_LEVEL`] for all of them together (Bonferroni).
#[must_use]
pub fn critical(count: usize) -> f64 {
    -Normal::standard().inverse_cdf(FAMILY_LEVEL / (2 * count) as f64)
}

/// Whether the empirical distribution of `sample` is too far from `cdf` for chance, at [`FAMILY_LEVEL`] (Kolmogorov–Smirnov, with the
/// Dvoretzky–Kiefer–Wolfowitz bound, which holds for every sample size).
///
/// **References.** Massart, "The tight constant in the Dvoretzky–Kiefer–Wolfowitz inequality", Annals of Probability 18, 1990.
///
/// # Panics
/// No number in the sample.
#[must_use]
pub fn reject_law(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> bool {
    assert!(!sample.is_empty(), "no sample to judge");
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let critical = ((2.0 / FAMILY_LEVEL).ln() / (2.0 * n)).sqrt();
    !sample.iter().zip(0_u32..).all(|(&x, below)| {
        let (p, below) = (cdf(x), f64::from(below));
        p - below / n <= critical && (below + 1.0) / n - p <= critical
    })
}
