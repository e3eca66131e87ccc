//! What is said where a law does not hold.

use core::fmt;

/// Which law does not hold, where, what was found there and what should have been.
///
/// ```
/// use topk_loss_laws::{Fault, Violation};
/// let fault = Fault::Number { found: 0.5, least: 1.0, most: 1.0, allowed: 0.0625 };
/// let violation = Violation { law: "gradient_is_the_slope", place: "entry 2 of the gradient".into(), fault };
/// assert_eq!(
///     violation.to_string(),
///     "gradient_is_the_slope: entry 2 of the gradient is 0.5 instead of 1, off by 0.5 where 0.0625 is allowed"
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The law's name, which is that of its function.
    pub law: &'static str,
    /// The value, an entry of the gradient, an argument.
    pub place: String,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong at some place.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// A number that is not where it should be.
    Number {
        /// The number.
        found: f64,
        /// The least it may be.
        least: f64,
        /// The most it may be; the same where one number is expected.
        most: f64,
        /// By how much it may miss these, for rounding.
        allowed: f64,
    },
    /// Anything else than the number, or the error, that was due.
    Answer {
        /// What came.
        found: String,
        /// What was due.
        expected: String,
    },
}

impl Fault {
    /// By how much a number is off; nothing for an answer, which is not a matter of degree.
    #[must_use]
    pub fn distance(&self) -> Option<f64> {
        match *self {
            Self::Number { found, least, most, .. } => Some((least - found).max(found - most)),
            Self::Answer { .. } => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { found, least, most, allowed } => {
                match (least == most, *least == f64::NEG_INFINITY, *most == f64::INFINITY) {
                    (true, ..) => write!(f, "is {found} instead of {least}")?,
                    (_, true, _) => write!(f, "is {found} instead of at most {most}")?,
                    (_, _, true) => write!(f, "is {found} instead of at least {least}")?,
                    _ => write!(f, "is {found} instead of between {least} and {most}")?,
                }
                let distance = self.distance().unwrap_or_default();
                write!(f, ", off by {distance} where {allowed} is allowed")
            }
            Self::Answer { found, expected } => write!(f, "is {found} instead of {expected}"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.law, self.place, self.fault)
    }
}

impl core::error::Error for Violation {}
