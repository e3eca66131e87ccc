//! What the fused head leaves out of a gradient is as little as it promises, and as much as it can.

use faer::Par;
use faer::prelude::*;
use proptest::prelude::*;
use topk_loss::loss::TopKMarginCrossEntropy;
use topk_loss::{CrossEntropy, Key, Real, TopKHinge};
use topk_loss_batch::{BatchError, BatchReal, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets};

use crate::{IGNORED, matrix};

const NUM_CLASSES: usize = 3000;
const DIM: usize = 128;

/// Scores of a row as training leaves them: a few classes compete, the others are far below.
fn peaked<F: Real>(key: Key, class: usize, example: usize, competitors: usize, lead: f64) -> F {
    let noise = F::from_f64((key.fold_in(class as u64).fold_in(example as u64).words()[0] >> 8) as f64 / f64::from(1 << 24));
    // The competitors of an example are neighbours, so that they share a strip.
    let competes = (class + NUM_CLASSES - example * 397 % NUM_CLASSES) % NUM_CLASSES < competitors;
    if competes { F::from_f64(lead) + noise + noise } else { noise }
}

/// The gradient with respect to the scores, which is that of the weights where the features of every example are one 1.
fn score_grads<F: BatchReal>(head: &LinearHead<F>, loss: &impl HeadLoss<F>, labels: &[usize]) -> Result<Mat<F>, BatchError> {
    let features = Mat::from_fn(labels.len(), labels.len(), |i, j| if i == j { F::one() } else { F::zero() });
    let mut weights = Mat::from_fn(labels.len(), NUM_CLASSES, |_, _| F::nan());
    let mut below = Mat::from_fn(labels.len(), labels.len(), |_, _| F::nan());
    let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
    let targets = Targets::new(labels).ignoring(IGNORED);
    head.objective_and_grads(loss, features.as_ref(), &targets, Reduction::Mean, grads, Par::Seq)?;
    assert!(below.norm_max().is_finite());
    Ok(weights)
}

fn sum<F: Real>(entries: impl Iterator<Item = F>) -> f64 {
    entries.map(|entry| entry.to_f64().unwrap().abs()).sum()
}

/// Σ|G − G'|/Σ|G| under a tolerance, and the share of the entries that are left out.
fn left_out<F: BatchReal>(head: &LinearHead<F>, loss: &impl HeadLoss<F>, labels: &[usize], tolerance: F) -> (f64, f64) {
    let whole = score_grads(&head.clone().with_filter(F::zero()).unwrap(), loss, labels).unwrap();
    let filtered = score_grads(&head.clone().with_filter(tolerance).unwrap(), loss, labels).unwrap();
    let pairs = || whole.col_iter().zip(filtered.col_iter()).flat_map(|(a, b)| a.iter().copied().zip(b.iter().copied()));
    let total = sum(pairs().map(|(entry, _)| entry));
    let zeros = pairs().filter(|&(entry, left)| entry != F::zero() && left == F::zero()).count();
    (sum(pairs().map(|(entry, left)| entry - left)) / total, zeros as f64 / (labels.len() * NUM_CLASSES) as f64)
}

fn keeps_its_promise<F: BatchReal>(key: Key, batch: usize, lead: f64, exponent: i32) -> Result<(), TestCaseError> {
    let weights = Mat::from_fn(batch, NUM_CLASSES, |example, class| peaked::<F>(key, class, example, 10, lead));
    let head = LinearHead::new(weights, None, Similarity::Inner).unwrap();
    let labels: Vec<_> = (0..batch).map(|b| if b % 5 == 3 { IGNORED } else { (b * 397 + b % 12) % NUM_CLASSES }).collect();
    let tolerance = F::from_f64(10_f64.powi(exponent));
    let margin = TopKMarginCrossEntropy::new(3, F::one()).unwrap();
    let outcomes = [
        left_out(&head, &CrossEntropy, &labels, tolerance),
        left_out(&head, &margin, &labels, tolerance),
        left_out(&head, &TopKHinge::smoothed(3, F::one()).unwrap(), &labels, tolerance),
    ];
    for (error, _) in outcomes {
        // What is kept has the same bits; summing up the smallest rounds.
        prop_assert!(error <= tolerance.to_f64().unwrap() * 1.001, "{error} by {tolerance}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_left_out_sums_to_less_than_the_tolerance(
        seed: u64, batch in 1_usize..40, lead in 0.0..60.0, exponent in -16..-1,
    ) {
        keeps_its_promise::<f32>(Key::new(seed), batch, lead, exponent)?;
        keeps_its_promise::<f64>(Key::new(seed), batch, lead, exponent)?;
    }
}

/// Of three strips the two without competitors go. By default the exact hinge's smallest shares are zeros before they are left out.
#[test]
fn strips_that_do_not_compete_are_left_out() {
    let by_default = f32::EPSILON / 2.0;
    assert!(share_left_out(&CrossEntropy, 40.0, by_default) > 0.6);
    assert!(share_left_out(&TopKMarginCrossEntropy::new(3, 1.0).unwrap(), 40.0, by_default) > 0.6);
    assert!(share_left_out(&TopKHinge::smoothed(3, 1.0).unwrap(), 8.5, 0.01) > 0.3);
}

fn share_left_out(loss: &impl HeadLoss<f32>, lead: f64, tolerance: f32) -> f64 {
    let labels: Vec<_> = (0..32).map(|b| (b * 397 + b % 12) % NUM_CLASSES).collect();
    let weights = Mat::from_fn(labels.len(), NUM_CLASSES, |example, class| peaked(Key::new(1), class, example, 10, lead));
    let (error, share) = left_out(&LinearHead::new(weights, None, Similarity::Inner).unwrap(), loss, &labels, tolerance);
    assert!(error <= f64::from(tolerance), "{error}");
    share
}

/// Weights that point to the features of their classes, ten of which are alike; every fourth example looks like another class of its ten.
/// All examples are of the first thousand.
fn trained() -> (LinearHead<f64>, Mat<f64>, Vec<usize>) {
    let (groups, own) = (matrix::<f64>(DIM, NUM_CLASSES / 10, 1), matrix::<f64>(DIM, NUM_CLASSES, 2));
    let prototype = |i, class: usize| groups[(i, class / 10)] + 0.5 * own[(i, class)];
    let labels: Vec<_> = (0..64).map(|b| b * 389 % 1000).collect();
    let seen = |b: usize| if b.is_multiple_of(4) { labels[b] / 10 * 10 + b / 4 % 10 } else { labels[b] };
    let features = Mat::from_fn(DIM, labels.len(), |i, b| prototype(i, seen(b)));
    let weights = Mat::from_fn(DIM, NUM_CLASSES, |i, class| prototype(i, class) * 40.0 / (1.25 * DIM as f64));
    (LinearHead::new(weights, None, Similarity::Inner).unwrap(), features, labels)
}

fn loses_little(loss: &impl HeadLoss<f64>) {
    let (head, features, labels) = trained();
    let grads = |tolerance| {
        let (mut weights, mut below) = (Mat::zeros(DIM, NUM_CLASSES), Mat::zeros(DIM, labels.len()));
        let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
        let head = head.clone().with_filter(tolerance).unwrap();
        head.objective_and_grads(loss, features.as_ref(), &Targets::new(&labels), Reduction::Mean, grads, Par::Seq).unwrap();
        (weights, below)
    };
    let ((weights, below), (filtered, filtered_below)) = (grads(0.0), grads(f64::from(f32::EPSILON) / 2.0));
    let lost = |whole: &Mat<f64>, filtered: &Mat<f64>| (whole - filtered).norm_l2() / whole.norm_l2();
    assert!(lost(&weights, &filtered) <= 1e-7 && lost(&below, &filtered_below) <= 1e-7);
    let untouched = filtered.col_iter().filter(|column| column.norm_max() == 0.0).count();
    assert!(untouched > NUM_CLASSES / 4, "{untouched}");
}

/// In a float whose own rounding does not hide it.
#[test]
fn gradients_of_trained_weights_lose_less_than_1e_7_of_their_norm() {
    loses_little(&CrossEntropy);
    loses_little(&TopKMarginCrossEntropy::new(3, 1.0).unwrap());
    loses_little(&TopKHinge::smoothed(3, 1.0).unwrap());
}

#[test]
fn scores_that_are_alike_are_all_kept() {
    let weights = Mat::from_fn(8, NUM_CLASSES, |example, class| peaked::<f64>(Key::new(1), class, example, 0, 0.0));
    let head = LinearHead::new(weights, None, Similarity::Inner).unwrap();
    assert_eq!(left_out(&head, &CrossEntropy, &[5; 8], f64::EPSILON), (0.0, 0.0));
}

#[test]
fn a_tolerance_that_is_no_share_is_refused() {
    let head = LinearHead::new(Mat::from_fn(1, 2, |_, _| 1.0), None, Similarity::Inner).unwrap();
    for tolerance in [-1e-9, 1.0, f64::NAN, f64::INFINITY] {
        let expected = BatchError::Parameter { name: "tolerance", must: "from 0 to below 1" };
        assert_eq!(head.clone().with_filter(tolerance).err(), Some(expected));
    }
}
