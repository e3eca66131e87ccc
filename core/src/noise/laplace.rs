//! The standard Laplace law: noise whose density has a kink.

use super::Noise;
use crate::Real;

/// The standard Laplace law, density ½·exp(−|z|), variance 2.
///
/// The density has a kink at 0. The score sign(z) jumps there and is given as 0, which no expectation notices. A smoothing by this
/// law has a continuous gradient but a second derivative that jumps wherever two scores cross.
///
/// **Accuracy.** One exponential or logarithm each: the relative error is at most 2 units in the last place times the function's own
/// condition number, in both tails. `quantile` is exactly odd about ½.
///
/// ```
/// use topk_loss::noise::{Laplace, Noise};
/// assert_eq!(Laplace.quantile(0.25_f64), -core::f64::consts::LN_2);
/// assert_eq!(Laplace.cdf(0.0_f64), 0.5);
/// assert_eq!([Laplace.score(-3.0_f64), Laplace.score(0.0), Laplace.score(0.1)], [-1.0, 0.0, 1.0]);
/// ```
///
/// **References.** Kotz, Kozubowski, Podgórski, "The Laplace Distribution and Generalizations", Birkhäuser, 2001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Laplace;

impl<F: Real> Noise<F> for Laplace {
    fn quantile(&self, p: F) -> F {
        let upper = p > F::from_f64(0.5);
        let tail = if upper { F::one() - p } else { p };
        let z = (tail + tail).ln();
        if upper { -z } else { z }
    }

    fn cdf(&self, z: F) -> F {
        self.survival(-z)
    }

    fn survival(&self, z: F) -> F {
        let tail = self.pdf(z);
        if z < F::zero() { F::one() - tail } else { tail }
    }

    fn pdf(&self, z: F) -> F {
        F::from_f64(0.5) * (-z.abs()).exp()
    }

    fn ln_pdf(&self, z: F) -> F {
        -z.abs() - F::from_f64(core::f64::consts::LN_2)
    }

    fn ln_cdf(&self, z: F) -> F {
        self.ln_survival(-z)
    }

    fn ln_survival(&self, z: F) -> F {
        if z < F::zero() { (-Noise::<F>::pdf(self, z)).ln_1p() } else { self.ln_pdf(z) }
    }

    fn score(&self, z: F) -> F {
        if z == F::zero() { F::zero() } else { z.signum() }
    }

    fn is_symmetric(&self) -> bool {
        true
    }
}
