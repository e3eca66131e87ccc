//! The calibrated top-K hinge loss and its stochastic smoothing, as mathematics over plain slices.
//!
//! A classifier that may make K guesses is right when the label is among its K largest scores. The calibrated top-K hinge
//! asks the label's score to lead the (K+1)-th largest by a margin; smoothing that order statistic with noise gives it a
//! gradient that trains. This crate computes both, value and gradient, with no automatic differentiation, no `std`, no
//! allocation and no panic: a function writes into slices that the caller owns.
//!
//! **The hinge itself.** Two guesses of five classes: the third largest score, 1.8, should be a margin of 1 below the label's, 0.3.
//!
//! ```
//! use topk_loss::{Loss, TopKHinge};
//! let (scores, mut grad) = ([0.3, 2.0, 1.9, 1.8, -1.0], [0.0; 5]);
//! let value = TopKHinge::new(2)?.value_and_grad(&scores, 0, &mut grad, &mut [0.0; 10])?;
//! assert_eq!((value, grad), (2.5, [-1.0, 0.0, 0.0, 1.0, 0.0]));
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! **Smoothed exactly.** Only one of three close rivals learned. Under noise of scale ε = 0.2, averaged out, each has its share: the chance
//! that it is the third largest.
//!
//! ```
//! # use topk_loss::{Loss, TopKHinge};
//! let (scores, mut grad) = ([0.3, 2.0, 1.9, 1.8, -1.0], [0.0; 5]);
//! let smoothed = TopKHinge::smoothed(2, 0.2)?;
//! let mut scratch = [0.0; 2000]; // at least smoothed.scratch_len(5)
//! let value: f64 = smoothed.value_and_grad(&scores, 0, &mut grad, &mut scratch)?;
//! assert!((value - 2.410).abs() < 1e-3);
//! assert!((grad[1] - 0.150).abs() < 1e-3 && (grad[2] - 0.301).abs() < 1e-3 && (grad[3] - 0.549).abs() < 1e-3);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! **Smoothed by draws**, as the paper does. Randomness is a [`Key`]: the same one draws the same, so that a backward pass can replay a
//! forward one; every step of a training folds its number in.
//!
//! ```
//! # use topk_loss::{FoldIn, Key, Loss, Smoothing, TopKHinge};
//! let scores = [0.3_f32, 2.0, 1.9, 1.8, -1.0];
//! let ten_draws = Smoothing::Pathwise { epsilon: 0.2, num_samples: 10, key: Key::new(1) };
//! let loss = TopKHinge::new(2)?.with_smoothing(ten_draws)?;
//! let value = |step| loss.fold_in(step).value(&scores, 0, &mut [0.0; 15]);
//! assert_eq!(value(7)?, value(7)?);
//! assert_ne!(value(7)?, value(8)?);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! **In parts.** [`TopKHinge`] is a [`Hinge`](loss::Hinge) over an [estimator] of an [oracle] under a [law](noise) of noise, and
//! each part can be another: here a hundred conditional draws of logistic noise.
//!
//! ```
//! use topk_loss::estimator::Conditional;
//! use topk_loss::loss::Hinge;
//! use topk_loss::noise::Logistic;
//! use topk_loss::oracle::KthLargest;
//! use topk_loss::sampler::MonteCarlo;
//! use topk_loss::{Key, Loss, Margins};
//! let third = Conditional::new(KthLargest::new(3)?, MonteCarlo::new(Logistic, 100)?, 0.2, Key::new(1))?;
//! let loss = Hinge::new(third, Margins::Uniform(1.0), 1.0)?;
//! let (mut grad, mut scratch) = ([0.0; 5], vec![0.0; Loss::<f64>::scratch_len(&loss, 5)]);
//! loss.value_and_grad(&[0.3, 2.0, 1.9, 1.8, -1.0], 0, &mut grad, &mut scratch)?;
//! assert!(grad[1..4].iter().all(|&share| (0.1..0.6).contains(&share)) && grad.iter().sum::<f64>().abs() < 0.1);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! **An oracle of your own** is smoothed like any other. Here guesses are of two neighbouring classes at once, as for ages or grades: the
//! largest sum of two neighbours.
//!
//! ```
//! use topk_loss::estimator::Pathwise;
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::Oracle;
//! use topk_loss::sampler::MonteCarlo;
//! use topk_loss::{Key, Result, check};
//!
//! struct BestNeighbours;
//!
//! impl Oracle<f64> for BestNeighbours {
//!     fn scratch_len(&self, _: usize) -> usize {
//!         0
//!     }
//!
//!     fn value(&self, theta: &[f64], _: &mut [f64]) -> Result<f64> {
//!         check::scores(theta)?;
//!         check::at_least_one("pairs of classes", theta.len() - 1)?;
//!         Ok(theta.windows(2).map(|pair| pair[0] + pair[1]).fold(f64::MIN, f64::max))
//!     }
//!
//!     fn value_and_add_grad(&self, theta: &[f64], weight: f64, grad: &mut [f64], scratch: &mut [f64]) -> Result<f64> {
//!         let best = self.value(theta, scratch)?;
//!         check::length("grad", grad, theta.len())?;
//!         let first = theta.windows(2).position(|pair| pair[0] + pair[1] == best).unwrap_or(0);
//!         grad[first..].iter_mut().take(2).for_each(|entry| *entry += weight);
//!         Ok(best)
//!     }
//! }
//!
//! let theta = [0.0, 1.0, 0.9, 0.2];
//! let smoothed = Pathwise::new(BestNeighbours, MonteCarlo::new(Normal, 100)?, 0.5, Key::new(1))?;
//! let (mut grad, mut scratch) = ([0.0; 4], [0.0; 4]);
//! let value = smoothed.value_and_add_grad(&theta, 1.0, &mut grad, &mut scratch)?;
//! // A maximum under noise is larger, and both members of every pair that won a draw learn.
//! assert!(value > 1.9);
//! assert!(grad[1] > 0.5 && grad[3] > 0.0 && (grad.iter().sum::<f64>() - 2.0).abs() < 1e-12);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! # What is where
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
//! | [`choosing`], [`exact_form`], [`compositions`], [`microcontroller`] | pages: which loss, which smoothing, which ε; how the exact form works; the hinge of a mean and the mean of a hinge; what a loss takes of flash and stack |
//! | for experts | [`sharded`]: classes over tiles, devices, machines; [`dual`]: a float that carries derivatives; [`check`]: the checks, for a loss of your own |
//!
//! Conventions that hold everywhere: arguments are inputs, then outputs, then scratch; ties go to the lowest index; NaN and
//! infinite inputs are an [`Error`]; randomness is a [`Key`], and the same key gives the same numbers on every machine.
//!
//! **Reproducible numbers.** A [`Key`] and the numbers of the draw and the class decide a random number, by the counter-based generator
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011); `f32` and `f64` draw different
//! numbers from one key. Elementary functions are this crate's or `libm`'s, so neither the system's library nor another crate's features
//! change a value, and sums have a fixed order. A change of a value, even of its last bit, is *value-breaking*: the changelog lists it
//! under that heading, and it needs a new minor version before 1.0.
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
pub mod microcontroller;
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
