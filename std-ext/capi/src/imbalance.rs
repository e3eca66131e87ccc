//! The calls for a long tail of classes: margins and adjustments from the classes' counts.
//!
//! # Safety
//! Every pointer is NULL, which is an error, or leads to `num_classes` values; what is written is used by nobody else meanwhile.
#![expect(clippy::missing_safety_doc, reason = "said once, above")]

use topk_loss::imbalance;

use crate::error::{Result, report};
use crate::memory::{check_apart, read, region, write};
use crate::{TopkError, TopkStatus};

/// Margins that grow as classes get rarer: `max_margin` times (n_rarest / n)^(1/4), n the count of a class. A class without examples gets
/// `max_margin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_ldam_margins(
    counts: *const usize,
    num_classes: usize,
    max_margin: f64,
    margins: *mut f64,
    error: *mut TopkError,
) -> TopkStatus {
    let compute = |counts: &[usize], margins: &mut [f64]| imbalance::ldam_margins(counts, max_margin, margins);
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || of_counts(counts, num_classes, ("margins", margins), compute)) }
}

/// The adjustments of a loss for frequencies of the classes: `temperature` times ln(n / Σ n), n the count of a class, which must not be 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_log_priors(
    counts: *const usize,
    num_classes: usize,
    temperature: f64,
    adjustments: *mut f64,
    error: *mut TopkError,
) -> TopkStatus {
    let compute = |counts: &[usize], adjustments: &mut [f64]| imbalance::log_priors(counts, temperature, adjustments);
    // SAFETY: the caller's promise, see the module.
    unsafe { report(error, || of_counts(counts, num_classes, ("adjustments", adjustments), compute)) }
}

/// # Safety
/// As the functions above.
unsafe fn of_counts(
    counts: *const usize,
    num_classes: usize,
    (what, numbers): (&'static str, *mut f64),
    compute: impl FnOnce(&[usize], &mut [f64]) -> topk_loss::Result<()>,
) -> Result<()> {
    check_apart(&[region(what, numbers, num_classes)], &[region("counts", counts, num_classes)])?;
    // SAFETY: the caller's promise; what is written was found to be apart from what is read.
    let (counts, numbers) = unsafe { (read("counts", counts, num_classes)?, write(what, numbers, num_classes)?) };
    Ok(compute(counts, numbers)?)
}
