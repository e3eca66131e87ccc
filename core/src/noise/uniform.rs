//! The uniform law: noise of bounded size.

use super::Noise;
use crate::Real;

/// The uniform law on [−1, 1], density ½, variance ⅓.
///
/// The score is 0, inside and outside. That is −f′/f wherever it exists, but **the score-function identity fails**: the density
/// jumps at ±1, and the derivative of E g(θ + Z), (g(θ + 1) − g(θ − 1))/2, comes from those jumps alone. An estimator that
/// weighs values by the score would return a zero gradient, so it declines this law; the pathwise and conditional ones are unaffected.
///
/// **Accuracy.** Each function is one sum and one exact scaling: half a unit in the last place. `quantile` is exactly odd about ½.
///
/// ```
/// use topk_loss::noise::{Noise, Uniform};
/// assert_eq!(Uniform.quantile(0.75_f64), 0.5);
/// assert_eq!([Uniform.cdf(-2.0_f64), Uniform.cdf(0.5), Uniform.cdf(2.0)], [0.0, 0.75, 1.0]);
/// assert_eq!([Uniform.pdf(1.0_f64), Uniform.pdf(1.5)], [0.5, 0.0]);
/// ```
///
/// **References.** Glasserman, "Monte Carlo Methods in Financial Engineering", Springer, 2003, section 7.3 (likelihood-ratio
/// gradients and the densities they exclude).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uniform;

impl<F: Real> Noise<F> for Uniform {
    fn quantile(&self, p: F) -> F {
        (p + p) - F::one()
    }

    fn cdf(&self, z: F) -> F {
        if z <= -F::one() {
            F::zero()
        } else if z >= F::one() {
            F::one()
        } else {
            F::from_f64(0.5) * (F::one() + z)
        }
    }

    fn survival(&self, z: F) -> F {
        self.cdf(-z)
    }

    fn pdf(&self, z: F) -> F {
        if z.abs() > F::one() { F::zero() } else { F::from_f64(0.5) }
    }

    fn score(&self, _: F) -> F {
        F::zero()
    }

    fn is_symmetric(&self) -> bool {
        true
    }

    fn is_continuous(&self) -> bool {
        false
    }
}
