//! A step on logits 256 × 1000, forward and backward, on one thread: burn's cross-entropy, ours by the surrogate and by a node of its own.

use std::hint::black_box;
use std::time::Instant;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use topk_loss::CrossEntropy;
use topk_loss::Smoothing;
use topk_loss::config::BaseConfig;
use topk_loss_batch::{Reduction, Rows, RowsMut, Targets, Threads, objective_and_grads};
use topk_loss_burn::TopKLossConfig;

const BATCH: usize = 256;
const CLASSES: usize = 1000;

#[derive(Debug)]
struct Node;

impl<B: Backend> Backward<B, 1> for Node {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::float_mul(ops.state, B::float_reshape(grad, [1, 1].into())));
        }
    }
}

/// The mean cross-entropy as a node of its own, on one backend.
fn own_node(logits: Tensor<2>, labels: &[i64]) -> Tensor<1> {
    let logits = logits.try_into_primitive::<Autodiff<Flex>>().unwrap();
    let guard = logits.node();
    let inner = logits.into_primitive();
    let device = inner.device();
    let data = burn::tensor::read_sync(Flex::float_into_data(inner)).unwrap();
    let mut grads = vec![0.0_f32; BATCH * CLASSES];
    let rows = Rows::new(data.as_slice::<f32>().unwrap(), CLASSES).unwrap();
    let into = RowsMut::new(&mut grads, CLASSES).unwrap();
    let value = objective_and_grads(&CrossEntropy, rows, &Targets::new(labels), Reduction::Mean, into, Threads::ONE).unwrap();
    let value = Flex::float_from_data(TensorData::new(vec![value], [1]), &device);
    let grads = Flex::float_from_data(TensorData::new(grads, [BATCH, CLASSES]), &device);
    let output = match Node.prepare::<NoCheckpointing>([guard]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(grads, value),
        OpsKind::UnTracked(prep) => prep.finish(value),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(output)
}

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let device = Device::flex().autodiff();
    let logits = Tensor::<2>::random([BATCH, CLASSES], Distribution::Normal(0.0, 1.0), &device).inner();
    let labels: Vec<i64> = (0..BATCH as i64).map(|b| b * 7 % CLASSES as i64).collect();
    let targets = Tensor::<1, Int>::from_data(&labels[..], &device);
    let k = 5;
    let ours = |loss: BaseConfig<f64, Vec<f64>>| {
        let criterion = TopKLossConfig::new(loss).init(&device);
        let targets = targets.clone();
        Box::new(move |logits| criterion.forward(logits, targets.clone())) as Box<dyn Fn(Tensor<2>) -> Tensor<1>>
    };
    let hinge = |smoothing| BaseConfig::TopKHinge { k, margins: Default::default(), scale: 1.0, smoothing, tolerance: None };
    let theirs = CrossEntropyLossConfig::new().init(&device);
    let steps = [
        ("burn's cross-entropy", Box::new(|logits| theirs.forward(logits, targets.clone())) as Box<dyn Fn(Tensor<2>) -> Tensor<1>>),
        ("cross-entropy", ours(BaseConfig::CrossEntropy)),
        ("cross-entropy, own node", Box::new(|logits| own_node(logits, &labels))),
        ("top-5 hinge", ours(hinge(Smoothing::None))),
        ("top-5 hinge, exact", ours(hinge(Smoothing::Exact { epsilon: 1.0 }))),
        ("polyhedral top-5 hinge", ours(BaseConfig::PolyhedralHinge { k, margin: 1.0 })),
    ];
    let mut times = vec![vec![]; steps.len()];
    for _ in 0..30 {
        for ((_, step), times) in steps.iter().zip(&mut times) {
            let logits = Tensor::from_inner(logits.clone()).require_grad();
            let start = Instant::now();
            let grads = step(logits.clone()).backward();
            black_box(logits.grad(&grads));
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    println!("logits {BATCH} × {CLASSES}, forward and backward, one thread: median milliseconds, and times burn's cross-entropy");
    for ((name, _), sorted) in steps.iter().zip(&times) {
        println!("{name:32} {:8.3} {:8.2}", 1e3 * sorted[sorted.len() / 2], sorted[sorted.len() / 2] / times[0][times[0].len() / 2]);
    }
}
