//! Tolerances: how far each float is pushed.

use super::counts::whole;
use super::solution::rounding;
use crate::{Error, Real, Regularity, Result};

/// The accuracy the exact form aims at and the sizes that reach it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision<F> {
    /// The probability mass that may lie outside the window, at either end.
    pub outside: F,
    /// The bound on the quadrature's error (L1, gradient) at which halving stops.
    pub quadrature: F,
    /// The bound on the whole error above which a row is computed by the plain form.
    pub tolerance: F,
    /// The same for each rank down to the deepest, where that is more: what rounding does grows with it. 0 where a tolerance was asked for.
    pub per_rank: F,
}

/// A rank so deep errs by as much as the usual tolerance, at most.
const USUAL_RANK: f64 = 50.0;

/// Terms of the longest Chebyshev expansion.
pub(crate) const MAX_TERMS: usize = 25;

/// Whether the float is a double, for whatever is computed as far as the float carries.
#[inline(always)]
pub(crate) fn is_double<F: Real>() -> bool {
    F::epsilon() < F::from_f64(1e-10)
}

/// The first for a double, the second for a single.
#[inline(always)]
fn pick<F: Real>(double: f64, single: f64) -> F {
    F::from_f64(if is_double::<F>() { double } else { single })
}

/// The terms of the longest expansion that the float needs.
pub(crate) const fn most_terms(double: bool) -> usize {
    if double { MAX_TERMS } else { 16 }
}

/// The terms of the expansions over the classes far below; 0 where the law allows none.
#[inline(always)]
pub(crate) fn terms<F: Real>(regularity: Regularity) -> usize {
    match (regularity, is_double::<F>()) {
        (Regularity::ExponentialTail, false) => 8,
        (Regularity::ExponentialTail, true) => 13,
        (Regularity::GaussianTail, double) => most_terms(double),
        (Regularity::Smooth | Regularity::Kinked, _) => 0,
    }
}

impl<F: Real> Precision<F> {
    /// What is worth its price unless said otherwise: far below what any estimator leaves of noise.
    #[inline(always)]
    pub fn of_float() -> Self {
        let tolerance = pick(1e-7, 1e-4);
        Self { outside: pick(1e-11, 2e-6), quadrature: pick(5e-8, 3e-5), tolerance, per_rank: tolerance / F::from_f64(USUAL_RANK) }
    }

    /// For a probability, whose logarithm is as accurate as a softmax's.
    #[inline(always)]
    pub fn of_probability() -> Self {
        Self { outside: pick(1e-14, 1e-7), quadrature: pick(1e-12, 1e-5), tolerance: pick(1e-7, 1e-3), per_rank: F::zero() }
    }

    /// The same for another tolerance: all that adds to the error takes the same part of it.
    #[inline(always)]
    pub fn within(self, tolerance: F) -> Self {
        // A window that leaves out a thousandth is no window.
        let factor = (tolerance / self.tolerance).min(F::from_f64(1e-3) / self.outside);
        Self { outside: self.outside * factor, quadrature: self.quadrature * factor, tolerance, per_rank: F::zero() }
    }

    /// The same for ranks down to a deepest.
    #[inline(always)]
    pub fn down_to(self, rank: usize) -> Self {
        Self { tolerance: self.tolerance.max(self.per_rank * F::from_usize(rank)), ..self }
    }

    /// For a reference: as far as rounding lets the float go.
    pub fn strict(self) -> Self {
        let (outside, quadrature) = (pick::<F>(1e-11, 1e-7), pick::<F>(5e-11, 1e-6));
        Self { outside: outside.min(self.outside), quadrature: quadrature.min(self.quadrature), ..Self::of_float() }
    }

    /// Whether the float can be so accurate: its rounding alone is within the tolerance, and it tells the least of the probabilities
    /// from 0.
    pub fn check(&self) -> Result<()> {
        let is_fine = rounding::<F>(0) <= self.tolerance && whole::<F>().is_finite();
        if is_fine { Ok(()) } else { Err(Error::Accuracy { what: "exact smoothing" }) }
    }

    /// The same in another number type.
    pub fn map<G>(self, convert: impl Fn(F) -> G) -> Precision<G> {
        let Self { outside, quadrature, tolerance, per_rank } = self;
        let [outside, quadrature, tolerance, per_rank] = [outside, quadrature, tolerance, per_rank].map(convert);
        Precision { outside, quadrature, tolerance, per_rank }
    }
}
