//! Cross-entropy: one pass for the largest score, one for the exponentials and their sum, one to scale them.

use pulp::{Simd, WithSimd};
use topk_loss::Real;

use super::attempt::{Attempt, Weighted};
use super::ordinary::largest_ordinary;
use super::workers::{Piece, Workers};
use crate::elementary::Elementary;

pub(super) struct Exponentials {
    workers: Workers,
}

impl Exponentials {
    pub fn new(workers: Workers) -> Self {
        Self { workers }
    }

    /// The sum of the exponentials of all scores but the label's, relative to the largest.
    fn rest<F: Elementary>(&self, scores: &[F], label: usize, largest: F, exponentials: Option<&mut [F]>) -> F {
        let Self { workers } = *self;
        let of_pieces = workers.map(scores, exponentials, |Piece { first, scores, out, .. }| {
            workers.dispatch(Rest { scores, label: label.checked_sub(first), largest, exponentials: out })
        });
        of_pieces.fold(F::zero(), |sum, part| sum + part)
    }
}

/// The largest score, if all are ordinary.
pub(super) fn largest<F: Elementary>(workers: Workers, scores: &[F]) -> Option<F> {
    let of_pieces = workers.map(scores, None, |Piece { scores, .. }| workers.dispatch(Largest { scores }));
    of_pieces.fold(Some(F::neg_infinity()), |largest, piece| Some(if piece? > largest? { piece? } else { largest? }))
}

impl<F: Elementary> Attempt<F> for Exponentials {
    fn attempt(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let own = *scores.get(label)?;
        if scores.len() < 2 || grad.as_ref().is_some_and(|grad| !grad.is_usable(scores.len())) {
            return None;
        }
        let largest = largest(self.workers, scores)?;
        let gap = largest - own;
        let rest = self.rest(scores, label, largest, grad.as_mut().map(|grad| &mut *grad.grad));
        if let Some(Weighted { weight, grad }) = grad {
            let per_total = weight / (rest + (-gap).fast_exp());
            self.workers.overwrite(grad, |grad| self.workers.dispatch(Scale { grad, factor: per_total }));
            grad[label] = -(rest * per_total);
        }
        // The label's own exponential is 1 + expm1(−gap): what is left of small losses keeps its digits.
        Some((rest + Real::exp_m1(-gap)).ln_1p() + gap)
    }
}

/// Sums and maxima are taken in so many lanes on every machine.
const LANES: usize = 32;
/// How many exponentials there is room for where no gradient is asked for.
const BLOCK: usize = 256;

struct Largest<'a, F> {
    scores: &'a [F],
}

impl<F: Elementary> WithSimd for Largest<'_, F> {
    type Output = Option<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<F> {
        let limit = largest_ordinary::<F>();
        let mut largest = [-limit; LANES];
        let mut all = true;
        for &score in self.scores {
            all &= (score <= limit) & (score >= -limit);
        }
        let (chunks, left) = self.scores.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                largest[lane] = if chunk[lane] > largest[lane] { chunk[lane] } else { largest[lane] };
            }
        }
        for (place, &score) in largest.iter_mut().zip(left) {
            *place = if score > *place { score } else { *place };
        }
        let largest = largest.into_iter().fold(-limit, |a, b| if b > a { b } else { a });
        all.then_some(largest)
    }
}

struct Rest<'a, F> {
    scores: &'a [F],
    /// Where it is in the piece or beyond.
    label: Option<usize>,
    largest: F,
    exponentials: Option<&'a mut [F]>,
}

impl<F: Elementary> WithSimd for Rest<'_, F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> F {
        let mut sums = [F::zero(); LANES];
        let mut out = self.exponentials;
        for (first, scores) in (0..).step_by(BLOCK).zip(self.scores.chunks(BLOCK)) {
            let mut room = [F::zero(); BLOCK];
            let block = match &mut out {
                Some(out) => &mut out[first..first + scores.len()],
                None => &mut room[..scores.len()],
            };
            for (place, &score) in block.iter_mut().zip(scores) {
                *place = (score - self.largest).fast_exp();
            }
            if let Some(own) = self.label.and_then(|label| label.checked_sub(first)).and_then(|place| block.get_mut(place)) {
                *own = F::zero();
            }
            let (chunks, left) = block.as_chunks::<LANES>();
            for chunk in chunks {
                for lane in 0..LANES {
                    sums[lane] += chunk[lane];
                }
            }
            for (sum, &exponential) in sums.iter_mut().zip(left) {
                *sum += exponential;
            }
        }
        sums.into_iter().fold(F::zero(), |sum, lane| sum + lane)
    }
}

/// Multiplies all entries.
struct Scale<'a, F> {
    grad: &'a mut [F],
    factor: F,
}

impl<F: Elementary> WithSimd for Scale<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for entry in self.grad {
            *entry *= self.factor;
        }
    }
}
