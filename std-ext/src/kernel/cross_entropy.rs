//! The cross-entropy and its relatives: core's steps, a piece of the row at a time.

use pulp::{Simd, WithSimd};
use topk_loss::softmax::{self, Part, Softmax};

use super::executor::{Executor, Piece};
use super::fast_path::{FastPath, ScaledGrad};
use crate::elementary::Elementary;

pub(super) struct Exponentials<F> {
    executor: Executor,
    pieces: Vec<Part<F>>,
}

impl<F: Elementary> Exponentials<F> {
    pub fn new(executor: Executor) -> Self {
        Self { executor, pieces: vec![] }
    }

    /// The softmax; what its gradient is made of is left in the gradient's place. Nothing for a row or a gradient that core refuses.
    pub fn softmax(&mut self, scores: &[F], label: usize, grad: &mut Option<ScaledGrad<'_, F>>) -> Option<Softmax<F>> {
        let own = *scores.get(label)?;
        if scores.len() < 2 || grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        let executor = self.executor;
        let out = grad.as_mut().map(|grad| &mut *grad.grad);
        let parts = executor.map_with(scores, out, &mut self.pieces, |Piece { first, scores, out, room }| {
            let part = executor.dispatch(PartOf { scores, label: label.checked_sub(first), exponentials: out.unwrap_or_default() })?;
            *room = part;
            Some(part)
        });
        let row = parts.fold(Some(Part::default()), |row, part| Some(row?.merge(part?)))?;
        Softmax::new(row, own).ok()
    }

    /// Then, `slope` times the gradient of the cross-entropy; nothing if it is beyond the float's range.
    pub fn differentiate(&mut self, softmax: Softmax<F>, label: usize, slope: F, grad: Option<ScaledGrad<'_, F>>) -> Option<()> {
        let Some(ScaledGrad { weight, grad }) = grad else { return Some(()) };
        // No entry is larger than that.
        (slope * weight).is_finite().then_some(())?;
        let executor = self.executor;
        executor.overwrite_with(grad, &self.pieces, |exponentials, &part| {
            executor.dispatch(Scale { softmax, part, slope, weight, exponentials });
        });
        grad[label] = softmax.own_entry(slope) * weight;
        Some(())
    }
}

impl<F: Elementary> FastPath<F> for Exponentials<F> {
    fn try_row(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<ScaledGrad<'_, F>>) -> Option<F> {
        let softmax = self.softmax(scores, label, &mut grad)?;
        self.differentiate(softmax, label, F::one(), grad)?;
        Some(softmax.surprise())
    }
}

/// The largest score, if all are finite.
pub(super) fn largest<F: Elementary>(executor: Executor, scores: &[F]) -> Option<F> {
    let of_pieces = executor.map(scores, None, |Piece { scores, .. }| executor.dispatch(Largest { scores }));
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
