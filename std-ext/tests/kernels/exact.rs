//! The exact kernel against core's code in double precision, over kinds of rows that strain it.

use faer::{ColRef, Mat, Par};
use topk_loss::{Key, Loss, Margins, MonteCarlo, Normal, Sampler, Smoothing, TopKHinge};
use topk_loss_batch::{BatchReal, Targets, values, values_and_grads};

/// What is documented: L1, gradient.
const SINGLE: f64 = 1e-5;
/// Both sides keep to 1e−7.
const DOUBLE: f64 = 2e-7;

/// A score of class i among so many, for so many guesses, given a normal number.
type Kind = fn(usize, usize, usize, f64) -> f64;

const KINDS: [Kind; 8] = [
    |_, _, _, z| z,
    |_, _, _, _| 0.5,
    |i, _, _, _| (i / 3) as f64 * 0.7,
    |i, len, _, _| if i < len / 10 + 1 { 1.0 } else { 0.0 },
    |i, _, k, z| if i < k + 2 { 1.0 + 1e-3 * z } else { 0.3 * z },
    |i, _, _, _| 5.0 * 0.9_f64.powi(i as i32),
    |i, _, k, z| if i < k { 2.0 + i as f64 } else { 0.5 * z },
    |i, _, _, z| if i == 0 { 1.5 } else { 0.1 * z },
];

const SIZES: [(usize, usize); 12] =
    [(2, 1), (5, 1), (7, 2), (7, 6), (30, 1), (30, 5), (100, 5), (100, 40), (100, 97), (1000, 1), (1000, 50), (3000, 5)];

fn rows() -> impl Iterator<Item = (Vec<f64>, usize, f64)> {
    let seeds = KINDS.iter().flat_map(|kind| SIZES.map(|size| (kind, size))).zip(0..);
    seeds.flat_map(|((kind, (len, k)), seed)| {
        let mut normal = vec![0.0; len];
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed), 0, &mut normal).unwrap();
        let scores: Vec<f64> = normal.into_iter().enumerate().map(|(i, z)| f64::from(kind(i, len, k, z) as f32)).collect();
        [0.01, 0.1, 0.3, 1.0, 3.0, 30.0].map(|epsilon| (scores.clone(), k, epsilon))
    })
}

/// Value and gradient by the batch call.
fn by_kernel<F: BatchReal>(scores: &[f64], k: usize, epsilon: f64, label: usize) -> (f64, Vec<f64>) {
    let scores: Vec<F> = scores.iter().map(|&s| F::from_f64(s)).collect();
    let loss = TopKHinge::new(k, Margins::Uniform(F::one()), F::one(), Smoothing::Exact { epsilon: F::from_f64(epsilon) }).unwrap();
    let (targets, column) = ([label], ColRef::from_slice(&scores).as_mat());
    let (mut losses, mut grads) = ([F::nan()], Mat::from_fn(scores.len(), 1, |_, _| F::nan()));
    values_and_grads(&loss, column, &Targets::new(&targets), &mut losses, grads.as_mut(), Par::Seq).unwrap();
    let mut again = [F::nan()];
    values(&loss, column, &Targets::new(&targets), &mut again, Par::Seq).unwrap();
    assert_eq!(losses, again);
    (losses[0].to_f64().unwrap(), grads.col(0).iter().map(|g| g.to_f64().unwrap()).collect())
}

fn agrees<F: BatchReal>(documented: f64) {
    let mut active = 0;
    for (scores, k, epsilon) in rows() {
        let loss = TopKHinge::new(k, Margins::Uniform(1.0), 1.0, Smoothing::Exact { epsilon: f64::from(epsilon as f32) }).unwrap();
        let label = scores.len() / 2;
        let (mut grad, mut scratch) = (vec![0.0; scores.len()], vec![0.0; loss.scratch_len(scores.len())]);
        let value = loss.value_and_grad(&scores, label, &mut grad, &mut scratch).unwrap();
        let (actual, actual_grad) = by_kernel::<F>(&scores, k, f64::from(epsilon as f32), label);
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
        let loss = TopKHinge::new(1, Margins::Uniform(1.0), 1.0, Smoothing::Exact { epsilon }).unwrap();
        let (mut grad, mut scratch) = ([0.0; 4], vec![0.0; loss.scratch_len(4)]);
        let value = loss.value_and_grad(&scores, 1, &mut grad, &mut scratch).unwrap();
        let (actual, actual_grad) = by_kernel::<f64>(&scores, 1, epsilon, 1);
        assert!((actual - value).abs() <= DOUBLE * (1.0 + value), "{actual} instead of {value}");
        assert!(grad.iter().zip(&actual_grad).all(|(a, b)| (a - b).abs() <= DOUBLE), "{actual_grad:?} instead of {grad:?}");
    }
}

/// Sums over thousands of blocks keep their digits, and no index overflows.
#[test]
fn ten_million_classes() {
    let scores: Vec<f32> = (0..10_000_000_u32).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 8) as f32 / (1 << 24) as f32).collect();
    let loss = TopKHinge::new(5, Margins::Uniform(1.0), 1.0, Smoothing::Exact { epsilon: 0.5 }).unwrap();
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
