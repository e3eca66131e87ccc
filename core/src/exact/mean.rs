//! The mean of order statistics under noise: what the integrals are, for values and gradients.

use super::counts::{least, whole};
use super::partition::Partition;
use super::problem::Problem;
use super::rule::{CUBING, Halving, Integral, Integrand, NodeSums, SQUARING};
use super::solution::{Contribution, Functional, rounding};
use crate::lanes::{LANES, Lanes};
use crate::noise::Erased;
use crate::{Error, Noise, Real, Regularity, Result, check};

/// With G_i(t) = f(t − u_i) Σ_r P(r − 1 of the others above t), ∇_i = ∫ G_i, and the mean is low + ∫ P(at least r above t) dt, summed over
/// the ranks of a run. That many is what the gradient is known to sum to.
pub(crate) struct Mean<F> {
    problem: Problem<(), F>,
    mass: F,
    rounding: F,
    is_gaussian: bool,
}

impl<F: Real> Mean<F> {
    #[inline(always)]
    pub fn new<N: Noise<F>>(partition: &Partition<N, F>, candidates: usize) -> Self {
        let problem = partition.problem;
        Self {
            problem: problem.under(()),
            mass: F::from_usize(problem.run.len()),
            rounding: rounding(candidates),
            is_gaussian: problem.law.regularity() == Regularity::GaussianTail,
        }
    }
}

impl<F: Real> Integrand<F> for Mean<F> {
    #[inline(always)]
    fn weights(&self, _: &Lanes<F>) -> [Lanes<F>; 2] {
        [[F::one(); LANES], [F::zero(); LANES]]
    }

    #[inline(always)]
    fn beside(&self, _: &Lanes<F>, nodes: &NodeSums<F>) -> Lanes<F> {
        nodes.survival
    }

    #[inline(always)]
    fn error(&self, finer: &Halving<F>) -> F {
        // What rounding does to the sum no finer rule would mend.
        let mass = self.mass * whole();
        let surplus = ((finer.total / mass - F::one()).abs() - self.rounding).max(F::zero());
        // Between its ends a run of ranks is as smooth as the noise: what changes is about as much as a rank at either end.
        let ends = self.mass.min(F::from_f64(2.0));
        let share = finer.change / (ends * whole());
        let factor = F::from_f64(SQUARING);
        let factor = if self.is_gaussian { factor.min(F::from_f64(CUBING) * share) } else { factor };
        factor * share * share * (ends / self.mass) + F::from_f64(2.0) * surplus
    }

    #[inline(always)]
    fn longest_step(&self) -> F {
        F::from_f64(if self.is_gaussian { 1.5 } else { 2.0 })
    }

    #[inline(always)]
    fn is_decided(&self, survival: F) -> (bool, bool) {
        let outside = self.problem.precision.outside;
        (survival >= self.mass - outside, survival <= outside)
    }
}

impl<F: Real> Functional<F> for Mean<F> {
    const IS_RARE: bool = false;

    type Erased<'a>
        = Self
    where
        F: 'a;

    fn erased(self, _: Erased<'_, F>) -> Self {
        self
    }

    #[inline(always)]
    fn floor(&self) -> F {
        least()
    }

    #[inline(always)]
    fn contribution(&self, integral: &Integral<F>) -> Result<Contribution<F>> {
        if !integral.total.is_finite() || !integral.beside.is_finite() {
            return Err(Error::NotFinite { what: "noise law", index: 0 });
        }
        let Problem { scale, precision, .. } = self.problem;
        let value = scale * (integral.low * self.mass + integral.beside);
        let outside = F::from_f64(8.0) * precision.outside;
        Ok(Contribution {
            value: check::in_range("smoothed value", value)?,
            // The total is known, so the common part of the error is divided out.
            gain: integral.step * self.mass / integral.total,
            error_bound: (integral.error + outside + self.rounding) * self.mass + integral.bulk_error * least(),
        })
    }
}
