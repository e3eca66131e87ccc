//! Noise laws: what is added to the scores, one file a law.
//!
//! Accuracies are those measured against 60-digit values wherever the result is a normal number of the float. A condition number
//! is |x f′(x)/f(x)|, at least 1: what half a unit in the last place of the argument alone does to the result.

mod gumbel;
mod laplace;
mod logistic;
mod normal;
mod uniform;

pub use gumbel::Gumbel;
pub use laplace::Laplace;
pub use logistic::Logistic;
pub use normal::Normal;
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
    /// The score −f′(z)/f(z), whose expectation against a function of θ + Z is the gradient of its smoothing.
    fn score(&self, z: F) -> F;
}
