//! How much memory a call needs beside its inputs and outputs.

use std::fs;

use anyhow::{Context, Result};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The larger of two lower bounds, in bytes: the peak of the heap above where it was, and how much more private memory is resident
/// afterwards, which sees the stacks but not what was given back to the system.
///
/// Only a process's first call of a contestant tells, the later ones find the stacks grown.
pub fn extra(call: impl FnOnce() -> Result<f32>) -> Result<usize> {
    let resident = anonymous()?;
    HEAP.reset_peak_usage();
    let heap = HEAP.current_usage();
    call()?;
    let heap = HEAP.peak_usage().saturating_sub(heap);
    Ok(heap.max(anonymous()?.saturating_sub(resident)))
}

/// Bytes of private memory that is resident, counted page by page by the kernel.
fn anonymous() -> Result<usize> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").context("the resident memory, which Linux tells")?;
    let kilobytes = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")?.trim().strip_suffix("kB"));
    Ok(1024 * kilobytes.context("a line of private memory")?.trim().parse::<usize>()?)
}
