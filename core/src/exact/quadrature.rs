//! The smoothed order statistic and its gradient as integrals over t.

use super::chebyshev::{LANES, Terms, evaluate};
use super::classes::Classes;
use super::division::{Division, Place};
use super::node::{Node, NodeSums};
use super::problem::Problem;
use super::ranks::Ranks;
use super::summary::Part;
use super::trapezoid::{Halving, Integral, Integrand, SQUARING, integrate};
use crate::{Error, Noise, Real, Result, check};

/// The smoothed order statistic of all classes, and what each class's gradient follows from.
#[derive(Debug)]
pub struct Solution<'s, 'w, N, F> {
    pub(super) division: Division<'w, N, F>,
    pub(super) value: F,
    pub(super) error_bound: F,
    /// The candidates' gradient, in their order.
    pub(super) candidates: &'s [F],
    /// The gradient over the weight, as a polynomial of the bulk's coordinate.
    pub(super) coefficients: Terms<F>,
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

/// Scratch of [`solve`]: the candidates' sums and the count distributions.
pub(crate) fn scratch_len<F: Real>(candidates: usize, ranks: &Ranks<'_, F>) -> usize {
    2 * candidates + Node::<F>::scratch_len(ranks.last(), candidates)
}

/// With G_i(t) = f(t − u_i) Σ_r w_r P(r − 1 of the others above t), ∇_i = ∫ G_i, and the value is
/// low·Σ_r w_r + ∫ Σ_r w_r P(at least r above t) dt.
struct Mean<F> {
    /// Σ_r w_r, which the gradient is known to sum to, and Σ_r |w_r|.
    mass: F,
    size: F,
    /// What rounding does to the sum, and no finer rule would mend.
    rounding: F,
}

impl<F: Real> Integrand<F> for Mean<F> {
    fn weight(&self, _: F) -> F {
        F::one()
    }

    fn scalar(&self, _: F, node: &NodeSums<F>) -> F {
        node.survival
    }

    fn exposure(&self, _: F) -> F {
        F::one()
    }

    fn error(&self, finer: &Halving<F>) -> F {
        let surplus = ((finer.total - self.mass).abs() - self.rounding).max(F::zero());
        let share = finer.change / self.size;
        F::from_f64(SQUARING) * share * share + F::from_f64(2.0) * surplus / self.size
    }
}

pub(crate) fn solve<'s, 'w, N: Noise<F>, F: Real>(
    division: Division<'w, N, F>,
    part: Part<'_, F>,
    scratch: &'s mut [F],
) -> Result<Solution<'s, 'w, N, F>> {
    let Problem { ranks, precision, center, scale: epsilon, .. } = division.problem;
    let scratch = check::scratch(scratch, scratch_len(part.candidates.len(), &ranks))?;
    let (candidates, rest) = check::split(scratch, part.candidates.len())?;
    let (finer, rest) = check::split(rest, part.candidates.len())?;
    let depth = ranks.last().saturating_sub(part.sure);
    let mut node = Node::new(depth, part.candidates.len(), rest)?;
    let classes = Classes::new(&division, part, ranks);
    let bulk = &classes.bulk;

    let (mass, size, low) = (ranks.mass(), ranks.size(), division.window.low);
    // Every trial rounds once, and tied ones alike; a tenth of a unit each was seen.
    let rounding = (F::from_f64(32.0) + F::from_f64(0.25) * F::from_usize(part.candidates.len())) * F::epsilon() * size;
    let mean = Mean { mass, size, rounding };
    let Integral { step, scalar, total, bulk: mut shares, error, bulk_error } =
        integrate(&mean, division.window, &classes, &precision, &mut node, (&mut *candidates, finer));
    if !total.is_finite() || !scalar.is_finite() {
        return Err(Error::NotFinite { what: "noise law", index: 0 });
    }
    // The total is known, so the common part of the error is divided out, unless weights of both signs make it meaningless.
    let scale = if mass == size { step * mass / total } else { step };
    candidates.iter_mut().for_each(|share| *share *= scale);
    let interpolation = bulk.interpolation(&mut shares, scale);
    let outside = F::from_f64(8.0) * precision.outside * size;
    let value = center * mass + epsilon * (low * mass + scalar);
    Ok(Solution {
        division,
        value: check::in_range("smoothed value", value)?,
        error_bound: error * size + bulk_error + interpolation + outside + rounding,
        candidates,
        coefficients: bulk.chebyshev.coefficients(&shares),
    })
}
