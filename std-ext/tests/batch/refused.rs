//! What a batch refuses, before anything is written.

use super::*;

const UNTOUCHED: f64 = -7.0;

/// Runs all three calls and expects the same error of each; also returns the buffers.
fn error_of(loss: &impl BatchLoss<f64>, scores: MatRef<'_, f64>, targets: &Targets<'_, f64>) -> (BatchError, Vec<f64>, Mat<f64>) {
    let mut losses = vec![UNTOUCHED; scores.ncols()];
    let mut grads = Mat::full(scores.nrows(), scores.ncols(), UNTOUCHED);
    let error = values(loss, scores, targets, &mut losses, Par::rayon(2)).unwrap_err();
    assert_eq!(values_and_grads(loss, scores, targets, &mut losses, grads.as_mut(), Par::rayon(2)), Err(error));
    assert_eq!(objective_and_grads(loss, scores, targets, Reduction::Mean, grads.as_mut(), Par::rayon(2)), Err(error));
    (error, losses, grads)
}

/// The same, and expects the buffers untouched.
fn refused(loss: &impl BatchLoss<f64>, scores: MatRef<'_, f64>, targets: &Targets<'_, f64>) -> BatchError {
    let (error, losses, grads) = error_of(loss, scores, targets);
    assert!(losses.iter().all(|&value| value == UNTOUCHED));
    assert!(grads.col_iter().all(|column| column.iter().all(|&entry| entry == UNTOUCHED)));
    error
}

#[test]
fn bad_batches_are_refused_before_anything_is_written() {
    let scores = matrix::<f64>(100, 64);
    let good = labels(100, 64);
    let targets = Targets::new(&good).ignoring(IGNORED);

    let error = refused(&noised(), scores.subcols(0, 0), &Targets::new(&[0_usize; 0]));
    assert_eq!(error, BatchError::Empty { what: "example" });
    let error = refused(&noised(), scores.subrows(0, 0), &targets);
    assert_eq!(error, BatchError::Empty { what: "class" });
    let error = refused(&noised(), scores.as_ref(), &Targets::new(&[1]));
    assert_eq!(error, BatchError::Length { what: "labels", expected: 64, actual: 1 });
    let error = refused(&noised(), scores.as_ref(), &Targets::new(&good));
    assert_eq!(error, BatchError::Example { example: 3, error: Error::Label { label: IGNORED, num_classes: 100 } });

    let too_many_guesses = TopKHinge::new(100).unwrap();
    let error = refused(&too_many_guesses, scores.as_ref(), &targets);
    assert_eq!(error, BatchError::Example { example: 0, error: Error::K { k: 100, max: 99 } });
    let too_few_margins = TopKHinge::new(5).unwrap().with_margins(Margins::PerClass(&[1.0; 99])).unwrap();
    let error = refused(&too_few_margins, scores.as_ref(), &targets);
    let length = Error::Length { what: "margins", expected: 100, actual: 99 };
    assert_eq!(error, BatchError::Example { example: 0, error: length });
}

/// What the batch layer does not look for itself, every kernel and every loss's own code does.
#[test]
fn the_first_example_that_is_not_finite_is_an_error_of_every_loss() {
    fn found(loss: &impl BatchLoss<f64>) {
        let (scores, labels) = (matrix::<f64>(100, 64), labels(100, 64));
        let targets = Targets::new(&labels).ignoring(IGNORED);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut scores = scores.clone();
            (scores[(42, 61)], scores[(7, 62)], scores[(3, 33)]) = (bad, bad, bad);
            let not_finite = |example, index| BatchError::Example { example, error: Error::NotFinite { what: "scores", index } };
            assert_eq!(labels[33], IGNORED);
            assert_eq!(error_of(loss, scores.as_ref(), &targets).0, not_finite(61, 42));
            (scores[(42, 61)], scores[(42, 5)]) = (0.0, bad);
            assert_eq!(error_of(loss, scores.transpose().to_owned().transpose(), &targets).0, not_finite(5, 42));
        }
    }
    let smoothing = [
        Smoothing::None,
        Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(11) },
        Smoothing::Conditional { epsilon: 0.5, num_samples: 1, key: Key::new(11) },
        Smoothing::Exact { epsilon: 0.5 },
    ];
    for smoothing in smoothing {
        // With the second margin the loss is surely 0.
        for margin in [1.0, -1000.0] {
            found(&TopKHinge::new(5).unwrap().with_margins(Margins::Uniform(margin)).unwrap().with_smoothing(smoothing).unwrap());
        }
    }
    found(&CrossEntropy);
    found(&TopKCrossEntropy::new(3, Gumbel, 1.0).unwrap());
    found(&TopKCrossEntropy::mixture(&[0.5, 0.0, 0.5], Gumbel, 1.0).unwrap());
    found(&Focal::new(2.0).unwrap());
    found(&SmoothTopKSvm::new(3, 1.0, 1.0).unwrap());
    found(&LogitAdjusted::new(CrossEntropy, &[0.5; 100]).unwrap());
}

#[test]
fn outputs_must_be_shaped_like_the_scores() {
    let (scores, targets) = (mat![[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], Targets::new(&[0, 1]));
    let mut grads = Mat::full(2, 3, -7.0);
    let length = Err(BatchError::Length { what: "values", expected: 2, actual: 3 });
    let shape = BatchError::Shape { what: "gradients", expected: (3, 2), actual: (2, 3) };
    assert_eq!(values(&CrossEntropy, scores.as_ref(), &targets, &mut [0.0; 3], Par::Seq), length);
    assert_eq!(values_and_grads(&CrossEntropy, scores.as_ref(), &targets, &mut [0.0; 3], grads.as_mut(), Par::Seq), length);
    assert_eq!(values_and_grads(&CrossEntropy, scores.as_ref(), &targets, &mut [0.0; 2], grads.as_mut(), Par::Seq), Err(shape));
    let objective = objective_and_grads(&CrossEntropy, scores.as_ref(), &targets, Reduction::Sum, grads.as_mut(), Par::Seq);
    assert_eq!(objective, Err(shape));
    assert_eq!(grads, Mat::full(2, 3, -7.0));
}

#[test]
fn weights_that_overflow_are_an_error() {
    let scores = mat![[0.0, 9.0], [0.0, 0.0], [0.0, 0.0]];
    let targets = Targets::new(&[0, 2]).with_weights(&[0.0, f64::MAX]).unwrap();
    let mut grads = Mat::zeros(3, 2);
    let hinge = TopKHinge::new(1).unwrap().with_margins(Margins::Uniform(20.0)).unwrap().with_scale(2.0).unwrap();
    let objective = objective_and_grads(&hinge, scores.as_ref(), &targets, Reduction::Sum, grads.as_mut(), Par::Seq);
    assert_eq!(objective, Err(BatchError::Example { example: 1, error: Error::Overflow { what: "gradient" } }));
    let hinge = TopKHinge::new(1).unwrap().with_margins(Margins::Uniform(20.0)).unwrap();
    let objective = objective_and_grads(&hinge, scores.as_ref(), &targets, Reduction::Sum, grads.as_mut(), Par::Seq);
    assert_eq!(objective, Err(BatchError::Overflow { what: "objective" }));
}

fn refused_objective(scores: MatRef<'_, f64>, targets: &Targets<'_, f64>) -> BatchError {
    let mut grads = Mat::full(scores.nrows(), scores.ncols(), -7.0);
    let error = objective_and_grads(&CrossEntropy, scores, targets, Reduction::Mean, grads.as_mut(), Par::Seq).unwrap_err();
    assert_eq!(grads, Mat::full(scores.nrows(), scores.ncols(), -7.0));
    error
}

#[test]
fn when_all_are_ignored_there_are_values_but_no_mean() {
    let scores = mat![[0.0, 1.0], [1.0, 0.0]];
    let targets = Targets::new(&[1, 1]).ignoring(1);
    let mut losses = [7.0; 2];
    values(&CrossEntropy, scores.as_ref(), &targets, &mut losses, Par::Seq).unwrap();
    assert_eq!(losses, [0.0; 2]);
    let error = refused_objective(scores.as_ref(), &targets);
    assert_eq!(error, BatchError::Empty { what: "example whose label is not ignored" });
}
