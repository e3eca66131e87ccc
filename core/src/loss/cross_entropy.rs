//! The cross-entropy of the softmax.

use super::Loss;
use crate::{Error, FoldIn, Real, Result, check};

/// ℓ(s, y) = ln Σⱼ exp(sⱼ) − s_y; its gradient is softmax(s) minus the label's indicator.
///
/// **Shapes.** L scores, L ≥ 2; no scratch.
///
/// **Errors.** Fewer than two classes, a label that is no class, NaN or infinite scores.
///
/// **Ties and NaN.** Smooth, so ties do not matter. NaN is an error. Scores of ±1e30 do not overflow.
///
/// **Cost.** One exponential a class.
///
/// ```
/// use topk_loss::{CrossEntropy, Loss};
/// let mut grad = [0.0; 2];
/// let value = CrossEntropy.value_and_grad(&[0.0_f64, 0.0], 1, &mut grad, &mut [])?;
/// assert_eq!((value, grad), (2.0_f64.ln(), [0.5, -0.5]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrossEntropy;

/// What the value and the gradient are made of, with every exponential taken relative to the largest score.
struct Parts<F> {
    largest: F,
    /// Σ over the classes other than the label: small losses and gradients keep their digits.
    rest: F,
    /// The label's own exponential.
    own: F,
    /// By how much the label's score is below the largest.
    gap: F,
}

impl<F: Real> Parts<F> {
    fn new(scores: &[F], label: usize) -> Result<Self> {
        check::scores(scores)?;
        if scores.len() < 2 {
            return Err(Error::Length { what: "scores", expected: 2, actual: scores.len() });
        }
        let score = check::label(scores, label)?;
        let largest = scores.iter().copied().fold(F::neg_infinity(), F::max);
        let gap = check::in_range("range of the scores", largest - score)?;
        let others = scores.iter().enumerate().filter(|&(i, _)| i != label);
        let rest = others.fold(F::zero(), |sum, (_, &s)| sum + (s - largest).exp());
        Ok(Self { largest, rest, own: (-gap).exp(), gap })
    }

    fn total(&self) -> F {
        self.rest + self.own
    }

    fn loss(&self) -> F {
        // ln(rest + own) + gap; the sum is 1 and a rest that keeps its digits where the label leads.
        (self.rest + (-self.gap).exp_m1()).ln_1p() + self.gap
    }
}

impl<F: Real> Loss<F> for CrossEntropy {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, scores: &[F], label: usize, _: &mut [F]) -> Result<F> {
        Ok(Parts::new(scores, label)?.loss())
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], _: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let parts = Parts::new(scores, label)?;
        let total = parts.total();
        for (entry, &score) in grad.iter_mut().zip(scores) {
            *entry = (score - parts.largest).exp() / total;
        }
        if let Some(entry) = grad.get_mut(label) {
            *entry = -(parts.rest / total);
        }
        Ok(parts.loss())
    }
}

impl FoldIn for CrossEntropy {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
