//! The mean of the order statistics, smoothed ones' values and gradients.

use super::division::Division;
use super::node::NodeSums;
use super::profile::{Profile, Tails};
use super::quadrature::{Contribution, Sought, Task, rounding};
use super::ranks::Run;
use super::trapezoid::{Halving, Integral, Integrand, SQUARING};
use crate::{Error, Noise, Real, Result, check};

/// With G_i(t) = f(t − u_i) Σ_r P(r − 1 of the others above t), ∇_i = ∫ G_i, and the mean is low + ∫ P(at least r above t) dt, summed over
/// the ranks of a run.
pub(crate) struct Means<'d, 'w, N, F> {
    division: &'d Division<'w, N, F>,
    /// The law's tails, where the ranks' windows differ.
    tails: Option<Tails<F>>,
    rounding: F,
}

impl<'d, 'w, N: Noise<F>, F: Real> Means<'d, 'w, N, F> {
    pub fn new(division: &'d Division<'w, N, F>, candidates: usize) -> Self {
        let Profile { problem, .. } = division.profile;
        let tails = (!problem.ranks.is_one_run()).then(|| division.profile.tails());
        Self { division, tails, rounding: rounding(candidates) }
    }
}

/// The integrand for a run of so many ranks; that many is what the gradient is known to sum to.
pub(crate) struct Mean<F> {
    mass: F,
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
        // What rounding does to the sum no finer rule would mend.
        let surplus = ((finer.total / self.mass - F::one()).abs() - self.rounding).max(F::zero());
        let share = finer.change / self.mass;
        F::from_f64(SQUARING) * share * share + F::from_f64(2.0) * surplus
    }
}

impl<N: Noise<F>, F: Real> Sought<F> for Means<'_, '_, N, F> {
    type Integrand = Mean<F>;

    fn task(&self, run: Run) -> Result<Option<Task<Mean<F>, F>>> {
        let window = self.tails.as_ref().map_or(self.division.window, |tails| self.division.profile.window(tails, run));
        let integrand = Mean { mass: F::from_usize(run.len()), rounding: self.rounding };
        Ok(Some(Task { window, integrand, precise: false }))
    }

    fn contribution(&self, task: &Task<Mean<F>, F>, integral: &Integral<F>) -> Result<Contribution<F>> {
        if !integral.total.is_finite() || !integral.scalar.is_finite() {
            return Err(Error::NotFinite { what: "noise law", index: 0 });
        }
        let Profile { problem, .. } = self.division.profile;
        let mass = task.integrand.mass;
        let value = problem.center * mass + problem.scale * (task.window.low * mass + integral.scalar);
        let outside = F::from_f64(8.0) * problem.precision.outside;
        Ok(Contribution {
            value: check::in_range("smoothed value", value)?,
            // The total is known, so the common part of the error is divided out.
            gain: integral.step * mass / integral.total,
            error_bound: (integral.error + outside) * mass + integral.bulk_error,
        })
    }
}
