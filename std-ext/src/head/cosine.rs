//! The cosine head: columns of length 1, and the gradient through the normalisation.

use faer::prelude::*;
use faer::{Accum, unzip, zip};
use topk_loss::Compensated;

use super::HeadGrads;
use super::matrix;
use super::product::product;
use crate::{BatchReal, Result, Threads};

/// Columns by their lengths and directions.
///
/// A multiple has the same direction. A column so short or so long that squares of its entries, or products with them, would leave the
/// float's range or lose digits below it, is multiplied by a power of two.
#[derive(Debug)]
pub(super) struct Columns<'a, F> {
    given: MatRef<'a, F>,
    /// The columns times their factors, where any is not 1.
    multiplied: Option<Mat<F>>,
    factors: Vec<F>,
    norms: Vec<F>,
}

impl<'a, F: BatchReal> Columns<'a, F> {
    pub fn new(given: MatRef<'a, F>) -> Self {
        let mut norms: Vec<_> = given.col_iter().map(|column| column.norm_l2()).collect();
        let factors: Vec<_> = given.col_iter().zip(&norms).map(|(column, &norm)| factor(column, norm)).collect();
        let is_multiplied = factors.iter().any(|&factor| factor != F::one());
        let multiplied = is_multiplied.then(|| Mat::from_fn(given.nrows(), given.ncols(), |i, j| given[(i, j)] * factors[j]));
        for (j, norm) in norms.iter_mut().enumerate() {
            if let Some(multiplied) = multiplied.as_ref().filter(|_| factors[j] != F::one()) {
                *norm = multiplied.col(j).norm_l2();
            }
            if *norm == F::zero() {
                *norm = F::infinity();
            }
        }
        Self { given, multiplied, factors, norms }
    }

    /// The columns times their factors.
    pub fn columns(&self) -> MatRef<'_, F> {
        self.multiplied.as_ref().map_or(self.given, Mat::as_ref)
    }

    /// The norms of these, infinite for a zero column: it has no direction, and whatever is divided by its norm is 0.
    pub fn norms(&self) -> &[F] {
        &self.norms
    }

    /// The normalised columns.
    pub fn directions(&self) -> Mat<F> {
        let mut directions = Mat::zeros(self.given.nrows(), self.given.ncols());
        self.write_directions(directions.as_mut());
        directions
    }

    pub fn write_directions(&self, directions: MatMut<'_, F>) {
        for ((column, direction), &norm) in self.columns().col_iter().zip(directions.col_iter_mut()).zip(&self.norms) {
            zip!(direction, column).for_each(|unzip!(place, entry)| *place = *entry / norm);
        }
    }

    /// g ← (g − ⟨g, x̂⟩·x̂) / ‖x‖ for every column: the gradient with respect to x from the one with respect to its direction x̂.
    pub fn through_directions(&self, what: &'static str, grads: MatMut<'_, F>) -> Result<()> {
        let grads_and_columns = grads.rb().col_iter().zip(self.columns().col_iter());
        let radial: Vec<_> = grads_and_columns.zip(&self.norms).map(|((grad, column), &norm)| (grad.transpose() * column) / norm).collect();
        self.through_normalisation(what, radial, grads)
    }

    /// The same where the radial part r = ⟨g, x̂⟩ is known.
    fn through_normalisation(&self, what: &'static str, radial: impl IntoIterator<Item = F>, mut grads: MatMut<'_, F>) -> Result<()> {
        let lengths = self.norms.iter().zip(&self.factors);
        for (((grad, column), (&norm, &factor)), radial) in
            grads.rb_mut().col_iter_mut().zip(self.columns().col_iter()).zip(lengths).zip(radial)
        {
            let shrink = radial / norm;
            zip!(grad, column).for_each(|unzip!(grad, entry)| *grad = (*grad - shrink * *entry) / norm * factor);
        }
        matrix::in_range(what, grads.rb())
    }
}

/// What a column of this norm is multiplied by: 1 where squares of norms are normal numbers.
fn factor<F: BatchReal>(column: ColRef<'_, F>, norm: F) -> F {
    let shortest = F::min_positive_value().sqrt();
    if norm >= shortest && norm <= shortest.recip() || column.norm_max() == F::zero() {
        F::one()
    } else if norm < F::one() {
        F::epsilon() / F::min_positive_value()
    } else {
        shortest * F::epsilon()
    }
}

/// See [`LinearHead::backward`](super::LinearHead::backward); examples that are not read have neither features nor score gradients.
pub(super) fn backward<F: BatchReal>(
    weights: MatRef<'_, F>,
    features: MatRef<'_, F>,
    scores: MatRef<'_, F>,
    score_grads: MatRef<'_, F>,
    is_read: &[bool],
    mut grads: HeadGrads<'_, F>,
    threads: Threads,
) -> Result<()> {
    let (classes, examples) = (Columns::new(weights), Columns::new(features));
    let read = || score_grads.col_iter().zip(scores.col_iter()).zip(is_read);
    if let Some(mut grads_below) = grads.features {
        // The buffer of the weights' gradient is free until below, and just large enough for the normalised weights.
        classes.write_directions(grads.weights.rb_mut());
        product("feature gradient", grads_below.rb_mut(), Accum::Replace, grads.weights.rb(), score_grads, threads)?;
        let radial = read().map(|((grad, score), &is_read)| if is_read { grad.transpose() * score } else { F::zero() });
        examples.through_normalisation("feature gradient", radial, grads_below)?;
    }
    let directions = examples.directions();
    product("weight gradient", grads.weights.rb_mut(), Accum::Replace, directions.as_ref(), score_grads.transpose(), threads)?;
    let mut radial = vec![Compensated::zero(); weights.ncols()];
    for ((grad, score), _) in read().filter(|&(_, &is_read)| is_read) {
        zip!(ColMut::from_slice_mut(&mut radial), grad, score).for_each(|unzip!(sum, grad, score)| sum.add(*grad * *score));
    }
    classes.through_normalisation("weight gradient", radial.into_iter().map(Compensated::sum), grads.weights)
}
