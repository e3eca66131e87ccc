//! A batch in parts that number their examples: the draws, and so the bits, are those of the whole.

use faer::Par;
use faer::prelude::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use topk_loss::loss::{MeanOfHinge, SmoothedLoss};
use topk_loss::noise::Normal;
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, FoldIn, Key, Loss, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, LinearHead, Reduction, ScoreGrad, Similarity, Targets, values_and_grads};

const NUM_CLASSES: usize = 12;

fn matrix(rows: usize, columns: usize) -> Mat<f64> {
    Mat::from_fn(rows, columns, |i, j| ((i * 37 + j * 101) % 211) as f64 / 64.0 - 1.5)
}

/// Values and gradients of all examples, computed in parts of so many, the first of them with number `start`.
fn in_parts(
    loss: &(impl BatchLoss<f64> + Loss<f64> + FoldIn),
    scores: MatRef<'_, f64>,
    labels: &[usize],
    start: u64,
    part: usize,
) -> (Vec<f64>, Mat<f64>) {
    let (mut values, mut grads) = (vec![f64::NAN; labels.len()], Mat::full(scores.nrows(), labels.len(), f64::NAN));
    for first in (0..labels.len()).step_by(part) {
        let count = part.min(labels.len() - first);
        let targets = Targets::new(&labels[first..first + count]).from_example(start.wrapping_add(first as u64));
        let (values, grads) = (&mut values[first..first + count], grads.as_mut().subcols_mut(first, count));
        values_and_grads(loss, scores.subcols(first, count), &targets, values, grads, Par::rayon(2)).unwrap();
    }
    (values, grads)
}

fn parts_draw_what_the_whole_draws(loss: &(impl BatchLoss<f64> + Loss<f64> + FoldIn), batch: usize, start: u64, part: usize) {
    let (scores, labels) = (matrix(NUM_CLASSES, batch), (0..batch).map(|b| b * 5 % NUM_CLASSES).collect::<Vec<_>>());
    let (values, grads) = in_parts(loss, scores.as_ref(), &labels, start, batch);
    assert_eq!(in_parts(loss, scores.as_ref(), &labels, start, part), (values.clone(), grads));
    // The number is what is folded in.
    let mut scratch = vec![0.0; loss.scratch_len(NUM_CLASSES)];
    let last = batch - 1;
    let scores = scores.col(last).try_as_col_major().unwrap().as_slice();
    let value = loss.fold_in(start.wrapping_add(last as u64)).value(scores, labels[last], &mut scratch).unwrap();
    assert!((value - values[last]).abs() <= 1e-12 * (1.0 + value));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(0), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn micro_batches_draw_what_the_batch_draws(seed: u64, batch in 1..40_usize, part in 1..9_usize, start in prop_oneof![Just(0), any::<u64>()]) {
        let key = Key::new(seed);
        let hinge = |smoothing| TopKHinge::new(3).unwrap().with_smoothing(smoothing).unwrap();
        let draws = MonteCarlo::new(Normal, 2).unwrap();
        parts_draw_what_the_whole_draws(&hinge(Smoothing::Pathwise { epsilon: 1.0, num_samples: 3, key }), batch, start, part);
        parts_draw_what_the_whole_draws(&hinge(Smoothing::Conditional { epsilon: 1.0, num_samples: 2, key }), batch, start, part);
        parts_draw_what_the_whole_draws(&hinge(Smoothing::None), batch, start, part);
        let smoothed = SmoothedLoss::new(CrossEntropy, draws, 1.0, key).unwrap();
        parts_draw_what_the_whole_draws(&smoothed, batch, start, part);
        let mean = MeanOfHinge::new(KthLargest::new(4).unwrap(), draws, 1.0, key).unwrap();
        parts_draw_what_the_whole_draws(&mean, batch, start, part);
    }

    #[test]
    fn so_do_those_of_a_fused_head(seed: u64, batch in 1..40_usize, part in 1..9_usize, start in prop_oneof![Just(0), any::<u64>()]) {
        let head = LinearHead::new(matrix(3, NUM_CLASSES), None, Similarity::Inner).unwrap();
        let (features, labels) = (matrix(3, batch), (0..batch).map(|b| b * 5 % NUM_CLASSES).collect::<Vec<_>>());
        let smoothing = Smoothing::Pathwise { epsilon: 1.0, num_samples: 3, key: Key::new(seed) };
        let loss = TopKHinge::new(3).unwrap().with_smoothing(smoothing).unwrap();
        let entries = |first: usize, count: usize| {
            let targets = Targets::new(&labels[first..first + count]).from_example(start.wrapping_add(first as u64));
            let features = features.subcols(first, count);
            let (_, entries) = head.objective_and_score_grads(&loss, features, &targets, Reduction::Sum, Par::Seq).unwrap();
            entries.into_iter().map(move |entry| ScoreGrad { example: first + entry.example, ..entry })
        };
        let parts = (0..batch).step_by(part).flat_map(|first| entries(first, part.min(batch - first)));
        prop_assert_eq!(parts.collect::<Vec<_>>(), entries(0, batch).collect::<Vec<_>>());
    }
}

#[test]
fn other_numbers_are_other_draws() {
    let smoothing = Smoothing::Pathwise { epsilon: 1.0, num_samples: 3, key: Key::new(1) };
    let loss = TopKHinge::new(3).unwrap().with_smoothing(smoothing).unwrap();
    let (scores, labels) = (matrix(NUM_CLASSES, 4), [0, 1, 2, 3]);
    let values = |start| in_parts(&loss, scores.as_ref(), &labels, start, 4).0;
    assert_eq!(values(0), values(0));
    assert_ne!(values(0), values(4));
}
