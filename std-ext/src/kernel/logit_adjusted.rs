//! Any loss of adjusted scores: the adjusted row, then that loss's kernel.

use pulp::{Simd, WithSimd};
use topk_loss::{Error, Result, check};

use super::Kernel;
use super::cross_entropy;
use super::executor::{Executor, Piece};
use crate::elementary::Elementary;

pub(super) struct Adjusted<'a, F> {
    executor: Executor,
    adjustments: &'a [F],
    /// Whether the scores may be taken relative to the largest first.
    centers: bool,
    kernel: Box<dyn Kernel<F> + 'a>,
    adjusted: Vec<F>,
}

impl<'a, F: Elementary> Adjusted<'a, F> {
    /// Around the kernel of the loss that is adjusted.
    pub fn new(adjustments: &'a [F], centers: bool, kernel: Box<dyn Kernel<F> + 'a>, executor: Executor) -> Self {
        Self { executor, adjustments, centers, kernel, adjusted: vec![] }
    }
}

impl<F: Elementary> Adjusted<'_, F> {
    /// Puts the adjusted row into its place.
    fn adjust(&mut self, scores: &[F]) -> Result<()> {
        let Self { executor, adjustments, .. } = *self;
        let largest = if self.centers { cross_entropy::largest(executor, scores) } else { Some(F::zero()) };
        if let Some(center) = largest.filter(|_| scores.len() == adjustments.len()) {
            self.adjusted.resize(scores.len(), F::zero());
            let in_range = executor.map(scores, Some(&mut self.adjusted), |Piece { first, scores, out, .. }| {
                executor.dispatch(Adjust { scores, adjustments: &adjustments[first..], center, adjusted: out.unwrap_or_default() })
            });
            if in_range.all() {
                return Ok(());
            }
        }
        check::scores(scores)?;
        check::length("adjustments", adjustments, scores.len())?;
        Err(Error::Overflow { what: "adjusted scores" })
    }
}

/// Steps, errors and bits are core's.
impl<F: Elementary> Kernel<F> for Adjusted<'_, F> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> Result<F> {
        self.adjust(scores)?;
        self.kernel.value(example, &self.adjusted, label)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        self.adjust(scores)?;
        self.kernel.value_and_grad(example, &self.adjusted, label, weight, grad)
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
