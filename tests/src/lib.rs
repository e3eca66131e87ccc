//! Property-test a loss: strategies that reach the hard corners of score space, naive references to compare with, one table of
//! tolerances with their reasons, and statistical tests that do not flake.
//!
//! A law is a plain generic function of a drawn input; [`both_floats!`] runs it in `f32` and `f64`:
//!
//! ```
//! use proptest::prelude::*;
//! use topk_loss::{CrossEntropy, Loss, Real};
//! use topk_loss_laws::{Example, both_floats, example};
//!
//! fn cross_entropy_is_not_negative<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
//!     prop_assert!(CrossEntropy.value(&scores, label, &mut []).unwrap() >= F::zero());
//!     Ok(())
//! }
//! both_floats!(cross_entropy_is_not_negative in example);
//! ```
//!
//! | module | what is there |
//! |---|---|
//! | [`strategies`] | scores that are normal, tied, separated, clustered, extreme or far from zero; labels, ranks, class counts |
//! | [`reference`](mod@reference) | the mathematics once more, by sorting and plain loops |
//! | [`broken`] | what a user may hand in by mistake |
//! | [`calibration`] | is a loss top-K calibrated? a search for a counter-example, and the calibration function |
//! | [`problems`] | combinatorial problems to perturb: a grid's shortest path |
//! | [`smoothed`] | the smoothed order statistic by a slow, independent quadrature |
//! | [`tolerances`] | how far a number may be from its reference, and why |
//! | [`statistics`] | means, variances, standard errors and laws judged at a fixed false-alarm level, with a stated power |
//! | [`unbiased`] | is the mean of an estimator the smoothed function? if not, which coordinate is off, and by how much |

pub mod broken;
pub mod calibration;
pub mod problems;
pub mod property;
pub mod reference;
pub mod smoothed;
pub mod statistics;
pub mod strategies;
pub mod tolerances;
pub mod unbiased;

pub use strategies::{Example, class_counts, example, scores};
pub use tolerances::Tolerance;
