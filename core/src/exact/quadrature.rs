//! The trapezoid rule over the window, halved until its error is small enough.

use super::chebyshev::{Chebyshev, Terms, evaluate};
use super::division::{Division, Place};
use super::node::{Bulk, Node};
use super::precision::{MAX_TERMS, Precision};
use super::ranks::Ranks;
use super::summary::Summary;
use crate::{Error, Noise, Real, Result};

/// The smoothed order statistic of all classes, and what each class's gradient follows from.
#[derive(Debug)]
pub(crate) struct Solution<'s, F> {
    /// In units of ε above the center.
    pub value: F,
    /// On the L1 error of the gradient.
    pub error_bound: F,
    /// The part of the bound that treating the bulk class by class would remove.
    pub bulk_error: F,
    /// The candidates' gradient, in their order.
    candidates: &'s [F],
    /// The gradient as a polynomial of the bulk's coordinate.
    coefficients: Terms<F>,
    degree: usize,
    division: Division<F>,
}

/// How often the rule may be halved.
const HALVINGS: usize = 6;

/// Scratch of [`solve`]: room for the candidates' sums and the count distributions.
pub(crate) fn scratch_len<F: Real>(num_classes: usize, ranks: &Ranks<'_, F>) -> usize {
    2 * num_classes + Node::<F>::scratch_len(ranks.last(), num_classes)
}

/// Integrates. With G_i(t) = f(t − u_i) Σ_r w_r P(r − 1 of the others above t), ∇_i = ∫ G_i, and the value is
/// low·Σ_r w_r + ∫ Σ_r w_r P(at least r above t) dt.
pub(crate) fn solve<'s, F: Real>(
    law: impl Noise<F>,
    ranks: &Ranks<'_, F>,
    division: Division<F>,
    summary: &Summary<'_, F>,
    precision: Precision<F>,
    scratch: &'s mut [F],
) -> Result<Solution<'s, F>> {
    let candidates = summary.candidates();
    let actual = scratch.len();
    let depth = ranks.last().saturating_sub(summary.sure);
    let failures = candidates.len();
    let split = scratch.split_at_mut_checked(2 * candidates.len());
    let (sums, rest) = split.ok_or(Error::Length { what: "scratch", expected: 2 * candidates.len(), actual })?;
    let (old, new) = sums.split_at_mut(candidates.len());
    old.fill(F::zero());
    let expected = Node::<F>::scratch_len(depth, failures);
    let (mut node, _) = Node::new(depth, failures, rest).ok_or(Error::Length { what: "scratch", expected, actual })?;
    let bulk = compress(summary, &division, precision.degree);

    let half = F::from_f64(0.5);
    let low = division.window.low;
    let width = division.window.high - low;
    let mut intervals = precision.intervals;
    let mut old_bulk = [F::zero(); MAX_TERMS];
    let mut integral = F::zero();
    let mut bulk_error = F::zero();
    for i in 0..=intervals {
        let weight = if i == 0 || i == intervals { half } else { F::one() };
        let t = low + width * (F::from_usize(i) / F::from_usize(intervals));
        let sums = node.add(t, weight, law, ranks, summary.sure, candidates, &bulk, old, &mut old_bulk);
        integral += sums.survival;
        bulk_error += sums.bulk_error;
    }
    let mass = ranks.mass();
    let mut error_bound = F::infinity();
    let mut total = F::one();
    for _ in 0..HALVINGS {
        new.fill(F::zero());
        let mut new_bulk = [F::zero(); MAX_TERMS];
        for i in 0..intervals {
            let t = low + width * ((F::from_usize(i) + half) / F::from_usize(intervals));
            let sums = node.add(t, F::one(), law, ranks, summary.sure, candidates, &bulk, new, &mut new_bulk);
            integral += sums.survival;
            bulk_error += sums.bulk_error;
        }
        intervals *= 2;
        let step = width / F::from_usize(intervals);
        let change = step * (change(old, new) + bulk_change(&law, low, &bulk, &old_bulk, &new_bulk));
        old.iter_mut().zip(new.iter()).for_each(|(a, &b)| *a += b);
        old_bulk.iter_mut().zip(new_bulk).for_each(|(a, b)| *a += b);
        total = step * (sum(old) + weighted_sum(&bulk, &old_bulk));
        // The trapezoid rule of an analytic function squares its error at each halving, up to a factor that 30 covers.
        let squared = F::from_f64(30.0) * change * change;
        error_bound = squared + F::from_f64(2.0) * (total - mass).abs();
        if error_bound <= precision.tolerance {
            break;
        }
    }
    let step = width / F::from_usize(intervals);
    // The total is known, so the common part of the error is divided out.
    let scale = step * mass / total;
    old.iter_mut().for_each(|share| *share *= scale);
    old_bulk.iter_mut().for_each(|share| *share *= scale);
    let interpolation = bulk.chebyshev.truncation(old_bulk.get(..bulk.len()).unwrap_or_default());
    let bulk_error = step * bulk_error + F::from_usize(bulk.size) * interpolation;
    let rounding = F::from_f64(32.0) * F::epsilon();
    Ok(Solution {
        value: low * mass + step * integral,
        error_bound: error_bound + bulk_error + F::from_f64(8.0) * precision.outside + rounding,
        bulk_error,
        candidates: old,
        coefficients: bulk.chebyshev.coefficients(&old_bulk),
        degree: precision.degree,
        division,
    })
}

impl<F: Real> Solution<'_, F> {
    /// Calls `visit` with the gradient of each class of a set, whose candidates were added from position `first` on.
    pub fn gradient(&self, units: impl Iterator<Item = F>, first: usize, mut visit: impl FnMut(F)) {
        let mut candidates = self.candidates.iter().skip(first);
        let coefficients = self.coefficients.get(..=self.degree).unwrap_or_default();
        for u in units {
            visit(match self.division.place(u) {
                Place::Candidate => candidates.next().copied().unwrap_or(F::zero()),
                Place::Bulk(x) => evaluate(coefficients, x).max(F::zero()),
                Place::Sure | Place::Negligible => F::zero(),
            });
        }
    }
}

fn compress<F: Real>(summary: &Summary<'_, F>, division: &Division<F>, degree: usize) -> Bulk<F> {
    let chebyshev = Chebyshev::new(degree);
    let mut positions = [F::zero(); MAX_TERMS];
    if summary.bulk > 0 {
        let points = positions.iter_mut().enumerate().take(degree + 1);
        points.for_each(|(n, position)| *position = division.position(chebyshev.point(n)));
    }
    Bulk { chebyshev, degree, size: summary.bulk, positions, weights: chebyshev.weights(&summary.moments) }
}

fn sum<F: Real>(shares: &[F]) -> F {
    shares.iter().fold(F::zero(), |sum, &share| sum + share)
}

fn weighted_sum<F: Real>(bulk: &Bulk<F>, shares: &Terms<F>) -> F {
    let pairs = bulk.weights.iter().zip(shares).take(bulk.len());
    pairs.fold(F::zero(), |sum, (&weight, &share)| sum + weight * share)
}

fn change<F: Real>(old: &[F], new: &[F]) -> F {
    old.iter().zip(new).fold(F::zero(), |sum, (&a, &b)| sum + (a - b).abs())
}

/// A bound on Σ over the bulk of |old − new|: the largest ratio to p(low) at the points times Σ p_i(low), since weights may be negative.
fn bulk_change<F: Real>(law: &impl Noise<F>, low: F, bulk: &Bulk<F>, old: &Terms<F>, new: &Terms<F>) -> F {
    let shares = bulk.positions.iter().zip(&bulk.weights).zip(old.iter().zip(new)).take(bulk.len());
    let (mut ratio, mut expected) = (F::zero(), F::zero());
    for ((&u, &weight), (&a, &b)) in shares {
        let p = law.survival(low - u);
        expected += weight * p;
        ratio = ratio.max((a - b).abs() / p);
    }
    ratio * expected.max(F::zero())
}
