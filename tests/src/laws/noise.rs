//! Laws of noise: a law's functions belong together. Each looks at the quantile of its input, a probability.
//!
//! ```
//! use topk_loss::noise::Logistic;
//! use topk_loss_laws::{check, laws::noise, strategies};
//! assert!(check(strategies::probability::<f64>(), |p| noise::probabilities_sum_to_one(&Logistic, &p)).is_ok());
//! ```

use topk_loss::Real;
use topk_loss::noise::Noise;

use super::differences::Slope;
use super::law::{Law, Stop};
use crate::reference::to_f64;
use crate::tolerances::ROUNDING;
use crate::violation::Violation;

/// P(Z ≤ z) + P(Z > z) = 1.
///
/// **Cost.** Three calls of the law.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::{broken::ConstantLaw, laws::noise};
/// assert_eq!(noise::probabilities_sum_to_one(&Normal, &0.1_f64), Ok(()));
/// assert!(noise::probabilities_sum_to_one(&ConstantLaw(0.25), &0.1).is_err());
/// ```
///
/// # Errors
/// It is not.
pub fn probabilities_sum_to_one<F: Real>(noise: &impl Noise<F>, p: &F) -> Result<(), Violation> {
    let z = noise.quantile(*p);
    let sum = noise.cdf(z) + noise.survival(z);
    Law("probabilities_sum_to_one").close(format_args!("P(Z ≤ {z}) + P(Z > {z})"), sum, F::one(), ROUNDING.of::<F>(1.0))
}

/// P(Z ≤ quantile(p)) = p, as well as a rounded quantile can have it.
///
/// **Cost.** Three calls of the law.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::{broken::ConstantLaw, laws::noise};
/// assert_eq!(noise::quantile_inverts_the_cdf(&Normal, &0.1_f64), Ok(()));
/// assert!(noise::quantile_inverts_the_cdf(&ConstantLaw(0.25), &0.1).is_err());
/// ```
///
/// # Errors
/// It is not.
pub fn quantile_inverts_the_cdf<F: Real>(noise: &impl Noise<F>, p: &F) -> Result<(), Violation> {
    let z = noise.quantile(*p);
    let rounding = to_f64(*p) + to_f64(noise.pdf(z)) * (1.0 + to_f64(z.abs()));
    Law("quantile_inverts_the_cdf").close(format_args!("P(Z ≤ {z})"), noise.cdf(z), *p, ROUNDING.of::<F>(rounding))
}

/// The density is the slope of P(Z ≤ z), and minus that of P(Z > z), both relative to their own size: the small tails have their digits too.
///
/// **Cost.** Some tens of calls of the law.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::laws::noise;
/// assert_eq!(noise::density_is_the_slope_of_the_probability(&Normal, &0.1_f64), Ok(()));
/// ```
///
/// # Errors
/// It is not.
pub fn density_is_the_slope_of_the_probability<F: Real>(noise: &impl Noise<F>, p: &F) -> Result<(), Violation> {
    Law("density_is_the_slope_of_the_probability").judge(|law| {
        let z = noise.quantile(*p);
        let density = to_f64(noise.pdf(z));
        let (lower, upper) = (to_f64(noise.cdf(z)), to_f64(noise.survival(z)));
        slope_is(law, format_args!("the density at {z}, the slope of P(Z ≤ {z}),"), z, density, lower, |z| noise.cdf(z))?;
        slope_is(law, format_args!("the density at {z}, the fall of P(Z > {z}),"), z, density, upper, |z| -noise.survival(z))
    })
}

/// score(z) = −(ln f)′(z).
///
/// **Cost.** Some tens of calls of the law.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::laws::noise;
/// assert_eq!(noise::score_is_the_fall_of_the_log_density(&Normal, &0.1_f64), Ok(()));
/// ```
///
/// # Errors
/// It is not.
pub fn score_is_the_fall_of_the_log_density<F: Real>(noise: &impl Noise<F>, p: &F) -> Result<(), Violation> {
    Law("score_is_the_fall_of_the_log_density").judge(|law| {
        let z = noise.quantile(*p);
        let (score, size) = (to_f64(noise.score(z)), to_f64(noise.ln_pdf(z).abs()));
        slope_is(law, format_args!("the score at {z}"), z, score, 1.0 + size, |z| -noise.ln_pdf(z))
    })
}

/// The logarithms of density and probabilities are those of density and probabilities, where these are not too small to tell.
///
/// **Cost.** Seven calls of the law.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::laws::noise;
/// assert_eq!(noise::logarithms_agree(&Normal, &0.1_f64), Ok(()));
/// ```
///
/// # Errors
/// They are not.
pub fn logarithms_agree<F: Real>(noise: &impl Noise<F>, p: &F) -> Result<(), Violation> {
    let (law, z) = (Law("logarithms_agree"), noise.quantile(*p));
    let pairs = [
        ("ln_pdf", noise.ln_pdf(z), noise.pdf(z)),
        ("ln_cdf", noise.ln_cdf(z), noise.cdf(z)),
        ("ln_survival", noise.ln_survival(z), noise.survival(z)),
    ];
    for (name, logarithm, number) in pairs.into_iter().filter(|(_, _, number)| *number > F::min_positive_value()) {
        // A rounded argument changes the logarithm by its slope, which no tail of these laws exceeds |z| in.
        let size = 1.0 + to_f64(logarithm.abs()) + to_f64(z * z);
        law.close(format_args!("{name} at {z}"), logarithm, number.ln(), ROUNDING.of::<F>(size))?;
    }
    Ok(())
}

/// A law that says it is symmetric has P(Z ≤ −z) = P(Z > z) and f(−z) = f(z).
///
/// **Cost.** Eight calls of the law.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::laws::noise;
/// assert_eq!(noise::symmetry_is_as_claimed(&Normal, &0.1_f64), Ok(()));
/// ```
///
/// # Errors
/// It is not.
pub fn symmetry_is_as_claimed<F: Real>(noise: &impl Noise<F>, p: &F) -> Result<(), Violation> {
    let (law, z) = (Law("symmetry_is_as_claimed"), noise.quantile(*p));
    if !noise.is_symmetric() {
        return Ok(());
    }
    let relative = |x: F| ROUNDING.of::<F>(to_f64(x.abs()) * (1.0 + to_f64(z * z)));
    law.close(format_args!("P(Z ≤ {})", -z), noise.cdf(-z), noise.survival(z), relative(noise.survival(z)))?;
    law.close(format_args!("the density at {}", -z), noise.pdf(-z), noise.pdf(z), relative(noise.pdf(z)))
}

/// `found` is the slope of `f` at z, or at a kink between the slopes of both sides; f is of this size and rounds relative to it.
fn slope_is<F: Real>(law: Law, place: impl core::fmt::Display, z: F, found: f64, size: f64, f: impl Fn(F) -> F) -> Result<(), Stop> {
    let here = to_f64(f(z));
    let noise = ROUNDING.of::<F>(size + found.abs() * (1.0 + to_f64(z.abs())));
    let rise = |by: f64| match to_f64(f(z + F::from_f64(by))) - here {
        rise if rise.is_finite() => Ok(rise),
        // The end of the support is near.
        _ => Err(Stop::Declined),
    };
    let (_, slope) = Slope::best(ROUNDING.of::<F>(1.0), noise, rise)?;
    let half = 0.5 * slope.jump.abs();
    Ok(law.between(place, found, (slope.slope - half, slope.slope + half), slope.error)?)
}
