//! The losses of `topk-loss` on [candle](candle_core)'s tensors: a [`Criterion`] is any of them, and what it returns has a gradient.
//!
//! ```
//! use candle_core::{Device, Var};
//! use topk_loss::TopKHinge;
//! use topk_loss_candle::Criterion;
//!
//! let logits = Var::new(&[[0.5_f32, 0.0, 0.25], [2.0, 1.0, 0.0]], &Device::Cpu)?;
//! let labels = candle_core::Tensor::new(&[0_u32, 2], &Device::Cpu)?;
//!
//! let loss = Criterion::new(TopKHinge::new(1)?).forward(&logits, &labels)?;
//! let grads = loss.backward()?;
//!
//! assert_eq!(loss.to_scalar::<f32>()?, 1.375); // the mean of 0.75 and 2
//! assert_eq!(grads.get(&logits).unwrap().to_vec2::<f32>()?, [[-0.5, 0.0, 0.5], [0.0, 0.5, -0.5]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Losses.** Whatever is a [`BatchLoss`](topk_loss_batch::BatchLoss): the catalogue's, your own, borrowed or owned, behind `dyn`, or
//! made from data that a file was read into ([`LossConfig`](topk_loss::config::LossConfig)).
//!
//! **Numbers.** [`Criterion::new`] computes in `f32`: of logits of `f32`, `f16` and `bf16`, whose rows are widened one at a time;
//! [`Criterion::in_f64`] in `f64`, of `f64`. Losses are of the float that is computed in, the gradient is of the logits'. Of half
//! precision it is kept unweighted, and rounded once more when what it is weighted by is known: a mean over a large batch does not
//! underflow where a loss scale follows.
//!
//! **Layouts.** Logits are read where they are: sliced, transposed, broadcast, with no copy of the batch.
//!
//! **Draws.** A loss that draws draws from its [`Key`](topk_loss::Key), the same for the same step:
//! `criterion.fold_in(step).forward(…)`. The gradient is computed together with the value and kept, which costs the memory of the logits;
//! to compute it again from the key in the backward pass would cost that pass the value a second time. It is not computed where the logits
//! [are not tracked](candle_core::Tensor::track_op).
//!
//! **Errors.** All are candle's: shapes and dtypes its own, what the library refuses (NaN logits, labels that are no class, an empty
//! batch) [wrapped](candle_core::Error::Wrapped). Tensors on a GPU are refused: `logits.to_device(&Device::Cpu)` is differentiable.
//!
//! The feature `head` adds a linear head and its loss in one node that stores no logits.
//!
//! **CUDA.** With the feature `cuda`, `Criterion::on_cuda` makes a `CudaCriterion` of a loss that `topk-loss-cuda` has kernels for: values and
//! gradients are computed where the logits are, on candle's stream. What the device refuses is a `CudaError` in
//! [`Error::Cuda`](candle_core::Error::Cuda). It builds with NVIDIA's toolkit, as candle's own feature does. **It was compiled, and never
//! run on a GPU.**
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod criterion;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "head")]
mod head;
mod node;
mod view;

pub use criterion::{Criterion, loss};
#[cfg(feature = "cuda")]
pub use cuda::CudaCriterion;
pub use node::Precision;
pub use topk_loss_batch::Reduction;
