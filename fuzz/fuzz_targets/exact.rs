//! The exact form that compresses the far classes against the one that takes every class by itself: within the certificates.
#![no_main]

use topk_loss::estimator::{Certified, Exact};
use topk_loss::noise::Noise;
use topk_loss::oracle::{Oracle, OrderStatistics};
use topk_loss_fuzz::oracles::weights;
use topk_loss_fuzz::promises::{self, scratch};
use topk_loss_fuzz::{Float, Input, target, with_smooth_law};
use topk_loss_laws::reference::to_f64;

/// Ranks times classes.
const MOST: usize = 1000;

fn agree<F: Float, N: Noise<F>>(oracle: &dyn OrderStatistics<F>, law: N, theta: &[F], input: &Input) {
    let Ok(mut fast) = Exact::new(oracle, law, input.epsilon::<F>()) else { return };
    if input.dice[2] & 1 == 1 {
        let Ok(other) = fast.with_tolerance(input.factor()) else { return };
        fast = other;
    }
    let plain = Exact::new(oracle, law, input.epsilon::<F>()).expect("as before").plain();
    let _ = fast.scratch_len(input.label.rank(theta.len()));
    let ours = promises::oracle(&fast, theta, F::one());
    let certified = |exact: &Exact<&dyn OrderStatistics<F>, N, F>| {
        let mut grad = vec![F::zero(); theta.len()];
        let outcome = exact.certified(theta, F::one(), &mut grad, &mut scratch(exact.scratch_len(theta.len())));
        outcome.map(|certified| (certified, grad))
    };
    let Ok((Certified { value, error_bound }, grad)) = certified(&fast) else {
        assert!(ours.is_err());
        return;
    };
    let (same, same_grad) = ours.expect("certified");
    promises::assert_same("value", &[same], &[value]);
    promises::assert_same("gradient", &same_grad, &grad);
    assert!(error_bound >= F::zero() && error_bound.is_finite(), "{error_bound}");

    let weights = weights(oracle);
    let size: f64 = weights.iter().map(|&(weight, _)| to_f64(weight.abs())).sum();
    let mass: f64 = weights.iter().map(|&(weight, _)| to_f64(weight)).sum();
    let sum: f64 = grad.iter().map(|&entry| to_f64(entry)).sum();
    let rounding = to_f64(F::epsilon()) * size * (theta.len() as f64 + 16.0);
    assert!((sum - mass).abs() <= to_f64(error_bound) + rounding, "a mass of {sum} for {mass}, bound {error_bound}");

    let Ok((expected, expected_grad)) = certified(&plain) else { return };
    let bounds = to_f64(error_bound) + to_f64(expected.error_bound);
    let distance: f64 = grad.iter().zip(&expected_grad).map(|(&a, &b)| (to_f64(a) - to_f64(b)).abs()).sum();
    assert!(distance <= bounds + rounding, "the gradient is {distance} off, bound {bounds}");
    let largest = theta.iter().fold(0.0_f64, |largest, &score| largest.max(to_f64(score.abs())));
    let allowed = bounds * to_f64(input.epsilon::<F>()) * 8.0 + rounding * (largest + 64.0 * to_f64(input.epsilon::<F>()));
    let error = (to_f64(value) - to_f64(expected.value)).abs();
    assert!(error <= allowed, "{value} for {}, {error} off, {allowed} allowed", expected.value);
}

fn exact<F: Float>(input: &Input) {
    let theta: Vec<F> = input.scores();
    let Ok(oracle) = input.order_statistics::<F>(theta.len()) else { return };
    // Ranks far apart take a window each, and the plain form the square of the classes for each.
    if oracle.ranks().each().take(MOST).count() * theta.len() < MOST {
        with_smooth_law!(input.law, law => agree(&*oracle, law, &theta, input));
    }
}

target!(exact);
