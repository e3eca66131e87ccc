//! The kernels of the top-K cross-entropy, of one K and of a mixture, against core's code in double precision, over kinds of rows that
//! strain them.

use faer::{ColRef, Mat, Par};
use topk_loss::{Gumbel, Key, Loss, MonteCarlo, Normal, Sampler, TopKCrossEntropy};
use topk_loss_batch::{BatchReal, Targets, values, values_and_grads};

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

const SIZES: [(usize, usize); 11] =
    [(3, 1), (5, 1), (7, 2), (9, 4), (30, 1), (30, 5), (100, 5), (100, 40), (1000, 1), (1000, 50), (3000, 5)];

fn rows() -> impl Iterator<Item = (Vec<f64>, usize, f64)> {
    let seeds = KINDS.iter().flat_map(|kind| SIZES.map(|size| (kind, size))).zip(0..);
    seeds.flat_map(|((kind, (len, k)), seed)| {
        let mut normal = vec![0.0; len];
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed), 0, &mut normal).unwrap();
        let scores: Vec<f64> = normal.into_iter().enumerate().map(|(i, z)| f64::from(kind(i, len, k, z) as f32)).collect();
        [0.01, 0.1, 0.3, 1.0, 3.0, 30.0].map(|epsilon| (scores.clone(), k, epsilon))
    })
}

/// Half of one guess and half of K; of K alone, without shares.
fn loss<F: BatchReal>(k: usize, shares: Option<&[F]>, epsilon: f64) -> TopKCrossEntropy<'_, Gumbel, F> {
    let epsilon = F::from_f64(epsilon);
    shares.map_or_else(|| TopKCrossEntropy::new(k, Gumbel, epsilon), |shares| TopKCrossEntropy::mixture(shares, Gumbel, epsilon)).unwrap()
}

fn halves<F: BatchReal>(k: usize) -> Vec<F> {
    let mut shares = vec![F::zero(); k];
    for place in [0, k - 1] {
        shares[place] += F::from_f64(0.5);
    }
    shares
}

/// Value and gradient by the batch call.
fn by_kernel<F: BatchReal>(loss: &TopKCrossEntropy<'_, Gumbel, F>, scores: &[f64], label: usize) -> (f64, Vec<f64>) {
    let scores: Vec<F> = scores.iter().map(|&s| F::from_f64(s)).collect();
    let (targets, column) = ([label], ColRef::from_slice(&scores).as_mat());
    let (mut losses, mut grads) = ([F::nan()], Mat::from_fn(scores.len(), 1, |_, _| F::nan()));
    values_and_grads(loss, column, &Targets::new(&targets), &mut losses, grads.as_mut(), Par::Seq).unwrap();
    let mut again = [F::nan()];
    values(loss, column, &Targets::new(&targets), &mut again, Par::Seq).unwrap();
    assert_eq!(losses, again);
    (losses[0].to_f64().unwrap(), grads.col(0).iter().map(|g| g.to_f64().unwrap()).collect())
}

/// The label first, last among the guesses, first and last beyond them.
fn labels(scores: &[f64], k: usize) -> [usize; 4] {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    [0, k - 1, k, scores.len() - 1].map(|place| order[place])
}

fn agrees<F: BatchReal>(is_mixture: bool, documented: f64, nearly_zero: f64) {
    let (mut small, mut large) = (0, 0);
    for (scores, k, epsilon) in rows() {
        let epsilon = f64::from(epsilon as f32);
        let (shares, core_shares) = (halves::<F>(k), halves::<f64>(k));
        let kernels = loss(k, is_mixture.then_some(&shares), epsilon);
        let loss = loss(k, is_mixture.then_some(&core_shares), epsilon);
        for label in labels(&scores, k) {
            let (mut grad, mut scratch) = (vec![0.0; scores.len()], vec![0.0; loss.scratch_len(scores.len())]);
            let value = loss.value_and_grad(&scores, label, &mut grad, &mut scratch).unwrap();
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
