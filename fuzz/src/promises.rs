//! What every call promises: no panic, a finite result or a typed error, buffers as documented, one value.

use topk_loss::oracle::Oracle;
use topk_loss::{Error, Loss, Result};

use crate::Float;

/// What buffers hold before a call: an entry that is still this one was not written.
const BEFORE: f64 = 77.0;

/// More scratch than a target has. Whoever asks for it must name another fault when he gets none.
const MOST_SCRATCH: usize = 1 << 24;

/// A buffer that shows whether it was written to.
#[must_use]
pub fn buffer<F: Float>(len: usize) -> Vec<F> {
    vec![F::from_f64(BEFORE); len]
}

/// Scratch full of NaN, exactly as long as was asked for.
#[must_use]
pub fn scratch<F: Float>(needed: usize) -> Vec<F> {
    vec![F::nan(); if needed > MOST_SCRATCH { 0 } else { needed }]
}

/// The buffer is as it was.
pub fn assert_untouched<F: Float>(buffer: &[F], error: &impl core::fmt::Debug) {
    assert!(buffer.iter().all(|&entry| entry == F::from_f64(BEFORE)), "written to in spite of {error:?}");
}

/// All finite.
pub fn assert_finite<F: Float>(what: &str, numbers: &[F]) {
    assert!(numbers.iter().all(|number| number.is_finite()), "{what} is not finite: {numbers:?}");
}

/// The same bits.
pub fn assert_same<F: Float>(what: &str, actual: &[F], expected: &[F]) {
    let bits = |numbers: &[F]| numbers.iter().map(|number| number.bits()).collect::<Vec<_>>();
    assert!(bits(actual) == bits(expected), "{what}: {actual:?} instead of {expected:?}");
}

/// Whether an error may be found when the gradient was already written.
#[must_use]
pub fn is_of_the_computation(error: &Error) -> bool {
    matches!(error, Error::Overflow { .. } | Error::Accuracy { .. } | Error::NotFinite { what: "noise law", .. })
}

/// Value and gradient of a call of its own kind, each of which keeps the promises.
///
/// `value` and `value_and_grad` are the two calls, of which the latter gets a buffer of `len` entries.
pub fn both<F: Float>(
    len: usize,
    value: impl FnOnce() -> Result<F>,
    value_and_grad: impl FnOnce(&mut [F]) -> Result<F>,
) -> Result<(F, Vec<F>)> {
    let mut grad = buffer(len);
    let (alone, with_grad) = (value(), value_and_grad(&mut grad));
    if let Ok(alone) = alone {
        assert!(alone.is_finite(), "the value is {alone}");
    }
    match with_grad {
        Ok(value) => {
            assert_finite("the gradient", &grad);
            let alone = alone.unwrap_or_else(|error| panic!("value returns {error:?}, value_and_grad {value}"));
            assert_same("value and value_and_grad", &[value], &[alone]);
            Ok((value, grad))
        }
        Err(error) => {
            if !is_of_the_computation(&error) {
                assert_untouched(&grad, &error);
            }
            match alone {
                // The gradient has a range of its own.
                Ok(value) => assert!(is_of_the_computation(&error), "value returns {value}, value_and_grad {error:?}"),
                // Where both are beyond the range, either is named.
                Err(alone) if is_of_the_computation(&alone) => assert!(is_of_the_computation(&error), "{alone:?} and {error:?}"),
                Err(alone) => assert_eq!(alone, error, "value and value_and_grad"),
            }
            Err(error)
        }
    }
}

/// A loss keeps its promises.
pub fn loss<F: Float>(loss: &dyn Loss<F>, scores: &[F], label: usize) -> Result<(F, Vec<F>)> {
    let needed = loss.scratch_len(scores.len());
    both(
        scores.len(),
        || loss.value(scores, label, &mut scratch(needed)),
        |grad| loss.value_and_grad(scores, label, grad, &mut scratch(needed)),
    )
}

/// An oracle keeps its promises; the gradient is `weight` times its own.
pub fn oracle<F: Float>(oracle: &dyn Oracle<F>, theta: &[F], weight: F) -> Result<(F, Vec<F>)> {
    let needed = oracle.scratch_len(theta.len());
    let added = |grad: &mut [F]| {
        let value = oracle.value_and_add_grad(theta, weight, grad, &mut scratch(needed))?;
        // What was there before is small beside no gradient that is exact, and is taken off again.
        let mut alone = vec![F::zero(); theta.len()];
        let again = oracle.value_and_add_grad(theta, weight, &mut alone, &mut scratch(needed));
        assert_eq!(again.map(F::bits), Ok(value.bits()), "the same call twice");
        grad.copy_from_slice(&alone);
        Ok(value)
    };
    both(theta.len(), || oracle.value(theta, &mut scratch(needed)), added)
}
