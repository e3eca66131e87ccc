//! The top-K cross-entropy, of one K and of a mixture.

use faer::{ColRef, Mat, Par};
use topk_loss::Loss;
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::Gumbel;
use topk_loss::oracle::Ranks;
use topk_loss_batch::{BatchReal, Targets, values_and_grads};

use crate::rows::{by_core, by_kernel, rows};

const SIZES: [(usize, usize); 11] =
    [(3, 1), (5, 1), (7, 2), (9, 4), (30, 1), (30, 5), (100, 5), (100, 40), (1000, 1), (1000, 50), (3000, 5)];

/// Half of one guess and half of K; of K alone, without shares.
fn loss<F: BatchReal>(k: usize, shares: Option<&[F]>, epsilon: f64) -> TopKCrossEntropy<Gumbel, F, Ranks<'_, F>> {
    let epsilon = F::from_f64(epsilon);
    shares
        .map_or_else(
            || TopKCrossEntropy::new(k, Gumbel, epsilon),
            |shares| TopKCrossEntropy::mixture(Ranks::Weighted(shares), Gumbel, epsilon),
        )
        .unwrap()
}

fn halves<F: BatchReal>(k: usize) -> Vec<F> {
    let mut shares = vec![F::zero(); k];
    for place in [0, k - 1] {
        shares[place] += F::from_f64(0.5);
    }
    shares
}

/// The label first, last among the guesses, first and last beyond them.
fn labels(scores: &[f64], k: usize) -> [usize; 4] {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    [0, k - 1, k, scores.len() - 1].map(|place| order[place])
}

fn agrees<F: BatchReal>(is_mixture: bool, documented: f64, nearly_zero: f64) {
    let (mut small, mut large) = (0, 0);
    for (scores, k, epsilon) in rows(&SIZES) {
        let epsilon = f64::from(epsilon as f32);
        let (shares, core_shares) = (halves::<F>(k), halves::<f64>(k));
        let kernels = loss(k, is_mixture.then_some(&shares), epsilon);
        let loss = loss(k, is_mixture.then_some(&core_shares), epsilon);
        for label in labels(&scores, k) {
            let (value, grad) = by_core(&loss, &scores, label);
            let (actual, actual_grad) = by_kernel(&kernels, &scores, label);
            let about = format!("L = {}, K = {k}, ε = {epsilon}, label {label}, {scores:.1?}", scores.len());
            assert!((actual - value).abs() <= documented * value + nearly_zero, "{actual} instead of {value}, {about}");
            let largest = epsilon * grad.iter().fold(0.0_f64, |largest, entry| largest.max(entry.abs()));
            let error = epsilon * grad.iter().zip(&actual_grad).map(|(a, b)| (a - b).abs()).sum::<f64>();
            assert!(error <= documented * largest + nearly_zero, "{error:e} in the gradient of at most {largest}, {about}");
            small += usize::from(value < 1e-3);
            large += usize::from(value > 1.0);
        }
    }
    assert!(small > 100 && large > 600, "{small} {large}");
}

/// As core documents it, the gradient's error even summed over the classes.
#[test]
fn single_precision_is_within_its_bound() {
    agrees::<f32>(false, 1e-5, 1e-8);
    agrees::<f32>(true, 1e-5, 1e-8);
}

/// Both sides keep to 1e−9, and to six digits where the loss is nearly zero.
#[test]
fn double_precision_is_within_its_bound() {
    agrees::<f64>(false, 2e-9, 2e-16);
    agrees::<f64>(true, 2e-9, 2e-16);
}

/// What the kernel leaves to core's code: extreme scores, an ε without a reciprocal, K beyond the middle.
#[test]
fn what_the_kernel_cannot_do_core_does() {
    for (scores, k, epsilon) in [
        ([1e30, -1e30, 0.0, 1.0, 2.0], 1, 1.0),
        ([0.0, 1e-310, 2e-310, 3e-310, 0.0], 2, 1e-310),
        ([1e6, 1e6 + 1.0, 1e6, 1e6 + 2.0, 0.0], 1, 0.1),
        ([0.0, 1.0, 2.0, 3.0, 4.0], 4, 1.0),
    ] {
        let loss = TopKCrossEntropy::new(k, Gumbel, epsilon).unwrap();
        let (mut grad, mut scratch) = ([0.0; 5], vec![0.0; loss.scratch_len(5)]);
        let (targets, column) = ([1], ColRef::from_slice(&scores).as_mat());
        let (mut losses, mut grads) = ([f64::NAN], Mat::from_fn(5, 1, |_, _| f64::NAN));
        let outcome = values_and_grads(&loss, column, &Targets::new(&targets), &mut losses, grads.as_mut(), Par::Seq);
        match loss.value_and_grad(&scores, 1, &mut grad, &mut scratch) {
            Ok(value) => {
                outcome.unwrap();
                assert!((losses[0] - value).abs() <= 2e-9 * value, "{} instead of {value}", losses[0]);
                let near = grad.iter().zip(grads.col(0).iter()).all(|(a, b)| (a - b).abs() <= 2e-9 / epsilon);
                assert!(near, "{:?} instead of {grad:?}", grads.col(0));
            }
            Err(_) => assert!(outcome.is_err()),
        }
    }
}
