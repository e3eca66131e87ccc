//! Logit adjustment is its definition, bit for bit, around any loss; and the priors it usually adds.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::imbalance::log_priors;
use topk_loss::loss::{LogitAdjusted, SoftLabelLoss, TopKSvm, TopKSvmForm};
use topk_loss::{CrossEntropy, FoldIn, Key, Loss, Real, Smoothing, TopKHinge};
use topk_loss_laws::property::{config, evaluate};
use topk_loss_laws::tolerances::LOG_PRIOR;
use topk_loss_laws::{Example, both_floats, class_counts, example, reference};

fn adjusted<F: Real>() -> impl Strategy<Value = (Example<F>, Vec<F>)> {
    example().prop_flat_map(|example: Example<F>| {
        let adjustments = vec((-8.0..0.0).prop_map(F::from_f64), example.scores.len());
        (Just(example), adjustments)
    })
}

fn pathwise<F: Real>(k: usize) -> TopKHinge<F> {
    let smoothing = Smoothing::Pathwise { epsilon: F::one(), num_samples: 3, key: Key::new(7) };
    TopKHinge::new(k).unwrap().with_smoothing(smoothing).unwrap()
}

fn it_is_the_loss_of_the_sum<F: Real>((Example { scores, label, k }, adjustments): (Example<F>, Vec<F>)) -> Result<(), TestCaseError> {
    let sum: Vec<F> = scores.iter().zip(&adjustments).map(|(&s, &a)| s + a).collect();
    let (hinge, svm) = (pathwise(k), TopKSvm::new(k, TopKSvmForm::MeanInside).unwrap());
    for loss in [&CrossEntropy as &dyn Loss<F>, &hinge, &svm] {
        prop_assert_eq!(evaluate(&LogitAdjusted::new(loss, &adjustments).unwrap(), &scores, label), evaluate(loss, &sum, label));
    }
    let folded = LogitAdjusted::new(hinge, &adjustments).unwrap().fold_in(3);
    prop_assert_eq!(folded, LogitAdjusted::new(hinge.fold_in(3), &adjustments).unwrap());
    Ok(())
}

/// Of a target distribution too.
fn it_is_the_soft_loss_of_the_sum<F: Real>(
    (Example { scores, label, .. }, adjustments): (Example<F>, Vec<F>),
) -> Result<(), TestCaseError> {
    let sum: Vec<F> = scores.iter().zip(&adjustments).map(|(&s, &a)| s + a).collect();
    let mut target = vec![F::zero(); scores.len()];
    target[label] += F::from_f64(0.75);
    target[0] += F::from_f64(0.25);
    let (mut grad, mut expected_grad) = (vec![F::nan(); scores.len()], vec![F::nan(); scores.len()]);
    let (loss, mut scratch) = (LogitAdjusted::new(CrossEntropy, &adjustments).unwrap(), vec![F::nan(); scores.len()]);
    let value = SoftLabelLoss::soft_value_and_grad(&loss, &scores, &target, &mut grad, &mut scratch);
    prop_assert_eq!(value, SoftLabelLoss::soft_value_and_grad(&CrossEntropy, &sum, &target, &mut expected_grad, &mut []));
    prop_assert_eq!(value, SoftLabelLoss::soft_value(&loss, &scores, &target, &mut scratch));
    prop_assert_eq!(grad, expected_grad);
    Ok(())
}

fn counts_and_temperature<F: Real>() -> impl Strategy<Value = (Vec<usize>, F)> {
    let positive = class_counts().prop_map(|counts| counts.into_iter().map(|n| n.max(1)).collect());
    (positive, (-2.0..2.0).prop_map(F::from_f64))
}

fn log_priors_follow_the_formula<F: Real>((counts, temperature): (Vec<usize>, F)) -> Result<(), TestCaseError> {
    let mut adjustments = vec![F::nan(); counts.len()];
    log_priors(&counts, temperature, &mut adjustments).unwrap();
    for (&a, expected) in adjustments.iter().zip(reference::log_priors(&counts, reference::to_f64(temperature))) {
        let magnitude = F::from_f64(expected).abs() + temperature.abs();
        prop_assert!(LOG_PRIOR.allows(a, F::from_f64(expected), magnitude), "{} instead of {}", a, expected);
    }
    Ok(())
}

both_floats! {
    it_is_the_loss_of_the_sum in adjusted;
    it_is_the_soft_loss_of_the_sum in adjusted;
    log_priors_follow_the_formula in counts_and_temperature;
}

proptest! {
    #![proptest_config(config())]

    /// At 1e6 the grid of `f32` has the step 1/16, on which no prior is. Told that only differences count, it subtracts the offset first.
    #[test]
    fn a_common_offset_changes_nothing(steps in vec(0..16_u8, 2..40), place: prop::sample::Index) {
        let near: Vec<f32> = steps.iter().map(|&step| f32::from(step) / 16.0).collect();
        let far: Vec<f32> = near.iter().map(|s| 1e6 + s).collect();
        let priors: Vec<f32> = (0..near.len()).map(|class| -0.01 * class as f32).collect();
        let (loss, label) = (LogitAdjusted::new(CrossEntropy, &priors).unwrap().shift_invariant(), place.index(near.len()));
        prop_assert_eq!(evaluate(&loss, &far, label), evaluate(&loss, &near, label));
    }
}

/// Balanced softmax, as Ren et al. write it: −ln(n_y e^{s_y} / Σ n_j e^{s_j}).
#[test]
fn temperature_1_is_the_balanced_softmax() {
    let (counts, scores, mut priors) = ([1000, 30, 2], [0.3_f64, -0.7, 1.1], [0.0; 3]);
    log_priors(&counts, 1.0, &mut priors).unwrap();
    let loss = LogitAdjusted::new(CrossEntropy, &priors).unwrap();
    let balanced: Vec<f64> = counts.iter().zip(scores).map(|(&n, s)| f64::from(n as u32) * s.exp()).collect();
    for label in 0..3 {
        let expected = -(balanced[label] / balanced.iter().sum::<f64>()).ln();
        assert!((Loss::value(&loss, &scores, label, &mut [0.0; 3]).unwrap() - expected).abs() < 1e-14);
    }
}
