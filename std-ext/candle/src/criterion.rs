//! The criterion: a loss, how the losses of a batch are reduced, and which label is ignored.

use core::marker::PhantomData;

use candle_core::{DType, Error, Result, Tensor};
use topk_loss::FoldIn;
use topk_loss::loss::SoftLabelLoss;
use topk_loss_batch::{
    BatchLoss, Gradients, Reduction, Rows, Scores, SoftTargets, Targets, Threads, coefficients, soft_values, soft_values_and_grads,
};

use crate::node::{Labelled, Precision, Rowwise};

/// The mean loss of a batch: what [`Criterion::new`] does unless told otherwise.
///
/// # Errors
/// Those of [`Criterion::forward`].
pub fn loss(loss: impl BatchLoss<f32>, logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    Criterion::new(loss).forward(logits, labels)
}

/// A loss that is trained with: of which float, how reduced, with which label ignored.
///
/// **Shapes.** Logits batch × classes; labels batch, of `u8`, `u32`, `i16`, `i32` or `i64`; the losses batch, a reduced one is a scalar.
///
/// **Cost.** The loss's, on all cores of `rayon`'s pool unless [told otherwise](Self::with_threads), and in the backward pass one
/// multiplication a logit. Allocated are the gradient, kept as long as the graph, and what the backward pass makes of it.
#[derive(Debug, Clone, Copy)]
pub struct Criterion<L, F = f32> {
    pub(crate) loss: L,
    pub(crate) reduction: Reduction,
    pub(crate) ignored: Option<i64>,
    pub(crate) first_example: u64,
    threads: Option<Threads>,
    precision: PhantomData<F>,
}

impl<L> Criterion<L> {
    /// The mean of a loss that is computed in `f32`.
    pub const fn new(loss: L) -> Self {
        Self::of(loss)
    }
}

impl<L> Criterion<L, f64> {
    /// The mean of a loss that is computed in `f64`.
    pub const fn in_f64(loss: L) -> Self {
        Self::of(loss)
    }
}

impl<L, F> Criterion<L, F> {
    const fn of(loss: L) -> Self {
        Self { loss, reduction: Reduction::Mean, ignored: None, first_example: 0, threads: None, precision: PhantomData }
    }

    /// The same criterion with another reduction than the mean. What divides a [weighted mean](Reduction::WeightedMean) are the weights of
    /// the labels' classes, if the loss has [such](topk_loss::loss::ClassWeighted), as in torch.
    #[must_use]
    pub fn with_reduction(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }

    /// The same criterion with a label that marks padding: its examples have neither loss nor gradient and do not count in a mean.
    #[must_use]
    pub fn ignoring(self, label: i64) -> Self {
        Self { ignored: Some(label), ..self }
    }

    /// The same criterion with the examples numbered from `first_example` on, see [`Targets::from_example`]: micro-batches draw what the
    /// whole batch would.
    #[must_use]
    pub fn from_example(self, first_example: u64) -> Self {
        Self { first_example, ..self }
    }

    /// The same criterion on at most so many threads. No number depends on it.
    #[must_use]
    pub fn with_threads(self, threads: Threads) -> Self {
        Self { threads: Some(threads), ..self }
    }

    pub(crate) fn threads(&self) -> Threads {
        self.threads.unwrap_or_else(Threads::all)
    }
}

/// The criterion of a step, with draws of its own.
impl<L: FoldIn, F> FoldIn for Criterion<L, F> {
    fn fold_in(&self, step: u64) -> Self {
        let Self { ref loss, reduction, ignored, first_example, threads, precision } = *self;
        Self { loss: loss.fold_in(step), reduction, ignored, first_example, threads, precision }
    }
}

impl<L: BatchLoss<F>, F: Precision> Criterion<L, F> {
    /// The loss of a batch of logits and labels, reduced: a scalar.
    ///
    /// **Shapes.** Logits batch × classes, labels batch.
    ///
    /// **Ties and NaN.** The loss's; NaN logits are an error, except in rows whose label is ignored, which are not read.
    ///
    /// **Cost.** See [`Criterion`].
    ///
    /// # Errors
    /// Logits that are not a matrix or not of the float that is computed in, labels that are not a vector of integers, and what
    /// [`values_and_grads`](topk_loss_batch::values_and_grads) and [`coefficients`] refuse.
    pub fn forward(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
        let labels = read_labels(labels)?;
        self.reduce(F::labelled_losses(logits, &self.labelled(&labels))?, &labels)
    }

    /// The loss of every example, a vector, for a reduction of your own; 0 where the label is ignored.
    ///
    /// **Shapes, Ties and NaN, Cost.** As [`forward`](Self::forward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn losses(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
        F::labelled_losses(logits, &self.labelled(&read_labels(labels)?))
    }

    pub(crate) fn reduce(&self, losses: Tensor, labels: &[i64]) -> Result<Tensor> {
        let coefficients = coefficients(&self.loss, &self.targets(labels), self.reduction).map_err(Error::wrap)?;
        let coefficients = Tensor::from_vec(coefficients, labels.len(), losses.device())?;
        (losses * coefficients)?.sum_all()
    }

    fn labelled<'a>(&'a self, labels: &'a [i64]) -> Labelled<'a, F> {
        Labelled { loss: &self.loss, targets: self.targets(labels), threads: self.threads() }
    }
}

impl<L, F: Precision> Criterion<L, F> {
    pub(crate) fn targets<'a>(&self, labels: &'a [i64]) -> Targets<'a, F> {
        let targets = Targets::new(labels).from_example(self.first_example);
        self.ignored.map_or(targets, |label| targets.ignoring(label))
    }
}

impl<L: SoftLabelLoss<F> + FoldIn + Sync, F: Precision> Criterion<L, F> {
    /// The loss of a batch whose labels are distributions over the classes, shaped like the logits and constant: no gradient is theirs.
    ///
    /// **Ties and NaN, Cost.** As [`forward`](Self::forward), by the loss's own code.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and distributions that are none or shaped otherwise.
    pub fn forward_soft(&self, logits: &Tensor, distributions: &Tensor) -> Result<Tensor> {
        let losses = self.losses_soft(logits, distributions)?;
        if self.reduction == Reduction::Sum { losses.sum_all() } else { losses.mean_all() }
    }

    /// The loss of every example whose label is a distribution, a vector, for a reduction of your own.
    ///
    /// **Shapes, Ties and NaN, Cost.** As [`forward_soft`](Self::forward_soft).
    ///
    /// # Errors
    /// As [`forward_soft`](Self::forward_soft).
    pub fn losses_soft(&self, logits: &Tensor, distributions: &Tensor) -> Result<Tensor> {
        let (_, classes) = distributions.dims2()?;
        let distributions = distributions.to_dtype(F::DTYPE)?.flatten_all()?.to_vec1::<F>()?;
        let rows = Rows::new(&distributions, classes).map_err(Error::wrap)?;
        let targets = SoftTargets::new(rows).from_example(self.first_example);
        F::losses(logits, &Soft { loss: &self.loss, targets, threads: self.threads() })
    }
}

pub(crate) fn read_labels(labels: &Tensor) -> Result<Vec<i64>> {
    match labels.dtype() {
        DType::U8 | DType::U32 | DType::I16 | DType::I32 | DType::I64 => labels.to_dtype(DType::I64)?.to_vec1(),
        got => Err(Error::UnexpectedDType { msg: "labels are integers", expected: DType::I64, got }.bt()),
    }
}

struct Soft<'a, L, F> {
    loss: &'a L,
    targets: SoftTargets<'a, F, Rows<'a, F>>,
    threads: Threads,
}

impl<L: SoftLabelLoss<F> + FoldIn + Sync, F: Precision> Rowwise<F> for Soft<'_, L, F> {
    fn values(&self, scores: impl Scores<F>, into: &mut [F]) -> topk_loss_batch::Result<()> {
        soft_values(self.loss, scores, &self.targets, into, self.threads)
    }

    fn values_and_grads(&self, scores: impl Scores<F>, into: &mut [F], grads: impl Gradients<F>) -> topk_loss_batch::Result<()> {
        soft_values_and_grads(self.loss, scores, &self.targets, into, grads, self.threads)
    }
}
