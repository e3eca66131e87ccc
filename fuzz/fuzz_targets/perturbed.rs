//! Perturbed optimizers: the expected argmax, and products with its Jacobian from both sides.
#![no_main]

use topk_loss::Error;
use topk_loss::maximizer::{Maximizer, PerturbedArgmax, Ranking, SoftTopKMask, TopKMask};
use topk_loss_fuzz::promises::{assert_finite, assert_same, assert_untouched, buffer, is_of_the_computation, scratch};
use topk_loss_fuzz::{Float, Input, target};
use topk_loss_laws::reference::to_f64;

const MOST_DRAWS: usize = 24;

fn checked<F: Float>(len: usize, call: impl Fn(&mut [F]) -> topk_loss::Result<()>) -> Option<Vec<F>> {
    let mut out = buffer(len);
    match call(&mut out) {
        Ok(()) => {
            assert_finite("output", &out);
            let mut again = vec![F::nan(); len];
            call(&mut again).expect("it was right once");
            assert_same("the same call twice", &again, &out);
            Some(out)
        }
        Err(error) => {
            if !is_of_the_computation(&error) && !matches!(error, Error::NotFinite { .. }) {
                assert_untouched(&out, &error);
            }
            None
        }
    }
}

fn optimizer<F: Float>(maximizer: impl Maximizer<F>, mass: Option<usize>, theta: &[F], input: &Input) {
    let draws: Vec<F> = input.others(theta.len() * 3);
    let Ok(sampler) = input.sampler::<F>(MOST_DRAWS, &draws, theta.len()) else { return };
    let Ok(soft) = PerturbedArgmax::new(maximizer, &*sampler, input.epsilon::<F>(), input.key()) else { return };
    let _ = soft.scratch_len(input.label.rank(theta.len()));
    let (len, needed) = (theta.len(), soft.scratch_len(theta.len()));
    if let (Some(y), Some(mass)) = (checked(len, |y| soft.expected_argmax(theta, y, &mut scratch(needed))), mass) {
        let sum: f64 = y.iter().map(|&y| to_f64(y)).sum();
        assert!((sum - mass as f64).abs() <= 1e3 * to_f64(F::epsilon()) * mass as f64, "a mass of {sum}");
    }
    let directions: Vec<F> = input.others(2 * len);
    let (v, w) = directions.split_at(directions.len() / 2);
    let forward = checked(len, |product| soft.jvp(theta, v, product, &mut scratch(needed)));
    let backward = checked(len, |product| soft.vjp(theta, w, product, &mut scratch(needed)));
    let (Some(forward), Some(backward)) = (forward, backward) else { return };
    let terms = |a: &[F], b: &[F]| -> (f64, f64) {
        let terms = || a.iter().zip(b).map(|(&a, &b)| to_f64(a) * to_f64(b));
        (terms().sum(), terms().map(f64::abs).sum())
    };
    // The same draws make the same matrix; what cancels within it may be far larger than what is left.
    let ((left, size), (right, other)) = (terms(w, &forward), terms(&backward, v));
    let largest = |numbers: &[F]| numbers.iter().fold(0.0_f64, |largest, &x| largest.max(to_f64(x.abs())));
    let reach = largest(v) * largest(w) * (len * len * len) as f64 * 1e2 / to_f64(input.epsilon::<F>());
    let allowed = 1e3 * to_f64(F::epsilon()) * (size + other + reach) + to_f64(F::min_positive_value()).sqrt();
    assert!(!allowed.is_finite() || (left - right).abs() <= allowed, "⟨w, Jv⟩ = {left}, ⟨Jᵀw, v⟩ = {right}");
}

fn perturbed<F: Float>(input: &Input) {
    let theta: Vec<F> = input.scores();
    let (len, k) = (theta.len(), input.k.rank(theta.len()));
    match input.which % 3 {
        0 => _ = TopKMask::new(k).map(|mask| optimizer(mask, Some(k), &theta, input)),
        1 => optimizer(Ranking, None, &theta, input),
        _ => {
            let Ok(soft) = SoftTopKMask::new(k, input.epsilon::<F>()) else { return };
            let Some(mask) = checked(len, |mask| soft.mask(&theta, mask, &mut scratch(len))) else { return };
            assert!(mask.iter().all(|&h| h >= F::zero() && h <= F::one()), "{mask:?}");
            let sum: f64 = mask.iter().map(|&h| to_f64(h)).sum();
            // Fractions of the width must be numbers.
            if soft.width() * F::epsilon() < F::min_positive_value() {
                return;
            }
            let [least, largest] = [f64::min, f64::max].map(|of| theta.iter().map(|&t| to_f64(t)).reduce(of).unwrap_or(0.0));
            let reach = 1.0 + (largest - least) / to_f64(soft.width());
            assert!((sum - k as f64).abs() <= 64.0 * to_f64(F::epsilon()) * len as f64 * reach, "a mass of {sum} for {k}");
            let direction: Vec<F> = input.others(len);
            checked(len, |product| soft.jacobian_product(&mask, &direction, product));
        }
    }
}

target!(perturbed);
