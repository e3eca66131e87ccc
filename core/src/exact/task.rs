//! What is asked of a row, as one value, and the answer.

use core::fmt;

use super::competitors::Competitors;
use super::inclusion::Label;
use super::problem::Problem;
use crate::noise::Reflected;
use crate::{Noise, Real};

/// A value with a bound on the error of the gradient.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<F> {
    /// Relative to the center, where it is that of order statistics.
    pub value: F,
    /// On the L1 error of the gradient.
    pub error_bound: F,
}

/// Where a gradient is added, and what it is multiplied by.
pub type Output<'g, F> = Option<(F, &'g mut [F])>;

/// What is asked of a row.
#[derive(Clone, Copy)]
pub enum Question<'a, F> {
    /// The sum of a run of smoothed order statistics relative to the problem's center; the gradient is added if it is wanted, given that.
    Smooth { wants_grad: &'a dyn Fn(F) -> bool, is_plain: bool },
    /// What a label loses against the others, and the others' gradient by s/ε.
    Lose(Label<F>),
}

impl<F> fmt::Debug for Question<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smooth { .. } => "Smooth",
            Self::Lose(_) => "Lose",
        })
    }
}

/// All that an exact form needs: one value, so that whoever compiles it takes one argument.
pub struct Task<'a, N, F, Q = Question<'a, F>> {
    /// Whose law it is compiled for.
    pub problem: Problem<N, F>,
    /// All of whose scores are finite.
    pub(crate) row: Competitors<'a, F>,
    pub(crate) question: Q,
    pub(crate) output: Output<'a, F>,
    pub(crate) scratch: &'a mut [F],
}

impl<N, F, Q: fmt::Debug> fmt::Debug for Task<'_, N, F, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("question", &self.question).finish_non_exhaustive()
    }
}

impl<'a, N: Noise<F>, F: Real, Q> Task<'a, N, F, Q> {
    /// The same under another law, or the same by another type.
    #[inline(always)]
    #[must_use]
    pub fn under<M>(self, law: M) -> Task<'a, M, F, Q> {
        let Self { problem, row, question, output, scratch } = self;
        Task { problem: problem.under(law), row, question, output, scratch }
    }

    #[inline(always)]
    pub(super) fn asking<P>(self, question: P) -> Task<'a, N, F, P> {
        let Self { problem, row, output, scratch, .. } = self;
        Task { problem, row, question, output, scratch }
    }

    /// The same under the law that it is about.
    #[inline(always)]
    pub(super) fn oriented(self) -> Task<'a, Reflected<N>, F, Q> {
        let law = self.problem.law;
        let is_reflected = self.problem.is_mirrored() && !law.is_symmetric();
        self.under(Reflected { law, is_reflected })
    }
}

impl<'a, N: Noise<F>, F: Real> Task<'a, N, F> {
    /// The same where it is about a label: for who is asked for nothing else, and so compiles half as much.
    ///
    /// # Errors
    /// It is not.
    pub fn inclusion(self) -> core::result::Result<Task<'a, N, F, Label<F>>, Self> {
        match self.question {
            Question::Lose(label) => Ok(self.asking(label)),
            Question::Smooth { .. } => Err(self),
        }
    }
}

impl<'a, N, F> From<Task<'a, N, F, Label<F>>> for Task<'a, N, F> {
    fn from(inclusion: Task<'a, N, F, Label<F>>) -> Self {
        let Task { problem, row, question, output, scratch } = inclusion;
        Self { problem, row, question: Question::Lose(question), output, scratch }
    }
}
