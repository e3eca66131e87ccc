//! Normalised columns, and the gradient through the normalisation.

use faer::prelude::*;
use faer::{Accum, Par, unzip, zip};

use super::HeadGrads;
use super::product::product;
use crate::{BatchError, BatchReal, Result, check};

/// The Euclidean norm of every column, infinite for a zero column: it has no direction, and whatever is divided by its norm is 0.
pub(super) fn norms<F: BatchReal>(matrix: MatRef<'_, F>) -> Result<Vec<F>> {
    let norms = matrix.col_iter().map(|column| match column.norm_l2() {
        norm if norm == F::zero() => Ok(F::infinity()),
        norm if norm.is_finite() => Ok(norm),
        _ => Err(BatchError::Overflow { what: "norm" }),
    });
    norms.collect()
}

/// The normalised columns.
pub(super) fn directions<F: BatchReal>(matrix: MatRef<'_, F>, norms: &[F]) -> Mat<F> {
    let mut directions = Mat::zeros(matrix.nrows(), matrix.ncols());
    write_directions(matrix, norms, directions.as_mut());
    directions
}

pub(super) fn write_directions<F: BatchReal>(matrix: MatRef<'_, F>, norms: &[F], directions: MatMut<'_, F>) {
    for ((column, direction), &norm) in matrix.col_iter().zip(directions.col_iter_mut()).zip(norms) {
        zip!(direction, column).for_each(|unzip!(place, entry)| *place = *entry / norm);
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
        zip!(ColMut::from_slice_mut(&mut radial), grad, score).for_each(|unzip!(sum, grad, score)| *sum += *grad * *score);
    }
    through_normalisation("weight gradient", weights, &class_norms, radial, grads.weights)
}

/// The same for columns whose radial part is not known: r is computed.
pub(super) fn through_directions<F: BatchReal>(what: &'static str, columns: MatRef<'_, F>, mut grads: MatMut<'_, F>) -> Result<()> {
    let norms = norms(columns)?;
    let radial =
        grads.rb().col_iter().zip(columns.col_iter()).zip(&norms).map(|((grad, column), &norm)| (grad.transpose() * column) / norm);
    let radial: Vec<_> = radial.collect();
    through_normalisation(what, columns, &norms, radial, grads.rb_mut())
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
        let shrink = radial / norm;
        zip!(grad, column).for_each(|unzip!(grad, entry)| *grad = (*grad - shrink * *entry) / norm);
    }
    check::in_range(what, grads.rb())
}
