//! The losses of logits on a CUDA device, computed there and as one node of the graph. The one module that is not safe: device memory that
//! the kernel overwrites is not written twice.
#![allow(unsafe_code)]

use std::sync::{Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::CudaDType;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, Device, Error, Layout, Result, Shape, Storage, Tensor};
use topk_loss::FoldIn;
use topk_loss_batch::{BatchError, BatchLoss};
use topk_loss_cuda::plan::Compiled;
use topk_loss_cuda::{CudaError, CudaLoss, DeviceBatch, Score, check_codes};

use crate::Criterion;
use crate::criterion::read_labels;
use crate::node::Precision;

impl<L, F: Precision> Criterion<L, F> {
    /// The same criterion of logits of type `T` on a CUDA device, for rows of `num_classes`: the values and gradients are computed there.
    ///
    /// **Cost.** Loads the kernel and copies the margins: make one for a training, not for a step.
    ///
    /// ```no_run
    /// use candle_core::{Device, Tensor, Var};
    /// use topk_loss::TopKHinge;
    /// use topk_loss_candle::Criterion;
    /// let device = Device::new_cuda(0)?;
    /// let criterion = Criterion::new(TopKHinge::smoothed(1, 0.2)?).on_cuda::<f32>(&device, 3)?;
    /// let logits = Var::new(&[[0.5_f32, 0.0, 0.25], [2.0, 1.0, 0.0]], &device)?;
    /// let grads = criterion.forward(&logits, &Tensor::new(&[0_u32, 2], &device)?)?.backward()?;
    /// assert!(grads.get(&logits).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Another device, examples that are [not numbered from 0](Self::from_example), and what [`CudaLoss::new`] refuses: a device or driver
    /// that is too old, a loss whose numbers do not fit.
    pub fn on_cuda<T>(self, device: &Device, num_classes: usize) -> Result<CudaCriterion<T, L>>
    where
        T: Score<Float = F>,
        F: topk_loss_cuda::Float,
        L: Compiled<F>,
    {
        if self.first_example != 0 {
            return Err(refused(CudaError::Parameter { name: "first example", must: "0 on a device" }));
        }
        let context = device.as_cuda_device()?.cuda_stream().context().clone();
        let device = topk_loss_cuda::Device::of(context).map_err(refused)?;
        Ok(CudaCriterion { loss: CudaLoss::new(&device, &self.loss, num_classes).map_err(refused)?, criterion: self })
    }
}

/// A [`Criterion`] whose losses are computed on a CUDA device, of logits of `f32`, `f64`, `f16` or `bf16` there: see [`Criterion::on_cuda`].
///
/// **Shapes.** Logits batch × classes, labels batch, on whichever device; the losses batch, a reduced one is a scalar, on the logits'.
///
/// **Accuracy.** [`CudaLoss`]'s. A loss draws what it draws on the CPU.
///
/// **Cost.** The kernel on candle's own stream, of logits where they are if the classes of a row follow one another, else of a copy. The
/// labels are copied to the device, and an error code an example back, which waits for the device. Allocated is as on the CPU.
#[derive(Debug, Clone)]
pub struct CudaCriterion<T: Score, L> {
    criterion: Criterion<L, T::Float>,
    loss: CudaLoss<T>,
}

/// The criterion of a step, with draws of its own.
impl<T: Score, L: FoldIn> FoldIn for CudaCriterion<T, L> {
    fn fold_in(&self, step: u64) -> Self {
        Self { criterion: self.criterion.fold_in(step), loss: self.loss.fold_in(step) }
    }
}

impl<T, L> CudaCriterion<T, L>
where
    T: Score<Float: Precision + CudaDType> + CudaDType,
    L: BatchLoss<T::Float>,
{
    /// The loss of a batch of logits and labels, reduced: a scalar, as of [`Criterion::forward`].
    ///
    /// # Errors
    /// Those of [`losses`](Self::losses), and what [`coefficients`](topk_loss_batch::coefficients) refuses.
    pub fn forward(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
        let labels = read_labels(labels)?;
        self.criterion.reduce(self.of(logits, &labels)?, &labels)
    }

    /// The loss of every example, a vector, as of [`Criterion::losses`].
    ///
    /// # Errors
    /// Logits that are not batch × classes, not of `T` or not on the device, labels that are not a vector of integers, no example, the fault
    /// of the first example that has one, and what the driver reports.
    pub fn losses(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
        self.of(logits, &read_labels(labels)?)
    }

    fn of(&self, logits: &Tensor, labels: &[i64]) -> Result<Tensor> {
        let shape: Shape = (labels.len(), self.loss.num_classes()).into();
        if *logits.shape() != shape {
            return Err(Error::UnexpectedShape { msg: "logits".into(), expected: shape, got: logits.shape().clone() }.bt());
        }
        if labels.is_empty() {
            return Err(Error::wrap(BatchError::Empty { what: "example" }));
        }
        let is_of_rows = logits.stride()[1] == 1 && logits.stride()[0] >= self.loss.num_classes();
        let logits = if is_of_rows { logits.clone() } else { logits.contiguous()? };
        let (values, grads) = {
            let (storage, layout) = logits.storage_and_layout();
            let Storage::Cuda(storage) = &*storage else { return Err(refused(CudaError::WrongDevice { what: "logits" })) };
            self.launch(storage, layout, labels, logits.track_op())?
        };
        let known = |storage, shape, grads| Known { storage: Mutex::new(Some(storage)), shape, grads };
        let values = |grads| known(values, labels.len().into(), grads);
        match grads {
            None => logits.apply_op1_no_bwd(&values(None)),
            Some(grads) => logits.apply_op1(values(Some(logits.apply_op1_no_bwd(&known(grads, shape, None))?))),
        }
    }

    /// The losses of the examples, and their gradients if they are wanted, by candle's own stream.
    fn launch(
        &self,
        logits: &CudaStorage,
        layout: &Layout,
        labels: &[i64],
        is_tracked: bool,
    ) -> Result<(CudaStorage, Option<CudaStorage>)> {
        let (device, classes) = (logits.device(), self.loss.num_classes());
        let (batch, score_stride) = (labels.len(), layout.stride()[0]);
        let (start, len) = (layout.start_offset(), (batch - 1) * score_stride + classes);
        let device_labels = device.clone_htod(labels)?;
        // SAFETY: a launch that succeeds overwrites all of them before anything that comes later on the stream; after one that fails, nothing
        // reads them.
        let (mut values, mut codes) = unsafe { (device.alloc::<T::Float>(batch)?, device.alloc::<u64>(batch)?) };
        // SAFETY: likewise.
        let mut grads = is_tracked.then(|| unsafe { device.alloc::<T>(batch * classes) }).transpose()?;
        let on_device = DeviceBatch {
            scores: logits.as_cuda_slice::<T>()?.slice(start..start + len),
            score_stride,
            labels: device_labels.as_view(),
            weights: None,
            ignored_label: self.criterion.ignored,
            values: values.as_view_mut(),
            grads: grads.as_mut().map(CudaSlice::as_view_mut),
            grad_stride: classes,
            codes: codes.as_view_mut(),
            reduced: None,
        };
        self.loss.launch(&device.cuda_stream(), on_device).map_err(refused)?;
        check_codes(&device.clone_dtoh(&codes)?, labels, classes).map_err(refused)?;
        let grads = grads.map(|grads| T::wrap_cuda_slice(grads, device.clone()));
        Ok((CudaDType::wrap_cuda_slice(values, device.clone()), grads))
    }
}

/// What is wrong with an example is so on any device.
fn refused(error: CudaError) -> Error {
    match error {
        CudaError::Example { example, error } => Error::wrap(BatchError::Example { example, error }),
        error => Error::Cuda(Box::new(error)).bt(),
    }
}

/// What was computed of the logits before it is asked for, and what it is differentiated by.
struct Known {
    /// Taken when it becomes a tensor.
    storage: Mutex<Option<CudaStorage>>,
    shape: Shape,
    grads: Option<Tensor>,
}

impl CustomOp1 for Known {
    fn name(&self) -> &'static str {
        "topk-loss"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Err(refused(CudaError::WrongDevice { what: "logits" }))
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        let storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok((storage.ok_or_else(|| Error::msg("topk-loss: a node is evaluated once"))?, self.shape.clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let of_row = |grads: &Tensor| grads.to_dtype(grad.dtype())?.broadcast_mul(&grad.unsqueeze(1)?)?.to_dtype(grads.dtype());
        self.grads.as_ref().map(of_row).transpose()
    }
}
