//! The checks every public function makes before it writes anything.

use faer::{ColRef, MatRef};
use topk_loss::{Error, Real};

use crate::{BatchError, Result, Targets};

pub(crate) fn shape(what: &'static str, expected: (usize, usize), actual: (usize, usize)) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(BatchError::Shape { what, expected, actual }) }
}

pub(crate) fn length(what: &'static str, expected: usize, actual: usize) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(BatchError::Length { what, expected, actual }) }
}

pub(crate) fn not_empty(what: &'static str, count: usize) -> Result<()> {
    if count > 0 { Ok(()) } else { Err(BatchError::Empty { what }) }
}

/// One label an example, each a class or ignored.
pub(crate) fn labels<F: Real>(targets: &Targets<'_, F>, num_classes: usize, batch: usize) -> Result<()> {
    length("labels", batch, targets.labels().len())?;
    match targets.counted().find(|&(_, label)| label >= num_classes) {
        None => Ok(()),
        Some((example, label)) => Err(BatchError::Example { example, error: Error::Label { label, num_classes } }),
    }
}

/// A matrix of one example a column, of those that are read.
pub(crate) fn examples<F: Real>(what: &'static str, matrix: MatRef<'_, F>, is_read: impl Fn(usize) -> bool) -> Result<()> {
    let mut read = matrix.col_iter().enumerate().filter(|&(example, _)| is_read(example));
    let position = read.find_map(|(example, column)| Some((example, first_not_finite(column)?)));
    match position {
        None => Ok(()),
        Some((example, index)) => Err(BatchError::Example { example, error: Error::NotFinite { what, index } }),
    }
}

/// A parameter of the head.
pub(crate) fn parameter<F: Real>(what: &'static str, matrix: MatRef<'_, F>) -> Result<()> {
    let position = matrix.col_iter().zip(0..).find_map(|(column, j)| Some((first_not_finite(column)?, j)));
    position.map_or(Ok(()), |position| Err(BatchError::NotFinite { what, position }))
}

/// A matrix that was computed from finite inputs.
pub(crate) fn in_range<F: Real>(what: &'static str, result: MatRef<'_, F>) -> Result<()> {
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
