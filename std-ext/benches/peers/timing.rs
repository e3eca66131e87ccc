//! The time of a call, by the rule that `theirs.py` follows too.

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use anyhow::Result;

/// A first call as long as this is taken as the time; a shorter one warms up and is not counted.
const LONG: Duration = Duration::from_millis(500);
/// For how long the calls after it are repeated.
const REPEATED: Duration = Duration::from_millis(50);

/// Nanoseconds of one call.
pub fn time(mut call: impl FnMut() -> Result<f32>) -> Result<f64> {
    let start = Instant::now();
    black_box(call()?);
    let first = start.elapsed();
    if first >= LONG {
        return Ok(first.as_nanos() as f64);
    }
    let start = Instant::now();
    let mut calls = 0.0;
    while start.elapsed() < REPEATED {
        black_box(call()?);
        calls += 1.0;
    }
    Ok(start.elapsed().as_nanos() as f64 / calls)
}
