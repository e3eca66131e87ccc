//! Estimators, one file each, and the official implementations' numbers.

mod conditional;
mod control_variate;
#[path = "../data/vectors.rs"]
mod data;
mod epsilon;
mod estimate;
mod exact;
mod exact_shards;
mod pathwise;
mod score_function;
mod vectors;
