//! Sums over many examples: the mean of equal rows is the row's own, however many there are.

use faer::prelude::*;
use faer::{Par, mat};
use topk_loss::{CrossEntropy, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets, objective_and_grads};

/// Terms that are added one by one lose 0.3 % of such a sum in `f32`.
const ROWS: usize = 200_001;

/// A few roundings of a term, of a coefficient and of the sum, whatever its length.
const TOLERANCE: f32 = 8.0 * f32::EPSILON;

/// As many roundings as there are terms in a step of a product.
const PRODUCT_TOLERANCE: f32 = 1024.0 * f32::EPSILON / 2.0;

const LABEL: usize = 1;

/// The objective, and the gradients of the weights and the bias.
type Step = (f32, Mat<f32>, Vec<f32>);

fn close(what: &str, actual: f32, expected: f32) {
    assert!((actual - expected).abs() <= TOLERANCE * expected.abs(), "{what}: {actual} instead of {expected}");
}

fn step(head: &LinearHead<f32>, write: impl FnOnce(HeadGrads<'_, f32>) -> f32) -> Step {
    let mut weights = Mat::full(head.dim(), head.num_classes(), f32::NAN);
    let mut bias = vec![f32::NAN; head.bias().map_or(0, <[f32]>::len)];
    let objective = write(HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: None });
    (objective, weights, bias)
}

fn fused(loss: &impl HeadLoss<f32>, head: &LinearHead<f32>, rows: usize, reduction: Reduction) -> Step {
    let (labels, weights, features) = (vec![LABEL; rows], vec![0.1; rows], Mat::from_fn(2, rows, feature));
    let targets = Targets::new(&labels).with_weights(&weights).unwrap();
    step(head, |grads| head.objective_and_grads(loss, features.as_ref(), &targets, reduction, grads, Par::rayon(2)).unwrap())
}

fn stored(loss: &impl BatchLoss<f32>, head: &LinearHead<f32>, rows: usize, reduction: Reduction) -> Step {
    let (labels, weights, features) = (vec![LABEL; rows], vec![0.1; rows], Mat::from_fn(2, rows, feature));
    let targets = Targets::new(&labels).with_weights(&weights).unwrap();
    let (mut scores, mut score_grads) = (Mat::zeros(3, rows), Mat::zeros(3, rows));
    step(head, |grads| {
        head.forward(features.as_ref(), scores.as_mut(), Par::rayon(2)).unwrap();
        let objective = objective_and_grads(loss, scores.as_ref(), &targets, reduction, score_grads.as_mut(), Par::rayon(2)).unwrap();
        head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::rayon(2)).unwrap();
        objective
    })
}

fn feature(i: usize, _: usize) -> f32 {
    [0.3, 0.7][i]
}

fn equal_rows(loss: &(impl HeadLoss<f32> + BatchLoss<f32>)) {
    let weights = mat![[0.1, -0.3, 0.9], [0.7, 0.2, -0.4]];
    let heads = [
        LinearHead::new(weights.clone(), Some(vec![0.1, 0.2, 0.3]), Similarity::Inner).unwrap(),
        LinearHead::new(weights, None, Similarity::Cosine).unwrap(),
    ];
    for (head, reduction) in heads.iter().zip([Reduction::Mean, Reduction::WeightedMean]) {
        let (expected, expected_weights, expected_bias) = stored(loss, head, 1, reduction);
        for (objective, weights, bias) in [fused(loss, head, ROWS, reduction), stored(loss, head, ROWS, reduction)] {
            close("objective", objective, expected);
            bias.iter().zip(&expected_bias).for_each(|(&actual, &expected)| close("bias gradient", actual, expected));
            let apart = (&weights - &expected_weights).norm_max();
            assert!(
                apart <= PRODUCT_TOLERANCE * expected_weights.norm_max(),
                "weight gradient: {weights:?} instead of {expected_weights:?}"
            );
        }
    }
}

#[test]
fn the_mean_of_many_equal_rows_is_the_rows_own() {
    equal_rows(&CrossEntropy);
    for smoothing in [Smoothing::None, Smoothing::Exact { epsilon: 0.5 }] {
        equal_rows(&TopKHinge::new(1).unwrap().with_smoothing(smoothing).unwrap());
    }
}

#[test]
fn the_coefficients_of_a_weighted_mean_sum_to_one() {
    let (labels, weights) = (vec![0; 1 << 21], vec![0.1_f32; 1 << 21]);
    let mut coefficients = vec![f32::NAN; 1 << 21];
    let targets = Targets::new(&labels).with_weights(&weights).unwrap();
    targets.coefficients(Reduction::WeightedMean, &mut coefficients).unwrap();
    close("coefficient", coefficients[0], 1.0 / (1 << 21) as f32);
}

#[test]
fn a_product_over_many_examples_is_as_good() {
    const MANY: usize = 1 << 22;
    let head = LinearHead::new(mat![[1.0_f32]], None, Similarity::Inner).unwrap();
    let (features, score_grads, mut weights) = (Mat::full(1, MANY, 0.7_f32), Mat::full(1, MANY, 0.1), Mat::zeros(1, 1));
    let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: None };
    head.backward(features.as_ref(), score_grads.as_ref(), score_grads.as_ref(), grads, Par::Seq).unwrap();
    let relative = weights[(0, 0)] / (0.7 * 0.1 * MANY as f32) - 1.0;
    assert!(relative.abs() <= PRODUCT_TOLERANCE, "off by {relative}");
}
