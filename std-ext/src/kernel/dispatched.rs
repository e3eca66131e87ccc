//! Losses with an exact form by core's own code, the form compiled for the instruction set at hand: the same functions, and so the same bits.

use pulp::{Simd, WithSimd};
use topk_loss::compiled::{Example, Integrated, Integrator, Label, Law, NO_LAW, Outcome, Task};
use topk_loss::noise::{Gumbel, Logistic, Noise, Normal};
use topk_loss::{Error, Loss, Result, check};

use super::Kernel;
use super::executor::Executor;
use super::row::multiply;
use crate::elementary::Elementary;

/// The loss with its scratch.
pub(super) struct Dispatched<L, F> {
    loss: L,
    executor: Executor,
    scratch: Vec<F>,
}

impl<L: Loss<F>, F: Elementary> Dispatched<L, F> {
    pub fn new(loss: L, num_classes: usize, executor: Executor) -> Self {
        let scratch = vec![F::zero(); loss.scratch_len(num_classes)];
        Self { loss, executor, scratch }
    }
}

/// It draws nothing: no example has a key of its own.
impl<L: Loss<F> + Integrated<F>, F: Elementary> Kernel<F> for Dispatched<L, F> {
    fn value(&mut self, _: u64, scores: &[F], label: usize) -> Result<F> {
        self.loss.evaluate(Example { scores, label, grad: None, scratch: &mut self.scratch }, &self.executor)
    }

    fn value_and_grad(&mut self, _: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let value = self.loss.evaluate(Example { scores, label, grad: Some(grad), scratch: &mut self.scratch }, &self.executor)?;
        multiply(self.executor, grad, weight).then_some(value).ok_or(Error::Overflow { what: "gradient" })
    }
}

impl<F: Elementary> Integrator<F> for Executor {
    fn integrate<N: Noise<F>>(&self, task: Task<'_, N, F>) -> Result<Outcome<F>> {
        match task.problem.law.compiled() {
            Some(Law::Normal) => F::dispatch_normal(*self, task.under(Normal)),
            Some(Law::Gumbel) => F::dispatch_gumbel(*self, task.under(Gumbel)),
            Some(Law::Logistic) => F::dispatch_logistic(*self, task.under(Logistic)),
            None if N::IS_COMPILED => Err(NO_LAW),
            None => self.dispatch_or(Run(task), |Run(task)| F::integrate(task)),
        }
    }
}

/// An exact form under the instruction set at hand.
pub(super) struct Run<T>(pub T);

impl<N: Noise<F>, F: Elementary> WithSimd for Run<Task<'_, N, F>> {
    type Output = Result<Outcome<F>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        self.0.run()
    }
}

impl<N: Noise<F>, F: Elementary> WithSimd for Run<Task<'_, N, F, Label<F>>> {
    type Output = Result<Outcome<F>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        self.0.run()
    }
}
