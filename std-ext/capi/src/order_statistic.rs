//! The k-th largest score of every row, smoothed: what the hinge is made of, for a loss of one's own.

use core::ffi::c_void;

use topk_loss::estimator::{Conditional, Exact, Pathwise};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Error, Key, Real};
use topk_loss_batch::{BatchLoss, Kernel, Threads};

use crate::batch::{EachExample, TopkBatch};
use crate::error::{Failure, Result, report};
use crate::given_noise::Noise;
use crate::memory::read_one;
use crate::settings::Enum;
use crate::{TopkError, TopkSmoothing, TopkStatus};

/// A smoothed order statistic.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct TopkOrderStatistic {
    /// Which: the largest is 1.
    pub k: usize,
    /// A `TopkSmoothing`.
    pub smoothing: u32,
    /// How many draws are averaged, if there are draws.
    pub num_samples: usize,
    /// What draws are made from; the batch's step and the row's number are folded in.
    pub seed: u64,
    /// The scale of the noise, unless there is none.
    pub epsilon: f64,
}

/// The k-th largest score of every row, or its smoothing, and its gradient: probabilities, which sum to 1 (of the
/// conditional smoothing on average). The batch has no labels.
///
/// `noise` is NULL, or examples × samples × classes in place of the draws of a pathwise smoothing, as in `topk_values_of_noise`. Rows run by
/// scalar code.
///
/// # Safety
/// As `topk_values`, and of `noise` likewise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn topk_order_statistics(
    statistic: *const TopkOrderStatistic,
    batch: *const TopkBatch,
    noise: *const c_void,
    error: *mut TopkError,
) -> TopkStatus {
    let work = || {
        // SAFETY: the caller's promise; the labels are as many as the examples.
        unsafe {
            let (statistic, batch) = (read_one("statistic", statistic)?, read_one("batch", batch)?);
            let labels = zeros(batch.num_examples)?;
            let batch = TopkBatch { labels: labels.as_ptr(), ignores: 0, ..*batch };
            let single = || Ok(Box::new(Smoothed::<f32>::new(statistic, &batch, noise.cast())?) as Box<dyn BatchLoss<f32>>);
            let double = || Ok(Box::new(Smoothed::<f64>::new(statistic, &batch, noise.cast())?) as Box<dyn BatchLoss<f64>>);
            batch.compute(single, double, &EachExample)
        }
    };
    // SAFETY: the caller's promise.
    unsafe { report(error, work) }
}

/// Labels that nobody reads.
fn zeros(num_examples: usize) -> Result<Vec<i64>> {
    let mut labels = Vec::new();
    labels.try_reserve_exact(num_examples).map_err(|_| Failure::Size("num_examples"))?;
    labels.resize(num_examples, 0);
    Ok(labels)
}

/// An order statistic of every example.
struct Smoothed<'a, F> {
    k: usize,
    smoothing: TopkSmoothing,
    epsilon: F,
    num_samples: usize,
    key: Key,
    noise: Option<Noise<'a, F>>,
}

impl<F: Real> Smoothed<'_, F> {
    /// # Safety
    /// The noise is NULL, or as the batch and the number of samples say.
    unsafe fn new(statistic: &TopkOrderStatistic, batch: &TopkBatch, noise: *const F) -> Result<Self> {
        let &TopkOrderStatistic { k, smoothing, num_samples, seed, epsilon } = statistic;
        let smoothing = TopkSmoothing::from_number(smoothing)?;
        let noise = if noise.is_null() {
            None
        } else if smoothing == TopkSmoothing::Pathwise {
            // SAFETY: the caller's promise.
            Some(unsafe { Noise::read(batch, noise, num_samples)? })
        } else {
            return Err(Failure::WrongLoss("smoothed pathwise where noise is given"));
        };
        let (epsilon, key) = (F::from_f64(epsilon), Key::new(seed).fold_in(batch.step));
        let smoothed = Self { k, smoothing, epsilon, num_samples, key, noise };
        // What is refused whatever the example.
        smoothed.oracle(batch.first_example, batch.num_classes)?;
        Ok(smoothed)
    }

    fn oracle(&self, example: u64, num_classes: usize) -> topk_loss::Result<Box<dyn Oracle<F> + '_>> {
        let (oracle, key) = (KthLargest::new(self.k)?, self.key.fold_in(example));
        if self.k > num_classes {
            return Err(Error::K { k: self.k, max: num_classes });
        }
        Ok(match (self.smoothing, self.noise) {
            (TopkSmoothing::None, _) => Box::new(oracle),
            (TopkSmoothing::Exact, _) => Box::new(Exact::new(oracle, Normal, self.epsilon)?),
            (TopkSmoothing::Pathwise, None) => {
                Box::new(Pathwise::new(oracle, MonteCarlo::new(Normal, self.num_samples)?, self.epsilon, key)?)
            }
            (TopkSmoothing::Pathwise, Some(noise)) => Box::new(Pathwise::new(oracle, noise.of(example, num_classes)?, self.epsilon, key)?),
            (TopkSmoothing::Conditional, _) => {
                Box::new(Conditional::new(oracle, MonteCarlo::new(Normal, self.num_samples)?, self.epsilon, key)?)
            }
        })
    }
}

impl<F: Real> BatchLoss<F> for Smoothed<'_, F> {
    fn kernel(&self, _: usize, _: Threads) -> Box<dyn Kernel<F> + '_> {
        Box::new(Row { statistic: self, scratch: Vec::new() })
    }
}

/// One thread's room.
struct Row<'a, F> {
    statistic: &'a Smoothed<'a, F>,
    scratch: Vec<F>,
}

impl<F: Real> Kernel<F> for Row<'_, F> {
    fn value(&mut self, example: u64, scores: &[F], _: usize) -> topk_loss::Result<F> {
        let oracle = self.statistic.oracle(example, scores.len())?;
        self.scratch.resize(oracle.scratch_len(scores.len()), F::zero());
        oracle.value(scores, &mut self.scratch)
    }

    fn value_and_grad(&mut self, example: u64, scores: &[F], _: usize, weight: F, grad: &mut [F]) -> topk_loss::Result<F> {
        let oracle = self.statistic.oracle(example, scores.len())?;
        self.scratch.resize(oracle.scratch_len(scores.len()), F::zero());
        grad.fill(F::zero());
        oracle.value_and_add_grad(scores, weight, grad, &mut self.scratch)
    }
}
