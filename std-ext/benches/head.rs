//! A training step of a head of many classes: milliseconds of processor time, and the largest heap beside inputs and outputs.
//!
//! `cargo bench -p topk-loss-batch --bench head [-- CLASSES [ROUNDS]]`; the contestants take turns, each row is a median.

use core::hint::black_box;

use faer::prelude::*;
use faer::{Accum, Par, linalg::matmul::matmul};
use peak_alloc::PeakAlloc;
use topk_loss::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{CrossEntropy, Key, Margins, Smoothing, TopKHinge};
use topk_loss_batch::{HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets, objective_and_grads};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const BATCH: usize = 256;
const DIM: usize = 512;
const K: usize = 5;

type Contestant<'a> = (&'a str, Box<dyn Fn(&mut Problem) -> f32 + 'a>);

struct Problem {
    head: LinearHead<f32>,
    features: Mat<f32>,
    labels: Vec<usize>,
    weight_grads: Mat<f32>,
    feature_grads: Mat<f32>,
}

fn normals(rows: usize, columns: usize, seed: u64, scale: f32) -> Mat<f32> {
    let (sampler, mut column) = (MonteCarlo::new(Normal, columns).unwrap(), vec![0.0; rows]);
    let mut matrix = Mat::zeros(rows, columns);
    for j in 0..columns {
        sampler.sample(Key::new(seed), j, &mut column).unwrap();
        matrix.col_mut(j).iter_mut().zip(&column).for_each(|(place, &z)| *place = scale * z);
    }
    matrix
}

impl Problem {
    fn new(num_classes: usize, weights: Mat<f32>, features: Mat<f32>, labels: Vec<usize>) -> Self {
        Self {
            head: LinearHead::new(weights, None, Similarity::Inner).unwrap(),
            features,
            labels,
            weight_grads: Mat::full(DIM, num_classes, f32::NAN),
            feature_grads: Mat::full(DIM, BATCH, f32::NAN),
        }
    }

    fn labels(num_classes: usize) -> Vec<usize> {
        (0..BATCH).map(|b| b * 389 % num_classes).collect()
    }

    /// Before training: scores N(0, 1).
    fn untrained(num_classes: usize) -> Self {
        let weights = normals(DIM, num_classes, 1, 1.0 / (DIM as f32).sqrt());
        Self::new(num_classes, weights, normals(DIM, BATCH, 2, 1.0), Self::labels(num_classes))
    }

    /// As training leaves it: the weights of a class point to its features. The label's score is about 30, those of the 9 classes that
    /// share most of its features 24, the others' N(0, 1.4²). An example in four looks like another class of the ten.
    fn trained(num_classes: usize) -> Self {
        const GROUP: usize = 10;
        const SCORE: f32 = 30.0;
        let (groups, own) = (normals(DIM, num_classes.div_ceil(GROUP), 1, 1.0), normals(DIM, num_classes, 2, 0.5));
        let prototype = |i: usize, class: usize| groups[(i, class / GROUP)] + own[(i, class)];
        let weights = Mat::from_fn(DIM, num_classes, |i, class| prototype(i, class) * (SCORE / (1.25 * DIM as f32)));
        let (labels, noise) = (Self::labels(num_classes), normals(DIM, BATCH, 3, 0.3));
        let looks_like = |b: usize| if b.is_multiple_of(4) { labels[b] / GROUP * GROUP + b / 4 % GROUP } else { labels[b] };
        let features = Mat::from_fn(DIM, BATCH, |i, b| prototype(i, looks_like(b).min(num_classes - 1)) + noise[(i, b)]);
        Self::new(num_classes, weights, features, labels)
    }

    fn fused(&mut self, loss: &impl HeadLoss<f32>) -> f32 {
        let grads = HeadGrads { weights: self.weight_grads.as_mut(), bias: None, features: Some(self.feature_grads.as_mut()) };
        let targets = Targets::new(&self.labels);
        self.head.objective_and_grads(loss, self.features.as_ref(), &targets, Reduction::Mean, grads, Par::Seq).unwrap()
    }

    fn set_filter(&mut self, tolerance: f32) {
        let nothing = LinearHead::new(Mat::zeros(1, 1), None, Similarity::Inner).unwrap();
        self.head = core::mem::replace(&mut self.head, nothing).with_filter(tolerance).unwrap();
    }

    fn whole(&mut self, loss: &impl HeadLoss<f32>) -> f32 {
        self.set_filter(0.0);
        let objective = self.fused(loss);
        self.set_filter(f32::EPSILON / 2.0);
        objective
    }

    fn entries(&mut self, loss: &TopKHinge<f32, Margins<'_, f32>>) -> f32 {
        let targets = Targets::new(&self.labels);
        self.head.objective_and_score_grads(loss, self.features.as_ref(), &targets, Reduction::Mean, Par::Seq).unwrap().0
    }

    fn unfused(&mut self) -> f32 {
        let (mut scores, mut score_grads) = (Mat::zeros(self.head.num_classes(), BATCH), Mat::zeros(self.head.num_classes(), BATCH));
        self.head.forward(self.features.as_ref(), scores.as_mut(), Par::Seq).unwrap();
        let targets = Targets::new(&self.labels);
        let objective =
            objective_and_grads(&CrossEntropy, scores.as_ref(), &targets, Reduction::Mean, score_grads.as_mut(), Par::Seq).unwrap();
        let grads = HeadGrads { weights: self.weight_grads.as_mut(), bias: None, features: Some(self.feature_grads.as_mut()) };
        self.head.backward(self.features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::Seq).unwrap();
        objective
    }

    /// One product, of faer's own, for scale.
    fn product(&mut self) -> f32 {
        let mut scores = Mat::zeros(self.head.num_classes(), BATCH);
        matmul(scores.as_mut(), Accum::Replace, self.head.weights().transpose(), self.features.as_ref(), 1.0, Par::Seq);
        scores[(0, 0)]
    }
}

fn hinge(smoothing: Smoothing<f32>) -> TopKHinge<f32> {
    TopKHinge::new(K).unwrap().with_smoothing(smoothing).unwrap()
}

/// Seconds that this thread has run: what other work on the machine does not wait for. Linux tells.
fn processor_time() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the scheduler's statistics");
    statistics.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds") * 1e-9
}

fn main() {
    // `cargo test --benches` runs this with no such argument: there is nothing to test.
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    arguments.retain(|argument| argument != "--bench");
    let number = |place: usize, otherwise| arguments.get(place).map_or(otherwise, |argument| argument.parse().expect("a number"));
    let (num_classes, rounds) = (number(0, 100_000), number(1, 5));

    let pathwise = hinge(Smoothing::Pathwise { epsilon: 1.0, num_samples: 5, key: Key::new(1) });
    let exact = hinge(Smoothing::Exact { epsilon: 1.0 });
    let (polyhedral, margin) = (PolyhedralHinge::new(K).unwrap(), TopKMarginCrossEntropy::new(K, 1.0).unwrap());
    let contestants: [Contestant<'_>; 10] = [
        ("one product", Box::new(Problem::product)),
        ("unfused cross-entropy", Box::new(Problem::unfused)),
        ("cross-entropy", Box::new(|problem| problem.fused(&CrossEntropy))),
        ("cross-entropy, nothing left out", Box::new(|problem| problem.whole(&CrossEntropy))),
        ("margin cross-entropy", Box::new(|problem| problem.fused(&margin))),
        ("polyhedral hinge", Box::new(|problem| problem.fused(&polyhedral))),
        ("hard hinge", Box::new(|problem| problem.fused(&hinge(Smoothing::None)))),
        ("pathwise hinge, B = 5", Box::new(|problem| problem.fused(&pathwise))),
        ("pathwise hinge, B = 5, entries alone", Box::new(|problem| problem.entries(&pathwise))),
        ("exact hinge", Box::new(|problem| problem.fused(&exact))),
    ];
    println!("batch {BATCH}, {DIM} features, {num_classes} classes, K = {K}, f32, one thread, median (least) of {rounds} rounds in turns");
    for (name, mut problem) in [("untrained", Problem::untrained(num_classes)), ("trained", Problem::trained(num_classes))] {
        println!("{name}");
        compare(&mut problem, &contestants, rounds);
    }
}

/// What a training step takes by each contestant.
fn compare(problem: &mut Problem, contestants: &[Contestant<'_>], rounds: usize) {
    let mut times = vec![Vec::new(); contestants.len()];
    let mut peaks = vec![0; contestants.len()];
    for _ in 0..rounds {
        for (((_, run), times), peak) in contestants.iter().zip(&mut times).zip(&mut peaks) {
            let before = HEAP.current_usage();
            HEAP.reset_peak_usage();
            let start = processor_time();
            black_box(run(problem));
            times.push((processor_time() - start) * 1e3);
            *peak = HEAP.peak_usage().saturating_sub(before).max(*peak);
        }
    }
    let scores = (problem.head.num_classes() * BATCH * size_of::<f32>()) as f64;
    for (((name, _), times), peak) in contestants.iter().zip(&mut times).zip(peaks) {
        times.sort_by(f64::total_cmp);
        let share = 100.0 * peak as f64 / scores;
        println!("{name:40} {:8.0} ms ({:.0}) {:10} bytes, {share:.2} % of the scores", times[times.len() / 2], times[0], peak);
    }
}
