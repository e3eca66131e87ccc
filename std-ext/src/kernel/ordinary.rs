//! Whether a row is far enough from the ends of the float's range for kernels that check no overflow.

use pulp::{Simd, WithSimd};

use super::executor::{Executor, Piece};
use crate::elementary::Elementary;

/// Whether the difference of any two of the scores is far from the end of the float's range; with a NaN it is not.
pub fn are_ordinary<F: Elementary>(executor: Executor, scores: &[F]) -> bool {
    executor.map(scores, None, |Piece { scores, .. }| executor.dispatch(AreOrdinary { scores })).all()
}

/// The largest size of such a score.
#[inline(always)]
pub fn largest_ordinary<F: Elementary>() -> F {
    F::max_value() / F::from_f64(16.0)
}

struct AreOrdinary<'a, F> {
    scores: &'a [F],
}

impl<F: Elementary> WithSimd for AreOrdinary<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let limit = largest_ordinary::<F>();
        self.scores.iter().fold(true, |all, &score| all & (score <= limit) & (score >= -limit))
    }
}
