//! The bound on floats that linear heads are computed in: they have matrix products and kernels.

use faer::traits::RealField;

use crate::elementary::Elementary;

/// A float that linear heads are computed in, because it has kernels and is a scalar of [`faer`]: `f32`, `f64`.
///
/// ```
/// use topk_loss_batch::{BatchReal, LinearHead};
/// fn num_weights<F: BatchReal>(head: &LinearHead<F>) -> usize {
///     head.dim() * head.num_classes()
/// }
/// let head = LinearHead::new(faer::mat![[1.0_f32, 0.0], [0.0, 1.0]], None, topk_loss_batch::Similarity::Inner)?;
/// assert_eq!(num_weights(&head), 4);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
pub trait BatchReal: RealField + Elementary {}

impl<F: RealField + Elementary> BatchReal for F {}
