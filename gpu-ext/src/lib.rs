//! Batches of top-K losses on CUDA device memory: the losses of [`topk_loss`], values and gradients, at the memory's speed.
//!
//! [`CudaLoss`] takes core's own plain data: [`TopKHinge`](topk_loss::TopKHinge) with every smoothing,
//! [`CrossEntropy`](topk_loss::CrossEntropy), or [`TopKCrossEntropy`](topk_loss::loss::TopKCrossEntropy) of one K under Gumbel noise; scores in `f32`, `f64`, [`half::f16`] or [`half::bf16`], 2 to 2³⁰ classes. Gradients are written
//! where the caller wants them, in the scores' type; the noise is that of the CPU for the same key; nothing of the size of the batch is
//! allocated, and the same input gives the same bits every time.
//!
//! The crate builds and passes its tests on a machine without GPU, driver or toolkit. At run time it needs NVIDIA's driver (R550 or later, compute capability 8.0), no
//! more; where there is none, [`Device::new`] says so:
//!
//! ```
//! use topk_loss_cuda::{CudaError, Device};
//! let no_such_device = Device::new(4711).unwrap_err();
//! assert!(matches!(no_such_device, CudaError::NoDriver | CudaError::NoDevice { .. }));
//! ```
//!
//! A step on the memory of a framework, without a copy:
//!
//! ```no_run
//! use topk_loss::{Margins, Smoothing, TopKHinge};
//! use topk_loss_cuda::plan::BatchArguments;
//! use topk_loss_cuda::{CudaLoss, Device, Reduction, RawReduced};
//! # let (scores, grads, labels, values, codes, divisor, objective, stream) = (0, 0, 0, 0, 0, 0, 0, std::ptr::null_mut());
//! let device = Device::new(0)?;
//! let loss = TopKHinge::smoothed(5, 0.2)?;
//! let loss = CudaLoss::<half::bf16>::new(&device, &loss, 1000)?;
//! let batch = BatchArguments {
//!     scores, grads, labels, values, codes,
//!     num_rows: 4096, num_classes: 1000, score_stride: 1000, grad_stride: 1000,
//!     ..BatchArguments::default()
//! };
//! let reduced = RawReduced { reduction: Reduction::Mean, divisor, objective };
//! // SAFETY: the framework's tensors have these shapes and types, and live until the stream has done the work.
//! unsafe { loss.launch_raw(stream, batch, Some(reduced))? };
//! # Ok::<(), topk_loss_cuda::CudaError>(())
//! ```
//!
//! # How a row is computed
//!
//! One block a row, 32 to 512 threads. A first read finds a threshold that K + 1 scores reach; a second lists the few that do, and sorts
//! them. The exact form then reads the row for a histogram, from which follows the window of t where the noise decides, and for the
//! Chebyshev moments of all classes far below; the distributions at 32 nodes are a thread each, and a last read writes the gradient. Where
//! the lists overflow (ties, large K) the wanted score is found digit by digit; where the error bound is too large the classes are treated
//! one by one. A row that even so cannot be vouched for is an error, never a number.
#![deny(unsafe_code)]
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod batch;
mod code;
mod device;
mod error;
mod host;
mod launch;
mod loss;
pub mod plan;
mod score;

pub use batch::{DeviceBatch, RawReduced, Reduced};
pub use code::check_codes;
pub use device::Device;
pub use error::{CudaError, Result};
pub use loss::CudaLoss;
pub use score::{Float, Score};
pub use topk_loss::loss::Reduction;

mod sealed {
    pub trait Sealed {}
}
