//! The weighted sum of losses that have kernels.

use pulp::{Simd, WithSimd};
use topk_loss::Ranks;

use super::attempt::{Attempt, Weighted};
use super::workers::{Piece, Workers};
use crate::elementary::Elementary;

pub(super) struct Mixture<'a, F> {
    workers: Workers,
    /// Each behind its share.
    losses: Vec<(F, Box<dyn Attempt<F> + 'a>)>,
    part: Vec<F>,
}

impl<'a, F: Elementary> Mixture<'a, F> {
    /// Of the losses of all ranks that have a weight.
    pub fn new(ranks: Ranks<'_, F>, of_rank: impl Fn(usize) -> Box<dyn Attempt<F> + 'a>, workers: Workers) -> Self {
        Self { workers, losses: ranks.each().map(|(share, rank)| (share, of_rank(rank))).collect(), part: vec![] }
    }
}

impl<F: Elementary> Attempt<F> for Mixture<'_, F> {
    fn attempt(&mut self, example: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let ((share, first), others) = self.losses.split_first_mut()?;
        let weighted = grad.as_mut().map(|grad| grad.with_weight(grad.weight * *share));
        let mut value = *share * first.attempt(example, scores, label, weighted)?;
        for (share, loss) in others {
            let Some(Weighted { weight, grad }) = &mut grad else {
                value += *share * loss.attempt(example, scores, label, None)?;
                continue;
            };
            self.part.resize(scores.len(), F::zero());
            let weighted = Weighted { weight: *weight * *share, grad: &mut self.part };
            value += *share * loss.attempt(example, scores, label, Some(weighted))?;
            let workers = self.workers;
            let in_range = workers.map(&self.part, Some(grad), |Piece { scores: part, out, .. }| {
                workers.dispatch(Add { grad: out.unwrap_or_default(), part })
            });
            in_range.all().then_some(())?;
        }
        value.is_finite().then_some(value)
    }
}

/// Adds a part of the gradient to the others; whether the sum stays in the float's range.
struct Add<'a, F> {
    grad: &'a mut [F],
    part: &'a [F],
}

impl<F: Elementary> WithSimd for Add<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let most = F::max_value();
        let mut in_range = true;
        for (sum, &part) in self.grad.iter_mut().zip(self.part) {
            *sum += part;
            in_range &= (*sum <= most) & (*sum >= -most);
        }
        in_range
    }
}
