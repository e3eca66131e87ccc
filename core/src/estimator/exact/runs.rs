//! Ranks by runs: neighbours share a window, and what is nearer the other end is counted from there.

use super::{Certified, Exact};
use crate::compiled::{Integrator, Portable};
use crate::exact::{Competitors, Outcome, Output, Question, Run, Task};
use crate::{Noise, OrderStatistics, Real, Result, check, select};

/// Units of ε between the first and the last of several ranks that share a window.
const WIDEST: f64 = 48.0;

impl<F: Real, N: Noise<F>, O: OrderStatistics<F>> Exact<O, N, F> {
    /// The k-th order statistic relative to its center, the k-th largest of scores that are known to be finite; adds the gradient if it
    /// is wanted, given that.
    #[inline(always)]
    pub(crate) fn about_center(
        &self,
        theta: &[F],
        (k, center): (usize, F),
        output: (Output<'_, F>, &dyn Fn(F) -> bool),
        scratch: &mut [F],
        by: &impl Integrator<F>,
    ) -> Result<F> {
        Ok(self.one_run(theta, Run { first: k, last: k }, (center, F::zero()), output, scratch, by)?.value)
    }

    /// The weighted sum of all runs, and its gradient.
    #[inline(always)]
    pub(super) fn all_ranks(&self, theta: &[F], mut output: Output<'_, F>, scratch: &mut [F]) -> Result<Certified<F>> {
        let scratch = self.checked(theta, scratch)?;
        let mut sum = Certified { value: F::zero(), error_bound: F::zero() };
        for (share, run) in self.oracle.ranks().runs() {
            let center = select::kth_value(theta, run.last, scratch);
            let first = if run.len() == 1 { center } else { select::kth_value(theta, run.first, scratch) };
            let spread = (first - center) / self.epsilon;
            let mut add = |run: Run, center: F, spread: F, scratch: &mut [F]| {
                let output = output.as_mut().map(|(weight, grad)| (*weight * share, &mut **grad));
                let one = self.one_run(theta, run, (center, spread), (output, &|_| true), scratch, &Portable)?;
                sum.value += share * (center * F::from_usize(run.len()) + one.value);
                sum.error_bound += share.abs() * one.error_bound;
                Ok(())
            };
            // Ranks too far apart for one window have one each.
            if spread <= F::from_f64(WIDEST) {
                add(run, center, spread, scratch)?;
            } else {
                for rank in run.first..=run.last {
                    let center = select::kth_value(theta, rank, scratch);
                    add(Run { first: rank, last: rank }, center, F::zero(), scratch)?;
                }
            }
        }
        check::in_range("smoothed value", sum.value)?;
        Ok(sum)
    }

    #[inline(always)]
    pub(super) fn one_run(
        &self,
        theta: &[F],
        run: Run,
        place: (F, F),
        (output, wants_grad): (Output<'_, F>, &dyn Fn(F) -> bool),
        scratch: &mut [F],
        by: &impl Integrator<F>,
    ) -> Result<Outcome<F>> {
        let len = theta.len();
        let mirrored = len + 1 - run.last;
        // Near the other end it is cheaper to count from there.
        let is_mirrored = run.len() == 1 && run.last > mirrored;
        let (run, scale) = if is_mirrored { (Run { first: mirrored, last: mirrored }, -self.epsilon) } else { (run, self.epsilon) };
        let row = Competitors { scores: theta, label: None };
        let question = Question::Smooth { wants_grad, is_plain: self.plain };
        by.integrate(Task { problem: self.problem(run, scale, place, len), row, question, output, scratch })
    }
}
