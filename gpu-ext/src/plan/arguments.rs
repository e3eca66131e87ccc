//! The arguments of kernels as words of eight bytes, in the order of the structures in ../../cuda.

use topk_loss::Key;

/// A batch in device memory as a kernel is told of it: device addresses, 0 for none, sizes and strides.
///
/// **Shapes.** [`launch_raw`](crate::CudaLoss::launch_raw) says what the addresses point at.
///
/// ```
/// use topk_loss_cuda::plan::BatchArguments;
/// let batch = BatchArguments { num_rows: 2, num_classes: 3, score_stride: 3, ..BatchArguments::default() };
/// assert_eq!((batch.grads, batch.ignored_label), (0, None)); // no gradients are wanted, and every label counts
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchArguments {
    /// Address of the scores.
    pub scores: u64,
    /// Address of the gradients; 0: not wanted.
    pub grads: u64,
    /// Address of the labels, `i64`.
    pub labels: u64,
    /// Address of the weights; 0: all are 1.
    pub weights: u64,
    /// Address of the values.
    pub values: u64,
    /// Address of the codes, `u64`.
    pub codes: u64,
    /// Address of what the weights are divided by; 0: nothing.
    pub divisor: u64,
    /// Number of examples.
    pub num_rows: u64,
    /// Number of classes.
    pub num_classes: u64,
    /// Elements from one example's first score to the next one's.
    pub score_stride: u64,
    /// Elements from one example's first gradient entry to the next one's.
    pub grad_stride: u64,
    /// The label of examples that do not count: value and gradient 0.
    pub ignored_label: Option<i64>,
}

impl BatchArguments {
    /// The kernel's first argument: the batch as words, in the order of the structure `Batch` in `cuda/batch.cuh`.
    ///
    /// ```
    /// use topk_loss_cuda::plan::BatchArguments;
    /// let words = BatchArguments { num_rows: 2, num_classes: 3, ignored_label: Some(-100), ..BatchArguments::default() }.words();
    /// assert_eq!((words[7], words[8], words[11] as i64, words[12]), (2, 3, -100, 1));
    /// ```
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

/// The second argument of the reduction's kernels: how losses are reduced, and the addresses of divisor and objective, in the order of the
/// structure `Reduction` in `cuda/reduction.cu`.
///
/// ```
/// use topk_loss_cuda::Reduction;
/// use topk_loss_cuda::plan::reduction_words;
/// assert_eq!(reduction_words(Reduction::Mean, 0x1000, 0x2000), [Reduction::Mean as u64, 0x1000, 0x2000]);
/// ```
#[must_use]
pub fn reduction_words(kind: crate::Reduction, divisor: u64, objective: u64) -> [u64; 3] {
    [kind as u64, divisor, objective]
}
