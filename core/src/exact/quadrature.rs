//! Values and gradients as integrals over t.

use super::chebyshev::{LANES, Terms, evaluate};
use super::classes::Classes;
use super::division::{Division, Place};
use super::node::Node;
use super::precision::MAX_TERMS;
use super::profile::Window;
use super::ranks::{Ranks, Run};
use super::summary::Part;
use super::trapezoid::{Integral, Integrand, integrate};
use crate::{Noise, Real, Result, check};

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

    /// Whether that bound is within the tolerance that was asked for. Where it is not, a summary of the [plain](Division::plain)
    /// division is.
    #[must_use]
    pub fn is_within_tolerance(&self) -> bool {
        let problem = &self.division.profile.problem;
        self.error_bound <= problem.precision.tolerance * problem.ranks.size()
    }

    /// Adds `weight` times the gradient of the classes of one shard, whose candidates stand from position `first` on, and returns the
    /// position after its last.
    ///
    /// # Errors
    /// A gradient of another length, a NaN or infinite score; `grad` is then as before.
    pub fn add_grad(&self, scores: &[F], first: usize, weight: F, grad: &mut [F]) -> Result<usize> {
        check::length("grad", grad, scores.len())?;
        check::finite("scores", scores)?;
        let problem = &self.division.profile.problem;
        let mut next = first;
        let coefficients = self.coefficients.get(..=problem.precision.degree).unwrap_or_default();
        for (scores, grad) in scores.chunks(LANES).zip(grad.chunks_mut(LANES)) {
            let (mut xs, mut weights, mut any) = ([F::zero(); LANES], [F::zero(); LANES], false);
            for (((&score, entry), x), far_weight) in scores.iter().zip(grad.iter_mut()).zip(&mut xs).zip(&mut weights) {
                match self.division.place(problem.unit(score)) {
                    Place::Candidate => {
                        *entry += weight * self.candidates.get(next).copied().unwrap_or(F::zero());
                        next += 1;
                    }
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
        Ok(next)
    }
}

/// What the integrals over the classes' shares are for: the mean of an order statistic, the chance of a label.
pub(crate) trait Sought<F> {
    type Integrand: Integrand<F>;

    /// What to integrate for a run of ranks, and where; nothing if it contributes nothing.
    fn task(&self, run: Run) -> Result<Option<Task<Self::Integrand, F>>>;

    /// What the integral comes to.
    fn contribution(&self, task: &Task<Self::Integrand, F>, integral: &Integral<F>) -> Result<Contribution<F>>;
}

/// One integral.
pub(crate) struct Task<I, F> {
    pub window: Window<F>,
    pub integrand: I,
    /// Whether shares must keep their digits where they are tiny.
    pub precise: bool,
}

/// An integral's part of the solution.
pub(crate) struct Contribution<F> {
    pub value: F,
    /// What the sum over the nodes of a class's shares counts in its gradient.
    pub gain: F,
    /// On the L1 error of the gradient.
    pub error_bound: F,
}

/// Scratch of [`solve`]: the candidates' sums and the count distributions.
pub(crate) fn scratch_len<F: Real>(candidates: usize, ranks: &Ranks<'_, F>) -> usize {
    let sums = if ranks.is_one_run() { 2 } else { 3 };
    sums * candidates + Node::<F>::scratch_len(ranks.last(), candidates)
}

/// Integrates for each run of `ranks` and sums what that contributes, times the run's weight.
pub(crate) fn solve<'s, 'w, N: Noise<F>, F: Real>(
    sought: &impl Sought<F>,
    division: &Division<'w, N, F>,
    part: Part<'_, F>,
    ranks: Ranks<'_, F>,
    scratch: &'s mut [F],
) -> Result<Solution<'s, 'w, N, F>> {
    let precision = division.profile.problem.precision;
    let scratch = check::scratch(scratch, scratch_len(part.candidates.len(), &ranks))?;
    let (candidates, rest) = check::split(scratch, part.candidates.len())?;
    // One run alone is integrated where its gradient will be.
    let (apart, rest) = check::split(rest, if ranks.is_one_run() { 0 } else { part.candidates.len() })?;
    let (finer, rest) = check::split(rest, part.candidates.len())?;
    let mut classes = Classes::new(division, part, Run { first: ranks.first(), last: ranks.last() });
    candidates.fill(F::zero());
    let mut points = [F::zero(); MAX_TERMS];
    let (mut value, mut error_bound) = (F::zero(), F::zero());
    for (weight, run) in ranks.runs() {
        let Some(task) = sought.task(run)? else { continue };
        classes.run = run;
        let mut node = Node::new(run.last.saturating_sub(part.sure), part.candidates.len(), &mut *rest)?.precise(task.precise);
        let shares = if ranks.is_one_run() { &mut *candidates } else { &mut *apart };
        let integral = integrate(&task.integrand, task.window, &classes, &precision, &mut node, (shares, &mut *finer));
        let contribution = sought.contribution(&task, &integral)?;
        let gain = weight * contribution.gain;
        value += weight * contribution.value;
        error_bound += weight.abs() * (contribution.error_bound + rounding(part.candidates.len()));
        if ranks.is_one_run() {
            candidates.iter_mut().for_each(|share| *share *= gain);
        } else {
            candidates.iter_mut().zip(apart.iter()).for_each(|(sum, &share)| *sum += gain * share);
        }
        points.iter_mut().zip(integral.bulk).for_each(|(sum, share)| *sum += gain * share);
    }
    let interpolation = classes.bulk.interpolation(&mut points);
    Ok(Solution {
        division: *division,
        value,
        error_bound: error_bound + interpolation,
        candidates,
        coefficients: classes.bulk.chebyshev.coefficients(&points),
    })
}

/// What rounding does to a sum over the classes: every trial rounds once, and tied ones alike; a tenth of a unit each was seen.
pub(crate) fn rounding<F: Real>(candidates: usize) -> F {
    (F::from_f64(32.0) + F::from_f64(0.25) * F::from_usize(candidates)) * F::epsilon()
}
