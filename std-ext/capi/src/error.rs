//! The status that a call returns, and the message in the caller's memory.

use core::ffi::c_char;
use core::fmt::{self, Write};

use topk_loss::Error;

/// What a call returns: 0, or the kind of fault. Numbers stay what they are when kinds are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum TopkStatus {
    /// No fault.
    Ok = 0,
    /// A list has the wrong length, the scratch is too short.
    Length = 1,
    /// K, or a rank, is too large.
    K = 2,
    /// A label is no class.
    Label = 3,
    /// A parameter is outside its domain.
    Parameter = 4,
    /// An input is NaN or infinite.
    NotFinite = 5,
    /// The tolerance is not reached in this float.
    Accuracy = 6,
    /// A result is beyond the float's range.
    Overflow = 7,
    /// A matrix has the wrong shape.
    Shape = 101,
    /// A list of a batch has the wrong length.
    BatchLength = 102,
    /// There is no example, or no class.
    Empty = 103,
    /// A parameter of a batch is outside its domain.
    BatchParameter = 105,
    /// A sum over a batch is beyond the float's range.
    BatchOverflow = 106,
    /// There are as many labels as classes: the scores may be transposed.
    Transposed = 107,
    /// A pointer is NULL.
    Null = 201,
    /// A pointer is not aligned to what it points to.
    Misaligned = 202,
    /// What is written overlaps something else.
    Overlap = 203,
    /// A size is beyond the address space.
    Size = 204,
    /// An enum has no such value.
    Enum = 205,
    /// A loss was not initialised.
    Uninitialized = 206,
    /// JSON is not that of a loss.
    Json = 207,
    /// The loss is of another kind than the call is for.
    WrongLoss = 208,
    /// The library was built without this loss.
    LeftOut = 209,
    /// The library failed: a defect of it.
    Internal = 299,
    /// There is no CUDA device that can be used: no driver, no such device, either too old.
    NoDevice = 301,
    /// The memory of the CUDA device is full.
    DeviceMemory = 302,
    /// The driver of the CUDA device refused a call.
    Driver = 303,
}

/// How many bytes a message has at most, its final zero included.
const MESSAGE_LEN: usize = 256;

/// What was wrong, in the caller's memory. Its contents before a call are irrelevant.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct TopkError {
    /// As the call returned.
    pub status: TopkStatus,
    /// The example, counted from 0, that was at fault; SIZE_MAX where none was alone.
    pub example: usize,
    /// One line of UTF-8, ending in a zero; empty where nothing was wrong. Cut where it is too long.
    pub message: [c_char; 256],
}

/// A fault within this crate.
#[derive(Debug)]
pub(crate) enum Failure {
    Loss(Error),
    #[cfg(feature = "std")]
    Batch(topk_loss_batch::BatchError),
    Null(&'static str),
    Misaligned(&'static str),
    Overlap(&'static str, &'static str),
    Size(&'static str),
    Enum(&'static str, u32),
    Uninitialized,
    #[cfg(any(not(feature = "integrals"), test))]
    LeftOut,
    #[cfg(feature = "std")]
    Json(serde_json::Error),
    #[cfg(feature = "std")]
    Utf8,
    #[cfg(feature = "std")]
    WrongLoss(&'static str),
    #[cfg(feature = "std")]
    Panic,
    #[cfg(feature = "cuda")]
    Cuda(topk_loss_cuda::CudaError),
}

pub(crate) type Result<T> = core::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Loss(error)
    }
}

#[cfg(feature = "std")]
impl From<topk_loss_batch::BatchError> for Failure {
    fn from(error: topk_loss_batch::BatchError) -> Self {
        Self::Batch(error)
    }
}

#[cfg(feature = "cuda")]
impl From<topk_loss_cuda::CudaError> for Failure {
    fn from(error: topk_loss_cuda::CudaError) -> Self {
        Self::Cuda(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(error) => error.fmt(f),
            #[cfg(feature = "std")]
            Self::Batch(error) => error.fmt(f),
            Self::Null(what) => write!(f, "{what} is NULL"),
            Self::Misaligned(what) => write!(f, "{what} is not aligned to what it points to"),
            Self::Overlap(written, other) => write!(f, "{written} is written and overlaps {other}"),
            Self::Size(what) => write!(f, "{what} is larger than the address space"),
            Self::Enum(what, value) => write!(f, "{what} has no value {value}"),
            Self::Uninitialized => f.write_str("the loss was not initialised"),
            #[cfg(any(not(feature = "integrals"), test))]
            Self::LeftOut => f.write_str("this loss integrates: the library was built without the feature integrals"),
            #[cfg(feature = "std")]
            Self::Json(error) => write!(f, "not the JSON of a loss: {error}"),
            #[cfg(feature = "std")]
            Self::Utf8 => f.write_str("not the JSON of a loss: not UTF-8"),
            #[cfg(feature = "std")]
            Self::WrongLoss(must) => write!(f, "the loss must be {must}"),
            #[cfg(feature = "std")]
            Self::Panic => f.write_str("the library failed: please report this"),
            #[cfg(feature = "cuda")]
            Self::Cuda(error) => error.fmt(f),
        }
    }
}

impl Failure {
    fn status(&self) -> TopkStatus {
        match self {
            Self::Loss(error) => status_of(error.code()),
            #[cfg(feature = "std")]
            Self::Batch(error) => status_of(error.code()),
            Self::Null(_) => TopkStatus::Null,
            Self::Misaligned(_) => TopkStatus::Misaligned,
            Self::Overlap(..) => TopkStatus::Overlap,
            Self::Size(_) => TopkStatus::Size,
            Self::Enum(..) => TopkStatus::Enum,
            Self::Uninitialized => TopkStatus::Uninitialized,
            #[cfg(any(not(feature = "integrals"), test))]
            Self::LeftOut => TopkStatus::LeftOut,
            #[cfg(feature = "std")]
            Self::Json(_) | Self::Utf8 => TopkStatus::Json,
            #[cfg(feature = "std")]
            Self::WrongLoss(_) => TopkStatus::WrongLoss,
            #[cfg(feature = "std")]
            Self::Panic => TopkStatus::Internal,
            #[cfg(feature = "cuda")]
            Self::Cuda(error) => status_on_device(error),
        }
    }

    fn example(&self) -> usize {
        match self {
            #[cfg(feature = "std")]
            Self::Batch(topk_loss_batch::BatchError::Example { example, .. }) => *example,
            #[cfg(feature = "cuda")]
            Self::Cuda(topk_loss_cuda::CudaError::Example { example, .. }) => *example,
            _ => usize::MAX,
        }
    }
}

/// The status whose number an error's code is.
fn status_of(code: u32) -> TopkStatus {
    use TopkStatus::*;
    let statuses =
        [Length, K, Label, Parameter, NotFinite, Accuracy, Overflow, Shape, BatchLength, Empty, BatchParameter, BatchOverflow, Transposed];
    statuses.into_iter().find(|&status| status as u32 == code).unwrap_or(Internal)
}

#[cfg(feature = "cuda")]
fn status_on_device(error: &topk_loss_cuda::CudaError) -> TopkStatus {
    use topk_loss_cuda::CudaError::*;
    match error {
        NoDriver | NoDevice { .. } | DeviceTooOld { .. } | DriverTooOld => TopkStatus::NoDevice,
        OutOfMemory => TopkStatus::DeviceMemory,
        Loss(error) | Example { error, .. } => status_of(error.code()),
        Parameter { name: "batch", .. } => TopkStatus::Empty,
        Parameter { .. } => TopkStatus::BatchParameter,
        Length { .. } => TopkStatus::BatchLength,
        _ => TopkStatus::Driver,
    }
}

/// Does the work of a call, and says what came of it.
///
/// # Safety
/// `error` is NULL or leads to memory of a [`TopkError`] that nobody else uses meanwhile.
pub(crate) unsafe fn report(error: *mut TopkError, work: impl FnOnce() -> Result<()>) -> TopkStatus {
    let outcome = without_unwinding(work);
    let status = outcome.as_ref().err().map_or(TopkStatus::Ok, Failure::status);
    // An error that cannot be written to cannot be complained of either.
    if !error.is_null() && error.is_aligned() {
        let mut message = Message { text: [0; MESSAGE_LEN], len: 0 };
        if let Err(failure) = &outcome {
            // A message that is cut is an error to its writer alone.
            let _ = write!(message, "{failure}");
        }
        let example = outcome.as_ref().err().map_or(usize::MAX, Failure::example);
        // SAFETY: not NULL, aligned, and the caller's promise.
        unsafe { error.write(TopkError { status, example, message: message.text }) };
    }
    status
}

/// A panic is a defect of this library. Nothing that it leaves half done is seen again but the caller's outputs, which are unspecified then.
#[cfg(feature = "std")]
fn without_unwinding(work: impl FnOnce() -> Result<()>) -> Result<()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Err(Failure::Panic))
}

#[cfg(not(feature = "std"))]
fn without_unwinding(work: impl FnOnce() -> Result<()>) -> Result<()> {
    work()
}

/// Text that ends in a zero and is cut between two characters where it is too long.
struct Message {
    text: [c_char; MESSAGE_LEN],
    len: usize,
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            let end = self.len + bytes.len();
            let place = self.text[..MESSAGE_LEN - 1].get_mut(self.len..end).ok_or(fmt::Error)?;
            place.iter_mut().zip(bytes).for_each(|(place, &byte)| *place = byte as c_char);
            self.len = end;
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use core::ptr;
    use std::ffi::CStr;

    use super::*;

    fn message_of(failure: Failure) -> (TopkStatus, TopkError, String) {
        let mut error = TopkError { status: TopkStatus::Ok, example: 7, message: [0x41; MESSAGE_LEN] };
        // SAFETY: a place of this function.
        let status = unsafe { report(&mut error, || Err(failure)) };
        // SAFETY: `report` ended it by a zero.
        let text = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap().to_owned();
        (status, error, text)
    }

    #[test]
    fn a_panic_is_a_status() {
        // SAFETY: NULL is allowed.
        let status = unsafe { report(ptr::null_mut(), || panic!("a defect")) };
        assert_eq!(status, TopkStatus::Internal);
    }

    #[test]
    fn errors_keep_their_codes() {
        let error = Error::Label { label: 7, num_classes: 3 };
        let (status, said, text) = message_of(topk_loss_batch::BatchError::Example { example: 4, error }.into());
        assert_eq!((status, status as u32, said.example), (TopkStatus::Label, error.code(), 4));
        assert_eq!(text, "example 4: label 7 is not below the number of classes, 3");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        const LONG: &str = "ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää";
        let (_, _, text) = message_of(Failure::Overlap(LONG, LONG));
        assert!(text.len() >= MESSAGE_LEN - 4 && text.starts_with('ä'), "{text}");
    }
}
