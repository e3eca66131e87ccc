//! A stopwatch of processor time: how long a thread has computed.

use std::fs;

/// The seconds of processor time so far, which do not depend on what else the machine does; NaN where there is no Linux to ask.
pub fn seconds() -> f64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).map_or(f64::NAN, |nanoseconds| nanoseconds * 1e-9)
}
