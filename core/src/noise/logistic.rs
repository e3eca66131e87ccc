//! The standard logistic law: noise with exponential tails on both sides.

use super::{Noise, Regularity, product, rate};
use crate::Real;
use crate::compiled::Law;

/// The standard logistic law, distribution function 1/(1 + exp(−z)): the difference of two independent Gumbel variables.
///
/// The density is the derivative, e^{−|z|}/(1 + e^{−|z|})², the score tanh(z/2). The variance is π²/3.
///
/// **Accuracy.** Everything is a function of e^{−|z|}, which never overflows, so the relative error is at most 2 units in the last
/// place times the function's own condition number, in both tails and through the median. `quantile` is exactly odd about ½.
///
/// ```
/// use topk_loss::noise::{Logistic, Noise};
/// let ln_3: f64 = Logistic.quantile(0.75);
/// assert!((ln_3 - 1.0986122886681098).abs() < 1e-15);
/// assert_eq!(Logistic.cdf(0.0_f64), 0.5);
/// assert_eq!(Logistic.pdf(0.0_f64), 0.25);
/// ```
///
/// **References.** Balakrishnan (editor), "Handbook of the Logistic Distribution", Marcel Dekker, 1992.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logistic;

impl<F: Real> Noise<F> for Logistic {
    const IS_COMPILED: bool = true;

    fn quantile(&self, p: F) -> F {
        let upper = p > F::from_f64(0.5);
        let (tail, body) = if upper { (F::one() - p, p) } else { (p, F::one() - p) };
        // Near the median the odds are near 1 and their logarithm would cancel; body − tail is exact there.
        let z = if tail > F::from_f64(0.25) { -((body - tail) / tail).ln_1p() } else { (tail / body).ln() };
        if upper { -z } else { z }
    }

    fn cdf(&self, z: F) -> F {
        let e = small(z).exp();
        let numerator = if z < F::zero() { e } else { F::one() };
        numerator / (F::one() + e)
    }

    fn survival(&self, z: F) -> F {
        self.cdf(-z)
    }

    fn pdf(&self, z: F) -> F {
        let e = (-z.abs()).exp();
        let body = F::one() + e;
        e / (body * body)
    }

    fn ln_pdf(&self, z: F) -> F {
        let e = (-z.abs()).exp();
        -(z.abs() + e.ln_1p() + e.ln_1p())
    }

    fn ln_cdf(&self, z: F) -> F {
        let own = if z < F::zero() { z } else { F::zero() };
        own - small(z).exp().ln_1p()
    }

    fn ln_survival(&self, z: F) -> F {
        self.ln_cdf(-z)
    }

    fn cdf_and_pdf(&self, z: F) -> (F, F) {
        let e = small(z).exp();
        let body = (F::one() + e).recip();
        let numerator = if z < F::zero() { e } else { F::one() };
        (numerator * body, e * body * body)
    }

    fn survival_and_pdf(&self, z: F) -> (F, F) {
        self.cdf_and_pdf(-z)
    }

    #[inline(always)]
    fn threshold(&self, t: F) -> F {
        rate(-t)
    }

    #[inline(always)]
    fn position(&self, u: F) -> F {
        rate(u)
    }

    #[inline(always)]
    fn tail_and_density(&self, threshold: F, position: F) -> (F, F) {
        let x = product(threshold, position);
        let failure = (F::one() + x).recip();
        (x * failure, x * failure * failure)
    }

    #[inline(always)]
    fn failure_and_density(&self, threshold: F, position: F) -> (F, F) {
        let x = product(threshold, position);
        let failure = (F::one() + x).recip();
        (failure, x * failure * failure)
    }

    fn score(&self, z: F) -> F {
        let m = (-z.abs()).exp_m1();
        let magnitude = -m / (F::from_f64(2.0) + m);
        if z < F::zero() { -magnitude } else { magnitude }
    }

    fn is_symmetric(&self) -> bool {
        true
    }

    fn compiled(&self) -> Option<Law> {
        Some(Law::Logistic)
    }

    fn regularity(&self) -> Regularity {
        Regularity::ExponentialTail
    }
}

/// −|z| with the slope −1 at both zeros, like the other branches on z: a float that carries a derivative may be exactly there.
fn small<F: Real>(z: F) -> F {
    if z < F::zero() { z } else { -z }
}
