//! The noised hinge under noise that the caller brings: another library's draws, a replayed run.

use core::ffi::c_void;

use topk_loss::config::{AnyLoss, BaseLoss};
use topk_loss::estimator::Pathwise;
use topk_loss::loss::Hinge;
use topk_loss::noise::Normal;
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::GivenDraws;
use topk_loss::{Key, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, Kernel, Threads, scalar_kernel};

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
    noise: Noise<'a, F>,
}

impl<'a, F: Real> GivenNoise<'a, F> {
    /// # Safety
    /// The noise is as the batch and the number of samples say.
    unsafe fn new(loss: &'a AnyLoss<F, Vec<F>>, batch: &TopkBatch, noise: *const F, num_samples: usize) -> Result<Self> {
        let AnyLoss::Base(BaseLoss::TopKHinge(hinge)) = loss else { return Err(WRONG) };
        let Smoothing::Pathwise { epsilon, .. } = hinge.smoothing() else { return Err(WRONG) };
        // SAFETY: the caller's promise.
        let noise = unsafe { Noise::read(batch, noise, num_samples)? };
        Ok(Self { hinge: hinge.borrowed(), epsilon, noise })
    }
}

/// Noise of examples × samples × classes, in place of draws.
#[derive(Clone, Copy)]
pub(crate) struct Noise<'a, F> {
    numbers: &'a [F],
    first_example: u64,
    num_samples: usize,
}

impl<'a, F: Real> Noise<'a, F> {
    /// That of a batch, whose outputs do not overlap it.
    ///
    /// # Safety
    /// The noise is as the batch and the number of samples say.
    pub unsafe fn read(batch: &TopkBatch, noise: *const F, num_samples: usize) -> Result<Self> {
        let len = batch.num_examples.checked_mul(batch.num_classes).and_then(|len| len.checked_mul(num_samples));
        let len = len.ok_or(Failure::Size("noise"))?;
        check_apart(&batch.outputs::<F>()?, &[region("noise", noise, len)])?;
        // SAFETY: the caller's promise.
        let numbers = unsafe { read("noise", noise, len)? };
        Ok(Self { numbers, first_example: batch.first_example, num_samples })
    }

    /// An example's.
    pub fn of(&self, example: u64, num_classes: usize) -> topk_loss::Result<GivenDraws<'a, Normal, F>> {
        let len = self.num_samples.saturating_mul(num_classes).max(1);
        let draws = self.numbers.chunks(len).nth(example.wrapping_sub(self.first_example) as usize).unwrap_or_default();
        GivenDraws::new(Normal, draws, num_classes)
    }
}

const WRONG: Failure = Failure::WrongLoss("a top-K hinge, smoothed pathwise, with neither adjustments nor class weights");

impl<F: Real> BatchLoss<F> for GivenNoise<'_, F> {
    fn kernel(&self, num_classes: usize, _: Threads) -> Box<dyn Kernel<F> + '_> {
        scalar_kernel(num_classes, move |example| OfExample { given: self, example })
    }
}

/// The hinge of an example, by its noise.
struct OfExample<'a, F> {
    given: &'a GivenNoise<'a, F>,
    example: u64,
}

impl<'a, F: Real> OfExample<'a, F> {
    fn hinge(&self, num_classes: usize) -> topk_loss::Result<impl Loss<F> + use<'a, F>> {
        let GivenNoise { hinge, epsilon, noise } = self.given;
        let missed = KthLargest::new(hinge.first_missed())?;
        let smoothed = Pathwise::new(missed, noise.of(self.example, num_classes)?, *epsilon, Key::new(0))?;
        Hinge::new(smoothed, *hinge.margins(), hinge.scale())
    }
}

impl<F: Real> Loss<F> for OfExample<'_, F> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_mul(3)
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> topk_loss::Result<F> {
        self.hinge(scores.len())?.value(scores, label, scratch)
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> topk_loss::Result<F> {
        self.hinge(scores.len())?.value_and_grad(scores, label, grad, scratch)
    }
}
