//! Any loss of adjusted scores: the adjusted row, then that loss's kernel.

use pulp::{Simd, WithSimd};

use super::Kernel;
use super::attempt::{Attempt, Weighted};
use super::cross_entropy;
use super::workers::{Piece, Workers};
use crate::elementary::Elementary;

pub(super) struct Adjusted<'a, F> {
    workers: Workers,
    adjustments: &'a [F],
    /// Whether the scores may be taken relative to the largest first.
    centers: bool,
    kernel: Box<dyn Kernel<F> + 'a>,
    adjusted: Vec<F>,
}

impl<'a, F: Elementary> Adjusted<'a, F> {
    /// Around the kernel of the loss that is adjusted.
    pub fn new(adjustments: &'a [F], centers: bool, kernel: Box<dyn Kernel<F> + 'a>, workers: Workers) -> Self {
        Self { workers, adjustments, centers, kernel, adjusted: vec![] }
    }
}

impl<F: Elementary> Attempt<F> for Adjusted<'_, F> {
    fn attempt(&mut self, example: u64, scores: &[F], label: usize, grad: Option<Weighted<'_, F>>) -> Option<F> {
        if scores.len() != self.adjustments.len() {
            return None;
        }
        let center = if self.centers { cross_entropy::largest(self.workers, scores)? } else { F::zero() };
        self.adjusted.resize(scores.len(), F::zero());
        let Self { workers, adjustments, .. } = *self;
        let in_range = workers.map(scores, Some(&mut self.adjusted), |Piece { first, scores, out, .. }| {
            workers.dispatch(Adjust { scores, adjustments: &adjustments[first..], center, adjusted: out.unwrap_or_default() })
        });
        in_range.all().then_some(())?;
        self.kernel.attempt(example, &self.adjusted, label, grad)
    }
}

/// (s − c) + a; whether it stays in the float's range.
struct Adjust<'a, F> {
    scores: &'a [F],
    adjustments: &'a [F],
    center: F,
    adjusted: &'a mut [F],
}

impl<F: Elementary> WithSimd for Adjust<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let most = F::max_value();
        let mut in_range = true;
        for ((sum, &score), &adjustment) in self.adjusted.iter_mut().zip(self.scores).zip(self.adjustments) {
            *sum = (score - self.center) + adjustment;
            in_range &= (*sum <= most) & (*sum >= -most);
        }
        in_range
    }
}
