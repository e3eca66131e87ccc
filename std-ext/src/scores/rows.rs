//! Row-major slices as scores and gradients: one example a row, as in a framework's buffer.

use topk_loss::Real;

use super::{Gradients, Scores};
use crate::{BatchError, Result};

/// Scores in a slice, one example a row: what a framework's `[batch, classes]` buffer is.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss_batch::{Reduction, Rows, RowsMut, Targets, Threads, objective_and_grads};
/// // Two examples of three classes, and the gradient in three lines.
/// let (scores, labels, mut grads) = ([0.5, 0.0, 0.25, 2.0, 1.0, 0.0], [0_i64, 2], [0.0; 6]);
/// let (rows, into) = (Rows::new(&scores, 3)?, RowsMut::new(&mut grads, 3)?);
/// let objective = objective_and_grads(&TopKHinge::new(1)?, rows, &Targets::new(&labels), Reduction::Mean, into, Threads::ONE)?;
/// assert_eq!((objective, grads), (1.375, [-0.5, 0.0, 0.5, 0.0, 0.5, -0.5]));
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    data: &'a [T],
    shape: Shape,
}

/// Gradients in a slice, one example a row: what a framework's `[batch, classes]` gradient buffer is. See [`Rows`] for the scores.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Reduction, Rows, RowsMut, Targets, Threads, objective_and_grads};
/// let mut grads = [9.0; 2]; // what was there is overwritten
/// let (rows, into) = (Rows::new(&[0.0_f64, 0.0], 2)?, RowsMut::new(&mut grads, 2)?);
/// objective_and_grads(&CrossEntropy, rows, &Targets::new(&[1]), Reduction::Sum, into, Threads::ONE)?;
/// assert_eq!(grads, [0.5, -0.5]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug)]
pub struct RowsMut<'a, T> {
    data: &'a mut [T],
    shape: Shape,
}

/// Examples, classes, and from one example's first number to the next one's.
#[derive(Debug, Clone, Copy)]
struct Shape {
    num_examples: usize,
    num_classes: usize,
    stride: usize,
}

impl Shape {
    fn new(len: usize, num_classes: usize, stride: usize) -> Result<Self> {
        if num_classes == 0 {
            return Err(BatchError::Empty { what: "class" });
        }
        if stride < num_classes {
            return Err(BatchError::Parameter { name: "stride", must: "at least the number of classes" });
        }
        // The last row may end where its numbers do.
        let num_examples = (len + (stride - num_classes)) / stride;
        let expected = num_examples.saturating_mul(stride);
        if len != expected && len != expected.saturating_sub(stride - num_classes) {
            return Err(BatchError::Length { what: "slice of rows", expected, actual: len });
        }
        Ok(Self { num_examples, num_classes, stride })
    }

    fn of_row(&self, example: usize) -> core::ops::Range<usize> {
        let first = example.saturating_mul(self.stride);
        first..first.saturating_add(self.num_classes)
    }
}

impl<'a, T> Rows<'a, T> {
    /// Rows of `num_classes` scores, one after the other with nothing between them.
    ///
    /// ```
    /// use topk_loss_batch::{BatchError, Rows, Scores};
    /// let rows = Rows::new(&[0.5_f32, 0.0, 0.25, 2.0, 1.0, 0.0], 3)?;
    /// assert_eq!((rows.num_examples(), rows.num_classes()), (2, 3));
    /// assert!(matches!(Rows::new(&[0.5_f32; 7], 3), Err(BatchError::Length { actual: 7, .. })));
    /// # Ok::<(), BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No class; a length that is no multiple of theirs.
    pub fn new(data: &'a [T], num_classes: usize) -> Result<Self> {
        Self::strided(data, num_classes, num_classes)
    }

    /// Rows of `num_classes` scores with gaps: `stride` numbers from one row's first to the next one's. The last row may end where its
    /// scores do.
    ///
    /// ```
    /// use topk_loss_batch::{Rows, Scores};
    /// let rows = Rows::strided(&[1.0, 2.0, 9.0, 3.0, 4.0], 2, 3)?;
    /// assert_eq!((rows.num_examples(), rows.example(1, &mut vec![])), (2, &[3.0, 4.0][..]));
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No class; a stride below their number; a length that does not fit.
    pub fn strided(data: &'a [T], num_classes: usize, stride: usize) -> Result<Self> {
        Ok(Self { data, shape: Shape::new(data.len(), num_classes, stride)? })
    }

    /// A row; none that there is not.
    pub(super) fn row(&self, example: usize) -> &'a [T] {
        self.data.get(self.shape.of_row(example)).unwrap_or_default()
    }

    /// Examples and classes.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.shape.num_examples, self.shape.num_classes)
    }
}

impl<'a, T> RowsMut<'a, T> {
    /// Rows of `num_classes` gradient entries, one after the other with nothing between them, as [`Rows::new`].
    ///
    /// ```
    /// use topk_loss_batch::{Gradients, RowsMut};
    /// let mut grads = [0.0_f32; 6];
    /// let rows = RowsMut::new(&mut grads, 3)?;
    /// assert_eq!((rows.num_examples(), rows.num_classes()), (2, 3));
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No class; a length that is no multiple of theirs.
    pub fn new(data: &'a mut [T], num_classes: usize) -> Result<Self> {
        Self::strided(data, num_classes, num_classes)
    }

    /// Rows of `num_classes` gradient entries with gaps, as [`Rows::strided`]; what lies between the rows stays as it is.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss_batch::{Reduction, Rows, RowsMut, Targets, Threads, objective_and_grads};
    /// let mut grads = [9.0; 5];
    /// let (rows, into) = (Rows::new(&[0.0_f64; 4], 2)?, RowsMut::strided(&mut grads, 2, 3)?);
    /// objective_and_grads(&CrossEntropy, rows, &Targets::new(&[0, 1]), Reduction::Sum, into, Threads::ONE)?;
    /// assert_eq!(grads, [-0.5, 0.5, 9.0, 0.5, -0.5]);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No class; a stride below their number; a length that does not fit.
    pub fn strided(data: &'a mut [T], num_classes: usize, stride: usize) -> Result<Self> {
        let shape = Shape::new(data.len(), num_classes, stride)?;
        Ok(Self { data, shape })
    }

    /// A row; none that there is not.
    pub(super) fn row(&mut self, example: usize) -> &mut [T] {
        self.data.get_mut(self.shape.of_row(example)).unwrap_or_default()
    }

    /// Examples and classes.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.shape.num_examples, self.shape.num_classes)
    }

    pub(super) fn split(self, examples: usize) -> (Self, Self) {
        let Shape { num_examples, stride, .. } = self.shape;
        let examples = examples.min(num_examples);
        let middle = examples.saturating_mul(stride).min(self.data.len());
        let (first, second) = self.data.split_at_mut(middle);
        let of = |num_examples| Shape { num_examples, ..self.shape };
        (Self { data: first, shape: of(examples) }, Self { data: second, shape: of(num_examples - examples) })
    }
}

impl<F: Real + Sync> Scores<F> for Rows<'_, F> {
    fn num_examples(&self) -> usize {
        self.shape().0
    }

    fn num_classes(&self) -> usize {
        self.shape().1
    }

    fn example<'s>(&'s self, example: usize, _: &'s mut Vec<F>) -> &'s [F] {
        self.row(example)
    }
}

impl<F: Real> Gradients<F> for RowsMut<'_, F> {
    fn num_examples(&self) -> usize {
        self.shape().0
    }

    fn num_classes(&self) -> usize {
        self.shape().1
    }

    fn split_at(self, examples: usize) -> (Self, Self) {
        self.split(examples)
    }

    fn write<T>(&mut self, example: usize, _: &mut Vec<F>, write: impl FnOnce(&mut [F]) -> topk_loss::Result<T>) -> topk_loss::Result<T> {
        write(self.row(example))
    }
}
