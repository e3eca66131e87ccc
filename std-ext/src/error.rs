//! The error of this crate: what can be wrong with a batch, and which example is at fault.

use core::fmt;

use topk_loss::Error;

/// The result of every fallible call of this crate.
///
/// ```
/// use topk_loss_batch::{BatchError, Result, Rows};
/// fn num_rows(scores: &[f32]) -> Result<usize> {
///     Rows::new(scores, 3)?;
///     Ok(scores.len() / 3)
/// }
/// assert_eq!(num_rows(&[0.0; 6]), Ok(2));
/// assert!(matches!(num_rows(&[0.0; 7]), Err(BatchError::Length { actual: 7, .. })));
/// ```
pub type Result<T> = core::result::Result<T, BatchError>;

/// What was wrong with a batch. What concerns one example names it.
///
/// ```
/// use faer::{Par, mat};
/// use topk_loss::{CrossEntropy, Error};
/// use topk_loss_batch::{BatchError, Targets, values};
/// let scores = mat![[0.5, 1.0], [0.25, 2.0]];
/// let error = values(&CrossEntropy, scores.as_ref(), &Targets::new(&[0, 7]), &mut [0.0; 2], Par::Seq).unwrap_err();
/// assert_eq!(error, BatchError::Example { example: 1, error: Error::Label { label: 7, num_classes: 2 } });
/// assert_eq!(error.to_string(), "example 1: label 7 is not below the number of classes, 2");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchError {
    /// One example is at fault.
    Example {
        /// Which one, counted from 0.
        example: usize,
        /// Its fault.
        error: Error,
    },
    /// A loss, or what it was made from, is at fault whatever the example.
    Loss(Error),
    /// A matrix has the wrong shape.
    Shape {
        /// Which matrix.
        what: &'static str,
        /// The rows and columns it should have.
        expected: (usize, usize),
        /// The rows and columns it has.
        actual: (usize, usize),
    },
    /// A slice has the wrong length.
    Length {
        /// Which slice.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        actual: usize,
    },
    /// There are as many labels as classes, and not as many as examples: the scores may be transposed.
    Transposed {
        /// How many classes the scores are of.
        num_classes: usize,
        /// How many examples.
        num_examples: usize,
    },
    /// There is nothing to work on.
    Empty {
        /// What there is none of.
        what: &'static str,
    },
    /// A parameter of the head is NaN or infinite.
    NotFinite {
        /// Which parameter.
        what: &'static str,
        /// The row and column of the first offending entry, column by column.
        position: (usize, usize),
    },
    /// A parameter is outside its domain.
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// Finite inputs gave a result beyond the float's range.
    Overflow {
        /// Which result.
        what: &'static str,
    },
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Example { example, error } => write!(f, "example {example}: {error}"),
            Self::Loss(error) => error.fmt(f),
            Self::Shape { what, expected: (rows, columns), actual: (r, c) } => {
                let hint = if (r, c) == (columns, rows) { ": transposed?" } else { "" };
                write!(f, "{what} are {r} × {c} where {rows} × {columns} is needed{hint}")
            }
            Self::Transposed { num_classes, num_examples } => write!(
                f,
                "{num_classes} labels for {num_examples} examples of {num_classes} classes: are the scores transposed? An example is a row \
                 of a slice or of an ndarray, a column of faer and nalgebra"
            ),
            Self::Length { what, expected, actual } => write!(f, "{what} has length {actual} where {expected} is needed"),
            Self::Empty { what } => write!(f, "there is no {what}"),
            Self::NotFinite { what, position: (row, column) } => write!(f, "{what} is NaN or infinite at ({row}, {column})"),
            Self::Parameter { name, must } => write!(f, "{name} must be {must}"),
            Self::Overflow { what } => write!(f, "{what} is beyond the range of the float"),
        }
    }
}

impl core::error::Error for BatchError {}

impl BatchError {
    /// A number for the kind of error, for bindings and logs: that of [`Error::code`] where one example or a loss is at fault, from 101 on
    /// for what only a batch can have wrong. It stays the same when kinds are added.
    ///
    /// ```
    /// use topk_loss::Error;
    /// use topk_loss_batch::BatchError;
    /// let error = Error::Label { label: 7, num_classes: 2 };
    /// assert_eq!(BatchError::Example { example: 1, error }.code(), error.code());
    /// assert_eq!(BatchError::Empty { what: "example" }.code(), 103);
    /// ```
    #[must_use]
    pub const fn code(&self) -> u32 {
        match self {
            Self::Example { error, .. } | Self::Loss(error) => error.code(),
            Self::Shape { .. } => 101,
            Self::Length { .. } => 102,
            Self::Empty { .. } => 103,
            Self::NotFinite { .. } => 104,
            Self::Parameter { .. } => 105,
            Self::Overflow { .. } => 106,
            Self::Transposed { .. } => 107,
        }
    }
}

/// What a call of `topk_loss` refuses, outside of any batch.
///
/// ```
/// use faer::{MatRef, Par};
/// use topk_loss::loss::Focal;
/// use topk_loss::Error;
/// use topk_loss_batch::{BatchError, Targets, values};
/// fn focal_losses(gamma: f64, scores: MatRef<'_, f64>, labels: &[usize]) -> topk_loss_batch::Result<Vec<f64>> {
///     let mut losses = vec![0.0; labels.len()];
///     values(&Focal::new(gamma)?, scores, &Targets::new(labels), &mut losses, Par::Seq)?;
///     Ok(losses)
/// }
/// let error = focal_losses(-1.0, faer::mat![[0.0], [1.0]].as_ref(), &[0]).unwrap_err();
/// assert!(matches!(error, BatchError::Loss(Error::Parameter { name: "gamma", .. })), "{error}");
/// ```
impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        Self::Loss(error)
    }
}
