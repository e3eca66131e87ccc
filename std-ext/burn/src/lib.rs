//! The losses of `topk-loss` on [burn]'s tensors: [`TopKLossConfig`] describes any of them, [`TopKLoss`] is a module like burn's own losses.
//!
//! ```
//! use burn::tensor::{Device, Int, Tensor};
//! use topk_loss::Smoothing;
//! use topk_loss::config::{BaseConfig, MarginConfig};
//! use topk_loss_burn::TopKLossConfig;
//!
//! let device = Device::flex().autodiff();
//! let logits = Tensor::<2>::from_data([[0.5, 0.0, 0.25], [2.0, 1.0, 0.0]], &device).require_grad();
//! let targets = Tensor::<1, Int>::from_data([0, 2], &device);
//!
//! let margins = MarginConfig::Uniform(1.0);
//! let hinge = BaseConfig::TopKHinge { k: 1, margins, scale: 1.0, smoothing: Smoothing::None, tolerance: None };
//! let criterion = TopKLossConfig::new(hinge).init(&device);
//! let loss = criterion.forward(logits.clone(), targets);
//! let grads = loss.backward();
//!
//! assert_eq!(loss.into_scalar::<f32>(), 1.375); // the mean of 0.75 and 2
//! let grad = logits.grad(&grads).unwrap().into_data();
//! assert_eq!(grad.as_slice::<f32>().unwrap(), [-0.5, 0.0, 0.5, 0.0, 0.5, -0.5]);
//! ```
//!
//! **Losses.** Those of the catalogue, with adjustments and weights of classes; a configuration is saved to JSON and loaded like any of burn's.
//! Your own, borrowed or behind `dyn`: [`losses`]. Parameters stay on the host, and a [`TopKLoss`] in a module has none to train.
//!
//! **Numbers.** Logits of `f64` are computed in `f64`, those of `f32`, `f16` and `bf16` in `f32`, rows of half precision widened one at a time.
//! Losses and gradients are of the logits' float; in half precision sum them yourself in `f32` ([`TopKLoss::forward_no_reduction`], `cast`).
//!
//! **Draws.** A loss that draws draws from its [`Key`](topk_loss::Key), the same for the same step: [`TopKLoss::forward_step`].
//!
//! **The graph.** Value and gradient are computed together, on the host, in the forward pass. On any backend the losses are a surrogate,
//! ℓ + Σ_j g_j·(s_j − s̄_j) with constants g and s̄ = s, whose value is ℓ and whose gradient is g. On Flex the feature `flex` makes them a node of
//! their own, in half the time; under gradient checkpointing they are the surrogate there too. No gradient is computed where the logits
//! [are not tracked](burn::tensor::Tensor::is_tracked).
//!
//! **Errors.** As burn's losses do, `forward` panics: with the message of the typed [`Error`] that `try_forward` returns. NaN logits are
//! one, where burn's losses return NaN; so are labels that are no class, an empty batch, and a batch that is all padding.
//!
//! The feature `head` adds a linear head and its loss in one that stores no logits.
//!
//! **CUDA.** With the feature `cuda`, `TopKLoss::on_cuda` makes a `CudaTopKLoss` of a loss that `topk-loss-cuda` has kernels for, of logits of
//! `f32`, `f16` and `bf16`: values and gradients are computed where the logits are. It turns burn's `fusion` on, as burn's defaults do, and
//! needs NVIDIA's driver at run time, no toolkit to build. **It was compiled, and never run on a GPU.**
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![cfg_attr(doctest, doc = include_str!("../TRAINING.md"))]

mod config;
#[cfg(feature = "cuda")]
mod cuda;
mod error;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "head")]
mod head;
mod module;
mod node;

pub use burn::nn::loss::Reduction;
pub use config::TopKLossConfig;
#[cfg(feature = "cuda")]
pub use cuda::CudaTopKLoss;
pub use error::{Error, Result};
pub use module::TopKLoss;
pub use node::{Precision, losses, soft_losses};
