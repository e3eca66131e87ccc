//! What laws are written with: a name, comparisons within a tolerance, and the violation where one fails.

use core::fmt::Display;

use topk_loss::{Error, Loss, Real};

use super::quiet::quietly;
use crate::reference::{ValueAndGrad, to_f64};
use crate::violation::{Fault, Violation};

/// A law by its name; its methods evaluate a loss and compare numbers, and put into words what is wrong.
///
/// See the [laws](crate::laws) for one of your own that uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Law(pub &'static str);

/// Why a law says no more about an input.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::laws::{Law, Stop};
/// // A row whose loss is beyond the float's range is declined, which breaks no law.
/// let stopped = Law("mine").value(&CrossEntropy, &[f64::MAX, -f64::MAX], 1).unwrap_err();
/// assert_eq!(stopped, Stop::Declined);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The subject declined the input, for the end of the float's range or of its own accuracy.
    Declined,
    /// The law does not hold.
    Violated(Violation),
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Violated(violation)
    }
}

impl Law {
    /// The verdict of `body`; an input that the subject declined breaks no law.
    ///
    /// ```
    /// use topk_loss_laws::laws::{Law, Stop};
    /// assert_eq!(Law("mine").judge(|_| Err(Stop::Declined)), Ok(()));
    /// assert!(Law("mine").judge(|law| Ok(law.close("the value", 0.5, 1.0, 0.25)?)).is_err());
    /// ```
    ///
    /// # Errors
    /// The violation that `body` found.
    pub fn judge(self, body: impl FnOnce(Self) -> Result<(), Stop>) -> Result<(), Violation> {
        match body(self) {
            Ok(()) | Err(Stop::Declined) => Ok(()),
            Err(Stop::Violated(violation)) => Err(violation),
        }
    }

    /// The violation that at `place` there is `found` instead of `expected`.
    ///
    /// ```
    /// use topk_loss_laws::laws::Law;
    /// assert_eq!(Law("mine").violation("the value", 1, 2).to_string(), "mine: the value is 1 instead of 2");
    /// ```
    pub fn violation(self, place: impl Display, found: impl Display, expected: impl Display) -> Violation {
        let fault = Fault::Answer { found: found.to_string(), expected: expected.to_string() };
        Violation { law: self.0, place: place.to_string(), fault }
    }

    /// The number at `place` is the one expected, up to what is allowed.
    ///
    /// ```
    /// use topk_loss_laws::laws::Law;
    /// assert_eq!(Law("mine").close("the value", 1.01, 1.0, 0.1), Ok(()));
    /// assert!(Law("mine").close("the value", f64::NAN, 1.0, 0.1).is_err());
    /// ```
    ///
    /// # Errors
    /// It is not.
    pub fn close<F: Real>(self, place: impl Display, found: F, expected: F, allowed: f64) -> Result<(), Violation> {
        self.between(place, found, (expected, expected), allowed)
    }

    /// The number at `place` is between two others, up to what is allowed.
    ///
    /// ```
    /// use topk_loss_laws::laws::Law;
    /// assert_eq!(Law("mine").between("the value", 3.0, (0.0, f64::INFINITY), 0.0), Ok(()));
    /// assert!(Law("mine").between("the value", -1.0, (0.0, f64::INFINITY), 0.0).is_err());
    /// ```
    ///
    /// # Errors
    /// It is not; NaN never is.
    pub fn between<F: Real>(self, place: impl Display, found: F, (least, most): (F, F), allowed: f64) -> Result<(), Violation> {
        let (found, least, most) = (to_f64(found), to_f64(least), to_f64(most));
        if found >= least - allowed && found <= most + allowed {
            return Ok(());
        }
        Err(Violation { law: self.0, place: place.to_string(), fault: Fault::Number { found, least, most, allowed } })
    }

    /// What a call of the subject returned.
    ///
    /// ```
    /// use topk_loss::Error;
    /// use topk_loss_laws::laws::{Law, Stop};
    /// assert_eq!(Law("mine").good(|| Ok(1)), Ok(1));
    /// assert_eq!(Law("mine").good(|| Err::<f64, _>(Error::Overflow { what: "loss" })), Err(Stop::Declined));
    /// ```
    ///
    /// # Errors
    /// The subject declined, or failed on good input.
    pub fn good<T>(self, call: impl FnOnce() -> topk_loss::Result<T>) -> Result<T, Stop> {
        match self.caught(call)? {
            Ok(answer) => Ok(answer),
            Err(Error::Accuracy { .. } | Error::Overflow { .. }) => Err(Stop::Declined),
            Err(error) => Err(self.violation("the call", format_args!("an error, {error},"), "a number").into()),
        }
    }

    /// What a call of the subject returned, an error or not.
    ///
    /// ```
    /// use topk_loss_laws::laws::Law;
    /// assert_eq!(Law("mine").caught(|| 1), Ok(1));
    /// assert!(Law("mine").caught(|| -> i32 { panic!("of the loss") }).is_err());
    /// ```
    ///
    /// # Errors
    /// It panicked.
    pub fn caught<T>(self, call: impl FnOnce() -> T) -> Result<T, Violation> {
        quietly(call).map_err(|message| self.violation("the call", format_args!("a panic, {message:?},"), "a result"))
    }

    /// The loss, by its own call.
    ///
    /// **Ties and NaN.** The loss's: that it refuses NaN is a violation here, as any error but those of an end of the range.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss_laws::laws::Law;
    /// assert_eq!(Law("mine").value(&CrossEntropy, &[0.0_f64, 0.0], 1), Ok(2.0_f64.ln()));
    /// ```
    ///
    /// # Errors
    /// As [`good`](Self::good).
    pub fn value<F: Real>(self, loss: &dyn Loss<F>, scores: &[F], label: usize) -> Result<F, Stop> {
        self.good(|| loss.value(scores, label, &mut vec![F::zero(); loss.scratch_len(scores.len())]))
    }

    /// The loss and its gradient, from clean buffers.
    ///
    /// **Ties and NaN.** The loss's: that it refuses NaN is a violation here, as any error but those of an end of the range.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss_laws::laws::Law;
    /// assert_eq!(Law("mine").evaluate(&CrossEntropy, &[0.0_f64, 0.0], 1), Ok((2.0_f64.ln(), vec![0.5, -0.5])));
    /// ```
    ///
    /// # Errors
    /// As [`good`](Self::good).
    pub fn evaluate<F: Real>(self, loss: &dyn Loss<F>, scores: &[F], label: usize) -> Result<ValueAndGrad<F>, Stop> {
        let mut grad = vec![F::zero(); scores.len()];
        let value = self.good(|| loss.value_and_grad(scores, label, &mut grad, &mut vec![F::zero(); loss.scratch_len(scores.len())]))?;
        Ok((value, grad))
    }
}

/// The size of what rounds where a value and its gradient are computed: the value, and an error of the scores times the slope.
pub(super) fn magnitude<F: Real>(scores: &[F], (value, grad): &ValueAndGrad<F>) -> f64 {
    let largest = scores.iter().fold(1.0, |largest, &s| to_f64(s).abs().max(largest));
    to_f64(value.abs()) + largest * size(grad)
}

/// Σ|g|.
pub(super) fn size<F: Real>(grad: &[F]) -> f64 {
    grad.iter().map(|&g| to_f64(g.abs())).sum()
}
