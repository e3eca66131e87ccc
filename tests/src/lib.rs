//! x
pub mod smoothed;
