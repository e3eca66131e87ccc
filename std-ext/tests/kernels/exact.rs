//! The exactly smoothed hinge.

use faer::{ColRef, Mat, Par};
use topk_loss::TopKHinge;
use topk_loss_batch::{BatchReal, Targets, values_and_grads};

use crate::rows::{by_core, by_kernel, rows};

/// What is documented: L1, gradient.
const SINGLE: f64 = 1e-5;
/// Both sides keep to 1e−7.
const DOUBLE: f64 = 2e-7;

const SIZES: [(usize, usize); 12] =
    [(2, 1), (5, 1), (7, 2), (7, 6), (30, 1), (30, 5), (100, 5), (100, 40), (100, 97), (1000, 1), (1000, 50), (3000, 5)];

fn loss<F: BatchReal>(k: usize, epsilon: f64) -> TopKHinge<F> {
    TopKHinge::smoothed(k, F::from_f64(epsilon)).unwrap()
}

fn agrees<F: BatchReal>(documented: f64) {
    let mut active = 0;
    for (scores, k, epsilon) in rows(&SIZES) {
        let (label, single) = (scores.len() / 2, f64::from(epsilon as f32));
        let (value, grad) = by_core(&loss(k, single), &scores, label);
        let (actual, actual_grad) = by_kernel(&loss::<F>(k, single), &scores, label);
        let size = scores.iter().fold(1.0, |size: f64, s| size.max(s.abs()));
        let rounding = 8.0 * F::epsilon().to_f64().unwrap() * size;
        let about = format!("L = {}, K = {k}, ε = {epsilon}, {scores:.1?}", scores.len());
        assert!((actual - value).abs() <= documented * epsilon + rounding, "{actual} instead of {value}, {about}");
        if value > rounding {
            let error: f64 = grad.iter().zip(&actual_grad).map(|(a, b)| (a - b).abs()).sum();
            assert!(error <= documented, "{error:e} in the gradient, {about}");
            active += 1;
        }
    }
    assert!(active > 300);
}

#[test]
fn single_precision_is_within_its_bound() {
    agrees::<f32>(SINGLE);
}

#[test]
fn double_precision_is_within_its_bound() {
    agrees::<f64>(DOUBLE);
}

/// What the kernel leaves to core's code: extreme scores, an ε without a reciprocal, errors.
#[test]
fn what_the_kernel_cannot_do_core_does() {
    for (scores, epsilon) in [([1e30, -1e30, 0.0, 1.0], 1.0), ([0.0, 1.0, 2.0, 3.0], 1e-310), ([1e6, 1e6 + 1.0, 1e6, 1e6 + 2.0], 0.1)] {
        let (value, grad) = by_core(&loss(1, epsilon), &scores, 1);
        let (actual, actual_grad) = by_kernel(&loss::<f64>(1, epsilon), &scores, 1);
        assert!((actual - value).abs() <= DOUBLE * (1.0 + value), "{actual} instead of {value}");
        assert!(grad.iter().zip(&actual_grad).all(|(a, b)| (a - b).abs() <= DOUBLE), "{actual_grad:?} instead of {grad:?}");
    }
}

/// Sums over thousands of blocks keep their digits, and no index overflows.
#[test]
fn ten_million_classes() {
    let scores: Vec<f32> = (0..10_000_000_u32).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 8) as f32 / (1 << 24) as f32).collect();
    let loss = loss(5, 0.5);
    let (column, mut grads) = (ColRef::from_slice(&scores).as_mat(), Mat::from_fn(scores.len(), 1, |_, _| f32::NAN));
    let mut losses = [f32::NAN];
    values_and_grads(&loss, column, &Targets::new(&[0]), &mut losses, grads.as_mut(), Par::Seq).unwrap();
    // E max of so many is s₍₁₎ + ε·5.3 at the most, and the first score is 0.
    assert!(losses[0] > 2.5 && losses[0] < 1.0 + 1.0 + 0.5 * 5.3, "{losses:?}");
    let (label, others) = grads
        .col(0)
        .iter()
        .fold((0.0, 0.0), |(label, others), &g| if g < 0.0 { (label + f64::from(g), others) } else { (label, others + f64::from(g)) });
    assert!((label + 1.0).abs() < 1e-6 && (others - 1.0).abs() < SINGLE, "{label} {others}");
}
