//! The losses of the examples as tensors with a gradient, on any backend: for a loss of your own, too.

use burn::tensor::{DType, Element, Int, Tensor, TensorData};
use half::{bf16, f16};
use topk_loss::loss::SoftLabelLoss;
use topk_loss::{FoldIn, Real};
use topk_loss_batch::{
    BatchLoss, Elementary, Gradients, Rows, RowsMut, Scores, SoftTargets, Targets, Threads, soft_values, soft_values_and_grads, values,
    values_and_grads,
};

use crate::{Error, Result};

/// What is computed of a batch's rows: by labels, or by distributions.
pub trait Rowwise<F: Real> {
    /// The losses alone.
    fn values(&self, scores: impl Scores<F>, values: &mut [F]) -> topk_loss_batch::Result<()>;

    /// The losses and their gradients, neither weighted nor reduced.
    fn values_and_grads(&self, scores: impl Scores<F>, values: &mut [F], grads: impl Gradients<F>) -> topk_loss_batch::Result<()>;
}

/// A float that losses are computed in: `f32`, `f64`.
pub trait Precision: Elementary + Element {
    /// The losses of logits of any float that is computed in this one.
    #[doc(hidden)]
    fn of(logits: Tensor<2>, rowwise: &impl Rowwise<Self>) -> Result<Tensor<1>>;
}

impl Precision for f32 {
    fn of(logits: Tensor<2>, rowwise: &impl Rowwise<Self>) -> Result<Tensor<1>> {
        match logits.dtype() {
            DType::F32 => of::<f32, _>(logits, rowwise),
            DType::F16 => of::<f16, _>(logits, rowwise),
            DType::BF16 => of::<bf16, _>(logits, rowwise),
            dtype => Err(Error::DType(dtype)),
        }
    }
}

impl Precision for f64 {
    fn of(logits: Tensor<2>, rowwise: &impl Rowwise<Self>) -> Result<Tensor<1>> {
        match logits.dtype() {
            DType::F64 => of::<f64, _>(logits, rowwise),
            dtype => Err(Error::DType(dtype)),
        }
    }
}

/// The loss of every example, `[batch]`, by a loss that is no [configuration](crate::TopKLossConfig): your own, borrowed, or behind `dyn`.
///
/// **Shapes.** Logits `[batch, classes]`, targets `[batch]`.
///
/// **Ties and NaN, Cost.** As [`TopKLoss::forward`](crate::TopKLoss::forward).
///
/// # Errors
/// Logits that are not of the loss's float or of half of it, and what [`values_and_grads`] refuses.
pub fn losses<F: Precision>(loss: &impl BatchLoss<F>, logits: Tensor<2>, targets: Tensor<1, Int>) -> Result<Tensor<1>> {
    let labels = read_labels(targets)?;
    F::of(logits, &(loss, &Targets::new(&labels), Threads::all()))
}

/// The loss of every example, `[batch]`, whose target is a distribution over the classes. Distributions are constant: no gradient is
/// theirs.
///
/// **Shapes.** Logits and distributions `[batch, classes]`.
///
/// **Ties and NaN, Cost.** As [`TopKLoss::forward`](crate::TopKLoss::forward), by the loss's own code.
///
/// # Errors
/// As [`losses`], and distributions that are none or not shaped like the logits.
pub fn soft_losses<F: Precision>(
    loss: &(impl SoftLabelLoss<F> + FoldIn + Sync),
    logits: Tensor<2>,
    distributions: Tensor<2>,
) -> Result<Tensor<1>> {
    let [_, classes] = distributions.dims();
    let distributions = distributions.without_autodiff().try_into_vec_as::<F>().map_err(read)?;
    F::of(logits, &(loss, &SoftTargets::new(Rows::new(&distributions, classes)?), Threads::all()))
}

pub(crate) fn read_labels(targets: Tensor<1, Int>) -> Result<Vec<i64>> {
    targets.without_autodiff().try_into_vec_as::<i64>().map_err(read)
}

pub(crate) fn read(error: impl core::fmt::Display) -> Error {
    Error::Device(error.to_string())
}

fn of<T, F>(logits: Tensor<2>, rowwise: &impl Rowwise<F>) -> Result<Tensor<1>>
where
    T: Element,
    F: Real + Element,
    for<'a> Rows<'a, T>: Scores<F>,
    for<'a> RowsMut<'a, T>: Gradients<F>,
{
    let ([batch, classes], options) = (logits.dims(), (&logits.device(), logits.dtype()));
    let mut values = vec![F::zero(); batch];
    let data = logits.clone().without_autodiff().try_into_data().map_err(read)?;
    let scores = Rows::new(data.as_slice::<T>().map_err(read)?, classes)?;
    if !logits.is_tracked() {
        rowwise.values(scores, &mut values)?;
        return Ok(Tensor::from_data(TensorData::new(values, [batch]), options));
    }
    let mut grads = vec![T::from_elem(0.0); batch * classes];
    rowwise.values_and_grads(scores, &mut values, RowsMut::new(&mut grads, classes)?)?;
    let values = Tensor::<1>::from_data(TensorData::new(values, [batch]), options);
    let grads = Tensor::<2>::from_data(TensorData::new(grads, [batch, classes]), options);
    #[cfg(feature = "flex")]
    if let Some(losses) = crate::flex::losses(&logits, &values, &grads) {
        return Ok(losses);
    }
    Ok(values + zero(logits, grads))
}

/// Zeros, one a row, whose gradient is given: Σ_j (x_j − x_j)·g_j, the second x a constant. A row that is not read may be NaN.
pub(crate) fn zero(x: Tensor<2>, grads: Tensor<2>) -> Tensor<1> {
    let constant = x.clone().detach();
    let zeros = ((x - constant) * grads).sum_dim(1).squeeze_dim::<1>(1);
    let not_read = zeros.clone().is_nan();
    zeros.mask_fill(not_read, 0)
}

impl<L: BatchLoss<F>, F: Real> Rowwise<F> for (&L, &Targets<'_, F>, Threads) {
    fn values(&self, scores: impl Scores<F>, into: &mut [F]) -> topk_loss_batch::Result<()> {
        values(self.0, scores, self.1, into, self.2)
    }

    fn values_and_grads(&self, scores: impl Scores<F>, into: &mut [F], grads: impl Gradients<F>) -> topk_loss_batch::Result<()> {
        values_and_grads(self.0, scores, self.1, into, grads, self.2)
    }
}

impl<L: SoftLabelLoss<F> + FoldIn + Sync, F: Real> Rowwise<F> for (&L, &SoftTargets<'_, F, Rows<'_, F>>, Threads) {
    fn values(&self, scores: impl Scores<F>, into: &mut [F]) -> topk_loss_batch::Result<()> {
        soft_values(self.0, scores, self.1, into, self.2)
    }

    fn values_and_grads(&self, scores: impl Scores<F>, into: &mut [F], grads: impl Gradients<F>) -> topk_loss_batch::Result<()> {
        soft_values_and_grads(self.0, scores, self.1, into, grads, self.2)
    }
}
