//! A linear head and its loss, by the batch crate's strips of classes: logits are never stored.

use burn::nn::loss::Reduction;
use burn::tensor::{DType, Int, Tensor, TensorData};
use topk_loss::config::{AnyLoss, BaseLoss};
use topk_loss_batch::faer::{Mat, MatMut, MatRef};
use topk_loss_batch::{BatchReal, HeadGrads, HeadLoss, LinearHead, Reduction as Reduced, Similarity, Threads};

use crate::node::{Precision, read, zero};
use crate::{Error, Result, TopKLoss};

/// Features `[batch, dim]`, weights `[dim, classes]` and a bias `[classes]`, as of burn's `Linear`, and targets `[batch]`.
type Head = (Tensor<2>, Tensor<2>, Option<Tensor<1>>, Tensor<1, Int>);

impl TopKLoss {
    /// The loss of the logits features · weights + bias, which are made a strip of classes at a time and not stored: of a
    /// [cross-entropy](topk_loss::CrossEntropy) and a [top-K hinge](topk_loss::TopKHinge) without adjustments and weights.
    ///
    /// **Shapes.** Features `[batch, dim]`, weights `[dim, classes]` and a bias `[classes]`, as of burn's `Linear`.
    ///
    /// **Cost.** As [`LinearHead::objective_and_grads`], and two copies of the weights.
    ///
    /// # Panics
    /// Where [`try_forward_head`](Self::try_forward_head) gives an error, with its message.
    #[track_caller]
    pub fn forward_head(&self, features: Tensor<2>, weights: Tensor<2>, bias: Option<Tensor<1>>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.try_forward_head(features, weights, bias, targets).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The loss of [`forward_head`](Self::forward_head), or what is wrong with the tensors.
    ///
    /// # Errors
    /// Another loss; tensors of half precision, of different floats or that do not fit each other; what [`LinearHead::objective_and_grads`]
    /// refuses.
    pub fn try_forward_head(
        &self,
        features: Tensor<2>,
        weights: Tensor<2>,
        bias: Option<Tensor<1>>,
        targets: Tensor<1, Int>,
    ) -> Result<Tensor<1>> {
        let dtype = features.dtype();
        let dtypes = [Some(weights.dtype()), bias.as_ref().map(Tensor::dtype)];
        if let Some(other) = dtypes.into_iter().flatten().find(|&other| other != dtype) {
            return Err(Error::DType(other));
        }
        let head = (features, weights, bias, targets);
        match dtype {
            DType::F32 => self.of_any(&self.single, head),
            DType::F64 => self.of_any(&self.double, head),
            dtype => Err(Error::DType(dtype)),
        }
    }

    fn of_any<F: Precision + BatchReal>(&self, loss: &AnyLoss<F, Vec<F>>, head: Head) -> Result<Tensor<1>> {
        match loss {
            AnyLoss::Base(BaseLoss::CrossEntropy(loss)) => self.of_head::<F>(loss, head),
            AnyLoss::Base(BaseLoss::TopKHinge(loss)) => self.of_head::<F>(loss, head),
            _ => Err(Error::Config("only a cross-entropy and a top-K hinge have a head".into())),
        }
    }

    fn of_head<F: Precision + BatchReal>(&self, loss: &impl HeadLoss<F>, (x, w, b, targets): Head) -> Result<Tensor<1>> {
        let ([batch, dim], [rows, classes], options) = (x.dims(), w.dims(), (&x.device(), x.dtype()));
        if rows != dim {
            return Err(topk_loss_batch::BatchError::Shape { what: "weights", expected: (dim, classes), actual: (rows, classes) }.into());
        }
        let labels = self.read_labels(targets)?;
        let host = |tensor: Tensor<2>| tensor.without_autodiff().try_into_vec_as::<F>().map_err(read);
        let (features, weights) = (host(x.clone())?, host(w.clone())?);
        let bias = b.clone().map(|bias| bias.without_autodiff().try_into_vec_as::<F>().map_err(read)).transpose()?;
        let head = LinearHead::new(Mat::from_fn(dim, classes, |i, class| weights[i * classes + class]), bias, Similarity::Inner)?;

        let zeros = |len| vec![F::zero(); len];
        let (mut of_x, mut of_w, mut of_b) = (zeros(batch * dim), weights, zeros(b.as_ref().map_or(0, |_| classes)));
        let grads = HeadGrads {
            weights: MatMut::from_row_major_slice_mut(&mut of_w, dim, classes),
            bias: Some(&mut of_b),
            features: Some(MatMut::from_column_major_slice_mut(&mut of_x, dim, batch)),
        };
        let (reduction, divisor) = match self.reduction {
            Reduction::Mean | Reduction::Auto => (Reduced::Mean, 1),
            Reduction::Sum => (Reduced::Sum, 1),
            Reduction::BatchMean => (Reduced::Sum, batch),
        };
        let features = MatRef::from_column_major_slice(&features, dim, batch);
        let value = head.objective_and_grads(loss, features, &self.targets(&labels), reduction, grads, Threads::all())?;

        let value = Tensor::<1>::from_data(TensorData::new(vec![value], [1]), options);
        let matrix = |data: Vec<F>, shape: [usize; 2]| Tensor::<2>::from_data(TensorData::new(data, shape), options);
        let mut loss = value + zero(x, matrix(of_x, [batch, dim])).sum() + zero(w, matrix(of_w, [dim, classes])).sum();
        if let Some(bias) = b {
            loss = loss + zero(bias.unsqueeze(), matrix(of_b, [1, classes])).sum();
        }
        Ok(loss / divisor as f64)
    }
}
