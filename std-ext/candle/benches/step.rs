//! A step on logits 256 × 1000, forward and backward, on one thread: candle's cross-entropy and ours; and what it costs to compute a gradient
//! again in the backward pass instead of keeping it.

use std::hint::black_box;
use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor, Var};
use topk_loss::loss::PolyhedralHinge;
use topk_loss::{CrossEntropy, Key, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, Reduction, Rows, RowsMut, Targets, Threads, objective, objective_and_grads};
use topk_loss_candle::Criterion;

const BATCH: usize = 256;
const CLASSES: usize = 1000;
const K: usize = 5;

type Step<'a> = Box<dyn Fn(&Tensor) -> Result<Tensor> + 'a>;

/// Medians in seconds of steps that take turns.
fn medians(steps: &[(&str, impl Fn())]) -> Vec<f64> {
    let mut times = vec![vec![]; steps.len()];
    for _ in 0..50 {
        for ((_, step), times) in steps.iter().zip(&mut times) {
            let start = Instant::now();
            step();
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.into_iter().map(|mut times| (times.sort_by(f64::total_cmp), times[times.len() / 2]).1).collect()
}

fn print(title: &str, steps: &[(&str, impl Fn())]) {
    println!("{title}: median milliseconds, and times the first");
    let medians = medians(steps);
    for ((name, _), median) in steps.iter().zip(&medians) {
        println!("{name:40} {:8.3} {:8.2}", 1e3 * median, median / medians[0]);
    }
}

/// The backward pass by a gradient that was kept, which has been computed with the value; and by one that is computed again.
fn keep_or_replay(name: &str, loss: &(impl BatchLoss<f32> + Copy), scores: &[f32], labels: &[u32]) {
    let (rows, targets) = (Rows::new(scores, CLASSES).unwrap(), Targets::new(labels));
    let with_grads = || {
        let mut grads = vec![0.0; scores.len()];
        let into = RowsMut::new(&mut grads, CLASSES).unwrap();
        black_box(objective_and_grads(loss, rows, &targets, Reduction::Mean, into, Threads::ONE).unwrap());
        grads
    };
    let keep = || {
        let scaled: Vec<_> = with_grads().iter().map(|grad| grad * black_box(1.0)).collect();
        black_box(scaled);
    };
    let replay = || {
        black_box(objective(loss, rows, &targets, Reduction::Mean, Threads::ONE).unwrap());
        black_box(with_grads());
    };
    print(name, &[("kept", &keep as &dyn Fn()), ("replayed", &replay)]);
}

fn main() -> Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let logits = Var::from_tensor(&Tensor::randn(0.0_f32, 1.0, (BATCH, CLASSES), &Device::Cpu)?)?;
    let half = Var::from_tensor(&logits.to_dtype(DType::BF16)?)?;
    let labels: Vec<u32> = (0..BATCH as u32).map(|b| b * 7 % CLASSES as u32).collect();
    let targets = Tensor::new(&labels[..], &Device::Cpu)?;
    let hinge = TopKHinge::new(K).unwrap();
    let pathwise = hinge.with_smoothing(Smoothing::Pathwise { epsilon: 1.0, num_samples: 10, key: Key::new(1) }).unwrap();
    let exact = hinge.with_smoothing(Smoothing::Exact { epsilon: 1.0 }).unwrap();
    fn of<'a>(name: &'static str, logits: &Tensor, step: Step<'a>) -> (&'static str, impl Fn() + use<'a>) {
        let logits = logits.clone();
        let run = move || {
            black_box(step(&logits).unwrap().backward().unwrap());
        };
        (name, run)
    }
    fn ours<'a>(loss: impl BatchLoss<f32> + 'a, targets: &'a Tensor) -> Step<'a> {
        let criterion = Criterion::new(loss);
        Box::new(move |logits| criterion.forward(logits, targets))
    }
    let theirs: Step<'_> = Box::new(|logits| candle_nn::loss::cross_entropy(logits, &targets));
    let steps = [
        of("candle's cross-entropy", &logits, theirs),
        of("cross-entropy", &logits, ours(CrossEntropy, &targets)),
        of("cross-entropy, logits of bf16", &half, ours(CrossEntropy, &targets)),
        of("top-5 hinge", &logits, ours(hinge, &targets)),
        of("top-5 hinge, pathwise of 10 draws", &logits, ours(pathwise, &targets)),
        of("top-5 hinge, exact", &logits, ours(exact, &targets)),
        of("polyhedral top-5 hinge", &logits, ours(PolyhedralHinge::new(K).unwrap(), &targets)),
    ];
    print(&format!("logits {BATCH} × {CLASSES}, forward and backward, one thread"), &steps);
    let scores = logits.flatten_all()?.to_vec1()?;
    keep_or_replay("cross-entropy", &CrossEntropy, &scores, &labels);
    keep_or_replay("pathwise", &pathwise, &scores, &labels);
    keep_or_replay("exact", &exact, &scores, &labels);
    Ok(())
}
