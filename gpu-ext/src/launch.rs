//! Launches: the one module that is not safe, because it hands addresses to the device.
#![allow(unsafe_code)]

use core::ffi::c_void;
use std::sync::Arc;

use cudarc::driver::sys::CUstream;
use cudarc::driver::{CudaFunction, CudaStream, CudaView, DevicePtr, DevicePtrMut, DeviceSlice, result};
use libloading::Library;

use crate::plan::{BatchArguments, reduction_words};
use crate::{CudaError, CudaLoss, DeviceBatch, RawReduced, Reduced, Result, Score};

/// Whether the driver's library can be loaded, by names that `cudarc` tries too.
///
/// Its own word for this is there only where nobody, such as candle, has it link the driver.
pub(crate) fn driver_is_present() -> bool {
    let names = ["libcuda.so", "libcuda.so.1", "nvcuda.dll"];
    // SAFETY: loads and unloads the driver's library, whose initialisers have no requirements.
    names.into_iter().any(|name| unsafe { Library::new(name) }.is_ok())
}

impl<T: Score> CudaLoss<T> {
    /// Enqueues the values and gradients of a batch on a stream and returns at once. One launch; with a reduction, two small ones more.
    ///
    /// **Errors** of single examples, and only those, are found on the device: value NaN, gradient 0 and a code.
    ///
    /// **Order.** The work waits for what was enqueued on the streams that the batch's memory was allocated on, and those streams wait for the
    /// work. So launches on several streams follow one another where they share memory, and dropped memory is freed after all of them. Where
    /// all memory is the launching stream's own, this costs nothing.
    ///
    /// **Cost.** The scores are read two to five times, from the caches but for the first, and the gradients written once. No memory.
    ///
    /// **Ties and NaN.** Ties go to the lowest index; NaN and infinite scores are an error of their example. See [`DeviceBatch`] for an
    /// example.
    ///
    /// # Errors
    /// No example, wrong lengths, a stride that is too small, memory of another device: nothing is enqueued then. What the driver reports.
    pub fn launch(&self, stream: &CudaStream, batch: DeviceBatch<'_, T>) -> Result<()> {
        let examples = batch.labels.len();
        self.check(stream, &batch, examples)?;
        let homes = self.homes(stream, &batch);
        homes.iter().try_for_each(|home| stream.join(home))?;
        let DeviceBatch { scores, labels, weights, mut values, mut grads, mut codes, reduced, .. } = batch;
        // The guards tell other streams when this one has read or written; they live until everything is enqueued.
        let (scores, _scores) = scores.device_ptr(stream);
        let (labels, _labels) = labels.device_ptr(stream);
        let weights = weights.as_ref().map(|weights| weights.device_ptr(stream));
        let (values, _values) = values.device_ptr_mut(stream);
        let grads = grads.as_mut().map(|grads| grads.device_ptr_mut(stream));
        let (codes, _codes) = codes.device_ptr_mut(stream);
        let mut reduced = reduced;
        let reduced = reduced.as_mut().map(|Reduced { reduction, divisor, objective }| {
            (*reduction, divisor.device_ptr_mut(stream), objective.device_ptr_mut(stream))
        });
        let arguments = BatchArguments {
            scores,
            grads: grads.as_ref().map_or(0, |(address, _)| *address),
            labels,
            weights: weights.as_ref().map_or(0, |(address, _)| *address),
            values,
            codes,
            divisor: 0,
            num_rows: examples as u64,
            num_classes: self.num_classes() as u64,
            score_stride: batch.score_stride as u64,
            grad_stride: batch.grad_stride as u64,
            ignored_label: batch.ignored_label,
        };
        let reduced = reduced.as_ref().map(|(reduction, (divisor, _), (objective, _))| RawReduced {
            reduction: *reduction,
            divisor: *divisor,
            objective: *objective,
        });
        // SAFETY: the addresses are those of slices that are borrowed for the call. Whatever is done with them later, on whichever stream,
        // waits for the work by the guards' events or, where a later one has taken an event's place, by the streams they were allocated on;
        // on these they are freed too, and the margins of a loss that is dropped. `check` has compared the lengths with what the arguments
        // promise.
        let launched = unsafe { self.launch_raw(stream.cu_stream(), arguments, reduced) };
        homes.iter().try_for_each(|home| home.join(stream))?;
        launched
    }

    /// The other streams that the launch's memory was allocated on, and will be freed on.
    ///
    /// A slice has an event for its last reader alone: two readers on two streams, and only the second is waited for.
    fn homes(&self, stream: &CudaStream, batch: &DeviceBatch<'_, T>) -> Vec<Arc<CudaStream>> {
        let DeviceBatch { scores, labels, weights, values, grads, codes, reduced, .. } = batch;
        let inputs = [Some(scores.stream()), Some(labels.stream()), weights.as_ref().map(DeviceSlice::stream)];
        let margins = self.margins.as_ref().map(|margins| margins.stream());
        let outputs = [Some(values.stream()), grads.as_ref().map(DeviceSlice::stream), Some(codes.stream())];
        let sums = reduced.as_ref().map(|reduced| [reduced.divisor.stream(), reduced.objective.stream()]);
        let all = inputs.into_iter().chain([margins]).chain(outputs).flatten().chain(sums.into_iter().flatten());
        let mut homes: Vec<Arc<CudaStream>> = vec![];
        for home in all.filter(|home| home.cu_stream() != stream.cu_stream()) {
            if homes.iter().all(|known| known.cu_stream() != home.cu_stream()) {
                homes.push(home.clone());
            }
        }
        homes
    }

    /// As [`launch`](Self::launch), on bare device addresses and a bare stream: for the memory of candle, burn, tch or any other engine.
    /// The divisor of the arguments is overwritten by that of the reduction.
    ///
    /// **Cost.** As [`launch`](Self::launch); no stream is joined. See the [crate's documentation](crate) for an example.
    ///
    /// # Safety
    /// The stream is one of the loss's context, which is alive, or null. Until the stream has done the work, each address is 0 where
    /// [`BatchArguments`] allows it, or that of memory of this device, aligned for its type, that nobody else writes (inputs) or uses
    /// (outputs): scores and gradients of `T` for `num_rows` rows of this loss's number of classes by their strides, `num_rows` labels
    /// (`i64`), values and weights (`T::Float`) and codes (`u64`), one divisor and one objective (`T::Float`). Outputs overlap nothing.
    /// Nor is this loss dropped until then.
    ///
    /// # Errors
    /// No row, another number of classes than the loss has; what the driver reports.
    pub unsafe fn launch_raw(&self, stream: CUstream, batch: BatchArguments, reduced: Option<RawReduced>) -> Result<()> {
        if batch.num_rows == 0 {
            return Err(CudaError::Parameter { name: "batch", must: "of at least one example" });
        }
        check_length("num_classes", self.num_classes(), batch.num_classes as usize)?;
        self.context.bind_to_thread()?;
        let divisor = reduced.map_or(0, |reduced| if reduced.reduction == crate::Reduction::Sum { 0 } else { reduced.divisor });
        let batch = BatchArguments { divisor, ..batch };
        let mut words = batch.words();
        let mut reduction = reduced.map(|reduced| reduction_words(reduced.reduction, reduced.divisor, reduced.objective));
        let (one_block, small) = ((1, 1, 1), (512, 1, 1));
        if let Some(reduction) = reduction.as_mut().filter(|_| divisor != 0) {
            // SAFETY: the kernel takes a batch and a reduction, and reads labels and weights as the caller promises.
            unsafe { enqueue(&self.divisor, stream, one_block, small, SLOTS, &mut words, reduction)? };
        }
        let margins = self.margins.as_ref().map(|margins| margins.as_view());
        let address = margins.as_ref().map_or(0, |margins| address_of(margins));
        let blocks = u32::try_from(batch.num_rows).unwrap_or(u32::MAX).min(1 << 30);
        let (threads, shared) = ((self.plan.threads, 1, 1), self.plan.shared_bytes);
        // SAFETY: the kernel takes a batch and the plan's parameters; the margins are this loss's, which the caller keeps until then.
        unsafe { enqueue(&self.function, stream, (blocks, 1, 1), threads, shared, &mut words, &mut self.plan.parameters(address))? };
        if let Some(reduction) = reduction.as_mut() {
            // SAFETY: as for the divisor; the values were written before it on the same stream.
            unsafe { enqueue(&self.objective, stream, one_block, small, SLOTS, &mut words, reduction)? };
        }
        Ok(())
    }

    fn check(&self, stream: &CudaStream, batch: &DeviceBatch<'_, T>, examples: usize) -> Result<()> {
        let classes = self.num_classes();
        if examples == 0 {
            return Err(CudaError::Parameter { name: "batch", must: "of at least one example" });
        }
        let rows = |what, stride: usize, actual: usize| {
            if stride < classes {
                return Err(CudaError::Length { what: "stride", expected: classes, actual: stride });
            }
            let expected = stride.checked_mul(examples - 1).and_then(|start| start.checked_add(classes)).unwrap_or(usize::MAX);
            if actual < expected { Err(CudaError::Length { what, expected, actual }) } else { Ok(()) }
        };
        rows("scores", batch.score_stride, batch.scores.len())?;
        if let Some(grads) = &batch.grads {
            rows("grads", batch.grad_stride, grads.len())?;
            self.check_device("grads", grads.stream())?;
        }
        if let Some(weights) = &batch.weights {
            check_length("weights", examples, weights.len())?;
            self.check_device("weights", weights.stream())?;
        }
        if let Some(Reduced { divisor, objective, .. }) = &batch.reduced {
            check_length("divisor", 1, divisor.len())?;
            check_length("objective", 1, objective.len())?;
            self.check_device("divisor", divisor.stream())?;
            self.check_device("objective", objective.stream())?;
        }
        check_length("values", examples, batch.values.len())?;
        check_length("codes", examples, batch.codes.len())?;
        self.check_device("scores", batch.scores.stream())?;
        self.check_device("labels", batch.labels.stream())?;
        self.check_device("values", batch.values.stream())?;
        self.check_device("codes", batch.codes.stream())?;
        self.check_device("stream", stream)
    }

    fn check_device(&self, what: &'static str, stream: &CudaStream) -> Result<()> {
        if **stream.context() == *self.context { Ok(()) } else { Err(CudaError::WrongDevice { what }) }
    }
}

/// Shared memory of the reductions' kernels.
const SLOTS: u32 = 256;

fn check_length(what: &'static str, expected: usize, actual: usize) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(CudaError::Length { what, expected, actual }) }
}

/// The address of memory that is only ever read, once it was written.
fn address_of<F>(view: &CudaView<'_, F>) -> u64 {
    view.device_ptr(view.stream()).0
}

/// Enqueues a kernel of two arguments by value.
///
/// # Safety
/// The kernel takes structures of these words, and what they make it read and write is there until the stream has done it.
unsafe fn enqueue(
    function: &CudaFunction,
    stream: CUstream,
    blocks: (u32, u32, u32),
    threads: (u32, u32, u32),
    shared_bytes: u32,
    batch: &mut [u64],
    parameters: &mut [u64],
) -> Result<()> {
    let mut arguments = [batch.as_mut_ptr().cast::<c_void>(), parameters.as_mut_ptr().cast::<c_void>()];
    // SAFETY: the caller's; the driver copies the arguments before it returns.
    unsafe { result::launch_kernel(function.cu_function(), blocks, threads, shared_bytes, stream, &mut arguments) }.map_err(CudaError::from)
}
