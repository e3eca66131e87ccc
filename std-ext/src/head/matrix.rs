//! The checks that features, parameters and results are finite.

use faer::{ColRef, MatRef};
use topk_loss::{Error, Real};

use crate::{BatchError, Result};

/// A matrix of one example a column, of those that are read.
pub fn examples<F: Real>(what: &'static str, matrix: MatRef<'_, F>, is_read: impl Fn(usize) -> bool) -> Result<()> {
    let mut read = matrix.col_iter().enumerate().filter(|&(example, _)| is_read(example));
    let position = read.find_map(|(example, column)| Some((example, first_not_finite(column)?)));
    match position {
        None => Ok(()),
        Some((example, index)) => Err(BatchError::Example { example, error: Error::NotFinite { what, index } }),
    }
}

/// A parameter of the head.
pub fn parameter<F: Real>(what: &'static str, matrix: MatRef<'_, F>) -> Result<()> {
    let position = matrix.col_iter().zip(0..).find_map(|(column, j)| Some((first_not_finite(column)?, j)));
    position.map_or(Ok(()), |position| Err(BatchError::NotFinite { what, position }))
}

/// A matrix that was computed from finite inputs.
pub fn in_range<F: Real>(what: &'static str, result: MatRef<'_, F>) -> Result<()> {
    let overflowed = result.col_iter().any(|column| first_not_finite(column).is_some());
    if overflowed { Err(BatchError::Overflow { what }) } else { Ok(()) }
}

fn first_not_finite<F: Real>(column: ColRef<'_, F>) -> Option<usize> {
    // One branch for the whole column keeps the usual, clean case vectorised.
    let clean = match column.try_as_col_major() {
        Some(column) => column.as_slice().iter().fold(true, |all, x| all & x.is_finite()),
        None => column.iter().fold(true, |all, x| all & x.is_finite()),
    };
    if clean { None } else { column.iter().position(|x| !x.is_finite()) }
}
