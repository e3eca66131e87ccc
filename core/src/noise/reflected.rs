//! The law of −Z, the mirror of another law.

use super::{Noise, Regularity};
use crate::Real;

/// The law of Z, or that of −Z: decided when it runs, since code for each would be twice as long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reflected<N> {
    pub law: N,
    pub is_reflected: bool,
}

/// The law inside at an argument, or what stands for it at the opposite one.
macro_rules! either {
    ($self:ident, $z:ident, $own:ident, $opposite:ident) => {
        if $self.is_reflected { $self.law.$opposite(-$z) } else { $self.law.$own($z) }
    };
}

impl<F: Real, N: Noise<F>> Noise<F> for Reflected<N> {
    fn quantile(&self, p: F) -> F {
        if self.is_reflected { -self.law.quantile(F::one() - p) } else { self.law.quantile(p) }
    }

    fn cdf(&self, z: F) -> F {
        either!(self, z, cdf, survival)
    }

    fn survival(&self, z: F) -> F {
        either!(self, z, survival, cdf)
    }

    fn pdf(&self, z: F) -> F {
        either!(self, z, pdf, pdf)
    }

    fn ln_pdf(&self, z: F) -> F {
        either!(self, z, ln_pdf, ln_pdf)
    }

    fn ln_cdf(&self, z: F) -> F {
        either!(self, z, ln_cdf, ln_survival)
    }

    fn ln_survival(&self, z: F) -> F {
        either!(self, z, ln_survival, ln_cdf)
    }

    fn cdf_and_pdf(&self, z: F) -> (F, F) {
        either!(self, z, cdf_and_pdf, survival_and_pdf)
    }

    fn survival_and_pdf(&self, z: F) -> (F, F) {
        either!(self, z, survival_and_pdf, cdf_and_pdf)
    }

    #[inline(always)]
    fn threshold(&self, t: F) -> F {
        either!(self, t, threshold, threshold)
    }

    #[inline(always)]
    fn position(&self, u: F) -> F {
        either!(self, u, position, position)
    }

    #[inline(always)]
    fn tail_and_density(&self, threshold: F, position: F) -> (F, F) {
        let Self { law, is_reflected } = self;
        if *is_reflected { law.failure_and_density(threshold, position) } else { law.tail_and_density(threshold, position) }
    }

    #[inline(always)]
    fn failure_and_density(&self, threshold: F, position: F) -> (F, F) {
        let Self { law, is_reflected } = self;
        if *is_reflected { law.tail_and_density(threshold, position) } else { law.failure_and_density(threshold, position) }
    }

    fn score(&self, z: F) -> F {
        if self.is_reflected { -self.law.score(-z) } else { self.law.score(z) }
    }

    fn is_continuous(&self) -> bool {
        self.law.is_continuous()
    }

    fn is_symmetric(&self) -> bool {
        self.law.is_symmetric()
    }

    /// What is known of one tail says nothing of the other, unless they are alike.
    fn regularity(&self) -> Regularity {
        match self.law.regularity() {
            Regularity::Kinked => Regularity::Kinked,
            regularity if !self.is_reflected || self.law.is_symmetric() => regularity,
            _ => Regularity::Smooth,
        }
    }
}
