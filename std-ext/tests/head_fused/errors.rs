//! What is refused, and in which words.

use faer::prelude::*;
use faer::{Par, mat};
use topk_loss::loss::{ClassWeighted, LogitAdjusted};
use topk_loss::{CrossEntropy, Error, Key, Margins, Smoothing, TopKHinge};
use topk_loss_batch::{BatchError, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets};

use crate::{Step, heads, hinge, matrix, pathwise};

#[test]
fn bad_inputs_are_refused_before_anything_is_written() {
    const UNTOUCHED: f64 = -7.0;
    let features = matrix::<f64>(2, 4, 3);
    let hard = hinge::<f64>(1, Smoothing::None);
    for head in heads::<f64>(3, 2) {
        let refused = |loss: &TopKHinge<f64, Margins<'_, f64>>,
                       features: MatRef<'_, f64>,
                       targets: Targets<'_, f64>,
                       weights: (usize, usize),
                       below: (usize, usize)| {
            let (mut weights, mut below) = (Mat::full(weights.0, weights.1, UNTOUCHED), Mat::full(below.0, below.1, UNTOUCHED));
            let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
            let error = head.objective_and_grads(loss, features, &targets, Reduction::Mean, grads, Par::rayon(2)).unwrap_err();
            assert!([weights, below].iter().all(|matrix| matrix.col_iter().all(|column| column.iter().all(|&entry| entry == UNTOUCHED))));
            error
        };
        let labels = [0, 1, 2, 0];
        let (good, x) = (Targets::new(&labels), features.as_ref());
        let shape = |what, expected, actual| BatchError::Shape { what, expected, actual };
        assert_eq!(
            refused(&hard, Mat::zeros(2, 0).as_ref(), Targets::new(&[0_usize; 0]), (2, 3), (2, 0)),
            BatchError::Empty { what: "example" }
        );
        assert_eq!(refused(&hard, Mat::zeros(5, 4).as_ref(), good, (2, 3), (2, 4)), shape("features", (2, 4), (5, 4)));
        assert_eq!(refused(&hard, x, good, (3, 2), (2, 4)), shape("weight gradients", (2, 3), (3, 2)));
        assert_eq!(refused(&hard, x, good, (2, 3), (4, 2)), shape("feature gradients", (2, 4), (4, 2)));
        let length = BatchError::Length { what: "labels", expected: 4, actual: 3 };
        assert_eq!(refused(&hard, x, Targets::new(&[0, 1, 2]), (2, 3), (2, 4)), length);
        let label = BatchError::Example { example: 2, error: Error::Label { label: 3, num_classes: 3 } };
        assert_eq!(refused(&hard, x, Targets::new(&[0, 9, 3, 0]).ignoring(9), (2, 3), (2, 4)), label);
        let none = BatchError::Empty { what: "example whose label is not ignored" };
        assert_eq!(refused(&hard, x, Targets::new(&[9; 4]).ignoring(9), (2, 3), (2, 4)), none);
        let mut bad = features.clone();
        bad[(1, 2)] = f64::NAN;
        let not_finite = BatchError::Example { example: 2, error: Error::NotFinite { what: "features", index: 1 } };
        assert_eq!(refused(&hard, bad.as_ref(), good, (2, 3), (2, 4)), not_finite);

        let example = |error| BatchError::Example { example: 1, error };
        let first_ignored = Targets::new(&[9, 1, 2, 0]).ignoring(9);
        for smoothing in [Smoothing::None, Smoothing::Exact { epsilon: 1.0 }] {
            assert_eq!(refused(&hinge(3, smoothing), x, first_ignored, (2, 3), (2, 4)), example(Error::K { k: 3, max: 2 }));
            let margins = TopKHinge::new(1).unwrap().with_margins(Margins::PerClass(&[1.0; 2])).unwrap().with_smoothing(smoothing).unwrap();
            let length = Error::Length { what: "margins", expected: 3, actual: 2 };
            assert_eq!(refused(&margins, x, first_ignored, (2, 3), (2, 4)), example(length));
        }
        let conditional = hinge(1, Smoothing::Conditional { epsilon: 1.0, num_samples: 1, key: Key::new(0) });
        let parameter = |must| BatchError::Parameter { name: "smoothing", must };
        assert_eq!(refused(&conditional, x, good, (2, 3), (2, 4)), parameter("none, exact or pathwise where scores are not stored"));
        let exact = hinge(1, Smoothing::Exact { epsilon: 1.0 });
        let entries = head.objective_and_score_grads(&exact, x, &good, Reduction::Mean, Par::Seq);
        assert_eq!(entries, Err(parameter("none or pathwise for a sparse gradient")));
    }
}

#[test]
fn a_parameter_that_is_not_finite_is_named() {
    let (features, labels) = (matrix::<f32>(4, 130, 3), vec![0; 130]);
    for bad in [f32::NAN, f32::INFINITY] {
        for mut head in heads::<f32>(2000, 4) {
            head.weights_mut()[(2, 1900)] = bad;
            let error = head.objective(&CrossEntropy, features.as_ref(), &Targets::new(&labels), Reduction::Mean, Par::rayon(2));
            assert_eq!(error, Err(BatchError::NotFinite { what: "weights", position: (2, 1900) }));
        }
        let [_, mut head, _] = heads::<f32>(2000, 4);
        head.bias_mut().unwrap()[1500] = bad;
        let error = head.objective(&CrossEntropy, features.as_ref(), &Targets::new(&labels), Reduction::Mean, Par::Seq);
        assert_eq!(error, Err(BatchError::NotFinite { what: "bias", position: (1500, 0) }));
    }
}

/// What one example of one feature and label 0 makes of these weights.
fn error(weights: Mat<f32>, feature: f32, loss: &impl HeadLoss<f32>) -> BatchError {
    let head = LinearHead::new(weights, None, Similarity::Inner).unwrap();
    head.objective(loss, mat![[feature]].as_ref(), &Targets::new(&[0]), Reduction::Mean, Par::Seq).unwrap_err()
}

#[test]
fn results_beyond_the_range_are_an_error() {
    let example = |error| BatchError::Example { example: 0, error };
    let hard = hinge(1, Smoothing::None);
    assert_eq!(error(mat![[f32::MAX, 1.0]], 2.0, &hard), BatchError::Overflow { what: "score" });
    let wide = mat![[f32::MIN, f32::MAX, f32::MAX]];
    assert_eq!(error(wide.clone(), 1.0, &hard), example(Error::Overflow { what: "loss" }));
    let range = example(Error::Overflow { what: "range of the scores" });
    assert_eq!(error(wide.clone(), 1.0, &CrossEntropy), range);
    for loss in [pathwise(1, 1.0, 2), hinge(1, Smoothing::Exact { epsilon: 1.0 })] {
        assert_eq!(error(wide.clone(), 1.0, &loss), range);
    }
    assert_eq!(error(mat![[1.0]], 1.0, &CrossEntropy), example(Error::Length { what: "scores", expected: 2, actual: 1 }));
}

#[test]
fn gradients_beyond_the_range_are_an_error() {
    let steep = TopKHinge::new(1).unwrap().with_scale(1e30_f32).unwrap();
    let head = LinearHead::new(mat![[0.0, 0.0]], None, Similarity::Inner).unwrap();
    let targets = Targets::new(&[0]);
    let error =
        Step::new(&head, 1, |grads| head.objective_and_grads(&steep, mat![[1e30]].as_ref(), &targets, Reduction::Mean, grads, Par::Seq));
    assert_eq!(error.map(|step| step.objective), Err(BatchError::Overflow { what: "weight gradient" }));
    let weighted = targets.with_weights(&[1e10]).unwrap();
    let error = head.objective_and_score_grads(&steep, mat![[1.0]].as_ref(), &weighted, Reduction::Sum, Par::Seq);
    assert_eq!(error, Err(BatchError::Overflow { what: "objective" }));
}

#[test]
fn adjusted_and_weighted_losses_refuse_what_they_cannot_use() {
    let two = || mat![[1.0, 2.0]];
    let within = |error| BatchError::Example { example: 0, error };
    let length = |what| within(Error::Length { what, expected: 2, actual: 3 });
    assert_eq!(error(two(), 1.0, &LogitAdjusted::new(CrossEntropy, [0.0_f32; 3]).unwrap()), length("adjustments"));
    assert_eq!(error(two(), 1.0, &ClassWeighted::new(CrossEntropy, [1.0_f32; 3]).unwrap()), length("weights"));
    let adjusted = LogitAdjusted::new(LogitAdjusted::new(CrossEntropy, [f32::MAX; 2]).unwrap(), [f32::MAX; 2]).unwrap();
    assert_eq!(error(two(), 1.0, &adjusted), within(Error::Overflow { what: "adjusted scores" }));
    let weighted = ClassWeighted::new(ClassWeighted::new(CrossEntropy, [f32::MAX; 2]).unwrap(), [f32::MAX; 2]).unwrap();
    assert_eq!(error(two(), 1.0, &weighted), within(Error::Overflow { what: "loss" }));
}
