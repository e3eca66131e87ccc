//! The cross-entropy of scale · (s − m_y e_y): the LDAM loss, and the top-1 cross-entropy under Gumbel noise.

use pulp::{Arch, Simd, WithSimd};
use topk_loss::Margins;

use super::attempt::{Attempt, Weighted};
use super::cross_entropy::{Exponentials, Largest};
use crate::elementary::Elementary;

pub(super) struct Scaled<'a, F> {
    arch: Arch,
    margins: Margins<'a, F>,
    scale: F,
    cross_entropy: Exponentials,
    scaled: Vec<F>,
}

impl<'a, F: Elementary> Scaled<'a, F> {
    pub fn new(arch: Arch, margins: Margins<'a, F>, scale: F) -> Self {
        Self { arch, margins, scale, cross_entropy: Exponentials::new(arch), scaled: vec![] }
    }
}

impl<F: Elementary> Attempt<F> for Scaled<'_, F> {
    fn attempt(&mut self, example: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let (own, margin) = (*scores.get(label)?, self.margins.of(label, scores.len()).ok()?);
        // A scale that is the reciprocal of a subnormal ε is infinite, that of a huge one has lost digits.
        if !self.scale.is_normal() {
            return None;
        }
        let largest = self.arch.dispatch(Largest { scores })?;
        self.scaled.resize(scores.len(), F::zero());
        self.arch.dispatch(Scale { scores, largest, scale: self.scale, scaled: &mut self.scaled });
        self.scaled[label] = self.scale * ((own - largest) - margin);
        let weighted = grad.as_mut().map(|grad| grad.with_weight(grad.weight * self.scale));
        self.cross_entropy.attempt(example, &self.scaled, label, weighted)
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
        for (scaled, &score) in self.scaled.iter_mut().zip(self.scores) {
            *scaled = self.scale * (score - self.largest);
        }
    }
}
