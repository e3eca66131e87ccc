//! The cross-entropy and its relatives: core's steps, a piece of the row at a time.

use pulp::{Simd, WithSimd};
use topk_loss::softmax::{self, Part, Softmax};

use super::attempt::{Attempt, Weighted};
use super::workers::{Piece, Workers};
use crate::elementary::Elementary;

pub(super) struct Exponentials<F> {
    workers: Workers,
    pieces: Vec<Part<F>>,
}

impl<F: Elementary> Exponentials<F> {
    pub fn new(workers: Workers) -> Self {
        Self { workers, pieces: vec![] }
    }

    /// The softmax; what its gradient is made of is left in the gradient's place. Nothing for a row or a gradient that core refuses.
    pub fn softmax(&mut self, scores: &[F], label: usize, grad: &mut Option<Weighted<'_, F>>) -> Option<Softmax<F>> {
        let own = *scores.get(label)?;
        if scores.len() < 2 || grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        let workers = self.workers;
        let out = grad.as_mut().map(|grad| &mut *grad.grad);
        let parts = workers.map_with(scores, out, &mut self.pieces, |Piece { first, scores, out, room }| {
            let part = workers.dispatch(PartOf { scores, label: label.checked_sub(first), exponentials: out.unwrap_or_default() })?;
            *room = part;
            Some(part)
        });
        let row = parts.fold(Some(Part::default()), |row, part| Some(row?.merge(part?)))?;
        Softmax::new(row, own).ok()
    }

    /// Then, `slope` times the gradient of the cross-entropy; nothing if it is beyond the float's range.
    pub fn differentiate(&mut self, softmax: Softmax<F>, label: usize, slope: F, grad: Option<Weighted<'_, F>>) -> Option<()> {
        let Some(Weighted { weight, grad }) = grad else { return Some(()) };
        // No entry is larger than that.
        (slope * weight).is_finite().then_some(())?;
        let workers = self.workers;
        workers.overwrite_with(grad, &self.pieces, |exponentials, &part| {
            workers.dispatch(Scale { softmax, part, slope, weight, exponentials });
        });
        grad[label] = softmax.own_entry(slope) * weight;
        Some(())
    }
}

impl<F: Elementary> Attempt<F> for Exponentials<F> {
    fn attempt(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let softmax = self.softmax(scores, label, &mut grad)?;
        self.differentiate(softmax, label, F::one(), grad)?;
        Some(softmax.surprise())
    }
}

/// The largest score, if all are finite.
pub(super) fn largest<F: Elementary>(workers: Workers, scores: &[F]) -> Option<F> {
    let of_pieces = workers.map(scores, None, |Piece { scores, .. }| workers.dispatch(Largest { scores }));
    of_pieces.fold(Some(F::neg_infinity()), |largest, piece| Some(if piece? > largest? { piece? } else { largest? }))
}

struct Largest<'a, F> {
    scores: &'a [F],
}

impl<F: Elementary> WithSimd for Largest<'_, F> {
    type Output = Option<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<F> {
        softmax::largest(self.scores)
    }
}

struct PartOf<'a, F> {
    scores: &'a [F],
    label: Option<usize>,
    exponentials: &'a mut [F],
}

impl<F: Elementary> WithSimd for PartOf<'_, F> {
    type Output = Option<Part<F>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<Part<F>> {
        Part::of(self.scores, self.label, self.exponentials)
    }
}

struct Scale<'a, F> {
    softmax: Softmax<F>,
    part: Part<F>,
    slope: F,
    weight: F,
    exponentials: &'a mut [F],
}

impl<F: Elementary> WithSimd for Scale<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.softmax.scale(self.part, self.slope, self.weight, self.exponentials);
    }
}
