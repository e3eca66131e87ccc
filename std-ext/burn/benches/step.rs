//! A step on logits 256 × 1000, forward and backward, on one thread: burn's cross-entropy and ours, as a node of its own and, as with
//! gradient checkpointing, by the surrogate.

use std::hint::black_box;
use std::time::Instant;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Distribution, Int, Tensor};
use topk_loss::Smoothing;
use topk_loss::config::{BaseConfig, MarginConfig};
use topk_loss_burn::TopKLossConfig;

const BATCH: usize = 256;
const CLASSES: usize = 1000;

type Step<'a> = Box<dyn Fn(Tensor<2>) -> Tensor<1> + 'a>;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let device = Device::flex().autodiff();
    let plain = Tensor::<2>::random([BATCH, CLASSES], Distribution::Normal(0.0, 1.0), &device);
    let checkpointed = Tensor::<2>::from_data(plain.clone().into_data(), &device.clone().gradient_checkpointing());
    let labels: Vec<i64> = (0..BATCH as i64).map(|b| b * 7 % CLASSES as i64).collect();
    let targets = Tensor::<1, Int>::from_data(&labels[..], &device);
    let ours = |loss: BaseConfig<f64, Vec<f64>>| -> Step<'_> {
        let criterion = TopKLossConfig::new(loss).init(&device);
        let targets = targets.clone();
        Box::new(move |logits| criterion.forward(logits, targets.clone()))
    };
    let k = 5;
    let hinge = |smoothing| BaseConfig::TopKHinge { k, margins: Default::default(), scale: 1.0, smoothing, tolerance: None };
    let exact = || hinge(Smoothing::Exact { epsilon: 1.0 });
    let theirs = CrossEntropyLossConfig::new().init(&device);
    let steps: [(_, _, Step<'_>); 7] = [
        ("burn's cross-entropy", &plain, Box::new(|logits| theirs.forward(logits, targets.clone()))),
        ("cross-entropy", &plain, ours(BaseConfig::CrossEntropy)),
        ("cross-entropy, surrogate", &checkpointed, ours(BaseConfig::CrossEntropy)),
        ("top-5 hinge", &plain, ours(hinge(Smoothing::None))),
        ("top-5 hinge, exact", &plain, ours(exact())),
        ("top-5 hinge, exact, surrogate", &checkpointed, ours(exact())),
        ("polyhedral top-5 hinge", &plain, ours(BaseConfig::PolyhedralHinge { k, margins: MarginConfig::default(), scale: 1.0 })),
    ];
    let mut times = vec![vec![]; steps.len()];
    for _ in 0..50 {
        for ((_, logits, step), times) in steps.iter().zip(&mut times) {
            let logits = (*logits).clone().detach().require_grad();
            let start = Instant::now();
            let grads = step(logits.clone()).backward();
            black_box(logits.grad(&grads));
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    println!("logits {BATCH} × {CLASSES}, forward and backward, one thread: median milliseconds, and times the first");
    for ((name, ..), sorted) in steps.iter().zip(&times) {
        println!("{name:32} {:8.3} {:8.2}", 1e3 * sorted[sorted.len() / 2], sorted[sorted.len() / 2] / times[0][times[0].len() / 2]);
    }
}
