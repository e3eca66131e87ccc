//! The choice of ε: an interval that holds every bias, and an ε for so many effective classes.
#![no_main]

use topk_loss::epsilon::{bias_interval, effective_classes, epsilon_for_effective_classes};
use topk_loss::estimator::Exact;
use topk_loss::noise::Noise;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::select::kth_largest;
use topk_loss_fuzz::promises::{assert_finite, scratch};
use topk_loss_fuzz::{Float, Input, target, with_smooth_law};
use topk_loss_laws::reference::to_f64;

fn choice<F: Float, N: Noise<F>>(law: N, theta: &[F], input: &Input) {
    let (len, k, epsilon) = (theta.len(), input.k.rank(theta.len()), input.epsilon::<F>());
    let Ok(oracle) = KthLargest::new(k) else { return };
    let interval = bias_interval(law, epsilon, k, len);
    if let Ok((low, high)) = interval {
        assert_finite("interval", &[low, high]);
        assert!(low <= high, "{low} to {high}");
        let exact = Exact::new(oracle, law, epsilon).expect("ε is positive");
        let smoothed = exact.value(theta, &mut scratch(exact.scratch_len(len)));
        if let (Ok(smoothed), Ok(hard)) = (smoothed, kth_largest(theta, k, &mut scratch(len))) {
            let bias = to_f64(smoothed) - to_f64(hard.value);
            // The subtraction rounds at the size of the scores.
            let slack = 8.0 * to_f64(F::epsilon()) * (to_f64(hard.value.abs()) + to_f64(smoothed.abs())) + 1e-4 * to_f64(epsilon);
            assert!(bias >= to_f64(low) - slack && bias <= to_f64(high) + slack, "a bias of {bias} outside of {low} to {high}");
        }
    }
    let wanted = input.factor::<F>();
    let (mut grad, mut room) = (vec![F::nan(); len], scratch(Exact::new(oracle, law, F::one()).expect("1 is positive").scratch_len(len)));
    if let Ok(found) = epsilon_for_effective_classes(oracle, law, theta, wanted, &mut grad, &mut room) {
        assert!(found > F::zero() && found.is_finite());
        let classes = to_f64(effective_classes(&grad));
        assert!((classes / to_f64(wanted) - 1.0).abs() <= 2e-3, "{classes} effective classes instead of {wanted}");
    }
}

fn epsilon<F: Float>(input: &Input) {
    let mut theta: Vec<F> = input.scores();
    // Sixty exact forms.
    theta.truncate(48);
    with_smooth_law!(input.law, law => choice(law, &theta, input));
    // Any number of classes, without one of them there.
    let _ = bias_interval(input.law(), input.epsilon::<F>(), input.k.rank(theta.len()), input.label.rank(theta.len()));
}

target!(epsilon);
