//! Which classes need individual care.

use super::problem::Problem;
use super::profile::{Window, tail};
use super::summary::Summary;
use crate::{Noise, Real, Regularity};

/// What is known of a class from u = (s − center)/ε alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place<F> {
    /// Above the window whatever its noise: it only shifts the ranks.
    Sure,
    /// Treated by itself.
    Candidate,
    /// Far below the window: summed by its moments.
    Bulk(Far<F>),
    /// So far below that it cannot matter.
    Negligible,
}

/// A class far below the window.
///
/// Every integrand of such a class is `weight` times a smooth and tame function of the coordinate. Without the weight the integrands
/// fall by many orders of magnitude over the bulk, and the rounding of what is large would drown what is small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Far<F> {
    /// In [−1, 1].
    pub x: F,
    /// In (0, 1], falling like the law's tail.
    pub weight: F,
}

/// Where the order statistics can be, and which classes that leaves to treat one by one.
#[derive(Debug, Clone, Copy)]
pub struct Division<'w, N, F> {
    pub(super) problem: Problem<'w, N, F>,
    pub(super) window: Window<F>,
    sure_above: F,
    bulk_below: F,
    negligible_below: F,
    regularity: Regularity,
}

/// The survival probability below which a class joins the bulk: p/(1 − p) is then at most ⅓ and its powers converge fast.
const BULK_PROBABILITY: f64 = 0.25;

/// How far above the window's lower end a class of the bulk aims, as a share of its width and at most: a window of several ranks is
/// wider than the noise.
const LIFT: f64 = 0.3;
const MAX_LIFT: f64 = 2.0;

impl<'w, N: Noise<F>, F: Real> Division<'w, N, F> {
    pub(super) fn new(problem: Problem<'w, N, F>, window: Window<F>) -> Self {
        let top_of_bulk = window.low - problem.law.quantile(F::one() - F::from_f64(BULK_PROBABILITY));
        Self::with_bulk_below(problem, window, top_of_bulk)
    }

    /// The division for a window so high that few classes reach it: those join the bulk whose survival probability is below
    /// `at_most`. Leaving a class out of the count must not change it by more than it is.
    pub(super) fn of_high_window(problem: Problem<'w, N, F>, window: Window<F>, at_most: F) -> Self {
        let usual = Self::new(problem, window);
        let reach = tail(|z| problem.law.survival(z), at_most);
        Self::with_bulk_below(problem, window, usual.bulk_below.min(window.low - reach))
    }

    fn with_bulk_below(problem: Problem<'w, N, F>, window: Window<F>, top_of_bulk: F) -> Self {
        let Problem { law, num_classes, precision, .. } = problem;
        let negligible = precision.outside * F::from_f64(0.01);
        let per_class = negligible / F::from_usize(num_classes);
        let reach = |level| tail(|z| law.survival(z), level);
        let (bulk_below, negligible_below) = match law.regularity() {
            Regularity::GaussianTail => (top_of_bulk, window.low - reach(negligible)),
            // Its coordinate exp(u − top) takes in everything down to −∞.
            Regularity::ExponentialTail => (top_of_bulk, F::neg_infinity()),
            Regularity::Smooth | Regularity::Kinked => (F::neg_infinity(), window.low - reach(per_class)),
        };
        let sure_above = window.high + tail(|z| law.cdf(-z), per_class);
        Self { problem, window, sure_above, bulk_below, negligible_below, regularity: law.regularity() }
    }

    /// The same window with every class that can matter treated by itself: the plain form.
    #[must_use]
    pub fn plain(self) -> Self {
        let Problem { law, num_classes, precision, .. } = self.problem;
        let per_class = precision.outside * F::from_f64(0.01) / F::from_usize(num_classes);
        let negligible_below = self.window.low - tail(|z| law.survival(z), per_class);
        Self { bulk_below: F::neg_infinity(), negligible_below, regularity: Regularity::Smooth, ..self }
    }

    /// An empty summary. `candidates` is room for the scores that need individual care: at most one a class, usually few.
    pub fn summary<'a>(self, candidates: &'a mut [F]) -> Summary<'a, 'w, N, F> {
        Summary::new(self, candidates)
    }
}

impl<N, F: Real> Division<'_, N, F> {
    #[inline]
    pub(super) fn place(&self, u: F) -> Place<F> {
        if u > self.sure_above {
            Place::Sure
        } else if u > self.bulk_below && u > self.negligible_below {
            Place::Candidate
        } else if u > self.negligible_below {
            Place::Bulk(self.far(u))
        } else {
            Place::Negligible
        }
    }

    #[inline]
    fn far(&self, u: F) -> Far<F> {
        let two = F::from_f64(2.0);
        match self.regularity {
            Regularity::ExponentialTail => {
                let weight = (u - self.bulk_below).exp();
                Far { x: two * weight - F::one(), weight }
            }
            _ => {
                let share = (u - self.negligible_below) / (self.bulk_below - self.negligible_below);
                Far { x: two * share - F::one(), weight: self.gaussian_weight(u) }
            }
        }
    }

    /// exp(−(r − u)²/2), scaled to 1 at the top of the bulk; r is in the lower half of the window, where the noise would have to lift u.
    #[inline]
    fn gaussian_weight(&self, u: F) -> F {
        let lift = (self.window.high - self.window.low) * F::from_f64(LIFT);
        let target = self.window.low + lift.min(F::from_f64(MAX_LIFT));
        let below_top = self.bulk_below - u;
        (below_top * (self.bulk_below - target - below_top * F::from_f64(0.5))).exp()
    }

    /// The class at a coordinate.
    pub(super) fn at(&self, x: F) -> (F, Far<F>) {
        let share = (x + F::one()) * F::from_f64(0.5);
        match self.regularity {
            Regularity::ExponentialTail => (self.bulk_below + share.ln(), Far { x, weight: share }),
            _ => {
                let u = self.negligible_below + share * (self.bulk_below - self.negligible_below);
                (u, Far { x, weight: self.gaussian_weight(u) })
            }
        }
    }
}
