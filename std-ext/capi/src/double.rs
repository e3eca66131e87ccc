//! The calls for one example in `double`: `topk_f64_…`.
//!
//! # Safety
//! Every pointer is NULL, which is an error, or leads to as many values as its length says; what is written is used by nobody else meanwhile.
#![expect(clippy::missing_safety_doc, reason = "said once, above")]

use crate::error::report;
use crate::example::{self, Example};
use crate::{TopkError, TopkLoss, TopkSettings, TopkStatus};

/// The settings of a loss in `double`, a `TopkKind`, to start from; as `topk_f32_settings`.
#[unsafe(no_mangle)]
pub extern "C" fn topk_f64_settings(kind: u32) -> TopkSettings<f64> {
    TopkSettings::of(kind)
}

/// Makes a loss in `double` of its settings; as `topk_f32_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f64_init(loss: *mut TopkLoss<f64>, settings: *const TopkSettings<f64>, error: *mut TopkError) -> TopkStatus {
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::init(loss, settings)) }
}

/// The same loss with other draws; as `topk_f32_fold_in`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f64_fold_in(
    loss: *const TopkLoss<f64>,
    number: u64,
    into: *mut TopkLoss<f64>,
    error: *mut TopkError,
) -> TopkStatus {
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::fold_in(loss, number, into)) }
}

/// How many numbers of scratch so many classes need; as `topk_f32_scratch_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f64_scratch_len(loss: *const TopkLoss<f64>, num_classes: usize) -> usize {
    // SAFETY: the caller's promise, see the module.
    unsafe { example::scratch_len(loss, num_classes) }
}

/// The loss of an example in `double`; as `topk_f32_value`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f64_value(
    loss: *const TopkLoss<f64>,
    scores: *const f64,
    num_classes: usize,
    label: usize,
    value: *mut f64,
    scratch: *mut f64,
    scratch_len: usize,
    error: *mut TopkError,
) -> TopkStatus {
    let example = Example { scores, num_classes, label, scratch, scratch_len, value };
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::evaluate(loss, &example, None)) }
}

/// The loss of an example in `double` and its gradient; as `topk_f32_value_and_grad`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f64_value_and_grad(
    loss: *const TopkLoss<f64>,
    scores: *const f64,
    num_classes: usize,
    label: usize,
    value: *mut f64,
    grad: *mut f64,
    scratch: *mut f64,
    scratch_len: usize,
    error: *mut TopkError,
) -> TopkStatus {
    let example = Example { scores, num_classes, label, scratch, scratch_len, value };
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::evaluate(loss, &example, Some(grad))) }
}
