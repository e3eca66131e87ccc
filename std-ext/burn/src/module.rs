//! Any loss of the catalogue as a burn module, of logits and targets.

use burn::module::Module;
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Int, Tensor, TensorData};
use topk_loss::config::{AnyLoss, BaseLoss};
use topk_loss::loss::ExpectedLoss;
use topk_loss::{FoldIn, Real};
use topk_loss_batch::{Targets, Threads, coefficients};

use crate::node::{Precision, read_labels};
use crate::{Result, soft_losses};

/// A loss that a [`TopKLossConfig`](crate::TopKLossConfig) describes: of logits `[batch, classes]` and targets `[batch]`.
///
/// In `f64` of logits that are, in `f32` of those of `f32`, `f16` and `bf16`, whose rows are widened one at a time. On all cores of
/// `rayon`'s pool; [`RAYON_NUM_THREADS`](https://docs.rs/rayon) says otherwise, and no number depends on it.
///
/// **Reductions.** `Mean` and `Auto` divide by the number of examples that are not padding, or by their classes' weights where there are
/// such, as burn's cross-entropy does; `BatchMean` by the number of all; `Sum` by none.
#[derive(Module, Debug)]
pub struct TopKLoss {
    #[module(skip)]
    pub(crate) single: AnyLoss<f32, Vec<f32>>,
    #[module(skip)]
    pub(crate) double: AnyLoss<f64, Vec<f64>>,
    #[module(skip)]
    pub(crate) pad_tokens: Vec<i64>,
    #[module(skip)]
    pub(crate) reduction: Reduction,
}

impl TopKLoss {
    /// The loss of a batch of logits and targets, reduced: one number.
    ///
    /// **Shapes.** Logits `[batch, classes]`, targets `[batch]`.
    ///
    /// **Ties and NaN.** The loss's; NaN logits are an error, except in rows that are padding, which are not read.
    ///
    /// **Cost.** The loss's; logits are copied to the host, and where they are tracked the gradient is computed with the value.
    ///
    /// # Panics
    /// Where [`try_forward`](Self::try_forward) gives an error, with its message.
    #[track_caller]
    pub fn forward(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.try_forward(logits, targets).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The loss of a batch in a training step, so that a loss that draws has new draws in every step, and the same for the same step.
    ///
    /// **Shapes, Ties and NaN, Cost.** As [`forward`](Self::forward).
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_step(&self, logits: Tensor<2>, targets: Tensor<1, Int>, step: u64) -> Tensor<1> {
        self.at_step(step).forward(logits, targets)
    }

    /// The loss of every example, `[batch]`, not reduced; 0 where it is padding.
    ///
    /// **Shapes, Ties and NaN, Cost.** As [`forward`](Self::forward).
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_no_reduction(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        let losses = self.read_labels(targets).and_then(|labels| self.losses(logits, &labels));
        losses.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The loss of a batch whose targets are distributions over the classes, `[batch, classes]`: the mean over each of the loss, which is
    /// evaluated for every class that has a share, but for the cross-entropy.
    ///
    /// # Panics
    /// As [`forward`](Self::forward), and distributions that are none or not shaped like the logits.
    #[track_caller]
    pub fn forward_soft(&self, logits: Tensor<2>, distributions: Tensor<2>) -> Tensor<1> {
        let losses = match (logits.dtype(), &self.double) {
            (DType::F64, AnyLoss::Base(BaseLoss::CrossEntropy(loss))) => soft_losses::<f64>(loss, logits, distributions),
            (_, AnyLoss::Base(BaseLoss::CrossEntropy(loss))) => soft_losses::<f32>(loss, logits, distributions),
            (DType::F64, loss) => soft_losses::<f64>(&ExpectedLoss::new(loss.clone()), logits, distributions),
            _ => soft_losses::<f32>(&ExpectedLoss::new(self.single.clone()), logits, distributions),
        };
        let losses = losses.unwrap_or_else(|error| panic!("{error}"));
        if matches!(self.reduction, Reduction::Sum) { losses.sum() } else { losses.mean() }
    }

    /// The same loss with the draws of a training step; a loss that does not draw is unchanged.
    #[must_use]
    pub fn at_step(&self, step: u64) -> Self {
        Self { single: self.single.fold_in(step), double: self.double.fold_in(step), ..self.clone() }
    }

    /// The loss of a batch, as [`forward`](Self::forward), or what is wrong with it.
    ///
    /// # Errors
    /// Logits that are no float of these or NaN, targets that are no class, as many as there are not logits or all padding, an empty batch;
    /// what the loss itself refuses.
    pub fn try_forward(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Result<Tensor<1>> {
        let labels = self.read_labels(targets)?;
        let losses = self.losses(logits, &labels)?;
        self.reduce(losses, &labels)
    }

    pub(crate) fn reduce(&self, losses: Tensor<1>, labels: &[i64]) -> Result<Tensor<1>> {
        let batch = labels.len();
        match self.reduction {
            Reduction::Sum => Ok(losses.sum()),
            Reduction::BatchMean => Ok(losses.sum() / batch as f64),
            Reduction::Mean | Reduction::Auto => {
                let coefficients = coefficients(&self.double, &self.targets(labels), topk_loss_batch::Reduction::WeightedMean)?;
                let options = (&losses.device(), losses.dtype());
                Ok((losses * Tensor::from_data(TensorData::new(coefficients, [batch]), options)).sum())
            }
        }
    }

    fn losses(&self, logits: Tensor<2>, labels: &[i64]) -> Result<Tensor<1>> {
        match logits.dtype() {
            DType::F64 => f64::of(logits, &(&self.double, &self.targets(labels), Threads::all())),
            _ => f32::of(logits, &(&self.single, &self.targets(labels), Threads::all())),
        }
    }

    /// One label for all that are padding.
    pub(crate) fn read_labels(&self, targets: Tensor<1, Int>) -> Result<Vec<i64>> {
        let mut labels = read_labels(targets)?;
        labels.iter_mut().filter(|label| self.pad_tokens.contains(label)).for_each(|label| *label = self.pad_tokens[0]);
        Ok(labels)
    }

    pub(crate) fn targets<'a, F: Real>(&self, labels: &'a [i64]) -> Targets<'a, F> {
        let targets = Targets::new(labels);
        self.pad_tokens.first().map_or(targets, |&padding| targets.ignoring(padding))
    }
}
