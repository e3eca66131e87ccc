//! The handle of a loss for batches of every float: made of settings or JSON, used, freed.

use core::ffi::{CStr, c_char};

use topk_loss::config::{AnyLoss, LossConfig};

use crate::error::{Failure, Result, report};
use crate::memory::{hand_out, read_one};
use crate::{TopkError, TopkSettings, TopkStatus};

/// A loss for batches. It has its lists itself, does not change, and may be used by several threads at once.
#[derive(Debug)]
pub struct TopkBatchLoss {
    /// For `f32`, `f16` and `bf16`.
    pub(crate) single: AnyLoss<f32, Vec<f32>>,
    /// For `f64`.
    pub(crate) double: AnyLoss<f64, Vec<f64>>,
}

/// A loss of these settings, to be freed by `topk_batch_loss_free`. Lists are copied.
///
/// What the losses' constructors refuse is an error; parameters must be right as `f32`, too, since the loss computes any float. `loss` is then
/// as it was.
///
/// # Safety
/// Pointers are NULL, which is an error, or lead to what they are of; the settings' lists are as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_batch_loss_new(
    settings: *const TopkSettings<f64>,
    loss: *mut *mut TopkBatchLoss,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        let (single, double) = unsafe {
            let settings = read_one("settings", settings)?;
            let single = settings.describe(|float| float as f32, |list| list.iter().map(|&float| float as f32).collect());
            (single?, settings.describe(|float| float, <[f64]>::to_vec)?)
        };
        // SAFETY: the caller's promise.
        unsafe { hand_out("loss", loss, build(single, double)?) }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// A loss of JSON, which ends in a zero: `{"loss": {"top_k_hinge": {"k": 5, "smoothing": {"exact": {"epsilon": 0.2}}}}}`.
///
/// Names are those of the Rust crate's `LossConfig`; every loss has its parameters, and `adjustments` and `class_weights` may stand beside
/// `loss`. An unknown name is an error.
///
/// # Safety
/// As `topk_batch_loss_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_batch_loss_from_json(
    json: *const c_char,
    loss: *mut *mut TopkBatchLoss,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        if json.is_null() {
            return Err(Failure::Null("json"));
        }
        // SAFETY: not NULL, and the caller's promise.
        let json = unsafe { CStr::from_ptr(json) }.to_str().map_err(|_| Failure::Utf8)?;
        let (single, double) = (serde_json::from_str(json), serde_json::from_str(json));
        // SAFETY: the caller's promise.
        unsafe { hand_out("loss", loss, build(single.map_err(Failure::Json)?, double.map_err(Failure::Json)?)?) }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// Frees a loss. NULL is none.
///
/// # Safety
/// `loss` is NULL, or one that was not freed and that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_batch_loss_free(loss: *mut TopkBatchLoss) {
    if !loss.is_null() {
        // SAFETY: `hand_out` made it by a `Box`, and the caller's promise.
        drop(unsafe { Box::from_raw(loss) });
    }
}

/// The loss that both describe.
fn build(single: LossConfig<f32, Vec<f32>>, double: LossConfig<f64, Vec<f64>>) -> Result<TopkBatchLoss> {
    Ok(TopkBatchLoss { single: single.build()?, double: double.build()? })
}
