//! The trapezoid rule over the window, halved until its error is small enough.

use super::chebyshev::{Chebyshev, LANES, Terms, evaluate};
use super::division::{Division, Place};
use super::node::{Bulk, Classes, Node, Shares};
use super::precision::MAX_TERMS;
use super::ranks::Ranks;
use super::summary::Part;
use crate::{Error, Noise, Real, Result, check};

/// The smoothed order statistic of all classes, and what each class's gradient follows from.
#[derive(Debug)]
pub struct Solution<'s, 'w, N, F> {
    division: Division<'w, N, F>,
    value: F,
    error_bound: F,
    /// The candidates' gradient, in their order.
    candidates: &'s [F],
    /// The gradient over the weight, as a polynomial of the bulk's coordinate.
    coefficients: Terms<F>,
}

impl<N: Noise<F>, F: Real> Solution<'_, '_, N, F> {
    /// Σ_r w_r E (θ + εZ)₍ᵣ₎.
    #[must_use]
    pub fn value(&self) -> F {
        self.value
    }

    /// A bound on Σ_i |error of ∇_i|, all classes together.
    ///
    /// The quadrature's part is extrapolated from the last halving, the bulk's from the last Chebyshev coefficients; tests hold
    /// it against independent references.
    #[must_use]
    pub fn error_bound(&self) -> F {
        self.error_bound
    }

    /// Adds `weight` times the gradient of the classes of one shard, whose candidates stand from position `first` on.
    ///
    /// # Errors
    /// A gradient of another length, a NaN or infinite score; `grad` is then as before.
    pub fn add_grad(&self, scores: &[F], first: usize, weight: F, grad: &mut [F]) -> Result<()> {
        check::length("grad", grad, scores.len())?;
        check::finite("scores", scores)?;
        let problem = &self.division.problem;
        let mut candidates = self.candidates.iter().skip(first);
        let coefficients = self.coefficients.get(..=problem.precision.degree).unwrap_or_default();
        for (scores, grad) in scores.chunks(LANES).zip(grad.chunks_mut(LANES)) {
            let (mut xs, mut weights, mut any) = ([F::zero(); LANES], [F::zero(); LANES], false);
            for (((&score, entry), x), far_weight) in scores.iter().zip(grad.iter_mut()).zip(&mut xs).zip(&mut weights) {
                match self.division.place(problem.unit(score)) {
                    Place::Candidate => *entry += weight * candidates.next().copied().unwrap_or(F::zero()),
                    Place::Bulk(far) => (*x, *far_weight, any) = (far.x, far.weight, true),
                    Place::Sure | Place::Negligible => {}
                }
            }
            if any {
                let shares = evaluate(coefficients, &xs);
                for ((entry, &share), &far_weight) in grad.iter_mut().zip(&shares).zip(&weights) {
                    *entry += weight * (far_weight * share).max(F::zero());
                }
            }
        }
        Ok(())
    }
}

/// How often the rule may be halved.
const HALVINGS: usize = 6;

/// The rule of an analytic integrand squares its error at each halving, up to a factor that this covers (at most 18 was seen).
const SQUARING: f64 = 30.0;

/// Scratch of [`solve`]: the candidates' sums and the count distributions.
pub(crate) fn scratch_len<F: Real>(candidates: usize, ranks: &Ranks<'_, F>) -> usize {
    2 * candidates + Node::<F>::scratch_len(ranks.last(), candidates)
}

/// Integrates. With G_i(t) = f(t − u_i) Σ_r w_r P(r − 1 of the others above t), ∇_i = ∫ G_i, and the value is
/// low·Σ_r w_r + ∫ Σ_r w_r P(at least r above t) dt.
pub(crate) fn solve<'s, 'w, N: Noise<F>, F: Real>(
    division: Division<'w, N, F>,
    part: Part<'_, F>,
    scratch: &'s mut [F],
) -> Result<Solution<'s, 'w, N, F>> {
    let problem = division.problem;
    let (precision, mass, size) = (problem.precision, problem.ranks.mass(), problem.ranks.size());
    let scratch = check::scratch(scratch, scratch_len(part.candidates.len(), &problem.ranks))?;
    let (sums, rest) = check::split(scratch, 2 * part.candidates.len())?;
    let (old, new) = check::split(sums, part.candidates.len())?;
    let depth = problem.ranks.last().saturating_sub(part.sure);
    let mut node = Node::new(depth, part.candidates.len(), rest)?;
    let median = problem.law.quantile(F::from_f64(0.5));
    let bulk = compress(part, &division);
    let classes = Classes { law: problem.law, median, ranks: problem.ranks, sure: part.sure, candidates: part.candidates, bulk };
    let bulk = &classes.bulk;

    let half = F::from_f64(0.5);
    let low = division.window.low;
    let width = division.window.high - low;
    // A window much wider than the noise, of several ranks far apart, starts from a finer rule.
    let wide = width.to_usize().unwrap_or(usize::MAX).min(MAX_INTERVALS);
    let mut intervals = (precision.nodes - 1).max(wide);
    old.fill(F::zero());
    let mut old_bulk = [F::zero(); MAX_TERMS];
    let (mut integral, mut bulk_error) = (F::zero(), F::zero());
    for i in 0..=intervals {
        let weight = if i == 0 || i == intervals { half } else { F::one() };
        let t = low + width * (F::from_usize(i) / F::from_usize(intervals));
        let sums = node.add(t, weight, &classes, Shares { candidates: old, bulk: &mut old_bulk });
        integral += sums.survival;
        bulk_error += sums.bulk_error;
    }
    // Every trial rounds once, and tied ones alike; a tenth of a unit each was seen.
    let rounding = (F::from_f64(32.0) + F::from_f64(0.25) * F::from_usize(part.candidates.len())) * F::epsilon() * size;
    let (mut quadrature_error, mut total) = (F::infinity(), mass);
    for _ in 0..HALVINGS {
        new.fill(F::zero());
        let mut new_bulk = [F::zero(); MAX_TERMS];
        for i in 0..intervals {
            let t = low + width * ((F::from_usize(i) + half) / F::from_usize(intervals));
            let sums = node.add(t, F::one(), &classes, Shares { candidates: new, bulk: &mut new_bulk });
            integral += sums.survival;
            bulk_error += sums.bulk_error;
        }
        intervals *= 2;
        let step = width / F::from_usize(intervals);
        let change = step * (change(old, new) + bulk_change(&problem.law, low, bulk, &old_bulk, &new_bulk));
        old.iter_mut().zip(new.iter()).for_each(|(a, &b)| *a += b);
        old_bulk.iter_mut().zip(new_bulk).for_each(|(a, b)| *a += b);
        total = step * (sum(old) + weighted_sum(bulk, &old_bulk));
        // What rounding does to the total no finer rule would mend.
        let surplus = ((total - mass).abs() - rounding).max(F::zero());
        quadrature_error = F::from_f64(SQUARING) * change * change / size + F::from_f64(2.0) * surplus;
        if quadrature_error <= precision.quadrature * size {
            break;
        }
    }
    if !total.is_finite() || !integral.is_finite() {
        return Err(Error::NotFinite { what: "noise law", index: 0 });
    }
    let step = width / F::from_usize(intervals);
    // The total is known, so the common part of the error is divided out, unless weights of both signs make it meaningless.
    let scale = if mass == size { step * mass / total } else { step };
    old.iter_mut().for_each(|share| *share *= scale);
    old_bulk.iter_mut().zip(&bulk.tails).take(bulk.len()).for_each(|(share, &tail)| *share *= scale / tail);
    let interpolation = bulk.chebyshev.truncation(old_bulk.get(..bulk.len()).unwrap_or_default());
    let bulk_error = step * bulk_error + bulk.size * interpolation;
    let outside = F::from_f64(8.0) * precision.outside * size;
    let value = problem.center * mass + problem.scale * (low * mass + step * integral);
    Ok(Solution {
        division,
        value: check::in_range("smoothed value", value)?,
        error_bound: quadrature_error + bulk_error + outside + rounding,
        candidates: old,
        coefficients: bulk.chebyshev.coefficients(&old_bulk),
    })
}

/// Intervals that the coarsest rule has at most.
pub(crate) const MAX_INTERVALS: usize = 96;

fn compress<N: Noise<F>, F: Real>(part: Part<'_, F>, division: &Division<'_, N, F>) -> Bulk<F> {
    let degree = division.problem.precision.degree;
    let chebyshev = Chebyshev::new(degree);
    let mut moments = [F::zero(); MAX_TERMS];
    moments.iter_mut().zip(part.moments).for_each(|(a, &b)| *a = b);
    let size = part.moments.first().copied().unwrap_or(F::zero());
    let (mut positions, mut tails, mut multiplicities) = ([F::zero(); MAX_TERMS], [F::one(); MAX_TERMS], chebyshev.weights(&moments));
    if size > F::zero() {
        let points = positions.iter_mut().zip(&mut tails).zip(&mut multiplicities).enumerate().take(degree + 1);
        for (n, ((position, tail), multiplicity)) in points {
            let (u, far) = division.at(chebyshev.point(n));
            (*position, *tail) = (u, far.weight);
            *multiplicity /= far.weight;
        }
    }
    Bulk { chebyshev, degree, size, positions, tails, multiplicities }
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
