//! The noised hinge under noise that the caller brings: another library's draws, a replayed run.

use core::ffi::c_void;

use topk_loss::config::{AnyLoss, BaseLoss};
use topk_loss::estimator::Pathwise;
use topk_loss::loss::Hinge;
use topk_loss::noise::Normal;
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::GivenDraws;
use topk_loss::{Key, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, Kernel, Threads};

use crate::batch::{EachExample, TopkBatch};
use crate::batch_loss::TopkBatchLoss;
use crate::error::{Failure, Result, report};
use crate::memory::{check_apart, read, read_one, region};
use crate::{TopkError, TopkStatus};

/// As `topk_values`, of a top-K hinge that is smoothed pathwise, with noise in place of its draws.
///
/// `noise` is examples × samples × classes, `double` for `f64` and `float` for the others; the loss's own number of samples, its seed and
/// the step are not used. Rows run by scalar code.
///
/// # Safety
/// As `topk_values`, and of `noise` likewise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_values_of_noise(
    loss: *const TopkBatchLoss,
    batch: *const TopkBatch,
    noise: *const c_void,
    num_samples: usize,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise.
        unsafe {
            let (loss, batch) = (read_one("loss", loss)?, read_one("batch", batch)?);
            let single = || Ok(Box::new(GivenNoise::new(&loss.single, batch, noise.cast(), num_samples)?) as Box<dyn BatchLoss<f32>>);
            let double = || Ok(Box::new(GivenNoise::new(&loss.double, batch, noise.cast(), num_samples)?) as Box<dyn BatchLoss<f64>>);
            batch.compute(single, double, &EachExample)
        }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// A hinge, and the noise of every example.
struct GivenNoise<'a, F> {
    hinge: TopKHinge<F, Margins<'a, F>>,
    epsilon: F,
    noise: &'a [F],
    first_example: u64,
    num_samples: usize,
}

impl<'a, F: Real> GivenNoise<'a, F> {
    /// # Safety
    /// The noise is as the batch and the number of samples say.
    unsafe fn new(loss: &'a AnyLoss<F, Vec<F>>, batch: &TopkBatch, noise: *const F, num_samples: usize) -> Result<Self> {
        let AnyLoss::Base(BaseLoss::TopKHinge(hinge)) = loss else { return Err(WRONG) };
        let Smoothing::Pathwise { epsilon, .. } = hinge.smoothing() else { return Err(WRONG) };
        // SAFETY: the caller's promise.
        let noise = unsafe { read_noise(batch, noise, num_samples)? };
        Ok(Self { hinge: hinge.borrowed(), epsilon, noise, first_example: batch.first_example, num_samples })
    }
}

/// Noise of examples × samples × classes, which the batch's outputs do not overlap.
///
/// # Safety
/// The noise is as the batch and the number of samples say.
pub(crate) unsafe fn read_noise<'a, F: Real>(batch: &TopkBatch, noise: *const F, num_samples: usize) -> Result<&'a [F]> {
    let len = batch.num_examples.checked_mul(batch.num_classes).and_then(|len| len.checked_mul(num_samples));
    let len = len.ok_or(Failure::Size("noise"))?;
    check_apart(&batch.outputs::<F>()?, &[region("noise", noise, len)])?;
    // SAFETY: the caller's promise.
    unsafe { read("noise", noise, len) }
}

const WRONG: Failure = Failure::WrongLoss("a top-K hinge, smoothed pathwise, with neither adjustments nor class weights");

impl<F: Real> BatchLoss<F> for GivenNoise<'_, F> {
    fn kernel(&self, num_classes: usize, _: Threads) -> Box<dyn Kernel<F> + '_> {
        Box::new(Row { given: self, scratch: vec![F::zero(); 3 * num_classes] })
    }
}

/// One thread's room.
struct Row<'a, F> {
    given: &'a GivenNoise<'a, F>,
    scratch: Vec<F>,
}

impl<'a, F: Real> Row<'a, F> {
    fn hinge_of(&self, example: u64, num_classes: usize) -> topk_loss::Result<impl Loss<F> + use<'a, F>> {
        let GivenNoise { hinge, epsilon, noise, first_example, num_samples } = *self.given;
        let len = num_samples * num_classes;
        let draws = noise.chunks(len.max(1)).nth(example.wrapping_sub(first_example) as usize).unwrap_or_default();
        let missed = KthLargest::new(hinge.k().saturating_add(1))?;
        let smoothed = Pathwise::new(missed, GivenDraws::new(Normal, draws, num_classes)?, epsilon, Key::new(0))?;
        Hinge::new(smoothed, *hinge.margins(), hinge.scale())
    }
}

impl<F: Real> Kernel<F> for Row<'_, F> {
    fn value(&mut self, example: u64, scores: &[F], label: usize) -> topk_loss::Result<F> {
        self.hinge_of(example, scores.len())?.value(scores, label, &mut self.scratch)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], label: usize, weight: F, grad: &mut [F]) -> topk_loss::Result<F> {
        let value = self.hinge_of(example, scores.len())?.value_and_grad(scores, label, grad, &mut self.scratch)?;
        grad.iter_mut().for_each(|entry| *entry *= weight);
        Ok(value)
    }
}
