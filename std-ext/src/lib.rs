//! Batches of top-K losses over slices and matrices: threads, reductions, and a linear head.
//!
//! One training step of any loss is three calls, and every buffer is the caller's: the head's scores, the objective with its gradient with
//! respect to the scores, the head's gradients.
//!
//! ```
//! use faer::{Mat, Par, mat};
//! use topk_loss::{Margins, Smoothing, TopKHinge};
//! use topk_loss_batch::{HeadGrads, LinearHead, Reduction, Similarity, Targets, objective_and_grads};
//!
//! // Two features, three classes, two examples.
//! let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], None, Similarity::Inner)?;
//! let features = mat![[1.0, 0.0], [0.0, 2.0]];
//! let loss = TopKHinge::new(1)?;
//!
//! let mut scores = Mat::zeros(3, 2);
//! head.forward(features.as_ref(), scores.as_mut(), Par::Seq)?;
//! assert_eq!(scores, mat![[1.0, 0.0], [0.0, 2.0], [2.0, 1.0]]);
//!
//! let mut score_grads = Mat::zeros(3, 2);
//! let targets = Targets::new(&[0, 0]);
//! let objective = objective_and_grads(&loss, scores.as_ref(), &targets, Reduction::Mean, score_grads.as_mut(), Par::Seq)?;
//! assert_eq!(objective, 1.5); // the mean of 1 + 1 − 1 and 1 + 1 − 0
//!
//! let mut weights = Mat::zeros(2, 3);
//! let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: None };
//! head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::Seq)?;
//! assert_eq!(weights, mat![[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! For the losses that are a [`HeadLoss`] it is one call, [`LinearHead::objective_and_grads`], which never stores scores: with a hundred
//! thousand classes they are what a training step spends its memory on.
//!
//! For a framework that differentiates automatically see the page [`frameworks`].
//!
//! Conventions that hold everywhere: an example is **a row of a slice** ([`Rows`], a framework's `[batch, classes]` buffer) or of an `ndarray`,
//! and **a column of faer** and nalgebra, which are the same bytes, see [`Scores`]; views may be strided; outputs are overwritten; the numbers
//! are the same bits for any number of [`Threads`]; arguments are inputs, then outputs, then the threads.
//!
//! Features: `faer` (on by default: linear heads and views of its matrices), `ndarray`, `nalgebra`, `half`. Most of a cold build
//! is faer.
//!
//! **Reproducible numbers.** The vector kernels have the same bits for every instruction set: no multiplication is fused with an addition, and lanes are
//! summed in one order. The linear head's matrix products are faer's, which picks its kernels by processor: another processor may round them differently.
#![forbid(unsafe_code)]
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![cfg_attr(doctest, doc = include_str!("../TRAINING.md"))]

mod batch;
mod check;
mod elementary;
mod error;
mod examples;
#[cfg(feature = "faer")]
mod float;
pub mod frameworks;
#[cfg(feature = "faer")]
mod head;
#[doc(hidden)]
pub mod instruction_sets;
mod kernel;
mod labels;
mod parallel;
mod reduction;
mod scores;
mod soft;
mod targets;
mod threads;
mod variate;

pub use batch::{coefficients, objective, objective_and_grads, values, values_and_grads};
pub use elementary::Elementary;
pub use error::{BatchError, Result};
#[cfg(feature = "faer")]
pub use faer;
#[cfg(feature = "faer")]
pub use float::BatchReal;
#[cfg(feature = "faer")]
pub use head::{HeadGrads, HeadLoss, LinearHead, ScoreGrad, Similarity};
pub use kernel::{BatchLoss, Kernel, scalar_kernel};
pub use labels::{Integer, Labels};
pub use scores::{Gradients, Rows, RowsMut, Scores};
pub use soft::{SoftTargets, soft_objective, soft_objective_and_grads, soft_values, soft_values_and_grads};
pub use targets::Targets;
pub use threads::Threads;
pub use topk_loss::loss::Reduction;
