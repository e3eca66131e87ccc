//! Which part of a partition a class belongs to, from its score alone, and its coordinate in the bulk.

use super::Partition;
use crate::exact::counts::least;
use crate::exact::precision::terms;
use crate::exact::problem::Units;
use crate::{Noise, Real, Regularity};

/// What is known of a class from u = (s − center)/ε alone.
#[derive(Debug, Clone, Copy)]
pub(in crate::exact) struct Places<F> {
    units: Units<F>,
    sure_above: F,
    bulk_below: F,
    negligible_below: F,
    is_exponential: bool,
    gain: F,
    target: F,
}

impl<N: Noise<F>, F: Real> Partition<N, F> {
    /// The number of terms of its expansions; 0 where there is no bulk.
    #[inline(always)]
    pub(crate) fn terms(&self) -> usize {
        // Of the law first: what a law never needs is never compiled.
        terms::<F>(self.problem.law.regularity()) * usize::from(self.has_bulk)
    }

    #[inline(always)]
    pub(in crate::exact) fn places(&self) -> Places<F> {
        let Self { sure_above, bulk_below, negligible_below, gain, target, .. } = *self;
        let is_exponential = self.problem.law.regularity() == Regularity::ExponentialTail;
        Places { units: self.problem.units(), sure_above, bulk_below, negligible_below, is_exponential, gain, target }
    }

    /// The class at a coordinate: its u and its weight.
    #[inline(always)]
    pub(in crate::exact) fn at(&self, x: F) -> (F, F) {
        let places = self.places();
        if places.is_exponential {
            let share = (x + F::one()) * F::from_f64(0.5);
            (self.bulk_below + share.ln(), share)
        } else {
            let u = self.negligible_below + (x + F::one()) / self.gain;
            (u, places.gaussian_weight(u))
        }
    }
}

impl<F: Real> Places<F> {
    #[inline(always)]
    pub fn unit(&self, score: F) -> F {
        self.units.of(score)
    }

    /// Whether a class is neither in the bulk nor negligible.
    #[inline(always)]
    pub fn is_above(&self, u: F) -> bool {
        (u > self.bulk_below) & (u > self.negligible_below)
    }

    /// Whether any of some classes is.
    #[inline(always)]
    pub fn is_any_above(&self, units: &[F]) -> bool {
        units.iter().fold(false, |any, &u| any | self.is_above(u))
    }

    #[inline(always)]
    pub fn is_sure(&self, u: F) -> bool {
        u > self.sure_above
    }

    /// The coordinate in [−1, 1] of a class of the bulk, and its weight in (0, 1], falling like the law's tail; weight 0 for any other
    /// class.
    ///
    /// Every integrand of such a class is its weight times a smooth and tame function of the coordinate. Without the weight the integrands
    /// fall by many orders of magnitude over the bulk, and the rounding of what is large would drown what is small.
    #[inline(always)]
    pub fn bulk(&self, u: F) -> (F, F) {
        let is_bulk = (u <= self.bulk_below) & (u > self.negligible_below);
        let (x, weight) = if self.is_exponential {
            let weight = (u - self.bulk_below).fast_exp();
            (weight + weight - F::one(), weight)
        } else {
            ((u - self.negligible_below) * self.gain - F::one(), self.gaussian_weight(u))
        };
        if is_bulk & (weight > least()) { (x, weight) } else { (F::zero(), F::zero()) }
    }

    /// The largest weight of a class of the bulk that is not above u.
    pub fn most_weight(&self, u: F) -> F {
        self.bulk(if u < self.bulk_below { u } else { self.bulk_below }).1
    }

    /// exp(−(r − u)²/2), scaled to 1 at the top of the bulk; r is in the lower half of the window, where the noise would have to lift u.
    #[inline(always)]
    fn gaussian_weight(&self, u: F) -> F {
        let below_top = self.bulk_below - u;
        (-(below_top * (self.target + below_top * F::from_f64(0.5)))).fast_exp()
    }
}
