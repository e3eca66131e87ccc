//! A test whether a sample follows a law.

use core::fmt;

use crate::tolerances::{FAMILY_LEVEL, POWER};

/// Where a sample is too far from the law it should follow.
///
/// See [`follows_law`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OffLaw {
    /// The number at which the two distribution functions differ most.
    pub at: f64,
    /// By how much.
    pub distance: f64,
    /// How much would have been allowed.
    pub critical: f64,
}

impl fmt::Display for OffLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the distribution function is off by {:.2e} at {}, of which {:.2e} are allowed", self.distance, self.at, self.critical)
    }
}

impl core::error::Error for OffLaw {}

/// Whether chance explains how far the empirical distribution of `sample` is from `cdf`, at [`FAMILY_LEVEL`] (Kolmogorov–Smirnov, with the
/// Dvoretzky–Kiefer–Wolfowitz bound, which holds for every sample size).
///
/// A law whose distribution function differs by [`detectable_distance`] somewhere is found with probability [`POWER`].
///
/// **Cost.** A sort, and one call of `cdf` a number.
///
/// ```
/// use topk_loss_laws::statistics::follows_law;
/// let evenly: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
/// assert_eq!(follows_law(evenly.clone(), |x| x), Ok(()));
/// assert_eq!(follows_law(evenly, |x| x * x).unwrap_err().at, 0.5);
/// ```
///
/// **References.** Massart, "The tight constant in the Dvoretzky–Kiefer–Wolfowitz inequality", Annals of Probability 18, 1990.
///
/// # Errors
/// It is too far.
///
/// # Panics
/// No number in the sample.
pub fn follows_law(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> Result<(), OffLaw> {
    assert!(!sample.is_empty(), "no sample to judge");
    sample.sort_by(f64::total_cmp);
    let count = sample.len();
    let critical = deviation(FAMILY_LEVEL, count);
    let (mut at, mut distance) = (f64::NAN, 0.0);
    for (below, &x) in sample.iter().enumerate() {
        let p = cdf(x);
        let here = (p - below as f64 / count as f64).max((below + 1) as f64 / count as f64 - p);
        // A NaN is as far as can be.
        if here > distance || p.is_nan() {
            (at, distance) = (x, if p.is_nan() { f64::INFINITY } else { here });
        }
    }
    if distance <= critical { Ok(()) } else { Err(OffLaw { at, distance, critical }) }
}

/// How far from `cdf` the distribution function of a sample's law must be for [`follows_law`] to find it with probability [`POWER`].
///
/// It is what is allowed and what the empirical distribution may deviate from its own law:
/// √(ln(2/level)/2n) + √(ln(2/(1 − power))/2n).
///
/// ```
/// use topk_loss_laws::statistics::detectable_distance;
/// assert!(detectable_distance(10_000) < 0.05 && detectable_distance(100) > 0.3);
/// ```
#[must_use]
pub fn detectable_distance(count: usize) -> f64 {
    deviation(FAMILY_LEVEL, count) + deviation(1.0 - POWER, count)
}

/// What an empirical distribution function exceeds with at most the probability `level`.
fn deviation(level: f64, count: usize) -> f64 {
    ((2.0 / level).ln() / (2.0 * count as f64)).sqrt()
}
