//! What kernels take, as words of eight bytes in the order of the structures in ../../cuda.

use topk_loss::Key;

/// A batch in device memory; every pointer is a device address, 0 for none. [`launch_raw`](crate::CudaLoss::launch_raw) says what they point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchArguments {
    /// Scores.
    pub scores: u64,
    /// Gradients; 0: not wanted.
    pub grads: u64,
    /// Labels, `i64`.
    pub labels: u64,
    /// Weights; 0: all are 1.
    pub weights: u64,
    /// Values.
    pub values: u64,
    /// Codes, `u64`.
    pub codes: u64,
    /// What the weights are divided by; 0: nothing.
    pub divisor: u64,
    /// Examples.
    pub num_rows: u64,
    /// Classes.
    pub num_classes: u64,
    /// Scores from one example to the next.
    pub score_stride: u64,
    /// Entries from one example's gradient to the next.
    pub grad_stride: u64,
    /// The label that does not count.
    pub ignored_label: Option<i64>,
}

impl BatchArguments {
    /// `Batch` in batch.cuh.
    #[must_use]
    pub fn words(&self) -> [u64; 13] {
        let Self { scores, grads, labels, weights, values, codes, divisor, num_rows, num_classes, score_stride, grad_stride, .. } = *self;
        let (ignored, has_ignored) = self.ignored_label.map_or((0, 0), |label| (label as u64, 1));
        [scores, grads, labels, weights, values, codes, divisor, num_rows, num_classes, score_stride, grad_stride, ignored, has_ignored]
    }
}

/// `Hinge` in hinge.cuh.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct HingeArguments {
    pub margin: f64,
    pub scale: f64,
    pub epsilon: f64,
    pub rank: usize,
    pub num_samples: usize,
    /// Of a smoothing that draws.
    pub key: Option<Key>,
    pub list_capacity: usize,
}

impl HingeArguments {
    /// With the address of the margins, 0 for a uniform one.
    pub fn words(&self, margins: u64) -> Vec<u64> {
        let [low, high] = self.key.map_or([0; 2], Key::words);
        let key = u64::from(low) | u64::from(high) << 32;
        let Self { margin, scale, epsilon, rank, num_samples, list_capacity, .. } = *self;
        let [margin, scale, epsilon] = [margin, scale, epsilon].map(f64::to_bits);
        vec![margins, margin, scale, epsilon, rank as u64, num_samples as u64, key, list_capacity as u64]
    }
}

/// `Reduction` in reduction.cu.
#[must_use]
pub fn reduction_words(kind: crate::Reduction, divisor: u64, objective: u64) -> [u64; 3] {
    [kind as u64, divisor, objective]
}
