//! The bound on floats that vector kernels are compiled for: `f32` and `f64`.

use crate::kernel::compiled::Compiled;
use crate::variate::Variate;

/// A float for which vector kernels are compiled: `f32`, `f64`.
///
/// The losses of the catalogue are a [`BatchLoss`](crate::BatchLoss) of these floats. The trait is sealed by what it is made of; it is a
/// bound to
/// write, not a trait to implement.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Elementary, Reduction, Result, Rows, Targets, Threads, objective};
/// fn mean_cross_entropy<F: Elementary>(scores: &[F], labels: &[u32], num_classes: usize) -> Result<F> {
///     let (rows, targets) = (Rows::new(scores, num_classes)?, Targets::new(labels));
///     objective(&CrossEntropy, rows, &targets, Reduction::Mean, Threads::ONE)
/// }
/// assert_eq!(mean_cross_entropy(&[0.0_f64, 0.0], &[1], 2)?, 2.0_f64.ln());
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
pub trait Elementary: Variate + Compiled {}

impl<F: Variate + Compiled> Elementary for F {}
