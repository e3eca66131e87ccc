//! The losses as one node of the graph on the backend Flex, whose memory is the host's: half of what the surrogate takes.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, GradientCheckpointingStrategy, TensorMetadata};
use burn::tensor::Tensor;

/// Losses `[batch]` whose gradients `[batch, classes]` are known; none on another backend, or where activations are computed again.
pub(crate) fn losses(logits: &Tensor<2>, values: &Tensor<1>, grads: &Tensor<2>) -> Option<Tensor<1>> {
    if logits.device().gradient_checkpointing_strategy() != Some(GradientCheckpointingStrategy::Disabled) {
        return None;
    }
    let guard = logits.clone().try_into_primitive::<Autodiff<Flex>>().ok()?.node();
    let values = values.clone().without_autodiff().try_into_primitive::<Flex>().ok()?;
    let grads = grads.clone().without_autodiff().try_into_primitive::<Flex>().ok()?;
    match Losses.prepare::<NoCheckpointing>([guard]).compute_bound().stateful() {
        OpsKind::Tracked(node) => Some(Tensor::from_primitive::<Autodiff<Flex>>(node.finish(grads, values))),
        OpsKind::UnTracked(_) => None,
    }
}

/// A row of the gradient is times what comes for its loss.
#[derive(Debug)]
struct Losses;

impl Backward<Flex, 1> for Losses {
    type State = FloatTensor<Flex>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let factors = grads.consume::<Flex>(&ops.node);
        if let [Some(logits)] = ops.parents {
            let column = [factors.shape()[0], 1].into();
            grads.register::<Flex>(logits.id, Flex::float_mul(ops.state, Flex::float_reshape(factors, column)));
        }
    }
}
