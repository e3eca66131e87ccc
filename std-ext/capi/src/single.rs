//! The calls for one example in `float`: `topk_f32_…`.
//!
//! # Safety
//! Every pointer is NULL, which is an error, or leads to as many values as its length says; what is written is used by nobody else meanwhile.
#![expect(clippy::missing_safety_doc, reason = "said once, above")]

use crate::error::report;
use crate::example::{self, Example};
use crate::{TopkError, TopkLoss, TopkSettings, TopkStatus};

/// The settings of a loss, a `TopkKind`, to start from.
#[unsafe(no_mangle)]
pub extern "C" fn topk_f32_settings(kind: u32) -> TopkSettings<f32> {
    TopkSettings::of(kind)
}

/// Makes a loss of its settings, in the caller's memory. No memory is allocated, and none is to be freed.
///
/// What the losses' constructors refuse is an error, and leaves the loss as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f32_init(loss: *mut TopkLoss<f32>, settings: *const TopkSettings<f32>, error: *mut TopkError) -> TopkStatus {
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::init(loss, settings)) }
}

/// The same loss with other draws: with a number, a step's or an example's, folded into what they are made from. `into` may be `loss`.
///
/// A loss that draws draws the same in every call until it is given another number. A batch gives every example its own:
/// the draws of `topk_values` are those of `fold_in(step)`, then `fold_in(example)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f32_fold_in(
    loss: *const TopkLoss<f32>,
    number: u64,
    into: *mut TopkLoss<f32>,
    error: *mut TopkError,
) -> TopkStatus {
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::fold_in(loss, number, into)) }
}

/// How many numbers of scratch so many classes need; SIZE_MAX if `loss` is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f32_scratch_len(loss: *const TopkLoss<f32>, num_classes: usize) -> usize {
    // SAFETY: the caller's promise, see the module.
    unsafe { example::scratch_len(loss, num_classes) }
}

/// The loss of an example of `num_classes` scores.
///
/// The contents of `value` and of `scratch`, of `topk_f32_scratch_len` numbers or more, are irrelevant before; nothing that is written may overlap
/// what is read. After an error `value` is as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f32_value(
    loss: *const TopkLoss<f32>,
    scores: *const f32,
    num_classes: usize,
    label: usize,
    value: *mut f32,
    scratch: *mut f32,
    scratch_len: usize,
    error: *mut TopkError,
) -> TopkStatus {
    let example = Example { scores, num_classes, label, scratch, scratch_len, value };
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::evaluate(loss, &example, None)) }
}

/// The loss of an example and its gradient with respect to the scores, of as many numbers as they are.
///
/// As `topk_f32_value`; `grad` is overwritten, and after an error as it was or, where only the computation found the fault, unspecified.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_f32_value_and_grad(
    loss: *const TopkLoss<f32>,
    scores: *const f32,
    num_classes: usize,
    label: usize,
    value: *mut f32,
    grad: *mut f32,
    scratch: *mut f32,
    scratch_len: usize,
    error: *mut TopkError,
) -> TopkStatus {
    let example = Example { scores, num_classes, label, scratch, scratch_len, value };
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || example::evaluate(loss, &example, Some(grad))) }
}
