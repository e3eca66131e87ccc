//! A linear head and its loss as one node, by the batch crate's strips of classes: logits are never stored.

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};
use topk_loss_batch::faer::{Mat, MatMut, MatRef};
use topk_loss_batch::{BatchReal, HeadGrads, HeadLoss, LinearHead, Similarity};

use crate::criterion::{Criterion, read_labels};
use crate::node::Precision;

impl<L: HeadLoss<F>, F: Precision + BatchReal> Criterion<L, F> {
    /// The loss of the logits features · weightsᵀ + bias, which are made a strip of classes at a time and not stored.
    ///
    /// **Shapes.** Features batch × dim, weights classes × dim as candle's `Linear` has them, bias classes.
    ///
    /// **Cost.** As [`LinearHead::objective_and_grads`], and a copy of the weights. The gradients of all three are kept as long as the graph.
    ///
    /// ```
    /// use candle_core::{Device, Tensor, Var};
    /// use topk_loss::TopKHinge;
    /// use topk_loss_candle::Criterion;
    /// let features = Tensor::new(&[[1.0_f32, 0.0], [0.0, 2.0]], &Device::Cpu)?;
    /// let weights = Var::new(&[[1.0_f32, 0.0], [0.0, 1.0], [2.0, 0.5]], &Device::Cpu)?;
    /// let labels = Tensor::new(&[0_u32, 0], &Device::Cpu)?;
    /// let loss = Criterion::new(TopKHinge::new(1)?).forward_head(&features, &weights, None, &labels)?;
    /// let grads = loss.backward()?;
    /// assert_eq!(loss.to_scalar::<f32>()?, 1.5);
    /// assert_eq!(grads.get(&weights).unwrap().to_vec2::<f32>()?, [[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Tensors that are not of the float that is computed in, that do not fit each other, and what [`LinearHead::objective_and_grads`]
    /// refuses.
    pub fn forward_head(&self, features: &Tensor, weights: &Tensor, bias: Option<&Tensor>, labels: &Tensor) -> Result<Tensor> {
        let ((batch, dim), (classes, _)) = (features.dims2()?, weights.dims2()?);
        let (labels, x) = (read_labels(labels)?, features.flatten_all()?.to_vec1::<F>()?);
        let w = weights.flatten_all()?.to_vec1::<F>()?;
        let b = bias.map(Tensor::to_vec1::<F>).transpose()?;
        if weights.dims() != [classes, dim] {
            return Err(
                Error::UnexpectedShape { msg: "weights".into(), expected: (classes, dim).into(), got: weights.shape().clone() }.bt()
            );
        }
        let weights_of_head = Mat::from_fn(dim, classes, |feature, class| w[class * dim + feature]);
        let head = LinearHead::new(weights_of_head, b, Similarity::Inner).map_err(Error::wrap)?;
        let zeros = |len| vec![<F as topk_loss::Real>::from_f64(0.0); len];
        let (mut of_features, mut of_weights, mut of_bias) = (zeros(batch * dim), w, zeros(bias.map_or(0, |_| classes)));
        let grads = HeadGrads {
            weights: MatMut::from_column_major_slice_mut(&mut of_weights, dim, classes),
            bias: bias.map(|_| &mut of_bias[..]),
            features: Some(MatMut::from_column_major_slice_mut(&mut of_features, dim, batch)),
        };
        let x = MatRef::from_column_major_slice(&x, dim, batch);
        let value = head.objective_and_grads(&self.loss, x, &self.targets(&labels), self.reduction, grads, self.threads());
        let device = features.device();
        let node = Head {
            value: value.map_err(Error::wrap)?,
            features: Tensor::from_vec(of_features, (batch, dim), device)?,
            weights: Tensor::from_vec(of_weights, (classes, dim), device)?,
            bias: Tensor::from_vec(of_bias, bias.map_or(0, |_| classes), device)?,
        };
        // Without a bias the node's third parent is a constant.
        features.apply_op3(weights, bias.unwrap_or(&node.bias.clone()), node)
    }
}

/// The objective and its gradients, which are known before they are asked for.
struct Head<F> {
    value: F,
    features: Tensor,
    weights: Tensor,
    bias: Tensor,
}

/// The gradients of all three parents.
type Three = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

impl<F: Precision> CustomOp3 for Head<F> {
    fn name(&self) -> &'static str {
        "topk-loss-head"
    }

    #[rustfmt::skip]
    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((F::to_cpu_storage(&[self.value]), ().into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Three> {
        let [features, weights, bias] = [&self.features, &self.weights, &self.bias].map(|of| of.broadcast_mul(grad).map(Some));
        Ok((features?, weights?, bias?))
    }
}
