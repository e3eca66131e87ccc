//! Batches in device memory.

use cudarc::driver::{CudaView, CudaViewMut};

use crate::{Reduction, Score};

/// A batch in device memory that the caller owns: one row of scores an example, as `[batch, classes]` of any framework.
///
/// **Shapes.** As many examples as labels. A row of scores or gradients starts `score_stride` or `grad_stride` elements after the one
/// before, at least the number of classes; what lies between is neither read nor written. One value, code and weight an example.
#[derive(Debug)]
pub struct DeviceBatch<'a, T: Score> {
    /// The scores.
    pub scores: CudaView<'a, T>,
    /// From one row of scores to the next.
    pub score_stride: usize,
    /// The label of each example.
    pub labels: CudaView<'a, i64>,
    /// The weight of each example; `None`: all are 1. They multiply gradients and the objective, not the values.
    pub weights: Option<CudaView<'a, T::Float>>,
    /// Examples of this label have value and gradient 0, and count nowhere; their scores are not read.
    pub ignored_label: Option<i64>,
    /// The loss of each example, overwritten.
    pub values: CudaViewMut<'a, T::Float>,
    /// The gradients, overwritten; `None`: not wanted.
    pub grads: Option<CudaViewMut<'a, T>>,
    /// From one row of gradients to the next.
    pub grad_stride: usize,
    /// What was wrong with each example, overwritten: see [`check_codes`](crate::check_codes).
    pub codes: CudaViewMut<'a, u64>,
    /// The batch's objective; `None`: gradients are only multiplied by the weights.
    pub reduced: Option<Reduced<'a, T>>,
}

/// The objective of a batch, and room for it.
#[derive(Debug)]
pub struct Reduced<'a, T: Score> {
    /// How the losses become one number.
    pub reduction: Reduction,
    /// One number, overwritten by the divisor of the weights; NaN where no example counts.
    pub divisor: CudaViewMut<'a, T::Float>,
    /// One number, overwritten by the objective.
    pub objective: CudaViewMut<'a, T::Float>,
}

/// The objective of a batch whose memory is given by device addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawReduced {
    /// How the losses become one number.
    pub reduction: Reduction,
    /// Address of the divisor, one number of the float that is computed in.
    pub divisor: u64,
    /// Address of the objective, likewise.
    pub objective: u64,
}
