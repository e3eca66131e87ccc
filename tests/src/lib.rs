//! Property-test a loss: strategies that reach the hard corners of score space, naive references to compare with, one table of
//! tolerances with their reasons, and statistical tests that do not flake.
//!
//! A law is a plain function of a subject and one input that says what is wrong; [`check`] runs it on many inputs and returns the smallest on
//! which it does not hold. [`loss_laws!`], [`oracle_laws!`], [`estimator_laws!`] and [`noise_laws!`] make a module of tests of one subject:
//!
//! ```
//! use topk_loss::CrossEntropy;
//! use topk_loss_laws::{loss_laws, tolerances::ROUNDING};
//!
//! loss_laws! {
//!     cross_entropy: f64 = |_| CrossEntropy;
//!     gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), is_convex(ROUNDING),
//! }
//! ```
//!
//! **Start with the [`guide`]**: a loss of your own, tested in three lines.
//!
//! | module | what is there |
//! |---|---|
//! | [`guide`] | test your own loss |
//! | [`laws`] | the laws of losses, oracles, noise laws and estimators |
//! | [`property`] | running a law: [`check`], [`holds`] |
//! | [`subjects`] | closures and oracles as losses |
//! | [`strategies`] | scores that are normal, tied, separated, clustered, extreme or far from zero; labels, ranks, distributions, permutations |
//! | [`reference`](mod@reference) | the mathematics once more, by sorting and plain loops |
//! | [`broken`] | what a user may hand in by mistake |
//! | [`calibration`] | is a loss top-K calibrated? a search for a counter-example, and the calibration function |
//! | [`certificate`] | the same for a piecewise linear loss: decided exactly, with a proof to check |
//! | [`problems`] | combinatorial problems to perturb: a grid's shortest path |
//! | [`plackett_luce`] | the model of rankings that Gumbel noise makes, by enumeration |
//! | [`symmetric`] | subsets of K classes, by enumeration and by logarithms of symmetric polynomials |
//! | [`smoothed`] | the smoothed order statistic by a slow, independent quadrature |
//! | [`tolerances`] | how far a number may be from its reference, and why |
//! | [`statistics`] | means, variances, standard errors and laws judged at a fixed false-alarm level, with a stated power |
//! | [`unbiased`] | is the mean of an estimator the smoothed function? if not, which coordinate is off, and by how much |
//!
//! Every property runs 256 cases, the same on every run. The environment variables `PROPTEST_CASES` and `PROPTEST_RNG_SEED` say how many and
//! which others. This workspace's deep runs are
//!
//! ```sh
//! PROPTEST_CASES=10000 PROPTEST_RNG_SEED=1 cargo test --release -p topk-loss-laws --test laws   # all laws of all that the core has
//! cargo test --release -p topk-loss-laws --tests -- --ignored --nocapture   # slow references, and the table of what is calibrated
//! ```

#![cfg_attr(doctest, doc = include_str!("../README.md"))]

pub mod broken;
pub mod calibration;
pub mod certificate;
pub mod guide;
pub mod laws;
mod macros;
pub mod plackett_luce;
pub mod problems;
pub mod property;
pub mod reference;
pub mod smoothed;
pub mod statistics;
pub mod strategies;
pub mod subjects;
pub mod symmetric;
pub mod tolerances;
pub mod unbiased;
mod violation;

pub use property::{Counterexample, Passed, check, check_loss, holds};
pub use strategies::{Example, Segment, class_counts, example, scores};
pub use subjects::{OfScores, loss_fn};
pub use tolerances::Tolerance;
pub use violation::{Fault, Violation};
