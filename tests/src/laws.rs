//! The laws: plain functions that take a subject and one input, and say what is wrong.
//!
//! | a law about | its input | holds for |
//! |---|---|---|
//! | [`buffers`], [`bad_input`], [`outcome`] | [`Example`] | every loss: what the trait promises |
//! | [`slope`] | [`Example`] | every loss that has a derivative almost everywhere |
//! | [`invariance`], [`ordering`], [`ties`], [`precision`], [`keys`] | [`Example`] | losses that claim it |
//! | [`convexity`], [`growth`], [`linearity`] | [`Segment`](crate::strategies::Segment) | losses that claim it |
//! | [`oracle`] | [`Example`] | oracles; with [`OfScores`](crate::OfScores) the laws of losses are theirs too |
//! | [`noise`] | a probability | noise laws |
//! | [`estimator`] | | estimators |
//!
//! Where a loss declines good input because the float's range or its own accuracy ends ([`Error::Overflow`], [`Error::Accuracy`]), a law has
//! nothing to say. Any other error, or a panic, is a violation of whichever law was running.
//!
//! A law of your own is a function too, with [`Law`] to evaluate the subject and to put failures into words:
//!
//! ```
//! use topk_loss::{CrossEntropy, Loss};
//! use topk_loss_laws::laws::Law;
//! use topk_loss_laws::tolerances::ROUNDING;
//! use topk_loss_laws::{Example, Violation, check_loss};
//!
//! /// The loss of K tied classes is the logarithm of their number.
//! fn measures_in_nats(loss: &dyn Loss<f64>, example: &Example<f64>) -> Result<(), Violation> {
//!     Law("measures_in_nats").judge(|law| {
//!         let tied = vec![0.0; example.scores.len()];
//!         let value = law.value(loss, &tied, example.label)?;
//!         Ok(law.close("the value", value, (tied.len() as f64).ln(), ROUNDING.of::<f64>(value))?)
//!     })
//! }
//! assert!(check_loss(|_| CrossEntropy, measures_in_nats).is_ok());
//! ```
//!
//! [`Error::Overflow`]: topk_loss::Error::Overflow
//! [`Error::Accuracy`]: topk_loss::Error::Accuracy
//! [`Example`]: crate::Example

pub mod bad_input;
pub mod buffers;
pub mod convexity;
mod differences;
pub mod estimator;
pub mod growth;
pub mod invariance;
pub mod keys;
mod law;
pub mod linearity;
pub mod noise;
pub mod oracle;
pub mod ordering;
pub mod outcome;
pub mod precision;
mod quiet;
pub mod slope;
pub mod ties;

pub use bad_input::{a_label_that_is_no_class_is_an_error, scores_that_are_no_numbers_are_errors, wrong_lengths_are_errors};
pub use buffers::{gradient_is_overwritten, scratch_is_irrelevant, value_is_that_of_the_gradient_call};
pub use convexity::{is_convex, lies_above_its_tangents};
pub use growth::{is_lipschitz, is_smooth};
pub use invariance::{gradient_sums_to, ignores_a_common_offset, is_homogeneous, treats_classes_alike};
pub use keys::{draws_follow_the_key, ignores_the_key};
pub use law::{Law, Stop};
pub use linearity::is_linear_in_cells;
pub use ordering::{falls_with_the_label_score, is_never_negative, vanishes_with_the_lead};
pub use outcome::{is_deterministic, results_are_finite};
pub use precision::agrees_in_single_precision;
pub use slope::{gradient_is_the_slope, has_no_kink};
pub use ties::{ties_go_to_the_lowest_index, zeros_of_both_signs_are_equal};
