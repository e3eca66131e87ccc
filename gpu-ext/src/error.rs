//! The error of this crate: what can be wrong with a device, a batch or an example of it.

use core::fmt;

use topk_loss::Error;

/// The result of every fallible call of this crate.
///
/// ```
/// use topk_loss_cuda::{CudaError, Result, check_codes};
/// fn checked(codes: &[u64]) -> Result<()> {
///     check_codes(codes, &[0, 1], 2)
/// }
/// assert_eq!(checked(&[0, 0]), Ok(()));
/// assert!(matches!(checked(&[0]), Err(CudaError::Length { what: "codes", expected: 2, actual: 1 })));
/// ```
pub type Result<T> = core::result::Result<T, CudaError>;

/// What was wrong with a device, a batch or an example of it.
///
/// ```
/// use topk_loss::Error;
/// use topk_loss_cuda::CudaError;
/// let error = CudaError::Example { example: 3, error: Error::Label { label: 9, num_classes: 5 } };
/// assert_eq!(error.to_string(), "example 3: label 9 is not below the number of classes, 5");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CudaError {
    /// There is no NVIDIA driver on this machine.
    NoDriver,
    /// There is a driver, but no such device.
    NoDevice {
        /// Which device was asked for.
        ordinal: usize,
    },
    /// The device is older than the kernels, which need compute capability 8.0.
    DeviceTooOld {
        /// Its compute capability.
        capability: (i32, i32),
    },
    /// The driver is older than the kernels, which need CUDA 12.4 (R550).
    DriverTooOld,
    /// The device's memory is full.
    OutOfMemory,
    /// The memory is another device's.
    WrongDevice {
        /// Whose memory was given.
        what: &'static str,
    },
    /// The driver refused a call.
    Driver {
        /// The driver's number for the reason.
        code: u32,
        /// The driver's words for it.
        message: String,
    },
    /// One example is at fault.
    Example {
        /// Which one, counted from 0.
        example: usize,
        /// Its fault.
        error: Error,
    },
    /// The loss does not fit the batch.
    Loss(Error),
    /// A slice has the wrong length.
    Length {
        /// Which slice.
        what: &'static str,
        /// The length it should have, or at least have.
        expected: usize,
        /// The length it has.
        actual: usize,
    },
    /// A parameter is outside its domain.
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// What it must be.
        must: &'static str,
    },
}

impl fmt::Display for CudaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDriver => write!(f, "there is no NVIDIA driver"),
            Self::NoDevice { ordinal } => write!(f, "there is no CUDA device {ordinal}"),
            Self::DeviceTooOld { capability: (major, minor) } => write!(f, "compute capability {major}.{minor} is below 8.0"),
            Self::DriverTooOld => write!(f, "the NVIDIA driver is older than CUDA 12.4"),
            Self::OutOfMemory => write!(f, "the device is out of memory"),
            Self::WrongDevice { what } => write!(f, "{what} are on another device"),
            Self::Driver { code, message } => write!(f, "CUDA error {code}: {message}"),
            Self::Example { example, error } => write!(f, "example {example}: {error}"),
            Self::Loss(error) => write!(f, "{error}"),
            Self::Length { what, expected, actual } => write!(f, "{what} has length {actual} where {expected} is needed"),
            Self::Parameter { name, must } => write!(f, "{name} must be {must}"),
        }
    }
}

impl core::error::Error for CudaError {}

impl From<Error> for CudaError {
    fn from(error: Error) -> Self {
        Self::Loss(error)
    }
}
