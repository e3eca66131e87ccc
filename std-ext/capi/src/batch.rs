//! The calls for a batch: a struct of addresses, and the losses and gradients of its rows.

use core::ffi::c_void;

use half::{bf16, f16};
use topk_loss::FoldIn;
use topk_loss_batch::{BatchLoss, Elementary, Gradients, Rows, RowsMut, Scores, Targets, Threads, values, values_and_grads};

use crate::batch_loss::TopkBatchLoss;
use crate::error::{Failure, Result, report};
use crate::memory::{Region, check_apart, read, read_one, region, write};
use crate::settings::Enum;
use crate::{TopkError, TopkStatus};

/// The floats of scores and gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TopkFloat {
    /// `float`.
    F32 = 0,
    /// `double`.
    F64 = 1,
    /// IEEE half precision, computed as `float`, a row at a time.
    F16 = 2,
    /// The upper half of a `float`, computed as such.
    Bf16 = 3,
}

impl Enum for TopkFloat {
    const NAME: &str = "TopkFloat";
    const ALL: &[Self] = &[Self::F32, Self::F64, Self::F16, Self::Bf16];

    fn number(self) -> u32 {
        self as u32
    }
}

/// A batch: one example a row of scores, in memory of the caller. All zeros to start from: `TopkBatch batch = {0};`.
///
/// What is written may overlap nothing else, the gaps between rows included.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct TopkBatch {
    /// How many rows there are.
    pub num_examples: usize,
    /// How many scores a row has.
    pub num_classes: usize,
    /// The rows, of numbers of `scores_float`.
    pub scores: *const c_void,
    /// From one row's first number to the next one's, counted in numbers; 0 for rows without a gap.
    pub scores_stride: usize,
    /// A `TopkFloat`: of scores and gradients.
    pub scores_float: u32,
    /// Not 0 if `ignored_label` is: such an example has loss 0 and gradient 0, does not count in a mean, and is not read.
    pub ignores: u32,
    /// The label that is ignored, a class or not.
    pub ignored_label: i64,
    /// One label an example.
    pub labels: *const i64,
    /// What is folded into a loss that draws: other draws every step, the same for the same one.
    pub step: u64,
    /// The number of the first row, which its draws depend on: that in the whole batch, where this is a part of one.
    pub first_example: u64,
    /// How many threads at most, on which no number depends; 0 for as many as the machine has.
    pub threads: usize,
    /// Where the losses go: one an example, `double` for `f64` and `float` for the others. Not read by `topk_objective`.
    pub values: *mut c_void,
    /// Where the gradients go, of the scores' float; NULL for none.
    pub grads: *mut c_void,
    /// As `scores_stride`; what is between the rows stays as it is.
    pub grads_stride: usize,
    /// What multiplies the examples' losses in `topk_objective`: as many as examples, `double` for `f64` and `float` for the others; NULL for 1.
    pub weights: *const c_void,
}

/// The loss of every row, and its gradient with respect to the row's scores where `grads` is not NULL, neither weighted nor reduced.
///
/// Errors name the row. After one that concerns one row, or the losses' computation, what is written is unspecified; otherwise it is as it was.
///
/// # Safety
/// Pointers are NULL, which is an error where not allowed, or lead to as many numbers as the batch says; what is written is used by nobody else
/// meanwhile. `loss` was made by this library and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_values(loss: *const TopkBatchLoss, batch: *const TopkBatch, error: *mut TopkError) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        unsafe {
            let (loss, batch) = (read_one("loss", loss)?, read_one("batch", batch)?);
            batch.compute_by(loss, &EachExample)
        }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// A float that is computed in.
pub(crate) trait Computed: Elementary + Into<f64> {}

impl<F: Elementary + Into<f64>> Computed for F {}

/// What is computed of a batch.
pub(crate) trait Task {
    /// What it writes beside the gradients.
    fn written<F>(&self, batch: &TopkBatch) -> Region;

    /// # Safety
    /// The batch's pointers lead to what it says.
    unsafe fn run<F: Computed>(
        &self,
        loss: &dyn BatchLoss<F>,
        batch: &TopkBatch,
        scores: impl Scores<F>,
        targets: Targets<'_, F>,
        grads: Option<impl Gradients<F>>,
    ) -> Result<()>;
}

/// Every row's loss.
pub(crate) struct EachExample;

impl Task for EachExample {
    fn written<F>(&self, batch: &TopkBatch) -> Region {
        region("values", batch.values.cast::<F>(), batch.num_examples)
    }

    unsafe fn run<F: Computed>(
        &self,
        loss: &dyn BatchLoss<F>,
        batch: &TopkBatch,
        scores: impl Scores<F>,
        targets: Targets<'_, F>,
        grads: Option<impl Gradients<F>>,
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        let into = unsafe { write("values", batch.values.cast::<F>(), batch.num_examples)? };
        match grads {
            None => values(loss, scores, &targets, into, batch.threads())?,
            Some(grads) => values_and_grads(loss, scores, &targets, into, grads, batch.threads())?,
        }
        Ok(())
    }
}

impl TopkBatch {
    /// Does a task by a loss with the draws of the batch's step.
    ///
    /// # Safety
    /// Pointers lead to what the batch says.
    pub(crate) unsafe fn compute_by(&self, TopkBatchLoss { single, double }: &TopkBatchLoss, task: &impl Task) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.compute(|| Ok(Box::new(single.fold_in(self.step))), || Ok(Box::new(double.fold_in(self.step))), task) }
    }

    /// Does a task by the loss of the float that is computed in.
    ///
    /// # Safety
    /// Pointers lead to what the batch says.
    pub(crate) unsafe fn compute<'a>(
        &self,
        single: impl FnOnce() -> Result<Box<dyn BatchLoss<f32> + 'a>>,
        double: impl FnOnce() -> Result<Box<dyn BatchLoss<f64> + 'a>>,
        task: &impl Task,
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe {
            match TopkFloat::from_number(self.scores_float)? {
                TopkFloat::F32 => self.compute_rows::<f32, f32>(&*single()?, task),
                TopkFloat::F64 => self.compute_rows::<f64, f64>(&*double()?, task),
                TopkFloat::F16 => self.compute_rows::<f32, f16>(&*single()?, task),
                TopkFloat::Bf16 => self.compute_rows::<f32, bf16>(&*single()?, task),
            }
        }
    }

    /// Of rows of `T`, computed as `F`.
    ///
    /// # Safety
    /// Pointers lead to what the batch says.
    unsafe fn compute_rows<F: Computed, T>(&self, loss: &dyn BatchLoss<F>, task: &impl Task) -> Result<()>
    where
        for<'r> Rows<'r, T>: Scores<F>,
        for<'r> RowsMut<'r, T>: Gradients<F>,
    {
        let ((scores_stride, scores_len), (grads_stride, grads_len)) = (self.scores_shape()?, self.grads_shape()?);
        check_apart(
            &[region("grads", self.grads.cast::<T>(), grads_len), task.written::<F>(self)],
            &[
                region("scores", self.scores.cast::<T>(), scores_len),
                region("labels", self.labels, self.num_examples),
                region("weights", self.weights.cast::<F>(), self.num_examples),
            ],
        )?;
        // SAFETY: the caller's promise; what is written was found to be apart from all else.
        unsafe {
            let scores = Rows::strided(read("scores", self.scores.cast::<T>(), scores_len)?, self.num_classes, scores_stride)?;
            let targets = self.targets()?;
            let grads = if self.grads.is_null() {
                None
            } else {
                Some(RowsMut::strided(write("grads", self.grads.cast::<T>(), grads_len)?, self.num_classes, grads_stride)?)
            };
            task.run(loss, self, scores, targets, grads)
        }
    }

    /// The labels.
    ///
    /// # Safety
    /// They are as the batch says.
    pub(crate) unsafe fn targets<'a, F: Computed>(&self) -> Result<Targets<'a, F>> {
        // SAFETY: the caller's promise.
        let labels = unsafe { read("labels", self.labels, self.num_examples)? };
        let targets = Targets::new(labels).from_example(self.first_example);
        Ok(if self.ignores == 0 { targets } else { targets.ignoring(self.ignored_label) })
    }

    /// The same with the weights, if there are any.
    ///
    /// # Safety
    /// They are as the batch says.
    pub(crate) unsafe fn weighted<'a, F: Computed>(&self, targets: Targets<'a, F>) -> Result<Targets<'a, F>> {
        if self.weights.is_null() {
            return Ok(targets);
        }
        // SAFETY: the caller's promise.
        Ok(targets.with_weights(unsafe { read("weights", self.weights.cast(), self.num_examples)? })?)
    }

    /// Everything that a row's computation writes.
    pub(crate) fn outputs<F>(&self) -> Result<[Region; 2]> {
        let size = match TopkFloat::from_number(self.scores_float)? {
            TopkFloat::F64 => 8,
            TopkFloat::F32 => 4,
            TopkFloat::F16 | TopkFloat::Bf16 => 2,
        };
        let (_, len) = self.grads_shape()?;
        Ok([region("grads", self.grads.cast::<u8>(), len.saturating_mul(size)), EachExample.written::<F>(self)])
    }

    pub(crate) fn threads(&self) -> Threads {
        if self.threads == 0 { Threads::all() } else { Threads::new(self.threads) }
    }

    pub(crate) fn scores_shape(&self) -> Result<(usize, usize)> {
        self.shape("scores", self.scores_stride)
    }

    pub(crate) fn grads_shape(&self) -> Result<(usize, usize)> {
        self.shape("grads", self.grads_stride)
    }

    /// The stride, and how many numbers there are from the first to the last.
    fn shape(&self, what: &'static str, stride: usize) -> Result<(usize, usize)> {
        let stride = if stride == 0 { self.num_classes } else { stride };
        let to_last = self.num_examples.saturating_sub(1).checked_mul(stride);
        let len = to_last.and_then(|to_last| to_last.checked_add(if self.num_examples == 0 { 0 } else { self.num_classes }));
        Ok((stride, len.ok_or(Failure::Size(what))?))
    }
}
