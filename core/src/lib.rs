//! The calibrated top-K hinge loss and its stochastic smoothing, as mathematics over plain slices.
//!
//! A classifier that may make K guesses is right when the label is among its K largest scores. The calibrated top-K hinge
//! asks the label's score to lead the (K+1)-th largest by a margin; smoothing that order statistic with noise gives it a
//! gradient that trains. This crate computes both, value and gradient, with no automatic differentiation, no `std`, no
//! allocation and no panic: a function writes into slices that the caller owns.
//!
//! ```
//! use topk_loss::{Key, Loss, Margins, Smoothing, TopKHinge};
//!
//! let smoothing = Smoothing::Pathwise { epsilon: 0.2, num_samples: 10, key: Key::new(1) };
//! let loss = TopKHinge::new(2)?.with_smoothing(smoothing)?;
//!
//! let scores = [0.3_f32, 2.0, 1.9, 1.8, -1.0];
//! let (mut grad, mut scratch) = ([0.0; 5], [0.0; 15]);
//! let value = loss.value_and_grad(&scores, 0, &mut grad, &mut scratch)?;
//!
//! assert!(value > 2.0);
//! assert_eq!(grad[0], -1.0);
//! assert!((grad.iter().sum::<f32>()).abs() < 1e-6);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! Two orthogonal axes in place of a zoo of classes:
//!
//! | room | traits | what is there |
//! |---|---|---|
//! | functions | [`Oracle`] | [`KthLargest`], [`Max`], [`TopKSum`], [`RankSum`]; [`SupportFunction`] of a maximizer |
//! | combinatorial problems | [`Maximizer`] | [`TopKMask`], [`Ranking`]; the expected argmax and its Jacobian's products, [`PerturbedArgmax`] |
//! | where noise comes from | [`Noise`], [`Sampler`], [`Key`] | [`Normal`], [`Gumbel`], [`Logistic`], [`Laplace`], [`Uniform`]; [`MonteCarlo`], [`Antithetic`], [`RandomizedLattice`], [`Sequential`], [`GivenDraws`] |
//! | what is averaged | [`Oracle`], [`Estimator`] | [`Exact`]; [`Pathwise`], [`Conditional`], [`ScoreFunction`], [`ControlVariate`], with an [`Estimate`] of their error |
//! | losses of K guesses | [`Loss`] | [`TopKHinge`], [`TopKCrossEntropy`]; [`TopKHinges`] of several K; [`SmoothTopKSvm`], [`TopKSvm`]; [`Hinge`] over any oracle |
//! | losses of one guess | [`Loss`] | [`CrossEntropy`], [`Focal`], [`Ldam`]; with [`Margins`] and [`ldam_margins`] |
//! | losses around losses | [`Loss`] | [`LogitAdjusted`] with [`log_priors`], [`ClassWeighted`] with [`effective_number_weights`], [`inverse_frequency_weights`], [`deferred_beta`] |
//! | losses of a target distribution | [`SoftLabelLoss`] | [`CrossEntropy`], [`ExpectedLoss`] of any loss, [`LogitAdjusted`] of either |
//! | losses under noise | [`Loss`] | [`MeanOfHinge`], [`SmoothedLoss`]; [`compositions`] compares them with the hinge of the mean |
//! | losses of a target vector | | [`FenchelYoung`] |
//! | metrics | | [`TopKCounts`], [`TopKMetrics`], [`FrequencyGroups`] |
//! | order statistics | | [`kth_largest`], [`rank_of`]; over shards, [`sharded`] |
//! | choosing ε | | [`bias_interval`], [`effective_classes`], [`epsilon_for_effective_classes`] |
//! | losses as data | | [`config`] |
//! | numbers | [`Real`] | `f32`, `f64`, [`Dual`] |
//!
//! Conventions that hold everywhere: arguments are inputs, then outputs, then scratch; ties go to the lowest index; NaN and
//! infinite inputs are an [`Error`]; randomness is a [`Key`], and the same key gives the same numbers on every machine.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod check;
mod class_weights;
#[doc(hidden)]
pub mod compiled;
pub mod compositions;
pub mod config;
mod dual;
mod epsilon;
mod error;
mod estimator;
mod exact;
mod fenchel_young;
mod key;
mod lanes;
mod loss;
mod margins;
mod maximizer;
mod metrics;
mod noise;
mod oracle;
mod perturbation;
mod perturbed_argmax;
mod philox;
#[doc(hidden)]
pub mod pieces;
mod real;
mod reduction;
mod sampler;
mod select;
pub mod sharded;
mod symmetric;

pub use class_weights::{deferred_beta, effective_number_weights, inverse_frequency_weights};
pub use dual::Dual;
pub use epsilon::{bias_interval, effective_classes, epsilon_for_effective_classes};
pub use error::{Error, Result};
pub use estimator::{Baseline, Certified, Conditional, ControlVariate, Estimate, Estimator, Exact, Pathwise, ScoreFunction, Until};
pub use exact::{AsRanks, Ranks};
pub use fenchel_young::FenchelYoung;
pub use key::{FoldIn, Key};
#[doc(hidden)]
pub use lanes::Compensated;
#[doc(hidden)]
pub use loss::softmax;
pub use loss::{
    ClassWeighted, CrossEntropy, ExpectedLoss, Focal, Hinge, Ldam, LogitAdjusted, Loss, MeanOfHinge, SmoothTopKSvm, SmoothedLoss,
    Smoothing, SoftLabelLoss, TopKCrossEntropy, TopKHinge, TopKHinges, TopKSvm, TopKSvmForm, log_priors,
};
pub use margins::{AsMargins, Margins, ldam_margins};
pub use maximizer::{Maximizer, Ranking, TopKMask};
pub use metrics::{Frequency, FrequencyGroups, TopKCounts, TopKMetrics};
pub use noise::{Gumbel, Laplace, Logistic, Noise, Normal, Regularity, Uniform};
pub use oracle::{KthLargest, Max, Oracle, OrderStatistics, RankSum, SupportFunction, TopKSum, Translation};
pub use perturbed_argmax::PerturbedArgmax;
pub use real::Real;
pub use reduction::Reduction;
pub use sampler::{Antithetic, GivenDraws, MonteCarlo, RandomizedLattice, Sampler, Sequential};
pub use select::{Ranked, kth_largest, rank_of};
