//! What an ignored example has is not read, and its gradients are 0.

use faer::Par;
use faer::prelude::*;
use topk_loss::{CrossEntropy, Error, Key, Smoothing, TopKHinge};
use topk_loss_batch::{BatchError, BatchLoss, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets, objective_and_grads};

const IGNORED: usize = usize::MAX;
/// More than one tile of either.
const NUM_CLASSES: usize = 150;
const BATCH: usize = 140;
const DIM: usize = 3;
/// The last is finite, but its scores are not.
const POISON: [f32; 4] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38];

fn labels() -> Vec<usize> {
    (0..BATCH).map(|b| if is_ignored(b) { IGNORED } else { b * 7 % NUM_CLASSES }).collect()
}

fn is_ignored(example: usize) -> bool {
    example % 3 == 1
}

fn matrix(rows: usize, columns: usize) -> Mat<f32> {
    Mat::from_fn(rows, columns, |i, j| ((i * 37 + j * 101 + i * j) % 211) as f32 / 128.0 - 0.8)
}

/// Features whose ignored columns are all `entry`.
fn features(entry: f32) -> Mat<f32> {
    let clean = matrix(DIM, BATCH);
    Mat::from_fn(DIM, BATCH, |i, b| if is_ignored(b) { entry } else { clean[(i, b)] })
}

fn heads() -> [LinearHead<f32>; 2] {
    let weights = matrix(DIM, NUM_CLASSES);
    let bias = matrix(NUM_CLASSES, 1).col(0).iter().copied().collect();
    [LinearHead::new(weights.clone(), Some(bias), Similarity::Inner).unwrap(), LinearHead::new(weights, None, Similarity::Cosine).unwrap()]
}

/// The objective and the gradients of weights, bias and features.
type Step = (f32, Mat<f32>, Vec<f32>, Mat<f32>);

fn step(head: &LinearHead<f32>, write: impl FnOnce(HeadGrads<'_, f32>) -> Result<f32, BatchError>) -> Step {
    let mut weights = Mat::full(DIM, NUM_CLASSES, f32::NAN);
    let mut bias = vec![f32::NAN; head.bias().map_or(0, <[f32]>::len)];
    let mut below = Mat::full(DIM, BATCH, f32::NAN);
    let objective = write(HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: Some(below.as_mut()) });
    (objective.unwrap(), weights, bias, below)
}

fn fused(loss: &impl HeadLoss<f32>, head: &LinearHead<f32>, features: MatRef<'_, f32>, targets: &Targets<'_, f32>) -> Step {
    let objective = head.objective(loss, features, targets, Reduction::Mean, Par::Seq).unwrap();
    let step = step(head, |grads| head.objective_and_grads(loss, features, targets, Reduction::Mean, grads, Par::rayon(2)));
    assert_eq!(objective, step.0);
    step
}

fn stored(loss: &impl BatchLoss<f32>, head: &LinearHead<f32>, features: MatRef<'_, f32>, targets: &Targets<'_, f32>) -> Step {
    let (mut scores, mut score_grads) = (Mat::full(NUM_CLASSES, BATCH, f32::NAN), Mat::zeros(NUM_CLASSES, BATCH));
    step(head, |grads| {
        head.forward_counted(features, targets, scores.as_mut(), Par::rayon(2))?;
        let objective = objective_and_grads(loss, scores.as_ref(), targets, Reduction::Mean, score_grads.as_mut(), Par::Seq)?;
        head.backward(features, scores.as_ref(), score_grads.as_ref(), grads, Par::rayon(2))?;
        Ok(objective)
    })
}

fn is_not_read(loss: &(impl HeadLoss<f32> + BatchLoss<f32>)) {
    let labels = labels();
    let targets = Targets::new(&labels).ignoring(IGNORED);
    for head in heads() {
        let ways = [fused, stored];
        for way in ways {
            let expected = way(loss, &head, features(0.0).as_ref(), &targets);
            assert!((0..BATCH).filter(|&b| is_ignored(b)).all(|b| expected.3.col(b).iter().all(|&entry| entry == 0.0)));
            for entry in POISON {
                assert_eq!(way(loss, &head, features(entry).as_ref(), &targets), expected, "{entry} in {:?}", head.similarity());
            }
        }
    }
}

fn hinge(smoothing: Smoothing<f32>) -> TopKHinge<f32> {
    TopKHinge::new(5).unwrap().with_smoothing(smoothing).unwrap()
}

#[test]
fn the_features_of_an_ignored_example_are_not_read() {
    is_not_read(&CrossEntropy);
    is_not_read(&hinge(Smoothing::None));
    is_not_read(&hinge(Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(1) }));
    is_not_read(&hinge(Smoothing::Exact { epsilon: 0.5 }));
}

#[test]
fn a_sparse_gradient_does_not_read_them_either() {
    let labels = labels();
    let targets = Targets::new(&labels).ignoring(IGNORED);
    for head in heads() {
        let entries = |entry| {
            let features = features(entry);
            head.objective_and_score_grads(&hinge(Smoothing::None), features.as_ref(), &targets, Reduction::Mean, Par::Seq).unwrap()
        };
        for entry in POISON {
            assert_eq!(entries(entry), entries(0.0));
        }
    }
}

#[test]
fn what_counts_is_still_checked() {
    let labels = labels();
    let targets = Targets::new(&labels).ignoring(IGNORED);
    let mut features = features(f32::NAN);
    features[(2, 3)] = f32::INFINITY;
    let error = BatchError::Example { example: 3, error: Error::NotFinite { what: "features", index: 2 } };
    for head in heads() {
        assert_eq!(head.objective(&CrossEntropy, features.as_ref(), &targets, Reduction::Mean, Par::Seq), Err(error));
        let mut scores = Mat::full(NUM_CLASSES, BATCH, -7.0);
        assert_eq!(head.forward_counted(features.as_ref(), &targets, scores.as_mut(), Par::Seq), Err(error));
        let short = Targets::new(&labels[1..]);
        let length = BatchError::Length { what: "labels", expected: BATCH, actual: BATCH - 1 };
        assert_eq!(head.forward_counted(features.as_ref(), &short, scores.as_mut(), Par::Seq), Err(length));
        assert_eq!(scores, Mat::full(NUM_CLASSES, BATCH, -7.0));
    }
}

/// A sum of nothing is 0; a mean of nothing is none.
#[test]
fn when_all_are_ignored_the_sum_is_zero() {
    fn sum_is_zero(loss: &(impl HeadLoss<f32> + BatchLoss<f32>)) {
        let targets = Targets::new(&[IGNORED; BATCH]).ignoring(IGNORED);
        let features = Mat::full(DIM, BATCH, f32::NAN);
        for head in heads() {
            let zero = || (0.0, Mat::zeros(DIM, NUM_CLASSES), vec![0.0; head.bias().map_or(0, <[f32]>::len)], Mat::zeros(DIM, BATCH));
            let sum = Reduction::Sum;
            let fused = step(&head, |grads| head.objective_and_grads(loss, features.as_ref(), &targets, sum, grads, Par::rayon(2)));
            assert_eq!(fused, zero());
            let (mut scores, mut score_grads) = (Mat::full(NUM_CLASSES, BATCH, f32::NAN), Mat::full(NUM_CLASSES, BATCH, f32::NAN));
            let stored = step(&head, |grads| {
                head.forward_counted(features.as_ref(), &targets, scores.as_mut(), Par::Seq)?;
                let objective = objective_and_grads(loss, scores.as_ref(), &targets, sum, score_grads.as_mut(), Par::Seq)?;
                head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::Seq)?;
                Ok(objective)
            });
            assert_eq!(stored, zero());
            let empty = Err(BatchError::Empty { what: "example whose label is not ignored" });
            for mean in [Reduction::Mean, Reduction::WeightedMean] {
                assert_eq!(head.objective(loss, features.as_ref(), &targets, mean, Par::Seq), empty);
            }
        }
    }
    sum_is_zero(&CrossEntropy);
    sum_is_zero(&hinge(Smoothing::None));
    sum_is_zero(&hinge(Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(1) }));
    sum_is_zero(&hinge(Smoothing::Exact { epsilon: 0.5 }));
    let entries = heads()[0].objective_and_score_grads(
        &hinge(Smoothing::None),
        Mat::full(DIM, BATCH, f32::NAN).as_ref(),
        &Targets::new(&[IGNORED; BATCH]).ignoring(IGNORED),
        Reduction::Sum,
        Par::Seq,
    );
    assert_eq!(entries, Ok((0.0, vec![])));
}
