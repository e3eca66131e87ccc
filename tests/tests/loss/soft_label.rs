//! Losses of a target distribution against sums over its labels.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::loss::{ExpectedLoss, SoftLabelLoss};
use topk_loss::{CrossEntropy, FoldIn, Key, Loss, Real, Smoothing, TopKHinge};
use topk_loss_laws::property::evaluate;
use topk_loss_laws::reference::ValueAndGrad;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::CROSS_ENTROPY;
use topk_loss_laws::{Example, both_floats, example, reference};

type Targeted<F> = (Example<F>, Vec<F>);

/// A distribution whose entries are multiples of 1/64, many of them 0: it sums to 1 exactly.
fn with_target<F: Real>(example: Example<F>) -> impl Strategy<Value = Targeted<F>> {
    let len = example.scores.len();
    vec(0..len, 64).prop_map(move |classes| {
        let mut target = vec![F::zero(); len];
        classes.into_iter().for_each(|class| target[class / 3] += F::from_f64(1.0 / 64.0));
        (example.clone(), target)
    })
}

fn targeted<F: Real>() -> impl Strategy<Value = Targeted<F>> {
    example().prop_flat_map(with_target)
}

fn moderate<F: Real>() -> impl Strategy<Value = Targeted<F>> {
    moderate_example().prop_flat_map(with_target)
}

fn one_hot<F: Real>(len: usize, label: usize) -> Vec<F> {
    (0..len).map(|class| if class == label { F::one() } else { F::zero() }).collect()
}

fn pathwise<F: Real>(k: usize) -> TopKHinge<F> {
    let smoothing = Smoothing::Pathwise { epsilon: F::one(), num_samples: 3, key: Key::new(7) };
    TopKHinge::new(k).unwrap().with_smoothing(smoothing).unwrap()
}

/// As [`evaluate`] for a label.
fn evaluate_soft<F: Real>(loss: &impl SoftLabelLoss<F>, scores: &[F], target: &[F]) -> ValueAndGrad<F> {
    let (mut grad, mut scratch) = (vec![F::nan(); scores.len()], vec![F::nan(); loss.soft_scratch_len(scores.len())]);
    let value = loss.soft_value_and_grad(scores, target, &mut grad, &mut scratch).expect("a loss of good input");
    assert_eq!(loss.soft_value(scores, target, &mut scratch), Ok(value));
    assert_eq!(loss.soft_value(scores, target, &mut vec![F::infinity(); scratch.len() + 1]), Ok(value));
    (value, grad)
}

fn cross_entropy_is_the_formula<F: Real>((Example { scores, .. }, target): Targeted<F>) -> Result<(), TestCaseError> {
    let (value, grad) = evaluate_soft(&CrossEntropy, &scores, &target);
    let (expected, expected_grad) = reference::soft_cross_entropy(&scores, &target);
    let (low, high) = scores.iter().fold((scores[0], scores[0]), |(low, high), &s| (low.min(s), high.max(s)));
    let condition = F::one() + (high - low).min(F::from_f64(100.0));
    let expected = F::from_f64(expected);
    prop_assert!(CROSS_ENTROPY.allows(value, expected, expected.max(F::one()) * condition), "{} instead of {}", value, expected);
    for (&g, expected) in grad.iter().zip(expected_grad) {
        prop_assert!(CROSS_ENTROPY.allows(g, F::from_f64(expected), condition), "{} instead of {}", g, expected);
    }
    Ok(())
}

/// A target that is all one class is a label, whose small loss keeps its digits.
fn a_certain_target_is_a_label<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let largest = scores.iter().copied().fold(F::zero(), F::max);
    let mut confident = scores.clone();
    confident[label] = largest + F::from_f64(40.0);
    for scores in [scores, confident] {
        let (value, grad) = evaluate_soft(&CrossEntropy, &scores, &one_hot(scores.len(), label));
        let (expected, expected_grad) = evaluate(&CrossEntropy, &scores, label);
        prop_assert!(CROSS_ENTROPY.allows(value, expected, expected), "{} instead of {}", value, expected);
        let largest = expected_grad.iter().fold(F::zero(), |largest, g| largest.max(g.abs()));
        for (g, expected) in grad.into_iter().zip(expected_grad) {
            prop_assert!(CROSS_ENTROPY.allows(g, expected, largest), "{} instead of {}", g, expected);
        }
    }
    Ok(())
}

fn the_expected_loss_is_the_sum<F: Real>((Example { scores, label, k }, target): Targeted<F>) -> Result<(), TestCaseError> {
    let hinge = pathwise(k);
    for loss in [&CrossEntropy as &dyn Loss<F>, &hinge] {
        let (mut value, mut grad) = (F::zero(), vec![F::zero(); scores.len()]);
        for (label, &share) in target.iter().enumerate().filter(|(_, share)| **share > F::zero()) {
            let (part, part_grad) = evaluate(loss, &scores, label);
            value += share * part;
            grad.iter_mut().zip(part_grad).for_each(|(sum, g)| *sum += share * g);
        }
        let expected = ExpectedLoss::new(loss);
        prop_assert_eq!(evaluate_soft(&expected, &scores, &target), (value, grad));
        prop_assert_eq!(evaluate_soft(&expected, &scores, &one_hot(scores.len(), label)), evaluate(loss, &scores, label));
    }
    prop_assert_eq!(ExpectedLoss::new(hinge).fold_in(3), ExpectedLoss::new(hinge.fold_in(3)));
    Ok(())
}

/// Two readings of soft labels that agree for this loss alone.
fn the_cross_entropy_is_its_own_expectation<F: Real>((Example { scores, .. }, target): Targeted<F>) -> Result<(), TestCaseError> {
    let (value, grad) = evaluate_soft(&CrossEntropy, &scores, &target);
    let (expected, expected_grad) = evaluate_soft(&ExpectedLoss::new(CrossEntropy), &scores, &target);
    prop_assert!(CROSS_ENTROPY.allows(value, expected, expected), "{} instead of {}", value, expected);
    for (g, expected) in grad.into_iter().zip(expected_grad) {
        prop_assert!(CROSS_ENTROPY.allows(g, expected, F::one()), "{} instead of {}", g, expected);
    }
    Ok(())
}

/// The target is where the gradient vanishes.
fn scores_that_are_the_log_target_are_stationary<F: Real>((_, target): Targeted<F>) -> Result<(), TestCaseError> {
    let scores: Vec<F> = target.iter().map(|&q| q.max(F::min_positive_value()).ln()).collect();
    let (_, grad) = evaluate_soft(&CrossEntropy, &scores, &target);
    prop_assert!(grad.iter().all(|&g| CROSS_ENTROPY.allows(g, F::zero(), F::one())));
    Ok(())
}

both_floats! {
    cross_entropy_is_the_formula in targeted;
    a_certain_target_is_a_label in moderate_example;
    the_expected_loss_is_the_sum in moderate;
    the_cross_entropy_is_its_own_expectation in moderate;
    scores_that_are_the_log_target_are_stationary in targeted;
}
