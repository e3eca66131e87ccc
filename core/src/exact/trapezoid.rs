//! The trapezoid rule over a window of t, halved until its error is small enough.

use super::chebyshev::Terms;
use super::classes::{Bulk, Classes};
use super::node::{Node, NodeSums, Shares};
use super::precision::{MAX_TERMS, Precision};
use super::profile::Window;
use crate::{Noise, Real};

/// What is integrated: the classes' shares under a weight, and one number beside them.
pub(crate) trait Integrand<F> {
    /// What the shares at t are multiplied by.
    fn weight(&self, t: F) -> F;
    /// The other integrand.
    fn scalar(&self, t: F, node: &NodeSums<F>) -> F;
    /// What an error of the shares at t counts.
    fn exposure(&self, t: F) -> F;
    /// A bound on the error of the finer of two rules, in units of what is integrated.
    fn error(&self, finer: &Halving<F>) -> F;
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
    pub scalar: F,
    pub scalar_change: F,
}

/// The integrals by the finest rule. The candidates' are where the caller wanted them, over the step.
#[derive(Debug)]
pub(crate) struct Integral<F> {
    pub step: F,
    pub scalar: F,
    /// Σ over the classes.
    pub total: F,
    /// At each Chebyshev point, over the step.
    pub bulk: Terms<F>,
    /// The bound on the rule's error.
    pub error: F,
    /// The bound on what compressing the bulk did to the classes' integrals.
    pub bulk_error: F,
}

/// The rule of an analytic integrand squares its error at each halving, up to a factor that this covers (at most 18 was seen).
pub(crate) const SQUARING: f64 = 30.0;

/// How often the rule may be halved.
const HALVINGS: usize = 6;

/// Intervals that the coarsest rule has at most.
pub(crate) const MAX_INTERVALS: usize = 96;

/// Integrates. `candidates` receives their integrals over the step, `finer` is room for as many.
pub(crate) fn integrate<N: Noise<F>, F: Real>(
    integrand: &impl Integrand<F>,
    window: Window<F>,
    classes: &Classes<'_, N, F>,
    precision: &Precision<F>,
    node: &mut Node<'_, F>,
    (candidates, finer): (&mut [F], &mut [F]),
) -> Integral<F> {
    let (half, low, width) = (F::from_f64(0.5), window.low, window.high - window.low);
    // A window much wider than the noise starts from a finer rule.
    let wide = width.to_usize().unwrap_or(usize::MAX).min(MAX_INTERVALS);
    let mut intervals = (precision.nodes - 1).max(wide);
    candidates.fill(F::zero());
    let mut bulk = [F::zero(); MAX_TERMS];
    let (mut moments, mut bulk_error) = ([F::zero(); 2], F::zero());
    let mut visit = |t: F, end: F, candidates: &mut [F], bulk: &mut Terms<F>, moments: &mut [F; 2]| {
        let weight = end * integrand.weight(t);
        let sums = node.add(t, weight, classes, Shares { candidates, bulk });
        let scalar = end * integrand.scalar(t, &sums);
        let [zeroth, first] = moments;
        *zeroth += scalar;
        *first += scalar * (t - low);
        bulk_error += end * integrand.exposure(t) * sums.bulk_error;
    };
    for i in 0..=intervals {
        let end = if i == 0 || i == intervals { half } else { F::one() };
        let t = low + width * (F::from_usize(i) / F::from_usize(intervals));
        visit(t, end, candidates, &mut bulk, &mut moments);
    }
    let (mut step, mut error, mut total) = (width / F::from_usize(intervals), F::infinity(), F::zero());
    for _ in 0..HALVINGS {
        finer.fill(F::zero());
        let (mut finer_bulk, mut finer_moments) = ([F::zero(); MAX_TERMS], [F::zero(); 2]);
        for i in 0..intervals {
            let t = low + width * ((F::from_usize(i) + half) / F::from_usize(intervals));
            visit(t, F::one(), finer, &mut finer_bulk, &mut finer_moments);
        }
        intervals *= 2;
        step = width / F::from_usize(intervals);
        let change = step * (change(candidates, finer) + bulk_change(&classes.law, low, &classes.bulk, &bulk, &finer_bulk));
        let ([scalar, first], [finer_scalar, finer_first]) = (moments, finer_moments);
        let centroid = if scalar == F::zero() { F::zero() } else { first / scalar };
        let moved = scalar - finer_scalar;
        let scalar_change = step * (moved.abs() + ((first - finer_first) - centroid * moved).abs());
        candidates.iter_mut().zip(finer.iter()).for_each(|(a, &b)| *a += b);
        bulk.iter_mut().zip(finer_bulk).for_each(|(a, b)| *a += b);
        moments = [scalar + finer_scalar, first + finer_first];
        total = step * (sum(candidates) + weighted_sum(&classes.bulk, &bulk));
        error = integrand.error(&Halving { change, total, scalar: step * moments[0], scalar_change });
        if error <= precision.quadrature {
            break;
        }
    }
    Integral { step, scalar: step * moments[0], total, bulk, error, bulk_error: step * bulk_error }
}

/// With compensation (Kahan): thousands of tied shares would round alike.
fn sum<F: Real>(shares: &[F]) -> F {
    let (mut sum, mut lost) = (F::zero(), F::zero());
    for &share in shares {
        let corrected = share - lost;
        let next = sum + corrected;
        (sum, lost) = (next, (next - sum) - corrected);
    }
    sum
}

fn weighted_sum<F: Real>(bulk: &Bulk<F>, shares: &Terms<F>) -> F {
    let pairs = bulk.multiplicities.iter().zip(shares).take(bulk.len());
    pairs.fold(F::zero(), |sum, (&weight, &share)| sum + weight * share)
}

fn change<F: Real>(old: &[F], new: &[F]) -> F {
    old.iter().zip(new).fold(F::zero(), |sum, (&a, &b)| sum + (a - b).abs())
}

/// A bound on Σ over the bulk of |old − new|: the largest ratio to p(low) at the points times Σ p_i(low), since weights may be negative.
fn bulk_change<F: Real>(law: &impl Noise<F>, low: F, bulk: &Bulk<F>, old: &Terms<F>, new: &Terms<F>) -> F {
    let shares = bulk.positions.iter().zip(&bulk.multiplicities).zip(old.iter().zip(new)).take(bulk.len());
    let (mut ratio, mut expected) = (F::zero(), F::zero());
    for ((&u, &weight), (&a, &b)) in shares {
        let p = law.survival(low - u);
        expected += weight * p;
        ratio = ratio.max((a - b).abs() / p);
    }
    ratio * expected.max(F::zero())
}
