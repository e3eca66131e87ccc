//! What the fused head allocates does not depend on the number of classes.

use faer::Par;
use faer::prelude::*;
use peak_alloc::PeakAlloc;
use topk_loss::{CrossEntropy, Key, Smoothing, TopKHinge};
use topk_loss_batch::{HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets, objective_and_grads};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const BATCH: usize = 64;
const DIM: usize = 4;

/// The largest heap of a call beside what there was before.
fn peak(call: impl FnOnce()) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    call();
    HEAP.peak_usage() - before
}

struct Problem {
    head: LinearHead<f32>,
    features: Mat<f32>,
    labels: Vec<usize>,
    weights: Mat<f32>,
    below: Mat<f32>,
}

impl Problem {
    fn new(num_classes: usize) -> Self {
        let entry = |i: usize, j: usize| ((i * 37 + j * 101 + i * j * 13) % 997) as f32 / 400.0 - 1.2;
        let head = LinearHead::new(Mat::from_fn(DIM, num_classes, entry), None, Similarity::Inner).unwrap();
        let zeros = |columns| Mat::zeros(DIM, columns);
        Self {
            head,
            features: Mat::from_fn(DIM, BATCH, entry),
            labels: (0..BATCH).collect(),
            weights: zeros(num_classes),
            below: zeros(BATCH),
        }
    }

    fn fused(&mut self, loss: &impl HeadLoss<f32>) -> usize {
        let Self { head, features, labels, weights, below } = self;
        let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
        let targets = Targets::new(&*labels);
        peak(|| {
            head.objective_and_grads(loss, features.as_ref(), &targets, Reduction::Mean, grads, Par::Seq).unwrap();
        })
    }

    fn unfused(&mut self) -> usize {
        let Self { head, features, labels, .. } = self;
        peak(|| {
            let mut scores = Mat::zeros(head.num_classes(), BATCH);
            let mut score_grads = scores.clone();
            head.forward(features.as_ref(), scores.as_mut(), Par::Seq).unwrap();
            let targets = Targets::new(&*labels);
            objective_and_grads(&CrossEntropy, scores.as_ref(), &targets, Reduction::Mean, score_grads.as_mut(), Par::Seq).unwrap();
        })
    }
}

#[test]
fn four_times_the_classes_take_the_same_memory() {
    let hinge = |smoothing| TopKHinge::new(5).unwrap().with_smoothing(smoothing).unwrap();
    let pathwise = hinge(Smoothing::Pathwise { epsilon: 1.0, num_samples: 5, key: Key::new(1) });
    let exact = hinge(Smoothing::Exact { epsilon: 1.0 });
    let [few, many] = [10_000, 40_000].map(|num_classes| {
        let mut problem = Problem::new(num_classes);
        [problem.fused(&CrossEntropy), problem.fused(&hinge(Smoothing::None)), problem.fused(&pathwise), problem.fused(&exact)]
    });
    for (few, many) in few.into_iter().zip(many) {
        // A row of the exact hinge notes 16 bytes a strip of a thousand classes.
        assert!(many <= few + few / 8, "{few} bytes became {many}");
    }
    // Stored scores would be seen.
    assert!(Problem::new(40_000).unfused() >= 2 * 40_000 * BATCH * size_of::<f32>());
}
