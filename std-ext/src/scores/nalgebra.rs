//! Matrices of `nalgebra` as rows: one example a column, so the same bytes as a row-major slice.

use nalgebra::{DMatrix, Scalar};

use super::{Rows, RowsMut};
use crate::{BatchError, Result};

/// ```
/// use nalgebra::DMatrix;
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Reduction, Rows, RowsMut, Targets, Threads, objective_and_grads};
/// let scores = DMatrix::from_row_slice(2, 2, &[0.0_f64, 3.0, 0.0, 3.0]);
/// let mut grads = DMatrix::zeros(2, 2);
/// let (rows, into) = (Rows::try_from(&scores)?, RowsMut::try_from(&mut grads)?);
/// objective_and_grads(&CrossEntropy, rows, &Targets::new(&[0, 1]), Reduction::Sum, into, Threads::ONE)?;
/// assert_eq!(grads, DMatrix::from_row_slice(2, 2, &[-0.5, 0.5, 0.5, -0.5]));
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
impl<'a, T: Scalar> TryFrom<&'a DMatrix<T>> for Rows<'a, T> {
    type Error = BatchError;

    fn try_from(matrix: &'a DMatrix<T>) -> Result<Self> {
        Self::new(matrix.as_slice(), matrix.nrows())
    }
}

impl<'a, T: Scalar> TryFrom<&'a mut DMatrix<T>> for RowsMut<'a, T> {
    type Error = BatchError;

    fn try_from(matrix: &'a mut DMatrix<T>) -> Result<Self> {
        let num_classes = matrix.nrows();
        Self::new(matrix.as_mut_slice(), num_classes)
    }
}
