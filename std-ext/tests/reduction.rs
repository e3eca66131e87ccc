//! Reductions: the coefficients of a batch's losses.

use topk_loss::Error;
use topk_loss_batch::{BatchError, Reduction, Targets};

const REDUCTIONS: [Reduction; 3] = [Reduction::Sum, Reduction::Mean, Reduction::WeightedMean];

#[test]
fn without_weights_the_means_agree() {
    let targets = Targets::new(&[0, 3, 1, 3]).ignoring(3);
    let mut coefficients = [f32::NAN; 4];
    for (reduction, expected) in REDUCTIONS.into_iter().zip([1.0, 0.5, 0.5]) {
        targets.coefficients(reduction, &mut coefficients).unwrap();
        assert_eq!(coefficients, [expected, 0.0, expected, 0.0]);
    }
}

#[test]
fn weights_multiply_the_loss_and_divide_only_the_weighted_mean() {
    let targets = Targets::new(&[0, 3, 1]).with_weights(&[3.0, 100.0, 1.0]).unwrap().ignoring(3);
    let mut coefficients = [f64::NAN; 3];
    for (reduction, expected) in REDUCTIONS.into_iter().zip([[3.0, 0.0, 1.0], [1.5, 0.0, 0.5], [0.75, 0.0, 0.25]]) {
        targets.coefficients(reduction, &mut coefficients).unwrap();
        assert_eq!(coefficients, expected);
    }
}

#[test]
fn nothing_to_reduce_is_an_error_and_leaves_the_buffer() {
    for reduction in REDUCTIONS {
        let mut coefficients = [7.0_f64; 2];
        if reduction != Reduction::Sum {
            let ignored = Targets::new(&[1, 1]).ignoring(1).coefficients(reduction, &mut coefficients);
            assert_eq!(ignored, Err(BatchError::Empty { what: "example whose label is not ignored" }));
        }
        let short = Targets::new(&[1]).coefficients(reduction, &mut coefficients);
        assert_eq!(short, Err(BatchError::Length { what: "coefficients", expected: 1, actual: 2 }));
        let empty = Targets::<f64>::new(&[0_usize; 0]).coefficients(reduction, &mut []);
        assert_eq!(empty, Err(BatchError::Empty { what: "example" }));
        assert_eq!(coefficients, [7.0; 2]);
    }
}

#[test]
fn a_weighted_mean_needs_a_total_weight() {
    let mut coefficients = [7.0_f64; 2];
    let zero = Targets::new(&[0, 1]).with_weights(&[0.0, 5.0]).unwrap().ignoring(1);
    let error = zero.coefficients(Reduction::WeightedMean, &mut coefficients);
    assert_eq!(error, Err(BatchError::Parameter { name: "total weight", must: "positive" }));
    let huge = Targets::new(&[0, 1]).with_weights(&[f64::MAX, f64::MAX]).unwrap();
    let error = huge.coefficients(Reduction::WeightedMean, &mut coefficients);
    assert_eq!(error, Err(BatchError::Overflow { what: "total weight" }));
    assert_eq!(coefficients, [7.0; 2]);
    zero.coefficients(Reduction::Mean, &mut coefficients).unwrap();
    assert_eq!(coefficients, [0.0; 2]);
}

#[test]
fn weights_are_one_per_example_finite_and_not_negative() {
    let error = Targets::new(&[0, 1]).with_weights(&[1.0]).unwrap_err();
    assert_eq!(error, BatchError::Length { what: "weights", expected: 2, actual: 1 });
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let error = Targets::new(&[0, 1]).with_weights(&[1.0, bad]).unwrap_err();
        let must = "finite and at least 0";
        assert_eq!(error, BatchError::Example { example: 1, error: Error::Parameter { name: "weight", must } });
    }
}

#[test]
fn a_sum_of_nothing_is_zero() {
    let mut coefficients = [7.0_f64; 2];
    Targets::new(&[1, 1]).ignoring(1).coefficients(Reduction::Sum, &mut coefficients).unwrap();
    assert_eq!(coefficients, [0.0; 2]);
}
