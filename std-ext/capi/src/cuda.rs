//! The calls for batches in the memory of a CUDA device: a loss made ready for one, and launches on a stream of the caller.

use core::ffi::c_void;

use half::{bf16, f16};
use topk_loss::FoldIn;
use topk_loss_cuda::plan::BatchArguments;
use topk_loss_cuda::{CudaError, CudaLoss, Device, Score, check_codes};

use crate::batch::{TopkBatch, TopkFloat};
use crate::batch_loss::TopkBatchLoss;
use crate::error::{Failure, Result, report};
use crate::memory::{hand_out, read, read_one};
use crate::settings::Enum;
use crate::{TopkError, TopkStatus};

/// A loss on a CUDA device, for rows of one float and one number of classes. It does not change, and may be used by several threads at once.
#[derive(Debug)]
pub struct TopkCudaLoss {
    loss: OfFloat,
    device: Device,
}

#[derive(Debug)]
enum OfFloat {
    F32(CudaLoss<f32>),
    F64(CudaLoss<f64>),
    F16(CudaLoss<f16>),
    Bf16(CudaLoss<bf16>),
}

/// A loss made ready for a device, the `device`-th from 0 in its primary context, and for rows of `num_classes` numbers of `scores_float`, a
/// `TopkFloat`; to be freed by `topk_cuda_loss_free`. It costs milliseconds, and the driver's start the first time: make it once.
///
/// Kernels are there for the cross-entropy, the top-K hinge of one K with any smoothing, the polyhedral hinge, the margin cross-entropy and
/// the top-K cross-entropy of one K under Gumbel noise, without adjustments and class weights; others are an error. `cuda_loss` is then as it
/// was. So are a machine without driver and a device that is not there or too old.
///
/// # Safety
/// Pointers are NULL, which is an error, or lead to what they are of; `loss` was made by this library and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_cuda_loss_new(
    loss: *const TopkBatchLoss,
    device: u32,
    scores_float: u32,
    num_classes: usize,
    cuda_loss: *mut *mut TopkCudaLoss,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        let TopkBatchLoss { single, double } = unsafe { read_one("loss", loss)? };
        let device = Device::new(device as usize)?;
        let loss = match TopkFloat::from_number(scores_float)? {
            TopkFloat::F32 => OfFloat::F32(CudaLoss::new(&device, single, num_classes)?),
            TopkFloat::F64 => OfFloat::F64(CudaLoss::new(&device, double, num_classes)?),
            TopkFloat::F16 => OfFloat::F16(CudaLoss::new(&device, single, num_classes)?),
            TopkFloat::Bf16 => OfFloat::Bf16(CudaLoss::new(&device, single, num_classes)?),
        };
        // SAFETY: the caller's promise.
        unsafe { hand_out("cuda_loss", cuda_loss, TopkCudaLoss { loss, device }) }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// Frees a loss, after the device has done all work that was enqueued. NULL is none.
///
/// # Safety
/// `loss` is NULL, or one that was not freed and that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_cuda_loss_free(loss: *mut TopkCudaLoss) {
    if !loss.is_null() {
        // SAFETY: `hand_out` made it by a `Box`, and the caller's promise.
        let loss = unsafe { Box::from_raw(loss) };
        // Kernels may still read its margins. A device that cannot be waited for has failed, and runs none.
        let _ = loss.device.context().synchronize();
    }
}

/// Enqueues the loss of every row, and its gradient where `grads` is not NULL, on a stream, and returns at once. `batch` is as for
/// `topk_values`, but that `scores`, `labels`, `values` and `grads` are addresses of the device, and that `threads` is not read;
/// `first_example` must be 0, and rows may not overlap. `stream` is a `CUstream` of the device's primary context, NULL for the default one.
///
/// What is wrong with one row is found on the device: its loss is NaN, its gradient 0, and its entry of `codes`, as many as examples on the
/// device, not 0. `topk_cuda_check` says what it means.
///
/// # Safety
/// `loss` and `batch` are as for `topk_values`. Addresses lead to memory of this device, aligned for its type, of as many numbers as the batch
/// says, and stay so until the stream has done the work; what is written is used by nobody else until then and overlaps nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_cuda_values(
    loss: *const TopkCudaLoss,
    batch: *const TopkBatch,
    codes: *mut u64,
    stream: *mut c_void,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        unsafe {
            let (loss, batch) = (read_one("loss", loss)?, read_one("batch", batch)?);
            match (&loss.loss, TopkFloat::from_number(batch.scores_float)?) {
                (OfFloat::F32(loss), TopkFloat::F32) => launch(loss, batch, codes, stream),
                (OfFloat::F64(loss), TopkFloat::F64) => launch(loss, batch, codes, stream),
                (OfFloat::F16(loss), TopkFloat::F16) => launch(loss, batch, codes, stream),
                (OfFloat::Bf16(loss), TopkFloat::Bf16) => launch(loss, batch, codes, stream),
                _ => Err(Failure::WrongLoss("made for the float of these scores")),
            }
        }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// What is wrong with the first row whose code is not 0, as an error of `topk_values` says it. All three are the host's memory: `codes` of
/// `topk_cuda_values` and the labels, copied from the device after the stream has done the work.
///
/// # Safety
/// Pointers are NULL, which is an error, or lead to `num_examples` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_cuda_check(
    codes: *const u64,
    labels: *const i64,
    num_examples: usize,
    num_classes: usize,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        let (codes, labels) = unsafe { (read("codes", codes, num_examples)?, read("labels", labels, num_examples)?) };
        Ok(check_codes(codes, labels, num_classes)?)
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// # Safety
/// As [`topk_cuda_values`].
unsafe fn launch<T: Score>(loss: &CudaLoss<T>, batch: &TopkBatch, codes: *mut u64, stream: *mut c_void) -> Result<()> {
    let required = [("scores", batch.scores), ("labels", batch.labels.cast()), ("values", batch.values), ("codes", codes.cast())];
    if let Some((what, _)) = required.into_iter().find(|(_, address)| address.is_null()) {
        return Err(Failure::Null(what));
    }
    if batch.first_example != 0 {
        return Err(CudaError::Parameter { name: "first_example", must: "0 on a device" }.into());
    }
    let ((score_stride, _), (grad_stride, _)) = (batch.scores_shape()?, batch.grads_shape()?);
    let stride = score_stride.min(grad_stride);
    if stride < batch.num_classes {
        return Err(CudaError::Length { what: "stride", expected: batch.num_classes, actual: stride }.into());
    }
    let arguments = BatchArguments {
        scores: batch.scores.addr() as u64,
        grads: batch.grads.addr() as u64,
        labels: batch.labels.addr() as u64,
        values: batch.values.addr() as u64,
        codes: codes.addr() as u64,
        num_rows: batch.num_examples as u64,
        num_classes: batch.num_classes as u64,
        score_stride: score_stride as u64,
        grad_stride: grad_stride as u64,
        ignored_label: (batch.ignores != 0).then_some(batch.ignored_label),
        ..BatchArguments::default()
    };
    // SAFETY: the caller's promise; the loss of the step shares its margins with the one that the caller keeps.
    unsafe { loss.fold_in(batch.step).launch_raw(stream.cast(), arguments, None)? };
    Ok(())
}
