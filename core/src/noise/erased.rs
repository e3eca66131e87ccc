//! A law behind a pointer: what runs rarely is compiled once for all of them.

use core::fmt;

use super::{Noise, Regularity};
use crate::Real;

/// What a law is asked class by class.
trait Tails<F> {
    fn quantile(&self, p: F) -> F;
    fn cdf(&self, z: F) -> F;
    fn survival(&self, z: F) -> F;
    fn pdf(&self, z: F) -> F;
    fn ln_pdf(&self, z: F) -> F;
    fn ln_cdf(&self, z: F) -> F;
    fn ln_survival(&self, z: F) -> F;
    fn survival_and_pdf(&self, z: F) -> (F, F);
    fn threshold(&self, t: F) -> F;
    fn position(&self, u: F) -> F;
    fn tail_and_density(&self, threshold: F, position: F) -> (F, F);
    fn failure_and_density(&self, threshold: F, position: F) -> (F, F);
    fn score(&self, z: F) -> F;
}

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

macro_rules! forward {
    ($($name:ident($($argument:ident),+) -> $result:ty;)+) => {
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

forward! {
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
