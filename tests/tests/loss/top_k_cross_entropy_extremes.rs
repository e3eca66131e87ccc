//! The top-K cross-entropy where floats end: labels far too deep, scores of ±1e30, single precision, bad input.

use core::fmt::Debug;

use proptest::prelude::*;
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::Ranks;
use topk_loss::{Error, Loss, Real, Result};
use topk_loss_laws::property::{evaluate, holds, try_evaluate};
use topk_loss_laws::reference::{ln_normal_survival, normal_hazard, to_f64};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{LABEL_AMONG_THE_TOP, NORMAL_IN_SINGLE_PRECISION, SINGLE_PRECISION};
use topk_loss_laws::{Example, Tolerance, both_floats, example};

/// −ln P and its slope for two classes, the label the lower one by `gap`: there the difference of the two noises has a closed form.
fn two_classes(law: &str, gap: f64) -> (f64, f64) {
    match law {
        "gumbel" => (gap + (-gap).exp().ln_1p(), 1.0 / (1.0 + (-gap).exp())),
        "logistic" => {
            // P = q(gap − 1 + q)/(1 − q)².
            let q = (-gap).exp();
            (gap - (gap - 1.0 + q).ln() + 2.0 * (-q).ln_1p(), 1.0 - (1.0 - q) / (gap - 1.0 + q) + 2.0 * q / (1.0 - q))
        }
        _ => {
            // N(0, 2).
            let z = gap * core::f64::consts::FRAC_1_SQRT_2;
            (-ln_normal_survival(z), normal_hazard(z) * core::f64::consts::FRAC_1_SQRT_2)
        }
    }
}

/// Right or refused at any depth, and not refused down to `reach`.
fn check_depth<F: Real>(law: impl Noise<F> + Debug, name: &str, reach: f64, tolerance: Tolerance) {
    let loss = TopKCrossEntropy::new(1, law, F::one()).unwrap();
    for quarter in 6..1200 {
        let gap = f64::from(quarter) / 4.0;
        let (expected, slope) = two_classes(name, gap);
        match try_evaluate(&loss, &[F::zero(), F::from_f64(gap)], 0) {
            Ok((value, grad)) => {
                assert!(tolerance.allows(to_f64(value), expected, expected), "{law:?} at {gap}: {value} instead of {expected}");
                assert!(tolerance.allows(to_f64(grad[1]), slope, slope), "{law:?} at {gap}: slope {} instead of {slope}", grad[1]);
            }
            Err(error) => assert!(matches!(error, Error::Accuracy { .. }) && gap > reach, "{law:?} at {gap}: {error}"),
        }
    }
}

#[test]
fn a_label_however_deep_is_right_or_refused() {
    check_depth::<f64>(Gumbel, "gumbel", f64::INFINITY, LABEL_AMONG_THE_TOP);
    check_depth::<f64>(Logistic, "logistic", 75.0, LABEL_AMONG_THE_TOP);
    check_depth::<f64>(Normal, "normal", 50.0, LABEL_AMONG_THE_TOP);
    check_depth::<f32>(Gumbel, "gumbel", f64::INFINITY, SINGLE_PRECISION);
    check_depth::<f32>(Logistic, "logistic", 40.0, SINGLE_PRECISION);
    check_depth::<f32>(Normal, "normal", 11.0, NORMAL_IN_SINGLE_PRECISION);
}

/// Where other classes are as deep as the label, the order statistic is among them with a probability that no `f32` holds; they must
/// not count for more than that.
#[test]
fn a_deep_label_in_deep_company_is_right_or_refused() {
    for depth in [30.0, 40.0, 50.0, 60.0, 65.0] {
        let score = |class: usize| 0.01 * class as f32 - if class < 16 { 0.0 } else { depth };
        let scores: Vec<f32> = (0..30).map(score).collect();
        let same: Vec<f64> = scores.iter().map(|&s| to_f64(s)).collect();
        for k in 1..=16 {
            let (expected, _) = evaluate(&TopKCrossEntropy::new(k, Logistic, 1.0).unwrap(), &same, 16);
            if let Ok((value, _)) = try_evaluate(&TopKCrossEntropy::new(k, Logistic, 1.0).unwrap(), &scores, 16) {
                assert!(SINGLE_PRECISION.allows(to_f64(value), expected, expected), "{depth} deep, k = {k}: {value} instead of {expected}");
            }
        }
    }
}

/// Wherever `f32` gives an answer, it is that of `f64` on the same scores, the gradient to 1e−5 of its largest entry or 1e−8/ε, whichever
/// is more.
fn survives_single_precision(
    law: impl Noise<f32> + Noise<f64>,
    tolerance: Tolerance,
    epsilon: f32,
    Example { scores, label, k }: &Example<f32>,
) -> core::result::Result<(), TestCaseError> {
    let same: Vec<f64> = scores.iter().map(|&s| to_f64(s)).collect();
    let (expected, expected_grad) = match try_evaluate(&TopKCrossEntropy::new(*k, law, f64::from(epsilon)).unwrap(), &same, *label) {
        Ok(result) => result,
        Err(Error::Accuracy { .. }) => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    let (value, grad) = match try_evaluate(&TopKCrossEntropy::new(*k, law, epsilon).unwrap(), scores, *label) {
        Ok(result) => result,
        Err(Error::Accuracy { .. }) if expected > 20.0 => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    prop_assert!(tolerance.allows(to_f64(value), expected, expected.max(1e-2)), "{} instead of {}", value, expected);
    let largest = expected_grad.iter().fold(1e-3 / f64::from(epsilon), |largest, g| g.abs().max(largest));
    for (g, expected) in grad.into_iter().zip(expected_grad) {
        prop_assert!(tolerance.allows(to_f64(g), expected, largest), "{} instead of {}", g, expected);
    }
    Ok(())
}

fn lifted() -> impl Strategy<Value = (Example<f32>, f32)> {
    let any = prop_oneof![example::<f32>(), moderate_example::<f32>()];
    (any, prop_oneof![Just(0.0_f32), -60.0..60.0_f32], 0.3..4.0_f32).prop_map(|(mut example, shift, epsilon)| {
        example.scores[example.label] += shift * epsilon;
        (example, epsilon)
    })
}

#[test]
fn single_precision_is_enough_for_gumbel_noise() {
    holds(lifted(), |(example, epsilon)| survives_single_precision(Gumbel, SINGLE_PRECISION, epsilon, &example));
}

#[test]
fn single_precision_is_enough_for_logistic_noise() {
    holds(lifted(), |(example, epsilon)| survives_single_precision(Logistic, SINGLE_PRECISION, epsilon, &example));
}

/// Its tail multiplies the rounding of a score at z by z.
#[test]
fn single_precision_of_normal_noise() {
    holds(lifted(), |(example, epsilon)| survives_single_precision(Normal, NORMAL_IN_SINGLE_PRECISION, epsilon, &example));
}

/// Any scores, any ε: a finite loss of the right sign with a finite gradient, or a named limit of the float.
fn nothing_is_silently_wrong<F: Real>((Example { scores, label, k }, epsilon): (Example<F>, F)) -> core::result::Result<(), TestCaseError> {
    fn check<F: Real>(law: impl Noise<F>, scores: &[F], label: usize, k: usize, epsilon: F) -> core::result::Result<(), TestCaseError> {
        match try_evaluate(&TopKCrossEntropy::new(k, law, epsilon).unwrap(), scores, label) {
            Ok((value, grad)) => {
                prop_assert!(value.is_finite() && value >= F::zero(), "{}", value);
                for (class, &g) in grad.iter().enumerate() {
                    prop_assert!(g.is_finite() && if class == label { g <= F::zero() } else { g >= F::zero() }, "{:?}", grad);
                }
            }
            Err(Error::Accuracy { .. } | Error::Overflow { .. }) => {}
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        Ok(())
    }
    check(Gumbel, &scores, label, k, epsilon)?;
    check(Logistic, &scores, label, k, epsilon)?;
    check(Normal, &scores, label, k, epsilon)
}

fn anything<F: Real>() -> impl Strategy<Value = (Example<F>, F)> {
    let size = prop::sample::select(vec![1e-30, 1e-6, 0.1, 1.0, 10.0, 1e6, 1e30]);
    (example::<F>(), size).prop_map(|(example, epsilon)| (example, F::from_f64(epsilon)))
}

both_floats! {
    nothing_is_silently_wrong in anything;
}

/// The gradient is that of the difference of two noises, in units of ε: large, but in range.
#[test]
fn a_tiny_epsilon_does_not_overflow() {
    let scores = [1.107_211_5e-30_f32, -2.032_136, 0.201_304_14, 0.448_822_08, -1.138_682_8e-30];
    let loss = TopKCrossEntropy::new(3, Logistic, 1e-30).unwrap();
    match try_evaluate(&loss, &scores, 1) {
        Ok((value, grad)) => assert!(value.is_finite() && grad.iter().all(|g| g.is_finite()), "{value}, {grad:?}"),
        Err(error) => assert!(matches!(error, Error::Accuracy { .. }), "{error}"),
    }
}

const SENTINEL: f64 = -7.25;

/// The error of value and gradient, the gradient as it was.
fn refused(loss: &TopKCrossEntropy<Gumbel, f64, Ranks<'_, f64>>, scores: &[f64], label: usize, grad: usize, scratch: usize) -> Error {
    let (mut grad, mut scratch) = (vec![SENTINEL; grad], vec![SENTINEL; scratch]);
    let error = loss.value_and_grad(scores, label, &mut grad, &mut scratch).unwrap_err();
    assert!(grad.iter().all(|&g| g == SENTINEL), "{grad:?}");
    error
}

#[test]
fn bad_input_is_refused_and_the_gradient_is_as_it_was() {
    let loss = TopKCrossEntropy::new(3, Gumbel, 1.0).unwrap();
    let (scores, room) = ([0.5, -0.5, 2.0, 1.0], loss.scratch_len(4));
    assert!(evaluate(&loss, &scores, 1).0 > 0.0);
    assert_eq!(refused(&loss, &scores, 4, 4, room), Error::Label { label: 4, num_classes: 4 });
    assert_eq!(refused(&loss, &scores, 0, 3, room), Error::Length { what: "grad", expected: 4, actual: 3 });
    assert_eq!(refused(&loss, &scores, 0, 5, room), Error::Length { what: "grad", expected: 4, actual: 5 });
    assert_eq!(refused(&loss, &scores, 0, 4, room - 1), Error::Length { what: "scratch", expected: room, actual: room - 1 });
    assert_eq!(refused(&loss, &scores[..3], 0, 3, room), Error::K { k: 3, max: 2 });
    assert_eq!(refused(&loss, &scores[..1], 0, 1, room), Error::K { k: 3, max: 0 });
    assert_eq!(refused(&loss, &[], 0, 0, room), Error::Length { what: "scores", expected: 1, actual: 0 });
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(refused(&loss, &[0.0, 1.0, bad, 0.0], 0, 4, room), Error::NotFinite { what: "scores", index: 2 });
        assert_eq!(refused(&loss, &[0.0, 1.0, bad, 0.0], 2, 4, room), Error::NotFinite { what: "scores", index: 2 });
    }
    let far = [f64::MAX, f64::MAX, f64::MAX, f64::MIN];
    assert_eq!(refused(&loss, &far, 3, 4, room), Error::Overflow { what: "range of the scores" });
}

fn parameter<T>(name: &'static str, must: &'static str) -> Result<T> {
    Err(Error::Parameter { name, must })
}

#[test]
fn bad_parameters_are_refused() {
    assert_eq!(TopKCrossEntropy::new(0, Gumbel, 1.0), parameter("k", "at least 1"));
    for epsilon in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(TopKCrossEntropy::new(1, Gumbel, epsilon), parameter("epsilon", "positive and finite"));
        assert_eq!(TopKCrossEntropy::mixture(&[1.0], Gumbel, epsilon), parameter("epsilon", "positive and finite"));
    }
    assert_eq!(TopKCrossEntropy::new(1, Laplace, 1.0), parameter("law", "smooth for an exact probability"));
    assert_eq!(TopKCrossEntropy::mixture(&[1.0], Uniform, 1.0), parameter("law", "smooth for an exact probability"));
    assert_eq!(TopKCrossEntropy::mixture(&[1.5, -0.5], Gumbel, 1.0), parameter("shares", "of entries that are at least 0"));
    for shares in [&[0.5, 0.4][..], &[0.0; 3], &[], &[0.5, 0.51]] {
        assert_eq!(TopKCrossEntropy::mixture(shares, Gumbel, 1.0), parameter("shares", "of entries that sum to 1"));
    }
    assert_eq!(TopKCrossEntropy::mixture(&[1.0, f64::NAN], Gumbel, 1.0), Err(Error::NotFinite { what: "shares", index: 1 }));

    // Shares of nothing at the end ask for no class.
    let shares = [1.0, 0.0, 0.0, 0.0, 0.0];
    let loss = TopKCrossEntropy::mixture(&shares, Gumbel, 1.0).unwrap();
    assert!((evaluate(&loss, &[0.0, 0.0], 0).0 - 2.0_f64.ln()).abs() < 1e-12);
}
