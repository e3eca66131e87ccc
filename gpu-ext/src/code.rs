//! Error codes: what a kernel says of a row, and the error that it becomes.

use topk_loss::Error;

use crate::{CudaError, Result};

/// The first error that a batch's codes tell of, in the order of the examples.
///
/// Kernels do not stop at a bad example: its value is NaN, its gradient zero, and its code says why. A code of 0 is none.
///
/// **Shapes.** One code and one label an example.
///
/// **Cost.** One pass over the codes, on the host.
///
/// ```
/// use topk_loss::Error;
/// use topk_loss_cuda::{CudaError, check_codes};
/// assert_eq!(check_codes(&[0, 0], &[4, 1], 5), Ok(()));
/// let error = Error::Label { label: 5, num_classes: 5 };
/// assert_eq!(check_codes(&[0, 1], &[4, 5], 5), Err(CudaError::Example { example: 1, error }));
/// ```
///
/// # Errors
/// The fault of the first example that has one; a number of codes other than that of the labels.
pub fn check_codes(codes: &[u64], labels: &[i64], num_classes: usize) -> Result<()> {
    if codes.len() != labels.len() {
        return Err(CudaError::Length { what: "codes", expected: labels.len(), actual: codes.len() });
    }
    let first = codes.iter().zip(labels).enumerate().find(|&(_, (&code, _))| code != 0);
    first.map_or(Ok(()), |(example, (&code, &label))| Err(CudaError::Example { example, error: fault(code, label, num_classes) }))
}

/// The numbers are those of `Fault` in ../cuda/batch.cuh.
fn fault(code: u64, label: i64, num_classes: usize) -> Error {
    let place = (code >> 8) as usize;
    match code & 0xff {
        // A negative label is as far from a class as can be.
        1 => Error::Label { label: usize::try_from(label).unwrap_or(usize::MAX), num_classes },
        2 => Error::NotFinite { what: "scores", index: place },
        3 => Error::Parameter { name: "weight", must: "finite and at least 0" },
        4 => Error::Overflow { what: "range of the scores" },
        5 => Error::Overflow { what: "loss" },
        6 => Error::Overflow { what: "gradient" },
        _ => Error::Accuracy { what: "exact smoothing" },
    }
}
