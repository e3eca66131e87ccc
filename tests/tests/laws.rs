//! Every loss, oracle, noise law and estimator of the core, and the calls of a batch, under every law that they claim.
//!
//! By default 256 cases a law; `PROPTEST_CASES=10000 cargo test --release -p topk-loss-laws --test laws` is the deep run.

#[path = "laws/batches.rs"]
mod batches;
#[path = "laws/estimators.rs"]
mod estimators;
#[path = "laws/losses.rs"]
mod losses;
#[path = "laws/noise.rs"]
mod noise;
#[path = "laws/oracles.rs"]
mod oracles;
#[path = "laws/precision.rs"]
mod precision;
#[path = "laws/strategies.rs"]
mod strategies;
