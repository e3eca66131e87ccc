//! The error of this crate: what can be wrong with a configuration or a batch of tensors.

use core::fmt;

use burn::tensor::DType;
use topk_loss_batch::BatchError;

/// The result of every fallible call of this crate.
pub type Result<T> = core::result::Result<T, Error>;

/// What was wrong with a configuration or a batch.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// What the library refuses: NaN logits, labels that are no class, an empty batch.
    Batch(BatchError),
    /// Logits of another float than is computed with.
    DType(DType),
    /// A configuration that is none in `f32`.
    Config(String),
    /// Tensors that could not be read from their device.
    Device(String),
    /// A CUDA device that is missing, too old or at fault, and a loss that it has no kernel for.
    #[cfg(feature = "cuda")]
    Cuda(topk_loss_cuda::CudaError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(error) => error.fmt(f),
            Self::DType(dtype) => write!(f, "logits are {dtype:?}, which this loss is not computed of"),
            Self::Config(message) => write!(f, "the loss cannot be configured: {message}"),
            Self::Device(message) => write!(f, "a tensor cannot be read: {message}"),
            #[cfg(feature = "cuda")]
            Self::Cuda(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        Self::Batch(error)
    }
}

impl From<topk_loss::Error> for Error {
    fn from(error: topk_loss::Error) -> Self {
        Self::Batch(error.into())
    }
}

/// What is wrong with an example is so on any device.
#[cfg(feature = "cuda")]
impl From<topk_loss_cuda::CudaError> for Error {
    fn from(error: topk_loss_cuda::CudaError) -> Self {
        match error {
            topk_loss_cuda::CudaError::Example { example, error } => Self::Batch(BatchError::Example { example, error }),
            error => Self::Cuda(error),
        }
    }
}
