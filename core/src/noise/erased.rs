//! A law behind a pointer: what runs rarely is compiled once for all of them.

use core::fmt;

use super::{Noise, Regularity};
use crate::Real;

/// Any law, with nothing known of its regularity but that it has an exact form.
#[derive(Clone, Copy)]
pub struct Erased<'a, F>(&'a dyn Tails<F>);

impl<'a, F: Real> Erased<'a, F> {
    pub fn new<N: Noise<F>>(law: &'a N) -> Self {
        Self(law)
    }
}

impl<F> fmt::Debug for Erased<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Erased")
    }
}

macro_rules! tails {
    ($($name:ident($($argument:ident),+) -> $result:ty;)+) => {
        /// What a law is asked class by class.
        trait Tails<F> {
            $(fn $name(&self, $($argument: F),+) -> $result;)+
        }

        impl<F: Real, N: Noise<F>> Tails<F> for N {
            $(fn $name(&self, $($argument: F),+) -> $result {
                Noise::$name(self, $($argument),+)
            })+
        }

        impl<F: Real> Noise<F> for Erased<'_, F> {
            $(fn $name(&self, $($argument: F),+) -> $result {
                self.0.$name($($argument),+)
            })+

            /// Known to the compiler, so that nothing is compiled of what a bulk of classes needs.
            #[inline(always)]
            fn regularity(&self) -> Regularity {
                Regularity::Smooth
            }
        }
    };
}

tails! {
    quantile(p) -> F;
    cdf(z) -> F;
    survival(z) -> F;
    pdf(z) -> F;
    ln_pdf(z) -> F;
    ln_cdf(z) -> F;
    ln_survival(z) -> F;
    survival_and_pdf(z) -> (F, F);
    threshold(t) -> F;
    position(u) -> F;
    tail_and_density(threshold, position) -> (F, F);
    failure_and_density(threshold, position) -> (F, F);
    score(z) -> F;
}
