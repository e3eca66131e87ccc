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
//! What nearly everybody needs is at the root: the losses to start from, [`TopKHinge`] with its [`Smoothing`] and [`Margins`] and
//! [`CrossEntropy`]; the traits [`Loss`] and [`FoldIn`]; [`Key`], [`Real`], [`Error`] and [`Result`]. The rest has a module each:
//!
//! | module | what is there |
//! |---|---|
//! | [`loss`] | of K guesses: [`TopKCrossEntropy`], [`TopKHinges`]; convex and without noise, [`PolyhedralHinge`](loss::PolyhedralHinge), [`TopKMarginCrossEntropy`](loss::TopKMarginCrossEntropy); [`SmoothTopKSvm`], [`TopKSvm`], [`Hinge`](loss::Hinge) over any oracle; of one: [`Focal`], [`Ldam`]; around others: [`LogitAdjusted`], [`ClassWeighted`]; of a distribution: [`SoftLabelLoss`](loss::SoftLabelLoss), [`ExpectedLoss`](loss::ExpectedLoss); under noise: [`MeanOfHinge`](loss::MeanOfHinge), [`SmoothedLoss`](loss::SmoothedLoss); of a vector: [`FenchelYoung`](loss::FenchelYoung) |
//! | [`config`] | every loss as data |
//! | [`imbalance`] | margins, adjustments and weights for a long tail of classes |
//! | [`metrics`] | top-K accuracy and occupancy, per class and per frequency group |
//! | [`epsilon`] | choosing the scale of the noise |
//! | [`oracle`] | the functions that are smoothed: [`KthLargest`], [`Max`](oracle::Max), [`TopKSum`](oracle::TopKSum), [`RankSum`](oracle::RankSum), [`SupportFunction`](oracle::SupportFunction) |
//! | [`estimator`] | smoothings: [`Exact`]; [`Pathwise`], [`Conditional`], [`ScoreFunction`](estimator::ScoreFunction), [`ControlVariate`](estimator::ControlVariate), with an [`Estimate`](estimator::Estimate) of their error |
//! | [`noise`], [`sampler`] | laws: [`Normal`], [`Gumbel`], [`Logistic`], [`Laplace`](noise::Laplace), [`Uniform`](noise::Uniform); draws: [`MonteCarlo`], [`Antithetic`](sampler::Antithetic), [`RandomizedLattice`](sampler::RandomizedLattice), [`Sequential`](sampler::Sequential), [`GivenDraws`](sampler::GivenDraws) |
//! | [`maximizer`] | perturbed optimizers: [`TopKMask`](maximizer::TopKMask), [`Ranking`](maximizer::Ranking), [`PerturbedArgmax`](maximizer::PerturbedArgmax); the Euclidean [`SoftTopKMask`](maximizer::SoftTopKMask) |
//! | [`select`] | the k-th largest, and the rank of a class |
//! | [`choosing`], [`exact_form`], [`compositions`] | pages: which loss, which smoothing, which ε; how the exact form works; the hinge of a mean and the mean of a hinge |
//! | for experts | [`sharded`]: classes over tiles, devices, machines; [`dual`]: a float that carries derivatives; [`check`]: the checks, for a loss of your own |
//!
//! Conventions that hold everywhere: arguments are inputs, then outputs, then scratch; ties go to the lowest index; NaN and
//! infinite inputs are an [`Error`]; randomness is a [`Key`], and the same key gives the same numbers on every machine.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![warn(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod check;
pub mod choosing;
#[doc(hidden)]
pub mod compiled;
pub mod compositions;
pub mod config;
pub mod dual;
pub mod epsilon;
mod error;
pub mod estimator;
mod exact;
pub mod exact_form;
#[doc(hidden)]
pub mod excess;
pub mod imbalance;
mod key;
mod lanes;
pub mod loss;
mod margins;
pub mod maximizer;
pub mod metrics;
pub mod noise;
pub mod oracle;
mod perturbation;
mod philox;
#[doc(hidden)]
pub mod pieces;
mod real;
pub mod sampler;
pub mod select;
pub mod sharded;
mod symmetric;

// What nearly everybody needs; the rest is in its module.
pub use error::{Error, Result};
pub use key::{FoldIn, Key};
pub use loss::{CrossEntropy, Loss, Smoothing, TopKHinge};
pub use margins::Margins;
pub use real::Real;

#[doc(hidden)]
pub use lanes::Compensated;
#[doc(hidden)]
pub use loss::softmax;

// One name each within this crate.
pub(crate) use dual::Dual;
pub(crate) use estimator::{Conditional, Exact, Pathwise};
pub(crate) use loss::{
    AsMargins, ClassWeighted, Focal, Ldam, LogitAdjusted, SmoothTopKSvm, TopKCrossEntropy, TopKHinges, TopKSvm, TopKSvmForm,
};
pub(crate) use maximizer::Maximizer;
pub(crate) use noise::{Gumbel, Logistic, Noise, Normal, Regularity};
pub(crate) use oracle::{AsRanks, KthLargest, Oracle, OrderStatistics, Ranks, Translation};
pub(crate) use sampler::{MonteCarlo, Sampler};
pub(crate) use select::Ranked;
