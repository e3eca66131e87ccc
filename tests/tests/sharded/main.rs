//! Losses whose classes are on several shards: threads that tell each other sums.

mod extremes;
mod faults;
mod threads;
mod traffic;
mod whole;
