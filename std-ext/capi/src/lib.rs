//! The losses of `topk-loss` from C; the header is `include/topk_loss.h`, and the programs in `tests/c` show both halves.
//!
//! **One example, in the caller's memory.** `topk_f32_…` and `topk_f64_…`: a [`TopkLoss`] is a struct of known size wherever the caller
//! puts it, made from [`TopkSettings`]; scores, gradient and scratch are plain arrays. No allocator, no global state, no thread: the same on a
//! microcontroller (`default-features = false`, `staticlib`), where the losses that integrate are left out unless the feature `integrals` is on.
//!
//! **Batches** (feature `std`). A [`TopkBatchLoss`](batch_loss::TopkBatchLoss) is on the heap, made from settings or from JSON, and computes rows of
//! `f32`, `f64`, `f16` and `bf16` on any number of threads with the batch crate's kernels.
//!
//! **Batches on a GPU** (feature `cuda`). A [`TopkCudaLoss`](cuda::TopkCudaLoss) is one of them made ready for a device; launches take addresses
//! and a stream of whoever has them, such as torch.
//!
//! Every call returns a [`TopkStatus`]. What is to be said about a fault goes into a [`TopkError`] that the caller passes, or into nothing
//! where that is NULL: no text is kept behind a thread's back, so that it works without threads and outlives the next call.
//!
//! Nothing unwinds over the border. NULL, misaligned pointers, sizes beyond the address space and outputs that overlap anything else are
//! errors; that a pointer leads to as many numbers as the caller says is all that is left to him.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "std")]
pub mod batch;
#[cfg(feature = "std")]
pub mod batch_loss;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod double;
#[cfg(any(not(feature = "integrals"), test))]
mod drawn_or_closed;
mod error;
mod example;
#[cfg(feature = "std")]
pub mod given_noise;
#[cfg(not(feature = "std"))]
mod halt;
pub mod imbalance;
mod memory;
#[cfg(feature = "std")]
pub mod order_statistic;
#[cfg(feature = "std")]
pub mod reduction;
mod settings;
pub mod single;

pub use error::{TopkError, TopkStatus};
pub use example::TopkLoss;
pub use memory::TopkList;
pub use settings::{TopkForm, TopkKind, TopkLaw, TopkSettings, TopkSmoothing};
