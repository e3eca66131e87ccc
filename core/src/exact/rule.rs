//! The trapezoid rule over a window of t, 16 nodes at a time, halved until its error is small enough.

use super::bounds::Window;
use super::chebyshev::{ROOM, Terms};
use super::classes::{Bulk, Classes};
use super::counts::times;
use crate::lanes::{LANES, Lanes, halves, map, numbers, zip, zip3};
use crate::{Noise, Real};

/// What is integrated: the classes' shares of the wanted rank under a weight, and one number beside them.
pub(crate) trait Integrand<F> {
    /// What the shares at 16 t are multiplied by: in the classes' integrals, and in the number beside them.
    fn weights(&self, t: &Lanes<F>) -> [Lanes<F>; 2];
    /// That number, by its weights or by what else the nodes know.
    fn beside(&self, weights: &Lanes<F>, nodes: &NodeSums<F>) -> Lanes<F>;
    /// A bound on the error of the finer of two rules.
    fn error(&self, finer: &Halving<F>) -> F;
    /// A step up to which two rules cannot agree by missing the same.
    fn longest_step(&self) -> F;
    /// Whether everything is decided before or after a t with such a survival, if the nodes tell.
    fn is_decided(&self, survival: F) -> (bool, bool);
}

/// Who finds the shares at the nodes.
pub(crate) trait Nodes<N, F> {
    /// Adds the weighted shares of every candidate and every point of the bulk to the sums of its half of the nodes, and returns what
    /// else the nodes know.
    fn visit(&mut self, nodes: &Batch<F>, weights: &Lanes<F>, classes: &Classes<'_, N, F>, shares: &mut Shares<'_, F>) -> NodeSums<F>;
}

/// The weighted sums of the classes' shares, in units of a [whole](super::counts::whole) as all that is made of them, coarse for the
/// coarser rule and finer for the nodes that halve its step.
#[derive(Debug)]
pub(crate) struct Shares<'s, F> {
    pub coarse: &'s mut [F],
    pub finer: &'s mut [F],
    pub coarse_points: Terms<F>,
    pub finer_points: Terms<F>,
}

/// What 16 nodes know beside the classes' shares: all but the survival in the same units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeSums<F> {
    /// Σ_r P(at least r noised scores above t) over the run of ranks.
    pub survival: Lanes<F>,
    /// The sum of the shares: Σ_r of the density of the r-th largest at t.
    pub density: Lanes<F>,
    /// A bound on the error of the shares, all together, that the compression of the bulk makes.
    pub bulk_error: Lanes<F>,
}

/// Nodes that are computed together.
#[derive(Debug)]
pub(crate) struct Batch<F> {
    pub t: Lanes<F>,
    /// Whether the first half of them are a rule of their own, twice as coarse.
    pub has_coarse: bool,
}

/// What one halving did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Halving<F> {
    /// Σ over the classes of |finer − coarser|, at most.
    pub change: F,
    /// The finer rule's sum over the classes.
    pub total: F,
    /// The finer rule's other integral, and by how much it moved: it, and its first moment about the centroid, because the error of one
    /// integral oscillates with the step and may be zero by chance.
    pub beside: F,
    pub beside_change: F,
}

/// The integrals by the finest rule. The classes' are where the caller wanted them, over the step.
#[derive(Debug)]
pub(crate) struct Integral<F> {
    /// Where the window begins.
    pub low: F,
    pub step: F,
    pub beside: F,
    /// Σ over the classes.
    pub total: F,
    /// The bound on the rule's error.
    pub error: F,
    /// The bound on what compressing the bulk did to the classes' integrals.
    pub bulk_error: F,
}

/// The rule of an analytic integrand squares its error at each halving, up to a factor that this covers (at most 18 was seen).
pub(super) const SQUARING: f64 = 30.0;

/// Where the integrand is entire and falls like a Gaussian, a small error is cubed, up to a factor that this covers (at most 90 was seen).
pub(super) const CUBING: f64 = 150.0;

/// Intervals of the finest rule.
const MOST_INTERVALS: usize = 1024;

/// Sums over the nodes of one rule, not yet times its step.
#[derive(Debug, Clone, Copy)]
struct Sums<F> {
    beside: F,
    first: F,
    total: F,
    bulk_error: F,
}

impl<F: Real> Sums<F> {
    const fn new(beside: F, first: F, total: F, bulk_error: F) -> Self {
        Self { beside, first, total, bulk_error }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self::new(self.beside + other.beside, self.first + other.first, self.total + other.total, self.bulk_error + other.bulk_error)
    }
}

/// Sixteen nodes: the weighted sums over either half of them.
#[inline(always)]
fn visit<N: Noise<F>, F: Real>(
    integrand: &impl Integrand<F>,
    nodes: &mut impl Nodes<N, F>,
    (batch, low): (&Batch<F>, F),
    classes: &Classes<'_, N, F>,
    shares: &mut Shares<'_, F>,
) -> (Sums<F>, Sums<F>, Lanes<F>) {
    let mut ends = [F::one(); LANES];
    if batch.has_coarse {
        let [first, ..] = &mut ends;
        *first = F::from_f64(0.5);
    }
    let [weights, beside] = integrand.weights(&batch.t);
    let weights = zip(weights, ends, |weight, end| weight * end);
    let at = nodes.visit(batch, &weights, classes, shares);
    let exposures = zip3(weights, beside, at.bulk_error, |weight, beside, error| (weight + beside) * error);
    let beside = zip(integrand.beside(&beside, &at), ends, |beside, end| beside * end);
    let firsts = zip(beside, batch.t, |beside, t| beside * (t - low));
    let densities = zip(weights, at.density, times);
    let [beside, first, total, error] = [halves(&beside), halves(&firsts), halves(&densities), halves(&exposures)];
    let lower = Sums::new(beside.0, first.0, total.0, error.0);
    (lower, Sums::new(beside.1, first.1, total.1, error.1), at.survival)
}

/// Integrates. The candidates' integrals over the step go to `shares.coarse`, those of the points of the bulk to `shares.coarse_points`.
#[inline(always)]
pub(crate) fn integrate<N: Noise<F>, F: Real>(
    integrand: &impl Integrand<F>,
    nodes: &mut impl Nodes<N, F>,
    window: Window<F>,
    classes: &Classes<'_, N, F>,
    quadrature: F,
    shares: &mut Shares<'_, F>,
) -> Integral<F> {
    let Window { mut low, high } = window;
    let mut width = high - low;
    let nothing = Sums::new(F::zero(), F::zero(), F::zero(), F::zero());
    let (mut sums, mut added, mut intervals, mut first) = (nothing, nothing, LANES, 0);
    let (mut has_coarse, mut is_first) = (true, true);
    loop {
        let t = if has_coarse { coarse_and_finer() } else { odd(first, intervals / 2) };
        let batch = Batch { t: map(t, |share| low + width * share), has_coarse };
        // In one place, since all of the nodes' code is inlined there.
        let (lower, upper, survival) = visit(integrand, nodes, (&batch, low), classes, shares);
        if has_coarse {
            (sums, added) = (lower, upper);
        } else {
            added = added.plus(lower.plus(upper));
            first += LANES;
            if first < intervals / 2 {
                continue;
            }
        }
        let step = width / F::from_usize(intervals);
        let mut change = bulk_change(classes.bulk, shares);
        for (&old, &new) in shares.coarse.iter().zip(&*shares.finer) {
            change += (old - new).abs();
        }
        let centroid = if sums.beside == F::zero() { F::zero() } else { sums.first / sums.beside };
        let moved = sums.beside - added.beside;
        let beside_change = moved.abs() + ((sums.first - added.first) - centroid * moved).abs();
        for (sum, &part) in shares.coarse.iter_mut().zip(&*shares.finer) {
            *sum += part;
        }
        for (sum, part) in shares.coarse_points.iter_mut().zip(shares.finer_points) {
            *sum += part;
        }
        sums = sums.plus(added);
        let halving =
            Halving { change: step * change, total: step * sums.total, beside: step * sums.beside, beside_change: step * beside_change };
        let error = integrand.error(&halving);
        if error <= quadrature && step <= integrand.longest_step() || intervals >= MOST_INTERVALS {
            return Integral { low, step, beside: halving.beside, total: halving.total, error, bulk_error: step * sums.bulk_error };
        }
        shares.finer.fill(F::zero());
        shares.finer_points = [F::zero(); ROOM];
        if is_first {
            is_first = false;
            // The window was found by bounds; the nodes know better.
            let narrower = undecided(integrand, &batch.t, &survival, window);
            if narrower.high - narrower.low < width * F::from_f64(0.5) {
                (low, width) = (narrower.low, narrower.high - narrower.low);
                shares.coarse.fill(F::zero());
                shares.coarse_points = [F::zero(); ROOM];
                continue;
            }
        }
        (added, first, has_coarse) = (nothing, 0, false);
        intervals *= 2;
    }
}

/// What the first nodes leave of the window.
#[inline(always)]
fn undecided<F: Real>(integrand: &impl Integrand<F>, t: &Lanes<F>, survival: &Lanes<F>, window: Window<F>) -> Window<F> {
    let Window { mut low, mut high } = window;
    for (&t, &survival) in t.iter().zip(survival) {
        let (before, after) = integrand.is_decided(survival);
        low = if before { low.max(t) } else { low };
        high = if after { high.min(t) } else { high };
    }
    Window { low, high }
}

/// The nodes of the first two rules, as shares of the window: the even ones in the first half, the lower end among them with half its
/// weight, the odd ones in the other half. The upper end, where everything is negligible, is left out.
#[inline(always)]
fn coarse_and_finer<F: Real>() -> Lanes<F> {
    let half = F::from_f64(0.5);
    map(numbers(), |n| {
        let t = (n + n) / F::from_usize(LANES);
        if t < F::one() { t } else { t - F::one() + half / F::from_usize(LANES / 2) }
    })
}

/// Of the middles of so many intervals, those from the `first` on.
#[inline(always)]
fn odd<F: Real>(first: usize, intervals: usize) -> Lanes<F> {
    let (middle, per_interval) = (F::from_usize(first) + F::from_f64(0.5), F::from_usize(intervals).recip());
    map(numbers(), |n| (middle + n) * per_interval)
}

/// A bound on Σ over the bulk of |old − new|: the largest ratio to the weight at the points, since their multiplicities may be negative.
#[inline(always)]
fn bulk_change<F: Real>(bulk: &Bulk<F>, shares: &Shares<'_, F>) -> F {
    let pairs = shares.coarse_points.iter().zip(&shares.finer_points).zip(&bulk.weights).take(bulk.terms);
    let mut ratio = F::zero();
    for ((&old, &new), &weight) in pairs {
        ratio = ratio.max((old - new).abs() / weight);
    }
    ratio * bulk.size
}
