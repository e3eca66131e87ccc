//! Normalised columns, and the gradient through the normalisation.

use faer::prelude::*;
use faer::{Accum, Par};

use super::HeadGrads;
use super::product::product;
use crate::{BatchError, BatchReal, Result, check};

/// The Euclidean norm of every column.
pub(super) fn norms<F: BatchReal>(matrix: MatRef<'_, F>) -> Result<Vec<F>> {
    let norms: Vec<F> = matrix.col_iter().map(|column| column.norm_l2()).collect();
    if norms.iter().all(|norm| norm.is_finite()) { Ok(norms) } else { Err(BatchError::Overflow { what: "norm" }) }
}

/// x / ‖·‖, and 0 where the norm is 0: a zero column has no direction and no gradient.
pub(super) fn per_norm<F: BatchReal>(x: F, norm: F) -> F {
    if norm == F::zero() { F::zero() } else { x / norm }
}

/// The normalised columns.
pub(super) fn directions<F: BatchReal>(matrix: MatRef<'_, F>, norms: &[F]) -> Mat<F> {
    let mut directions = Mat::zeros(matrix.nrows(), matrix.ncols());
    write_directions(matrix, norms, directions.as_mut());
    directions
}

fn write_directions<F: BatchReal>(matrix: MatRef<'_, F>, norms: &[F], directions: MatMut<'_, F>) {
    for ((column, direction), &norm) in matrix.col_iter().zip(directions.col_iter_mut()).zip(norms) {
        direction.iter_mut().zip(column.iter()).for_each(|(place, &entry)| *place = per_norm(entry, norm));
    }
}

/// See [`LinearHead::backward`](super::LinearHead::backward).
pub(super) fn backward<F: BatchReal>(
    weights: MatRef<'_, F>,
    features: MatRef<'_, F>,
    scores: MatRef<'_, F>,
    score_grads: MatRef<'_, F>,
    mut grads: HeadGrads<'_, F>,
    par: Par,
) -> Result<()> {
    let (class_norms, example_norms) = (norms(weights)?, norms(features)?);
    if let Some(mut grads_below) = grads.features {
        // The buffer of the weights' gradient is free until below, and just large enough for the normalised weights.
        write_directions(weights, &class_norms, grads.weights.rb_mut());
        product("feature gradient", grads_below.rb_mut(), Accum::Replace, grads.weights.rb(), score_grads, par)?;
        let radial = score_grads.col_iter().zip(scores.col_iter()).map(|(grad, score)| grad.transpose() * score);
        through_normalisation("feature gradient", features, &example_norms, radial, grads_below)?;
    }
    let directions = directions(features, &example_norms);
    product("weight gradient", grads.weights.rb_mut(), Accum::Replace, directions.as_ref(), score_grads.transpose(), par)?;
    let mut radial = vec![F::zero(); weights.ncols()];
    for (grad, score) in score_grads.col_iter().zip(scores.col_iter()) {
        radial.iter_mut().zip(grad.iter()).zip(score.iter()).for_each(|((sum, &grad), &score)| *sum += grad * score);
    }
    through_normalisation("weight gradient", weights, &class_norms, radial, grads.weights)
}

/// g ← (g − r·x̂) / ‖x‖ for every column: the gradient with respect to x from the one with respect to its direction x̂, whose radial
/// part is r = ⟨g, x̂⟩.
fn through_normalisation<F: BatchReal>(
    what: &'static str,
    columns: MatRef<'_, F>,
    norms: &[F],
    radial: impl IntoIterator<Item = F>,
    mut grads: MatMut<'_, F>,
) -> Result<()> {
    for (((grad, column), &norm), radial) in grads.rb_mut().col_iter_mut().zip(columns.col_iter()).zip(norms).zip(radial) {
        let entries = grad.iter_mut().zip(column.iter());
        entries.for_each(|(grad, &entry)| *grad = per_norm(*grad - radial * per_norm(entry, norm), norm));
    }
    check::in_range(what, grads.rb())
}
