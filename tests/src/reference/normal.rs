//! The standard normal law, by a series and a continued fraction.

/// The standard normal density.
///
/// ```
/// use topk_loss_laws::reference::normal_pdf;
/// assert!((normal_pdf(0.0) - 0.398_942_280_401_432_7).abs() < 1e-15);
/// ```
#[must_use]
pub fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z).exp() / core::f64::consts::TAU.sqrt()
}

/// P(Z > z) of the standard normal law, with all its digits in the upper tail: the power series near zero, Laplace's continued
/// fraction beyond 1.
///
/// **References.** Marsaglia, "Evaluating the normal distribution", Journal of Statistical Software 11, 2004.
///
/// **Cost.** Up to a thousand terms.
///
/// ```
/// use topk_loss_laws::reference::normal_survival;
/// assert!((normal_survival(0.0) - 0.5).abs() < 1e-15 && (normal_survival(-1.0) + normal_survival(1.0) - 1.0).abs() < 1e-14);
/// ```
#[must_use]
pub fn normal_survival(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - normal_survival(-z);
    }
    if z <= 1.0 {
        let terms = (1..40).scan(z, |term, n| {
            let this = *term;
            *term *= z * z / f64::from(2 * n + 1);
            Some(this)
        });
        return 0.5 - normal_pdf(z) * terms.sum::<f64>();
    }
    normal_pdf(z) / normal_hazard(z)
}

/// f(z)/P(Z > z) of the standard normal law for z > 1, by Laplace's continued fraction: it does not underflow.
///
/// **Cost.** 999 terms.
///
/// ```
/// use topk_loss_laws::reference::normal_hazard;
/// assert!((normal_hazard(1e6) - 1e6).abs() < 1e-5); // z + 1/z far out
/// ```
#[must_use]
pub fn normal_hazard(z: f64) -> f64 {
    (1..1000).rev().fold(z, |tail, n| z + f64::from(n) / tail)
}

/// ln P(Z > z) for z > 1.
///
/// **Cost.** 999 terms.
///
/// ```
/// use topk_loss_laws::reference::{ln_normal_survival, normal_survival};
/// assert!((ln_normal_survival(2.0) - normal_survival(2.0).ln()).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_normal_survival(z: f64) -> f64 {
    -0.5 * z * z - (2.0 * core::f64::consts::PI).sqrt().ln() - normal_hazard(z).ln()
}
