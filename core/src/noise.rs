//! Noise laws: what is added to the scores, one file a law.
//!
//! Accuracies are those measured against 60-digit values wherever the result is a normal number of the float. A condition number
//! is |x f′(x)/f(x)|, at least 1: what half a unit in the last place of the argument alone does to the result.

mod gumbel;
mod laplace;
mod logistic;
mod normal;
mod reflected;
mod uniform;

pub use gumbel::Gumbel;
pub use laplace::Laplace;
pub use logistic::Logistic;
pub use normal::Normal;
pub(crate) use reflected::Reflected;
pub use uniform::Uniform;

use crate::Real;

/// A law of real noise with a density; noise of a vector is independent and identically distributed over its entries.
///
/// A law of your own is one `impl`; a law that returns NaN makes the estimators return an error.
pub trait Noise<F: Real>: Copy {
    /// The z with P(Z ≤ z) = p, for 0 < p < 1. The laws of this crate return the ends of their support at 0 and 1.
    fn quantile(&self, p: F) -> F;
    /// P(Z ≤ z).
    fn cdf(&self, z: F) -> F;
    /// P(Z > z), accurate where it is small.
    fn survival(&self, z: F) -> F;
    /// The density f(z).
    fn pdf(&self, z: F) -> F;
    /// ln f(z), which stays finite where the density underflows, for the laws of this crate that have tails.
    fn ln_pdf(&self, z: F) -> F {
        self.pdf(z).ln()
    }
    /// ln P(Z ≤ z), likewise.
    fn ln_cdf(&self, z: F) -> F {
        self.cdf(z).ln()
    }
    /// ln P(Z > z), likewise.
    fn ln_survival(&self, z: F) -> F {
        self.survival(z).ln()
    }
    /// P(Z ≤ z) and f(z), which may have a costly part in common.
    fn cdf_and_pdf(&self, z: F) -> (F, F) {
        (self.cdf(z), self.pdf(z))
    }
    /// P(Z > z) and f(z), likewise.
    fn survival_and_pdf(&self, z: F) -> (F, F) {
        (self.survival(z), self.pdf(z))
    }
    /// The score −f′(z)/f(z), whose expectation against a function of θ + Z is the gradient of its smoothing.
    fn score(&self, z: F) -> F;

    /// Whether the density is continuous on the whole line. Where it jumps, the score misses the jump's share of the gradient, and the
    /// [score-function estimator](crate::ScoreFunction) declines.
    fn is_continuous(&self) -> bool {
        true
    }

    /// Whether −Z has the same law: what is known of the upper tail then holds for the lower one.
    fn is_symmetric(&self) -> bool {
        false
    }

    /// What the density allows the [exact estimator](crate::Exact) to do; the default is always safe.
    fn regularity(&self) -> Regularity {
        Regularity::Kinked
    }
}

/// How smooth a density is, and how its upper tail falls: this decides which quadrature converges fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regularity {
    /// A kink or a jump somewhere: the exact estimator declines, the conditional one serves.
    Kinked,
    /// Analytic: the exact estimator treats every class by itself.
    Smooth,
    /// Analytic, survival falling like exp(−z²/2): classes far below are summed by their moments in z.
    GaussianTail,
    /// Analytic, survival an analytic function of exp(−z): classes far below are summed by their moments in exp(−z).
    ExponentialTail,
}
