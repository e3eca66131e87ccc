//! The losses of the examples as one node of candle's graph, with its gradient.

use candle_core::{CpuStorage, CustomOp1, DType, Error, Layout, Result, Shape, Storage, Tensor, WithDType};
use half::{bf16, f16};
use topk_loss::Real;
use topk_loss_batch::{BatchLoss, Elementary, Gradients, Rows, RowsMut, Scores, Targets, Threads, values, values_and_grads};

use crate::view::View;

/// What is computed of a batch's rows: by labels, or by distributions.
pub trait Rowwise<F: Real> {
    /// The losses alone.
    fn values(&self, scores: impl Scores<F>, values: &mut [F]) -> topk_loss_batch::Result<()>;

    /// The losses and their gradients, neither weighted nor reduced.
    fn values_and_grads(&self, scores: impl Scores<F>, values: &mut [F], grads: impl Gradients<F>) -> topk_loss_batch::Result<()>;
}

/// A float that losses are computed in: `f32`, `f64`.
pub trait Precision: Elementary + WithDType {
    /// The losses of logits of any float that is computed in this one.
    #[doc(hidden)]
    fn losses(logits: &Tensor, rowwise: &impl Rowwise<Self>) -> Result<Tensor>;

    /// Those of labels: not generic, hence compiled here and as fast in a user's debug build.
    #[doc(hidden)]
    fn labelled_losses(logits: &Tensor, labelled: &Labelled<'_, Self>) -> Result<Tensor>;
}

impl Precision for f32 {
    fn losses(logits: &Tensor, rowwise: &impl Rowwise<Self>) -> Result<Tensor> {
        match logits.dtype() {
            DType::F16 => losses::<f16, _>(logits, rowwise),
            DType::BF16 => losses::<bf16, _>(logits, rowwise),
            // Its own slice is an error for any other.
            _ => losses::<f32, _>(logits, rowwise),
        }
    }

    fn labelled_losses(logits: &Tensor, labelled: &Labelled<'_, Self>) -> Result<Tensor> {
        Self::losses(logits, labelled)
    }
}

impl Precision for f64 {
    fn losses(logits: &Tensor, rowwise: &impl Rowwise<Self>) -> Result<Tensor> {
        losses::<f64, _>(logits, rowwise)
    }

    fn labelled_losses(logits: &Tensor, labelled: &Labelled<'_, Self>) -> Result<Tensor> {
        Self::losses(logits, labelled)
    }
}

/// A loss, and the labels it is computed by.
#[expect(missing_debug_implementations, reason = "a loss need not have one")]
pub struct Labelled<'a, F> {
    pub loss: &'a dyn BatchLoss<F>,
    pub targets: Targets<'a, F>,
    pub threads: Threads,
}

impl<F: Real> Rowwise<F> for Labelled<'_, F> {
    fn values(&self, scores: impl Scores<F>, into: &mut [F]) -> topk_loss_batch::Result<()> {
        values(self.loss, scores, &self.targets, into, self.threads)
    }

    fn values_and_grads(&self, scores: impl Scores<F>, into: &mut [F], grads: impl Gradients<F>) -> topk_loss_batch::Result<()> {
        values_and_grads(self.loss, scores, &self.targets, into, grads, self.threads)
    }
}

/// A number of logits and gradients that is computed with as `F`.
trait Number<F>: WithDType {
    fn times(self, factor: F) -> Self;
}

macro_rules! numbers {
    ($($number:ty as $precision:ty: $times:expr;)+) => {
        $(impl Number<$precision> for $number {
            fn times(self, factor: $precision) -> Self {
                $times(self, factor)
            }
        })+
    };
}

numbers! {
    f32 as f32: |x, factor| x * factor;
    f64 as f64: |x, factor| x * factor;
    f16 as f32: |x: f16, factor| f16::from_f32(x.to_f32() * factor);
    bf16 as f32: |x: bf16, factor| bf16::from_f32(x.to_f32() * factor);
}

fn losses<T, F>(logits: &Tensor, rowwise: &impl Rowwise<F>) -> Result<Tensor>
where
    T: Number<F>,
    F: Real + WithDType,
    for<'a> Rows<'a, T>: Scores<F>,
    for<'a> RowsMut<'a, T>: Gradients<F>,
{
    let (batch, classes) = logits.dims2()?;
    let mut values = vec![<F as Real>::from_f64(0.0); batch];
    let mut grads = vec![T::zero(); if logits.track_op() { batch * classes } else { 0 }];
    {
        let (storage, layout) = logits.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else {
            return Err(Error::msg(
                "the logits are not on the CPU: logits.to_device(&Device::Cpu) is differentiable, and the feature `cuda` has on_cuda",
            ));
        };
        let view = View::<T>::new(storage.as_slice()?, layout)?;
        let outcome = if logits.track_op() {
            RowsMut::new(&mut grads, classes).and_then(|grads| rowwise.values_and_grads(view, &mut values, grads))
        } else {
            rowwise.values(view, &mut values)
        };
        outcome.map_err(Error::wrap)?;
    }
    if logits.track_op() { logits.apply_op1(Losses { values, grads }) } else { Tensor::from_vec(values, batch, logits.device()) }
}

/// Losses and their gradients, which are known before they are asked for.
struct Losses<T, F> {
    values: Vec<F>,
    grads: Vec<T>,
}

impl<T: Number<F>, F: Real + WithDType> CustomOp1 for Losses<T, F> {
    fn name(&self) -> &'static str {
        "topk-loss"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((F::to_cpu_storage(&self.values), self.values.len().into()))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (batch, classes) = logits.dims2()?;
        let mut grads = Vec::with_capacity(batch * classes);
        for (row, factor) in self.grads.chunks(classes).zip(grad.to_vec1::<F>()?) {
            grads.extend(row.iter().map(|entry| entry.times(factor)));
        }
        Tensor::from_vec(grads, (batch, classes), logits.device()).map(Some)
    }
}
