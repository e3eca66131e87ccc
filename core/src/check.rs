//! The checks that every public function makes before it writes anything, for a loss or an oracle of your own too.
//!
//! ```
//! use topk_loss::{Error, check};
//! /// −s_y.
//! fn value(scores: &[f32], label: usize) -> topk_loss::Result<f32> {
//!     check::scores(scores)?;
//!     Ok(-check::label(scores, label)?)
//! }
//! assert_eq!(value(&[1.0, 2.0], 1), Ok(-2.0));
//! assert_eq!(value(&[1.0, 2.0], 2), Err(Error::Label { label: 2, num_classes: 2 }));
//! assert!(value(&[f32::NAN], 0).is_err());
//! ```

use crate::{Error, Real, Result, lanes};

/// That a slice has as many elements as it must have.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::length("grad", &[0.0; 3], 3), Ok(()));
/// assert_eq!(check::length("grad", &[0.0; 3], 2), Err(Error::Length { what: "grad", expected: 2, actual: 3 }));
/// ```
///
/// # Errors
/// Another length.
pub fn length<T>(what: &'static str, slice: &[T], expected: usize) -> Result<()> {
    match slice.len() {
        actual if actual == expected => Ok(()),
        actual => Err(Error::Length { what, expected, actual }),
    }
}

/// The first `needed` elements of the scratch, which may be longer.
///
/// ```
/// use topk_loss::check;
/// assert_eq!(check::scratch(&mut [0.0; 5], 3)?.len(), 3);
/// assert!(check::scratch(&mut [0.0; 5], 6).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// Fewer of them.
pub fn scratch<F>(scratch: &mut [F], needed: usize) -> Result<&mut [F]> {
    let actual = scratch.len();
    scratch.get_mut(..needed).ok_or(Error::Length { what: "scratch", expected: needed, actual })
}

/// The first `len` elements of the scratch, and the rest.
///
/// ```
/// use topk_loss::check;
/// let mut scratch = [0.0; 5];
/// let (first, rest) = check::split(&mut scratch, 3)?;
/// assert_eq!((first.len(), rest.len()), (3, 2));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// Fewer of them.
pub fn split<F>(scratch: &mut [F], len: usize) -> Result<(&mut [F], &mut [F])> {
    let actual = scratch.len();
    scratch.split_at_mut_checked(len).ok_or(Error::Length { what: "scratch", expected: len, actual })
}

/// That every number is finite.
///
/// **Cost.** One pass.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::finite("weights", &[1.0, -2.0]), Ok(()));
/// assert_eq!(check::finite("weights", &[1.0, f64::NAN]), Err(Error::NotFinite { what: "weights", index: 1 }));
/// ```
///
/// # Errors
/// The first value that is NaN or infinite.
pub fn finite<F: Real>(what: &'static str, values: &[F]) -> Result<()> {
    // One branch for the whole slice keeps the usual, clean case vectorised.
    if values.iter().fold(true, |all, v| all & v.is_finite()) {
        return Ok(());
    }
    let index = values.iter().position(|v| !v.is_finite()).unwrap_or_default();
    Err(Error::NotFinite { what, index })
}

/// That there is at least one score, and that each is finite.
///
/// **Cost.** One pass.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::scores(&[0.5, -2.0]), Ok(()));
/// assert_eq!(check::scores(&[0.5, f32::INFINITY]), Err(Error::NotFinite { what: "scores", index: 1 }));
/// assert_eq!(check::scores::<f32>(&[]), Err(Error::Length { what: "scores", expected: 1, actual: 0 }));
/// ```
///
/// # Errors
/// None; one that is NaN or infinite.
pub fn scores<F: Real>(scores: &[F]) -> Result<()> {
    at_least_one_score(scores)?;
    finite("scores", scores)
}

pub(crate) fn at_least_one_score<F>(scores: &[F]) -> Result<()> {
    if scores.is_empty() { Err(Error::Length { what: "scores", expected: 1, actual: 0 }) } else { Ok(()) }
}

/// The label's score.
///
/// **Ties and NaN.** The score is not looked at; [`scores`] does that.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::label(&[0.5, 2.0], 1), Ok(2.0));
/// assert_eq!(check::label(&[0.5, 2.0], 2), Err(Error::Label { label: 2, num_classes: 2 }));
/// ```
///
/// # Errors
/// A label that is no class.
pub fn label<F: Real>(scores: &[F], label: usize) -> Result<F> {
    scores.get(label).copied().ok_or(Error::Label { label, num_classes: scores.len() })
}

/// That a rank k is from 1 to `max`.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::rank(4, 4), Ok(()));
/// assert_eq!(check::rank(5, 4), Err(Error::K { k: 5, max: 4 }));
/// ```
///
/// # Errors
/// Another k.
pub fn rank(k: usize, max: usize) -> Result<()> {
    if (1..=max).contains(&k) { Ok(()) } else { Err(Error::K { k, max }) }
}

/// A count of at least 1.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::at_least_one("k", 3), Ok(3));
/// assert_eq!(check::at_least_one("k", 0), Err(Error::Parameter { name: "k", must: "at least 1" }));
/// ```
///
/// # Errors
/// 0.
pub fn at_least_one(name: &'static str, n: usize) -> Result<usize> {
    if n == 0 { Err(Error::Parameter { name, must: "at least 1" }) } else { Ok(n) }
}

/// A positive, finite number.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::positive("epsilon", 0.5), Ok(0.5));
/// assert_eq!(check::positive("epsilon", 0.0), Err(Error::Parameter { name: "epsilon", must: "positive and finite" }));
/// ```
///
/// # Errors
/// Any other, NaN too.
pub fn positive<F: Real>(name: &'static str, x: F) -> Result<F> {
    if x > F::zero() && x.is_finite() { Ok(x) } else { Err(Error::Parameter { name, must: "positive and finite" }) }
}

/// That every entry is finite and at least 0.
///
/// **Cost.** Two passes.
///
/// ```
/// use topk_loss::check;
/// assert_eq!(check::non_negative("weights", &[0.0, 3.0]), Ok(()));
/// assert_eq!(check::non_negative("weights", &[0.0, -3.0]).unwrap_err().to_string(), "weights must be of entries that are at least 0");
/// ```
///
/// # Errors
/// Another entry, NaN too.
pub fn non_negative<F: Real>(name: &'static str, values: &[F]) -> Result<()> {
    finite(name, values)?;
    if values.iter().all(|&x| x >= F::zero()) { Ok(()) } else { Err(Error::Parameter { name, must: "of entries that are at least 0" }) }
}

/// Entries of at least 0 that sum to 1, within 2L machine epsilons, what adding L shares up may have rounded, but a hundredth at most.
///
/// **Cost.** Three passes.
///
/// ```
/// use topk_loss::check;
/// assert_eq!(check::distribution("target", &[0.75, 0.25]), Ok(()));
/// assert_eq!(check::distribution("target", &[0.75, 0.5]).unwrap_err().to_string(), "target must be of entries that sum to 1");
/// ```
///
/// # Errors
/// Others: a negative, NaN or infinite entry, another sum.
pub fn distribution<F: Real>(name: &'static str, shares: &[F]) -> Result<()> {
    non_negative(name, shares)?;
    let slack = (F::epsilon() * F::from_usize(shares.len()) * F::from_f64(2.0)).min(F::from_f64(0.01));
    if (lanes::total(shares) - F::one()).abs() <= slack { Ok(()) } else { Err(Error::Parameter { name, must: "of entries that sum to 1" }) }
}

/// A result that is in the float's range.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::in_range("loss", 2.0), Ok(2.0));
/// assert_eq!(check::in_range("loss", f64::MAX * 2.0), Err(Error::Overflow { what: "loss" }));
/// ```
///
/// # Errors
/// One that is not, NaN too.
pub fn in_range<F: Real>(what: &'static str, value: F) -> Result<F> {
    if value.is_finite() { Ok(value) } else { Err(Error::Overflow { what }) }
}

/// That every result is in the float's range.
///
/// **Cost.** One pass.
///
/// ```
/// use topk_loss::{Error, check};
/// assert_eq!(check::all_in_range("gradient", &[0.5, -0.5]), Ok(()));
/// assert_eq!(check::all_in_range("gradient", &[0.5, f64::INFINITY]), Err(Error::Overflow { what: "gradient" }));
/// ```
///
/// # Errors
/// One that is not, NaN too.
pub fn all_in_range<F: Real>(what: &'static str, values: &[F]) -> Result<()> {
    if values.iter().fold(true, |all, v| all & v.is_finite()) { Ok(()) } else { Err(Error::Overflow { what }) }
}
