//! Batches in device memory: scores, labels, and where values and gradients go.

use cudarc::driver::{CudaView, CudaViewMut};

use crate::{Reduction, Score};

/// A batch in device memory that the caller owns: one row of scores an example, as `[batch, classes]` of any framework.
///
/// **Shapes.** As many examples as labels. A row of scores or gradients starts `score_stride` or `grad_stride` elements after the one
/// before, at least the number of classes; what lies between is neither read nor written. One value, code and weight an example.
///
/// ```no_run
/// use topk_loss::TopKHinge;
/// use topk_loss_cuda::{CudaLoss, Device, DeviceBatch, Reduced, Reduction, check_codes};
/// let device = Device::new(0)?;
/// let loss = CudaLoss::<f32>::new(&device, &TopKHinge::new(1)?, 3)?;
/// let stream = device.context().default_stream();
/// let scores = stream.clone_htod(&[0.5_f32, 0.0, 0.25, 2.0, 1.0, 0.0])?;
/// let labels = stream.clone_htod(&[0_i64, 2])?;
/// let (mut values, mut grads) = (stream.alloc_zeros::<f32>(2)?, stream.alloc_zeros::<f32>(6)?);
/// let (mut codes, mut divisor, mut objective) = (stream.alloc_zeros::<u64>(2)?, stream.alloc_zeros(1)?, stream.alloc_zeros(1)?);
/// let batch = DeviceBatch {
///     scores: scores.as_view(),
///     score_stride: 3,
///     labels: labels.as_view(),
///     weights: None,
///     ignored_label: None,
///     values: values.as_view_mut(),
///     grads: Some(grads.as_view_mut()),
///     grad_stride: 3,
///     codes: codes.as_view_mut(),
///     reduced: Some(Reduced { reduction: Reduction::Mean, divisor: divisor.as_view_mut(), objective: objective.as_view_mut() }),
/// };
/// loss.launch(&stream, batch)?;
/// check_codes(&stream.clone_dtoh(&codes)?, &[0, 2], 3)?;
/// assert_eq!(stream.clone_dtoh(&objective)?, [1.375]); // the mean of 0.75 and 2
/// # Ok::<(), topk_loss_cuda::CudaError>(())
/// ```
#[derive(Debug)]
pub struct DeviceBatch<'a, T: Score> {
    /// The scores, one row an example.
    pub scores: CudaView<'a, T>,
    /// Elements from one row of scores to the next, at least the number of classes.
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
    /// Elements from one row of gradients to the next, at least the number of classes.
    pub grad_stride: usize,
    /// What was wrong with each example, overwritten: see [`check_codes`](crate::check_codes).
    pub codes: CudaViewMut<'a, u64>,
    /// The batch's objective; `None`: gradients are only multiplied by the weights.
    pub reduced: Option<Reduced<'a, T>>,
}

/// How the losses of a batch become one number, and room in device memory for it. See [`DeviceBatch`] for an example.
#[derive(Debug)]
pub struct Reduced<'a, T: Score> {
    /// How the losses become one number.
    pub reduction: Reduction,
    /// One number, overwritten by the divisor of the weights; NaN where no example counts.
    pub divisor: CudaViewMut<'a, T::Float>,
    /// One number, overwritten by the objective.
    pub objective: CudaViewMut<'a, T::Float>,
}

/// How the losses of a batch become one number, and the device addresses of the room for it: [`Reduced`] for
/// [`launch_raw`](crate::CudaLoss::launch_raw).
///
/// ```
/// use topk_loss_cuda::{RawReduced, Reduction};
/// let (divisor, objective) = (0x1000, 0x2000); // of two tensors of one number each
/// let reduced = RawReduced { reduction: Reduction::Mean, divisor, objective };
/// assert_eq!((reduced.divisor, reduced.objective), (0x1000, 0x2000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawReduced {
    /// How the losses become one number.
    pub reduction: Reduction,
    /// Address of the divisor, one number of the float that is computed in.
    pub divisor: u64,
    /// Address of the objective, likewise.
    pub objective: u64,
}
