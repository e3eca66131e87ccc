//! The calls that reduce a batch to one number: the objective, and what each example counts in it.

use core::ffi::c_void;

use topk_loss_batch::{BatchLoss, Gradients, Reduction, Scores, Targets, coefficients, objective, objective_and_grads};

use crate::batch::{Computed, Task, TopkBatch, TopkFloat};
use crate::batch_loss::TopkBatchLoss;
use crate::error::{Result, report};
use crate::memory::{Region, check_apart, read_one, region, write};
use crate::settings::Enum;
use crate::{TopkError, TopkStatus};

/// How the losses of a batch become one number; w are the weights, 1 where none are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TopkReduction {
    /// Σ w·ℓ.
    Sum = 0,
    /// Σ w·ℓ divided by the number of examples that count.
    Mean = 1,
    /// Σ w·ℓ / Σ w, where the weights of a class-weighted loss count as well: torch's mean.
    WeightedMean = 2,
}

impl Enum for TopkReduction {
    const NAME: &str = "TopkReduction";
    const ALL: &[Self] = &[Self::Sum, Self::Mean, Self::WeightedMean];

    fn number(self) -> u32 {
        self as u32
    }
}

fn reduction_of(number: u32) -> Result<Reduction> {
    Ok(match TopkReduction::from_number(number)? {
        TopkReduction::Sum => Reduction::Sum,
        TopkReduction::Mean => Reduction::Mean,
        TopkReduction::WeightedMean => Reduction::WeightedMean,
    })
}

/// The reduced loss of the batch, in `objective`, and its gradient with respect to all scores where `grads` is not NULL: the one call of a
/// training loop that differentiates by itself.
///
/// # Safety
/// As `topk_values`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_objective(
    loss: *const TopkBatchLoss,
    batch: *const TopkBatch,
    reduction: u32,
    objective: *mut f64,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        let (loss, batch) = unsafe { (read_one("loss", loss)?, read_one("batch", batch)?) };
        let reduced = Reduced { reduction: reduction_of(reduction)?, objective };
        // SAFETY: the caller's promise.
        unsafe { batch.compute_by(loss, &reduced) }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// What the losses of the batch count in its objective, c in Σ c·ℓ: one an example, `double` for `f64` and `float` for the others. For whoever sums
/// what `topk_values` returns, such as an automatic differentiation. Scores are not read.
///
/// # Safety
/// As `topk_values`, and of `coefficients` likewise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_coefficients(
    loss: *const TopkBatchLoss,
    batch: *const TopkBatch,
    reduction: u32,
    coefficients: *mut c_void,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        unsafe {
            let (loss, batch) = (read_one("loss", loss)?, read_one("batch", batch)?);
            match TopkFloat::from_number(batch.scores_float)? {
                TopkFloat::F64 => count::<f64>(batch, &loss.double, reduction, coefficients.cast()),
                TopkFloat::F32 | TopkFloat::F16 | TopkFloat::Bf16 => count::<f32>(batch, &loss.single, reduction, coefficients.cast()),
            }
        }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// One number.
struct Reduced {
    reduction: Reduction,
    objective: *mut f64,
}

impl Task for Reduced {
    fn written<F>(&self, _: &TopkBatch) -> Region {
        region("objective", self.objective, 1)
    }

    unsafe fn run<F: Computed>(
        &self,
        loss: &dyn BatchLoss<F>,
        batch: &TopkBatch,
        scores: impl Scores<F>,
        targets: Targets<'_, F>,
        grads: Option<impl Gradients<F>>,
    ) -> Result<()> {
        // SAFETY: the caller's promise. A place that is none is found before gradients are written.
        let (targets, place) = unsafe { (batch.weighted(targets)?, write("objective", self.objective, 1)?) };
        let value = match grads {
            None => objective(loss, scores, &targets, self.reduction, batch.threads())?,
            Some(grads) => objective_and_grads(loss, scores, &targets, self.reduction, grads, batch.threads())?,
        };
        place.copy_from_slice(&[value.into()]);
        Ok(())
    }
}

/// The coefficients of the losses.
///
/// # Safety
/// Pointers lead to what the batch says.
unsafe fn count<F: Computed>(batch: &TopkBatch, loss: &dyn BatchLoss<F>, reduction: u32, into: *mut F) -> Result<()> {
    let reduction = reduction_of(reduction)?;
    let read = [region("labels", batch.labels, batch.num_examples), region("weights", batch.weights.cast::<F>(), batch.num_examples)];
    check_apart(&[region("coefficients", into, batch.num_examples)], &read)?;
    // SAFETY: the caller's promise; what is written was found to be apart from what is read.
    let (targets, into) = unsafe { (batch.weighted(batch.targets()?)?, write("coefficients", into, batch.num_examples)?) };
    into.copy_from_slice(&coefficients(loss, &targets, reduction)?);
    Ok(())
}
