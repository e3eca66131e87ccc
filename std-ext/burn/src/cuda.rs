//! The losses of logits on a CUDA device, computed there. The one module that is not safe: it hands the addresses of burn's memory to the
//! kernel.
#![allow(unsafe_code)]

use std::sync::Arc;

use burn::backend::Cuda;
use burn::tensor::{DType, Element, Int, Tensor, TensorData};
use burn_cubecl::cubecl::cuda::CudaRuntime;
use burn_cubecl::cubecl::future::block_on;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};
use cubecl_runtime::runtime::Runtime;
use topk_loss::FoldIn;
use topk_loss_batch::BatchError;
use topk_loss_cuda::plan::BatchArguments;
use topk_loss_cuda::{CudaError, CudaLoss, Device, Score, check_codes};

use crate::node::{read, zero};
use crate::{Error, Result, TopKLoss};

impl TopKLoss {
    /// The same loss of logits of type `T`, which is `f32`, `f16` or `bf16`, on the CUDA device of this number, for rows of `num_classes`:
    /// values and gradients are computed there.
    ///
    /// **Cost.** Loads the kernel and copies the margins: make one for a training, not for a step.
    ///
    /// # Errors
    /// No driver, no such device, one that is too old, and a loss that has no kernel or does not fit: [`Error::Cuda`].
    pub fn on_cuda<T: Score<Float = f32> + Element>(&self, device: usize, num_classes: usize) -> Result<CudaTopKLoss<T>> {
        let (index, device) = (device, Device::new(device)?);
        Ok(CudaTopKLoss { kernel: CudaLoss::new(&device, &self.single, num_classes)?, loss: self.clone(), device: device.into(), index })
    }
}

/// A [`TopKLoss`] whose losses are computed on a CUDA device, of logits of type `T` there: see [`TopKLoss::on_cuda`].
///
/// **Accuracy.** [`CudaLoss`]'s. A loss draws what it draws on the host.
///
/// **Cost.** The kernel, of logits where they are if the classes of a row follow one another, else of a copy. Burn's stream is not to be had,
/// so the host waits for the device before the kernel and after it. The labels are copied to the device, and an error code an example back.
#[derive(Debug, Clone)]
pub struct CudaTopKLoss<T: Score> {
    loss: TopKLoss,
    kernel: CudaLoss<T>,
    device: Arc<Device>,
    index: usize,
}

impl<T: Score<Float = f32> + Element> CudaTopKLoss<T> {
    /// The loss of a batch of logits and targets, reduced, as of [`TopKLoss::forward`].
    ///
    /// # Panics
    /// Where [`try_forward`](Self::try_forward) gives an error, with its message.
    #[track_caller]
    pub fn forward(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.try_forward(logits, targets).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same loss with the draws of a training step; a loss that does not draw is unchanged.
    #[must_use]
    pub fn at_step(&self, step: u64) -> Self {
        Self { loss: self.loss.at_step(step), kernel: self.kernel.fold_in(step), ..self.clone() }
    }

    /// The loss of a batch, as of [`forward`](Self::forward), or what is wrong with it.
    ///
    /// # Errors
    /// As [`TopKLoss::try_forward`]; another number of classes, another device; what the driver reports.
    pub fn try_forward(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Result<Tensor<1>> {
        let labels = self.loss.read_labels(targets)?;
        self.loss.reduce(self.losses(logits, &labels)?, &labels)
    }

    /// The losses of the examples, `[batch]`, as the surrogate that they are on the host.
    fn losses(&self, logits: Tensor<2>, labels: &[i64]) -> Result<Tensor<1>> {
        let ([batch, classes], dtype, device) = (logits.dims(), logits.dtype(), logits.device());
        let (expected, actual) = ((labels.len(), self.kernel.num_classes()), (batch, classes));
        if actual != expected {
            return Err(BatchError::Shape { what: "logits", expected, actual }.into());
        }
        if labels.is_empty() {
            return Err(BatchError::Empty { what: "example" }.into());
        }
        let scores = self.memory(logits.clone(), T::dtype())?;
        let is_of_rows = !scores.meta.is_tiled() && scores.meta.strides()[1] == 1 && scores.meta.strides()[0] >= classes;
        let scores = if is_of_rows { scores } else { into_contiguous(scores) };
        let device_labels = Tensor::<1, Int>::from_data(TensorData::new(labels.to_vec(), [batch]), (&device, DType::I64));
        let values = Tensor::<1>::empty([batch], (&device, DType::F32));
        let codes = Tensor::<1, Int>::empty([batch], (&device, DType::I64));
        let grads = logits.is_tracked().then(|| Tensor::<2>::empty([batch, classes], (&device, dtype)));
        let grads_memory = grads.clone().map(|grads| self.memory(grads, dtype)).transpose()?;
        self.launch(Batch {
            scores: &scores,
            grads: grads_memory.as_ref(),
            labels: &self.integers(device_labels)?,
            values: &self.memory(values.clone(), DType::F32)?,
            codes: &self.integers(codes.clone())?,
            shape: (batch, classes),
            ignored_label: self.loss.pad_tokens.first().copied(),
        })?;
        let codes = codes.without_autodiff().try_into_vec_as::<i64>().map_err(read)?;
        check_codes(&codes.into_iter().map(i64::cast_unsigned).collect::<Vec<_>>(), labels, classes)?;
        let values = values.cast(dtype);
        Ok(match grads {
            Some(grads) => values + zero(logits, grads),
            None => values,
        })
    }

    /// Waits for what burn has enqueued, launches and waits for that.
    fn launch(&self, batch: Batch<'_>) -> Result<()> {
        let Batch { scores, grads, labels, values, codes, shape: (num_rows, num_classes), ignored_label } = batch;
        // As long as they are held, the memory is neither freed nor moved. What another stream of burn's does with it comes before what is
        // enqueued on this thread's.
        let held =
            |tensor: &CubeTensor| tensor.client.get_resource::<<CudaRuntime as Runtime>::Server>(tensor.handle.clone()).map_err(read);
        let resources = [held(scores)?, held(labels)?, held(values)?, held(codes)?];
        let of_grads = grads.map(held).transpose()?;
        let [scores_at, labels, values, codes] = resources.each_ref().map(|resource| resource.resource().ptr);
        let arguments = BatchArguments {
            scores: scores_at,
            grads: of_grads.as_ref().map_or(0, |grads| grads.resource().ptr),
            labels,
            values,
            codes,
            num_rows: num_rows as u64,
            num_classes: num_classes as u64,
            score_stride: scores.meta.strides()[0] as u64,
            grad_stride: grads.map_or(0, |grads| grads.meta.strides()[0] as u64),
            ignored_label,
            ..BatchArguments::default()
        };
        block_on(scores.client.sync()).map_err(read)?;
        let stream = self.device.context().default_stream();
        // SAFETY: burn allocated the memory, of these shapes and types, in the device's primary context, which is the kernel's too. What burn
        // does with it has been waited for, and it is held until the stream has been. Nobody else knows the outputs yet, and burn writes into
        // no memory that somebody else holds, so not into the logits.
        unsafe { self.kernel.launch_raw(stream.cu_stream(), arguments, None)? };
        stream.synchronize().map_err(CudaError::from)?;
        Ok(())
    }

    /// What burn keeps a tensor in, once all operations that make it are enqueued.
    fn memory<const D: usize>(&self, tensor: Tensor<D>, dtype: DType) -> Result<CubeTensor> {
        let tensor = tensor.without_autodiff().try_into_primitive::<Cuda>().map_err(|_| elsewhere())?;
        self.checked(tensor.client.clone().resolve_tensor_float::<CubeBackend>(tensor), dtype)
    }

    /// The same of integers of 64 bits.
    fn integers(&self, tensor: Tensor<1, Int>) -> Result<CubeTensor> {
        let tensor = tensor.without_autodiff().try_into_primitive::<Cuda>().map_err(|_| elsewhere())?;
        self.checked(tensor.client.clone().resolve_tensor_int::<CubeBackend>(tensor), DType::I64)
    }

    fn checked(&self, tensor: CubeTensor, dtype: DType) -> Result<CubeTensor> {
        if !matches!(&tensor.device, CubeDevice::Cuda(device) if device.index == self.index) {
            return Err(elsewhere());
        }
        if tensor.dtype == dtype { Ok(tensor) } else { Err(Error::DType(tensor.dtype)) }
    }
}

/// The memory of a batch.
struct Batch<'a> {
    scores: &'a CubeTensor,
    grads: Option<&'a CubeTensor>,
    labels: &'a CubeTensor,
    values: &'a CubeTensor,
    codes: &'a CubeTensor,
    shape: (usize, usize),
    ignored_label: Option<i64>,
}

fn elsewhere() -> Error {
    CudaError::WrongDevice { what: "logits" }.into()
}
