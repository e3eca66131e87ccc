//! The law of −Z.

use super::{Noise, Regularity};
use crate::Real;

/// The law of −Z for Z of the law inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reflected<N>(pub N);

impl<F: Real, N: Noise<F>> Noise<F> for Reflected<N> {
    fn quantile(&self, p: F) -> F {
        -self.0.quantile(F::one() - p)
    }

    fn cdf(&self, z: F) -> F {
        self.0.survival(-z)
    }

    fn survival(&self, z: F) -> F {
        self.0.cdf(-z)
    }

    fn pdf(&self, z: F) -> F {
        self.0.pdf(-z)
    }

    fn ln_pdf(&self, z: F) -> F {
        self.0.ln_pdf(-z)
    }

    fn ln_cdf(&self, z: F) -> F {
        self.0.ln_survival(-z)
    }

    fn ln_survival(&self, z: F) -> F {
        self.0.ln_cdf(-z)
    }

    fn cdf_and_pdf(&self, z: F) -> (F, F) {
        self.0.survival_and_pdf(-z)
    }

    fn survival_and_pdf(&self, z: F) -> (F, F) {
        self.0.cdf_and_pdf(-z)
    }

    #[inline(always)]
    fn threshold(&self, t: F) -> F {
        self.0.threshold(-t)
    }

    #[inline(always)]
    fn position(&self, u: F) -> F {
        self.0.position(-u)
    }

    #[inline(always)]
    fn tail_and_density(&self, threshold: F, position: F) -> (F, F) {
        self.0.failure_and_density(threshold, position)
    }

    #[inline(always)]
    fn failure_and_density(&self, threshold: F, position: F) -> (F, F) {
        self.0.tail_and_density(threshold, position)
    }

    fn score(&self, z: F) -> F {
        -self.0.score(-z)
    }

    fn is_continuous(&self) -> bool {
        self.0.is_continuous()
    }

    fn is_symmetric(&self) -> bool {
        self.0.is_symmetric()
    }

    /// What is known of one tail says nothing of the other, unless they are alike.
    fn regularity(&self) -> Regularity {
        match self.0.regularity() {
            Regularity::Kinked => Regularity::Kinked,
            regularity if self.0.is_symmetric() => regularity,
            _ => Regularity::Smooth,
        }
    }
}
