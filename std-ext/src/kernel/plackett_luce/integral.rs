//! The trapezoid rule over the window, halved until its error is small enough.

use pulp::{Simd, WithSimd};

use super::Precision;
use super::bulk::Division;
use super::clock::Clock;
use super::contest::Contest;
use crate::elementary::Elementary;
use crate::kernel::quadrature::chebyshev::{Chebyshev, Points};
use crate::kernel::quadrature::lanes::halves_of;
use crate::kernel::quadrature::nodes::{Classes, Nodes};
use crate::kernel::quadrature::rule::{Batch, INTERVALS, MAX_CANDIDATES};
use crate::kernel::quadrature::summary::Summary;
use crate::vectors::{LANES, Vectors};

/// The rule of an analytic integrand squares its error at each halving, up to a factor that this covers.
const SQUARING: f64 = 30.0;

/// Intervals of the finest rule.
const MAX_INTERVALS: usize = 256;

/// A step up to which two rules cannot agree by missing the same.
const LONGEST_STEP: f64 = 1.0;

/// The integrals of a row.
#[derive(Debug)]
pub(super) struct Integral<F, const TERMS: usize> {
    k: usize,
    nodes: Nodes<F, TERMS>,
    /// The candidates' integrals, over the step while they are summed.
    coarse: Vec<F>,
    finer: Vec<F>,
}

/// What a row comes to.
#[derive(Debug)]
pub(super) struct Outcome<F, const TERMS: usize> {
    pub value: F,
    /// By what the candidates' [shares](Integral::shares) count in their gradient.
    pub gain: F,
    /// The bulk's gradient over the weight, as a polynomial of the coordinate.
    pub coefficients: [F; TERMS],
}

/// Sums over the nodes of one rule, not yet times its step.
#[derive(Debug, Clone, Copy)]
struct Sums<F, const TERMS: usize> {
    points: [F; TERMS],
    /// Of the classes' shares.
    total: F,
    /// Of the rarer event's probability, and its first moment: the error of one integral may be zero by chance.
    event: F,
    first: F,
    bulk_error: F,
}

impl<F: Elementary, const TERMS: usize> Sums<F, TERMS> {
    fn zero() -> Self {
        let zero = F::zero();
        Self { points: [zero; TERMS], total: zero, event: zero, first: zero, bulk_error: zero }
    }

    fn add(&mut self, other: &Self) {
        for (a, b) in self.points.iter_mut().zip(other.points) {
            *a += b;
        }
        self.total += other.total;
        self.event += other.event;
        self.first += other.first;
        self.bulk_error += other.bulk_error;
    }

    /// By how much the event's integrals differ.
    fn event_change(&self, finer: &Self) -> F {
        let centroid = if self.event == F::zero() { F::zero() } else { self.first / self.event };
        let moved = self.event - finer.event;
        moved.abs() + ((self.first - finer.first) - centroid * moved).abs()
    }
}

impl<F: Vectors, const TERMS: usize> Integral<F, TERMS> {
    pub fn new(k: usize) -> Self {
        Self { k, nodes: Nodes::new(), coarse: vec![], finer: vec![] }
    }

    /// The candidates' integrals over the [gain](Outcome::gain).
    pub fn shares(&self) -> &[F] {
        &self.coarse
    }

    /// The sums over either half of the nodes; the candidates' of a coarse half go to `coarse`, all others to `finer`.
    #[inline(always)]
    fn visit<S: Simd>(
        &mut self,
        simd: S,
        batch: &Batch<F>,
        contest: &Contest<F>,
        classes: &Classes<'_, Clock, F, TERMS>,
    ) -> (Sums<F, TERMS>, Sums<F, TERMS>) {
        let Self { nodes, coarse, finer, .. } = self;
        let mut v = [F::zero(); LANES];
        for (v, &t) in v.iter_mut().zip(&batch.t) {
            *v = (-t).fast_exp();
        }
        let (mut densities, mut tails) = contest.weights(&v);
        let (mut moments, mut exposures) = ([F::zero(); LANES], [F::zero(); LANES]);
        for lane in 0..LANES {
            densities[lane] *= batch.end[lane];
            tails[lane] *= batch.end[lane];
            moments[lane] = tails[lane] * (batch.t[lane] - contest.low);
            exposures[lane] = densities[lane] + tails[lane];
        }
        let (mut lower, mut upper) = (Sums::zero(), Sums::zero());
        let at_nodes = nodes.visit(simd, &v, classes);
        for (i, share) in nodes.candidates().iter().enumerate() {
            let (first, second) = halves_of(share, &densities);
            if batch.has_coarse { (coarse[i], finer[i]) = (first, second) } else { finer[i] += first + second }
        }
        for (n, share) in nodes.points().iter().enumerate() {
            (lower.points[n], upper.points[n]) = halves_of(share, &densities);
        }
        (lower.total, upper.total) = halves_of(&at_nodes.density, &densities);
        (lower.event, upper.event) = halves_of(&at_nodes.density, &tails);
        (lower.first, upper.first) = halves_of(&at_nodes.density, &moments);
        (lower.bulk_error, upper.bulk_error) = halves_of(&at_nodes.bulk_error, &exposures);
        (lower, upper)
    }

    /// Σ over the classes of |finer − coarser|, at most: the bulk's by the largest ratio to the weight at the points, since their
    /// multiplicities may be negative.
    #[inline(always)]
    fn change(
        &self,
        classes: &Classes<'_, Clock, F, TERMS>,
        points: &Points<F, TERMS>,
        coarse: &Sums<F, TERMS>,
        finer: &Sums<F, TERMS>,
    ) -> F {
        let pairs = self.coarse.iter().zip(&self.finer);
        let own = pairs.fold(F::zero(), |sum, (&a, &b)| sum + (a - b).abs());
        let Some((_, size)) = classes.bulk else { return own };
        let mut ratio = F::zero();
        for n in 0..TERMS {
            ratio = ratio.max((coarse.points[n] - finer.points[n]).abs() / points.weights[n]);
        }
        own + ratio * size
    }

    fn outcome(
        sums: &Sums<F, TERMS>,
        step: F,
        error: F,
        contest: &Contest<F>,
        points: &Points<F, TERMS>,
        classes: &Classes<'_, Clock, F, TERMS>,
        precision: &Precision<F>,
    ) -> Option<Outcome<F, TERMS>> {
        let (value, factor) = contest.outcome(step * sums.event);
        let gain = factor * step;
        let (mut interpolation, mut coefficients) = (F::zero(), [F::zero(); TERMS]);
        if let Some((_, size)) = classes.bulk {
            let mut values = [F::zero(); TERMS];
            for ((value, &point), &weight) in values.iter_mut().zip(&sums.points).zip(&points.weights) {
                *value = gain * point / weight;
            }
            coefficients = classes.chebyshev.coefficients(&values);
            interpolation = size * (coefficients[TERMS - 2].abs() + coefficients[TERMS - 1].abs());
        }
        let size = gain * sums.total;
        let bound = error * size + gain * sums.bulk_error + interpolation;
        let certified = value.is_finite() && gain.is_finite() && bound <= (precision.tolerance * size).max(precision.negligible);
        certified.then_some(Outcome { value, gain, coefficients })
    }
}

/// Integrates; nothing if the error bound is too large.
pub(super) struct Integrate<'a, F, const TERMS: usize> {
    pub integral: &'a mut Integral<F, TERMS>,
    pub contest: &'a Contest<F>,
    pub division: &'a Division<F>,
    pub summary: &'a Summary<F, TERMS>,
    pub chebyshev: &'a Chebyshev<F, TERMS>,
    pub precision: &'a Precision<F>,
}

impl<F: Vectors, const TERMS: usize> WithSimd for Integrate<'_, F, TERMS> {
    type Output = Option<Outcome<F, TERMS>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { integral, contest, division, summary, chebyshev, precision } = self;
        let ((unlikely, likely), moments) = (summary.candidates.positions(), summary.moments.sums());
        let candidates = unlikely.len() + likely.len();
        if candidates > MAX_CANDIDATES {
            return None;
        }
        let points = Points::new(moments, chebyshev, |x| division.at(x));
        let size = moments[0];
        let compressed = (size > F::zero()).then_some((&points, size));
        let classes = Classes { law: Clock, depth: integral.k - 1, unlikely, likely, bulk: compressed, chebyshev };

        for shares in [&mut integral.coarse, &mut integral.finer] {
            shares.clear();
            shares.resize(candidates, F::zero());
        }
        let width = contest.high - contest.low;
        let mut intervals = INTERVALS;
        let (mut sums, mut added) = integral.visit(simd, &Batch::first(contest.low, width), contest, &classes);
        loop {
            let step = width / F::from_usize(intervals);
            let change = integral.change(&classes, &points, &sums, &added) + sums.event_change(&added);
            for (sum, part) in integral.coarse.iter_mut().zip(&integral.finer) {
                *sum += *part;
            }
            sums.add(&added);
            let share = if change > F::zero() { change / sums.event } else { F::zero() };
            let error = F::from_f64(SQUARING) * share * share;
            if error <= precision.quadrature && step <= F::from_f64(LONGEST_STEP) || intervals == MAX_INTERVALS {
                return Integral::outcome(&sums, step, error, contest, &points, &classes, precision);
            }
            added = Sums::zero();
            integral.finer.fill(F::zero());
            for batch in Batch::midpoints(contest.low, width, intervals) {
                let (lower, upper) = integral.visit(simd, &batch, contest, &classes);
                added.add(&lower);
                added.add(&upper);
            }
            intervals *= 2;
        }
    }
}
