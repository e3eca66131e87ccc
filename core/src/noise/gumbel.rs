//! The standard Gumbel law.

use super::{Noise, Regularity};
use crate::Real;

/// The standard Gumbel law, distribution function exp(−exp(−z)): the noise under which the expected argmax is a softmax.
///
/// Its mean is Euler's constant γ = 0.577…, not 0: a maximum smoothed by it is the log-sum-exp plus γ (times ε).
///
/// **Accuracy.** Each function is at most three calls to `libm`, composed so that no digit cancels: `survival` by exp_m1 where it
/// is small. The relative error is at most 2 units in the last place times the function's own condition number, in both tails.
///
/// ```
/// use topk_loss::{Gumbel, Noise};
/// assert_eq!(Gumbel.cdf(0.0_f64), (-1.0_f64).exp());
/// assert_eq!(Gumbel.score(0.0_f64), 0.0);
/// assert!((Gumbel.survival(40.0_f64) - 4.248354255291589e-18).abs() < 1e-32);
/// ```
///
/// **References.** Gumbel, "Statistics of Extremes", Columbia University Press, 1958; Maddison, Tarlow, Minka, "A* sampling", NIPS 2014.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gumbel;

impl<F: Real> Noise<F> for Gumbel {
    fn quantile(&self, p: F) -> F {
        -(-p.ln()).ln()
    }

    fn cdf(&self, z: F) -> F {
        (-(-z).exp()).exp()
    }

    fn survival(&self, z: F) -> F {
        -(-(-z).exp()).exp_m1()
    }

    fn pdf(&self, z: F) -> F {
        let e = (-z).exp();
        // Also where z = −∞, at which z + e would be NaN.
        if e.is_infinite() { F::zero() } else { (-(z + e)).exp() }
    }

    fn ln_pdf(&self, z: F) -> F {
        let e = (-z).exp();
        if e.is_infinite() { F::neg_infinity() } else { -(z + e) }
    }

    fn ln_cdf(&self, z: F) -> F {
        -(-z).exp()
    }

    fn ln_survival(&self, z: F) -> F {
        if z < F::zero() {
            return (-Noise::<F>::cdf(self, z)).ln_1p();
        }
        // Beyond, 1 − exp(−e) is e to the last digit.
        if z > F::from_f64(40.0) { -z } else { Noise::<F>::survival(self, z).ln() }
    }

    fn cdf_and_pdf(&self, z: F) -> (F, F) {
        let e = (-z).exp();
        let cdf = (-e).exp();
        // Where e is infinite, cdf is 0 and the product would be NaN.
        (cdf, if cdf > F::zero() { e * cdf } else { F::zero() })
    }

    fn survival_and_pdf(&self, z: F) -> (F, F) {
        let e = (-z).exp();
        let survival = -(-e).exp_m1();
        (survival, if survival < F::one() { e * (F::one() - survival) } else { F::zero() })
    }

    fn score(&self, z: F) -> F {
        -(-z).exp_m1()
    }

    fn regularity(&self) -> Regularity {
        Regularity::ExponentialTail
    }
}
