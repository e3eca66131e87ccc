//! One row of scores with its label, as the top-K hinges look at it.

use pulp::{Simd, WithSimd};
use topk_loss::select::Ranked;
use topk_loss::{Margins, TopKHinge};

use super::executor::Executor;
use super::fast_path::ScaledGrad;
use super::ordinary::are_ordinary;
use super::scalar;
use super::select::TopScores;
use crate::elementary::Elementary;

/// Scores of ordinary size, taken relative to the one that the guesses just miss.
pub(super) struct Row<F> {
    /// The (K+1)-th largest score and its class.
    pub missed: Ranked<F>,
    /// By how much the label's score is above it.
    lead: F,
    margin: F,
    scale: F,
}

impl<F: Elementary> Row<F> {
    /// The row; nothing for one that core refuses or might refuse.
    ///
    /// In `best` are the `count` largest scores, or all there are.
    pub fn new(
        executor: Executor,
        loss: &TopKHinge<F, Margins<'_, F>>,
        scores: &[F],
        label: usize,
        count: usize,
        best: &mut TopScores<F>,
    ) -> Option<Self> {
        if loss.k() >= scores.len() || !are_ordinary(executor, scores) {
            return None;
        }
        let margin = loss.margins().of(label, scores.len()).ok()?;
        best.find(scores, count.min(scores.len()));
        let missed = *best.found().get(loss.k())?;
        Some(Self { missed, lead: *scores.get(label)? - missed.value, margin, scale: loss.scale() })
    }

    /// scale · (m_y + f − s_y) for the (K+1)-th largest f of the centered scores, or its smoothing.
    pub fn slack(&self, smoothed: F) -> Option<F> {
        Some((self.margin + (smoothed - self.lead)) * self.scale).filter(|slack| slack.is_finite())
    }

    /// Whether the loss is zero for any draws of noise within ± `reach`, which is a tenth above the largest there is.
    ///
    /// The (K+1)-th noised score is then at most that far above the center, and so is the mean over draws, as long as their sum is rounded
    /// by less than that tenth; what follows is monotone.
    pub fn is_surely_zero(&self, reach: F, num_draws: usize) -> bool {
        const MOST_DRAWS: usize = 1 << 20;
        let highest = self.slack(reach).is_some_and(|slack| slack <= F::zero());
        highest && self.slack(-reach).is_some() && num_draws <= MOST_DRAWS
    }

    /// The loss, given the mean over the draws, and its gradient, given that of the mean times the scale.
    pub fn finish(&self, executor: Executor, mean: F, label: usize, grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let slack = self.slack(mean)?;
        let is_zero = slack <= F::zero();
        if let Some(ScaledGrad { weight, grad }) = grad {
            if is_zero {
                executor.clear(grad);
            } else {
                grad[label] -= self.scale;
                multiply(executor, grad, weight).then_some(())?;
            }
        }
        Some(if is_zero { F::zero() } else { slack })
    }
}

/// Multiplies a gradient; whether it stays in the float's range.
pub(super) fn multiply<F: Elementary>(executor: Executor, grad: &mut [F], weight: F) -> bool {
    executor.overwrite(grad, |grad| executor.dispatch(Multiply { grad, weight })).all()
}

struct Multiply<'a, F> {
    grad: &'a mut [F],
    weight: F,
}

impl<F: Elementary> WithSimd for Multiply<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        scalar::multiply(self.grad, self.weight)
    }
}
