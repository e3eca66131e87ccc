//! The errors of this crate: what can be wrong with an input, and how it is told.

use core::fmt;

/// The result of every fallible call of this crate.
///
/// ```
/// use topk_loss::{Result, select};
/// let second: Result<f64> = select::kth_largest(&[3.0, 1.0], 2, &mut [0.0; 2]).map(|ranked| ranked.value);
/// assert_eq!(second, Ok(1.0));
/// ```
pub type Result<T> = core::result::Result<T, Error>;

/// What was wrong with an input. Every public function returns one of these in place of a panic, a NaN or a silent number.
///
/// ```
/// use topk_loss::oracle::{KthLargest, Oracle};
/// use topk_loss::Error;
/// let third = KthLargest::new(3)?;
/// let error = third.value(&[0.5, 0.25], &mut [0.0; 2]).unwrap_err();
/// assert_eq!(error, Error::K { k: 3, max: 2 });
/// assert_eq!(error.to_string(), "k = 3 is above the largest possible, 2: take a smaller k, or 1 more class");
/// assert_eq!(error.code(), 2);
/// # Ok::<(), Error>(())
/// ```
///
/// With the feature `defmt` it is a `defmt::Format`, too: what `Debug` shows, put into words by the host that reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A slice has the wrong length.
    Length {
        /// Which slice.
        what: &'static str,
        /// The length it should have (for scratch: at least).
        expected: usize,
        /// The length it has.
        actual: usize,
    },
    /// A rank, or a number of guesses, is outside 1..=max.
    K {
        /// The rank that was asked for.
        k: usize,
        /// The largest one that makes sense for this input.
        max: usize,
    },
    /// A label is not a class.
    Label {
        /// The label.
        label: usize,
        /// The number of classes; labels count from 0.
        num_classes: usize,
    },
    /// A parameter is outside its domain.
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// An input is NaN or infinite.
    NotFinite {
        /// Which input.
        what: &'static str,
        /// The first offending position.
        index: usize,
    },
    /// A computation cannot be as accurate as was asked.
    Accuracy {
        /// Which computation.
        what: &'static str,
    },
    /// Finite inputs gave a result beyond the float's range.
    Overflow {
        /// Which result.
        what: &'static str,
    },
}

impl Error {
    /// A number for the kind of error, for those to whom an enum cannot go: bindings, exit codes, logs.
    ///
    /// It is never 0, and stays what it is: a kind that is no more leaves its number unused.
    ///
    /// | code | kind |
    /// |---|---|
    /// | 1 | [`Length`](Self::Length) |
    /// | 2 | [`K`](Self::K) |
    /// | 3 | [`Label`](Self::Label) |
    /// | 4 | [`Parameter`](Self::Parameter) |
    /// | 5 | [`NotFinite`](Self::NotFinite) |
    /// | 6 | [`Accuracy`](Self::Accuracy) |
    /// | 7 | [`Overflow`](Self::Overflow) |
    ///
    /// ```
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::Error;
    /// assert_eq!(KthLargest::new(0).map_err(|error| error.code()), Err(4));
    /// ```
    #[must_use]
    pub const fn code(&self) -> u32 {
        match self {
            Self::Length { .. } => 1,
            Self::K { .. } => 2,
            Self::Label { .. } => 3,
            Self::Parameter { .. } => 4,
            Self::NotFinite { .. } => 5,
            Self::Accuracy { .. } => 6,
            Self::Overflow { .. } => 7,
        }
    }
}

/// The field and its fault, then what would mend it where that is not plain.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length { what, expected, actual } => {
                write!(f, "{what} has length {actual} where {expected} is needed")
            }
            Self::K { k, max } if k > max => {
                let (missing, classes) = (k - max, if k - max == 1 { "class" } else { "classes" });
                write!(f, "k = {k} is above the largest possible, {max}: take a smaller k, or {missing} more {classes}")
            }
            Self::K { k, .. } => write!(f, "k = {k} is below 1"),
            Self::Label { label, num_classes } => write!(f, "label {label} is not below the number of classes, {num_classes}"),
            Self::Parameter { name, must } => write!(f, "{name} must be {must}"),
            Self::NotFinite { what: "scores", index } => {
                write!(f, "scores is NaN or infinite at position {index}: mask a class by -1e30, not by -inf")
            }
            Self::NotFinite { what, index } => write!(f, "{what} is NaN or infinite at position {index}"),
            Self::Accuracy { what } => write!(f, "{what} does not reach the tolerance in this float: take a larger one or a finer float"),
            Self::Overflow { what } => write!(f, "{what} is beyond the range of the float: scale the input down or take a wider float"),
        }
    }
}

impl core::error::Error for Error {}
