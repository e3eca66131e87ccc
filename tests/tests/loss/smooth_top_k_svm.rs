//! The smooth top-K SVM against an enumeration of the subsets and against logarithms of symmetric polynomials.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use topk_loss::loss::{SmoothTopKSvm, TopKSvm, TopKSvmForm};
use topk_loss::{CrossEntropy, Error, Loss, Margins, Real};
use topk_loss_laws::property::{config, evaluate, holds};
use topk_loss_laws::reference::{ValueAndGrad, to_f64};
use topk_loss_laws::strategies::{clustered, example, extreme, moderate_example, normal, offset, separated, tied};
use topk_loss_laws::symmetric::{smooth_top_k_svm, smooth_top_k_svm_by_subsets};
use topk_loss_laws::tolerances::{SINGLE_PRECISION, SMOOTH_TOP_K_SVM, SUM, VANISHING_IN_SINGLE_PRECISION};
use topk_loss_laws::{Example, Tolerance, both_floats};

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// Value relative to itself, the gradient to its largest entry.
fn agree<F: Real>(
    tolerance: Tolerance,
    (value, grad): &ValueAndGrad<F>,
    (expected, expected_grad): &ValueAndGrad<f64>,
) -> Result<(), TestCaseError> {
    // Below the least normal number a float has fewer digits.
    let least = to_f64(F::min_positive_value()) / 1e-5;
    // The looser tolerance is for what vanishes.
    let tolerance = if *expected > 1e-9 && tolerance == VANISHING_IN_SINGLE_PRECISION { SINGLE_PRECISION } else { tolerance };
    prop_assert!(tolerance.allows(to_f64(*value), *expected, expected.max(least)), "{} instead of {}", value, expected);
    let magnitude = largest(expected_grad).max(least);
    for (entry, expected) in grad.iter().zip(expected_grad) {
        prop_assert!(tolerance.allows(to_f64(*entry), *expected, magnitude), "{} instead of {}", entry, expected);
    }
    Ok(())
}

/// From 0.01 to 10.
fn temperatures() -> impl Strategy<Value = f64> {
    (-2.0..1.0).prop_map(|exponent| 10.0_f64.powf(exponent))
}

#[test]
fn value_and_gradient_are_those_of_the_subsets() {
    let few = (2..=8_usize).prop_flat_map(|len| (normal::<f64>(len), 0..len, 1..len));
    holds((few, temperatures(), -1.0..2.0), |((scores, label, k), temperature, margin)| {
        let loss = SmoothTopKSvm::new(k, temperature, margin).unwrap();
        let expected = smooth_top_k_svm_by_subsets(&scores, label, k, temperature, margin);
        let (value, grad) = evaluate(&loss, &scores, label);
        // Sums over subsets cancel where the loss is small; the gradient is then compared as it is.
        prop_assert!(SMOOTH_TOP_K_SVM.allows(value, expected.0, 10.0), "{} instead of {}", value, expected.0);
        for (g, expected) in grad.into_iter().zip(expected.1) {
            prop_assert!(SMOOTH_TOP_K_SVM.allows(g, expected, 1.0), "{} instead of {}", g, expected);
        }
        Ok(())
    });
}

/// Up to 300 classes and 100 guesses, from every family of scores.
fn many<F: Real>() -> impl Strategy<Value = (Example<F>, f64)> {
    let sizes = prop_oneof![2..40_usize, 40..300_usize];
    let scores =
        sizes.prop_flat_map(|len| prop_oneof![normal::<F>(len), tied(len), separated(len), clustered(len), extreme(len), offset(len)]);
    let examples = scores.prop_flat_map(|scores| {
        let len = scores.len();
        (Just(scores), 0..len, 1..len.min(101)).prop_map(|(scores, label, k)| Example { scores, label, k })
    });
    (examples, temperatures())
}

/// Both floats against the logarithms; a reference takes milliseconds.
fn survives_all<F: Real>(tolerance: Tolerance) {
    let mut runner = TestRunner::new(Config { cases: 100, ..config() });
    let law = |(Example { scores, label, k }, temperature): (Example<F>, f64)| {
        let temperature = F::from_f64(temperature);
        let same: Vec<f64> = scores.iter().map(|&s| to_f64(s)).collect();
        let loss = SmoothTopKSvm::new(k, temperature, F::one()).unwrap();
        let expected = smooth_top_k_svm(&same, label, k, to_f64(temperature), 1.0);
        agree(tolerance, &evaluate(&loss, &scores, label), &expected)
    };
    if let Err(failure) = runner.run(&many::<F>(), law) {
        panic!("{failure}");
    }
}

#[test]
fn any_scores_in_double_precision() {
    survives_all::<f64>(SMOOTH_TOP_K_SVM);
}

#[test]
fn any_scores_in_single_precision() {
    survives_all::<f32>(VANISHING_IN_SINGLE_PRECISION);
}

/// A thousand classes of which most are a bulk, at every temperature; ties of all.
#[test]
fn a_bulk_and_its_neighbours() {
    let spread: Vec<f64> = (0..1000).map(|i| f64::from(i * 7919 % 1000) / 100.0).collect();
    let near: Vec<f64> = spread.iter().enumerate().map(|(i, s)| if i % 50 == 0 { s + 10.0 } else { 0.1 * s }).collect();
    for scores in [&spread, &near, &vec![0.25; 1000]] {
        for (k, temperature) in [(1, 0.01), (5, 0.01), (5, 1.0), (20, 0.1), (20, 10.0), (100, 0.03), (999, 1.0)] {
            let expected = smooth_top_k_svm(scores, 3, k, temperature, 1.0);
            let loss = SmoothTopKSvm::new(k, temperature, 1.0).unwrap();
            agree(SMOOTH_TOP_K_SVM, &evaluate(&loss, scores, 3), &expected).unwrap();
            let single: Vec<f32> = scores.iter().map(|&s| s as f32).collect();
            let same: Vec<f64> = single.iter().map(|&s| f64::from(s)).collect();
            let loss = SmoothTopKSvm::new(k, temperature as f32, 1.0).unwrap();
            let expected = smooth_top_k_svm(&same, 3, k, f64::from(temperature as f32), 1.0);
            agree(SINGLE_PRECISION, &evaluate(&loss, &single, 3), &expected).unwrap();
        }
    }
}

fn the_gradient_moves_the_label_against_the_others<F: Real>(
    (Example { scores, label, k }, temperature): (Example<F>, f64),
) -> Result<(), TestCaseError> {
    let loss = SmoothTopKSvm::new(k, F::from_f64(temperature), F::one()).unwrap();
    let (value, grad) = evaluate(&loss, &scores, label);
    prop_assert!(value >= F::zero());
    for (class, &entry) in grad.iter().enumerate() {
        prop_assert!(if class == label { entry <= F::zero() } else { entry >= F::zero() }, "{} at {}", entry, class);
    }
    let sum = grad.iter().fold(F::zero(), |sum, &g| sum + g);
    // Up to 300 terms.
    let magnitude = grad[label] * F::from_f64(8.0) + F::min_positive_value() / F::epsilon();
    prop_assert!(SUM.allows(sum, F::zero(), magnitude), "{} in all", sum);
    Ok(())
}

both_floats! {
    the_gradient_moves_the_label_against_the_others in many;
}

/// τ ln 2 per tie is all that smoothing adds: at τ = 1e−6 the loss is the hinge of the K-th largest other score, with margin K, over K.
#[test]
fn a_cold_loss_is_the_hinge_of_the_kth_other() {
    holds(moderate_example::<f64>(), |Example { scores, label, k }| {
        let guesses = k as f64;
        let hinge = TopKSvm::new(k, TopKSvmForm::KthOther)
            .unwrap()
            .with_margins(Margins::Uniform(guesses))
            .unwrap()
            .with_scale(guesses.recip())
            .unwrap();
        let (value, _) = evaluate(&SmoothTopKSvm::new(k, 1e-6, 1.0).unwrap(), &scores, label);
        let (expected, _) = evaluate(&hinge, &scores, label);
        prop_assert!((value - expected).abs() < 1e-6 * 4.0, "{} instead of {}", value, expected);
        Ok(())
    });
}

#[test]
fn one_guess_without_a_margin_is_the_cross_entropy() {
    holds(example::<f64>(), |Example { scores, label, .. }| {
        let (value, grad) = evaluate(&SmoothTopKSvm::new(1, 1.0, 0.0).unwrap(), &scores, label);
        agree(SMOOTH_TOP_K_SVM, &(value, grad), &evaluate(&CrossEntropy, &scores, label))
    });
}

const SENTINEL: f64 = -7.25;

fn refused(loss: &SmoothTopKSvm<f64>, scores: &[f64], label: usize, grad: usize, scratch: usize) -> Error {
    let (mut grad, mut scratch) = (vec![SENTINEL; grad], vec![SENTINEL; scratch]);
    let error = loss.value_and_grad(scores, label, &mut grad, &mut scratch).unwrap_err();
    assert!(grad.iter().all(|&g| g == SENTINEL), "{grad:?}");
    error
}

#[test]
fn bad_input_is_refused_and_the_gradient_is_as_it_was() {
    let loss = SmoothTopKSvm::new(3, 1.0, 1.0).unwrap();
    let (scores, room) = ([0.5, -0.5, 2.0, 1.0], loss.scratch_len(4));
    assert!(evaluate(&loss, &scores, 1).0 > 0.0);
    assert_eq!(refused(&loss, &scores, 4, 4, room), Error::Label { label: 4, num_classes: 4 });
    assert_eq!(refused(&loss, &scores, 0, 3, room), Error::Length { what: "grad", expected: 4, actual: 3 });
    assert_eq!(refused(&loss, &scores, 0, 4, room - 1), Error::Length { what: "scratch", expected: room, actual: room - 1 });
    assert_eq!(refused(&loss, &scores[..3], 0, 3, room), Error::K { k: 3, max: 2 });
    assert_eq!(refused(&loss, &[], 0, 0, room), Error::Length { what: "scores", expected: 1, actual: 0 });
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(refused(&loss, &[0.0, 1.0, bad, 0.0], 0, 4, room), Error::NotFinite { what: "scores", index: 2 });
        assert_eq!(refused(&loss, &[0.0, 1.0, bad, 0.0], 2, 4, room), Error::NotFinite { what: "scores", index: 2 });
    }
    let far = [f64::MAX, f64::MAX, f64::MAX, f64::MIN];
    assert!(matches!(refused(&loss, &far, 3, 4, room), Error::Overflow { .. }));
}

#[test]
fn bad_parameters_are_refused() {
    assert_eq!(SmoothTopKSvm::new(0, 1.0, 1.0), Err(Error::Parameter { name: "k", must: "at least 1" }));
    for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(SmoothTopKSvm::new(1, x, 1.0), Err(Error::Parameter { name: "temperature", must: "positive and finite" }));
    }
    for x in [f64::NAN, f64::INFINITY] {
        assert!(matches!(
            SmoothTopKSvm::new(1, 1.0, x),
            Err(Error::NotFinite { what: "margin", .. } | Error::Parameter { name: "margin", .. })
        ));
    }
}
