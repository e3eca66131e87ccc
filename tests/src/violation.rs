//! What is said where a law does not hold: which law, where, what was found and what was due.

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

/// What is wrong at some place: a number, or another answer. See [`Violation`] for an example.
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
    ///
    /// ```
    /// use topk_loss_laws::Fault;
    /// assert_eq!(Fault::Number { found: 0.5, least: 1.0, most: 2.0, allowed: 0.1 }.distance(), Some(0.5));
    /// assert_eq!(Fault::Answer { found: "a panic".into(), expected: "a number".into() }.distance(), None);
    /// ```
    #[must_use]
    pub fn distance(&self) -> Option<f64> {
        match *self {
            Self::Number { found, least, most, .. } => Some(if found.is_nan() { found } else { (least - found).max(found - most) }),
            Self::Answer { .. } => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { found, least, most, allowed } => {
                if least.is_nan() || most.is_nan() {
                    return match found.is_nan() {
                        true => write!(f, "is NaN, and so is the number that it is compared with"),
                        false => write!(f, "is {} where the number that it is compared with is NaN", Short(*found)),
                    };
                }
                let [shown, least_shown, most_shown] = [*found, *least, *most].map(Short);
                match (least == most, *least == f64::NEG_INFINITY, *most == f64::INFINITY) {
                    (true, ..) => write!(f, "is {shown} instead of {least_shown}")?,
                    (_, true, _) => write!(f, "is {shown} instead of at most {most_shown}")?,
                    (_, _, true) => write!(f, "is {shown} instead of at least {least_shown}")?,
                    _ => write!(f, "is {shown} instead of between {least_shown} and {most_shown}")?,
                }
                match self.distance().filter(|distance| distance.is_finite()) {
                    Some(distance) => write!(f, ", off by {} where {} is allowed", Short(distance), Short(*allowed)),
                    None => Ok(()),
                }
            }
            Self::Answer { found, expected } => write!(f, "is {found} instead of {expected}"),
        }
    }
}

/// A number without its hundreds of zeros.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = self.0 == 0.0 || !self.0.is_finite() || (1e-5..1e15).contains(&self.0.abs());
        if is_plain { write!(f, "{}", self.0) } else { write!(f, "{:e}", self.0) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.law, self.place, self.fault)
    }
}

impl core::error::Error for Violation {}

#[cfg(test)]
mod tests {
    use super::Fault;

    fn said(found: f64, (least, most): (f64, f64)) -> String {
        Fault::Number { found, least, most, allowed: 0.0 }.to_string()
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            said(f64::INFINITY, (f64::MIN, f64::MAX)),
            "is inf instead of between -1.7976931348623157e308 and 1.7976931348623157e308"
        );
        assert_eq!(said(2e-300, (0.0, 0.0)), "is 2e-300 instead of 0, off by 2e-300 where 0 is allowed");
        assert_eq!(said(0.25, (0.0, 0.125)), "is 0.25 instead of between 0 and 0.125, off by 0.125 where 0 is allowed");
    }

    #[test]
    fn what_is_no_number_is_said_to_be_none() {
        assert_eq!(said(f64::NAN, (1.0, 1.0)), "is NaN instead of 1");
        assert_eq!(said(1.0, (f64::NAN, f64::NAN)), "is 1 where the number that it is compared with is NaN");
        assert_eq!(said(f64::NAN, (f64::NAN, f64::NAN)), "is NaN, and so is the number that it is compared with");
    }
}
