//! The cross-entropy of the softmax, of a label or of a target distribution.

use super::softmax::{Row, leader};
use super::{Loss, SoftLabelLoss, soft_label};
use crate::compiled::{Example, values_by};
use crate::lanes::{self, Compensated};
use crate::{FoldIn, Real, Result, check};

/// ℓ(s, y) = ln Σⱼ exp(sⱼ) − s_y; its gradient is softmax(s) minus the label's indicator.
///
/// For a target distribution in place of a label it is a [`SoftLabelLoss`] too.
///
/// **Shapes.** L scores, L ≥ 2; no scratch.
///
/// **Errors.** Fewer than two classes, a label that is no class, NaN or infinite scores.
///
/// **Ties and NaN.** Smooth, so ties do not matter. NaN is an error. Scores of ±1e30 do not overflow.
///
/// **Accuracy.** However many classes: the sum of the exponentials is within 16 units of its last place, and so the value within 2e−6
/// (`f64`: 4e−15) and its own rounding.
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
///
/// **References.** Bridle, "Probabilistic interpretation of feedforward classification network outputs, with relationships to statistical
/// pattern recognition", in "Neurocomputing", Springer, 1990 (the softmax).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrossEntropy;

impl<F: Real> Loss<F> for CrossEntropy {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    values_by!(F::cross_entropy);
}

impl CrossEntropy {
    #[inline(always)]
    pub(crate) fn evaluate<F: Real>(&self, example: Example<'_, F>) -> Result<F> {
        let Example { scores, label, grad, .. } = example;
        let grad = grad.unwrap_or_default();
        let row = Row::new(scores, label, grad)?;
        row.differentiate(label, F::one(), grad);
        Ok(row.softmax.surprise())
    }
}

/// −Σⱼ qⱼ ln pⱼ, p = softmax(s), for a target distribution q; its gradient is p − q. One pass, whatever the target.
///
/// Both are taken relative to the largest score's class: every term of the value is non-negative, and that class's entry of the gradient is
/// minus the sum of the others where it is likelier than all of them, so that small losses and gradients keep their digits here too.
///
/// **Shapes.** Scores, target and gradient of L entries, L ≥ 2; no scratch.
///
/// **Errors.** As for a label, and a target that is no distribution, see [`SoftLabelLoss`].
///
/// **Accuracy.** As for a label; the target's sum rounds twice, however many classes.
///
/// **Cost.** One exponential a class.
///
/// ```
/// use topk_loss::loss::SoftLabelLoss;
/// use topk_loss::CrossEntropy;
/// let mut grad = [0.0; 2];
/// let value = CrossEntropy.soft_value_and_grad(&[0.0_f64, 0.0], &[0.75, 0.25], &mut grad, &mut [])?;
/// assert_eq!((value, grad), (2.0_f64.ln(), [-0.25, 0.25]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
impl<F: Real> SoftLabelLoss<F> for CrossEntropy {
    fn soft_scratch_len(&self, _: usize) -> usize {
        0
    }

    fn soft_value(&self, scores: &[F], target: &[F], _: &mut [F]) -> Result<F> {
        check::scores(scores)?;
        soft_label::check(target, scores.len())?;
        let leader = leader(scores);
        let gap = expected_gap(leader.value, scores, target)?;
        Ok(Row::new(scores, leader.index, &mut [])?.softmax.surprise() + gap)
    }

    fn soft_value_and_grad(&self, scores: &[F], target: &[F], grad: &mut [F], _: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        check::scores(scores)?;
        soft_label::check(target, scores.len())?;
        let leader = leader(scores);
        let gap = expected_gap(leader.value, scores, target)?;
        let row = Row::new(scores, leader.index, grad)?;
        row.differentiate(leader.index, F::one(), grad);
        grad.iter_mut().zip(target).for_each(|(entry, &q)| *entry -= q);
        if let Some((before, [own, after @ ..])) = grad.split_at_mut_checked(leader.index) {
            // p − q of the leader rounds like p: where that is nearly 1 the sum of the others has more digits, and fewer where it is not.
            let (hit, q) = (row.softmax.hit(), target.get(leader.index).copied().unwrap_or(F::zero()));
            *own = if hit > F::from_f64(0.5) { -(lanes::total(before) + lanes::total(after)) } else { hit - q };
        }
        Ok(row.softmax.surprise() + gap)
    }
}

/// By how much a class of the target is expected to be below the leader; with −ln p of the leader it is the loss.
fn expected_gap<F: Real>(leader: F, scores: &[F], target: &[F]) -> Result<F> {
    let shares = scores.iter().zip(target).filter(|&(_, &q)| q > F::zero());
    let gap = Compensated::of(shares.map(|(&score, &q)| q * (leader - score)));
    check::in_range("range of the scores", gap)
}

impl FoldIn for CrossEntropy {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
