//! The cross-entropy of scale · (s − m_y e_y): the LDAM loss, and the top-1 cross-entropy under Gumbel noise.

use pulp::{Simd, WithSimd};
use topk_loss::{Margins, softmax};

use super::cross_entropy::{self, Exponentials};
use super::executor::{Executor, Piece};
use super::fast_path::{FastPath, ScaledGrad};
use crate::elementary::Elementary;

pub(super) struct Scaled<'a, F> {
    executor: Executor,
    margins: Margins<'a, F>,
    scale: F,
    cross_entropy: Exponentials<F>,
    scaled: Vec<F>,
}

impl<'a, F: Elementary> Scaled<'a, F> {
    pub fn new(margins: Margins<'a, F>, scale: F, executor: Executor) -> Self {
        Self { executor, margins, scale, cross_entropy: Exponentials::new(executor), scaled: vec![] }
    }
}

impl<F: Elementary> FastPath<F> for Scaled<'_, F> {
    fn try_row(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let (own, margin) = (*scores.get(label)?, self.margins.of(label, scores.len()).ok()?);
        // A scale that is the reciprocal of a subnormal ε is infinite, that of a huge one has lost digits.
        if !self.scale.is_normal() {
            return None;
        }
        let largest = cross_entropy::largest(self.executor, scores)?;
        self.scaled.resize(scores.len(), F::zero());
        let Self { executor, scale, .. } = *self;
        executor.map(scores, Some(&mut self.scaled), |Piece { scores, out, .. }| {
            executor.dispatch(Scale { scores, largest, scale, scaled: out.unwrap_or_default() });
        });
        self.scaled[label] = softmax::spread_label(own, largest, margin, scale);
        let softmax = self.cross_entropy.softmax(&self.scaled, label, &mut grad)?;
        self.cross_entropy.differentiate(softmax, label, scale, grad)?;
        Some(softmax.surprise())
    }
}

/// scale · (s − largest).
struct Scale<'a, F> {
    scores: &'a [F],
    largest: F,
    scale: F,
    scaled: &'a mut [F],
}

impl<F: Elementary> WithSimd for Scale<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        softmax::spread(self.scores, self.largest, self.scale, self.scaled);
    }
}
