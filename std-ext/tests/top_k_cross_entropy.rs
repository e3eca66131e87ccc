//! The kernel of the top-K cross-entropy against core's code in double precision, over kinds of rows that strain it.

use faer::{ColRef, Mat, Par};
use topk_loss::{Gumbel, Key, Loss, MonteCarlo, Normal, Sampler, TopKCrossEntropy};
use topk_loss_batch::{BatchReal, Targets, values, values_and_grads};

const KINDS: [fn(usize, usize, usize, f64) -> f64; 8] = [
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
    [(3, 1), (5, 1), (7, 2), (7, 6), (30, 1), (30, 5), (100, 5), (100, 40), (1000, 1), (1000, 50), (3000, 5)];

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
    let loss = TopKCrossEntropy::new(k, Gumbel, F::from_f64(epsilon)).unwrap();
    let (targets, column) = ([label], ColRef::from_slice(&scores).as_mat());
    let (mut losses, mut grads) = ([F::nan()], Mat::from_fn(scores.len(), 1, |_, _| F::nan()));
    values_and_grads(&loss, column, &Targets::new(&targets), &mut losses, grads.as_mut(), Par::Seq).unwrap();
    let mut again = [F::nan()];
    values(&loss, column, &Targets::new(&targets), &mut again, Par::Seq).unwrap();
    assert_eq!(losses, again);
    (losses[0].to_f64().unwrap(), grads.col(0).iter().map(|g| g.to_f64().unwrap()).collect())
}

fn survey<F: BatchReal>() {
    let mut worst: Vec<(f64, f64, f64, String)> = vec![];
    for (scores, k, epsilon) in rows() {
        let epsilon = f64::from(epsilon as f32);
        let loss = TopKCrossEntropy::new(k, Gumbel, epsilon).unwrap();
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        for label in [order[0], order[k - 1], order[k], order[scores.len() - 1]] {
            let (mut grad, mut scratch) = (vec![0.0; scores.len()], vec![0.0; loss.scratch_len(scores.len())]);
            let value = loss.value_and_grad(&scores, label, &mut grad, &mut scratch).unwrap();
            let (actual, actual_grad) = by_kernel::<F>(&scores, k, epsilon, label);
            let error: f64 = grad.iter().zip(&actual_grad).map(|(a, b)| (a - b).abs()).sum::<f64>() * epsilon;
            let largest = grad.iter().fold(0.0_f64, |m, g| m.max(g.abs())) * epsilon;
            let about = format!(
                "L = {}, K = {k}, ε = {epsilon}, label {label} value {value:e} largest {largest:e} {:.1?}",
                scores.len(),
                &scores[..scores.len().min(8)]
            );
            worst.push(((actual - value).abs() / value, error / largest, error, about));
        }
    }
    println!("{} rows", worst.len());
    for key in 0..3 {
        let of = |w: &(f64, f64, f64, String)| [w.0, w.1, w.2][key];
        worst.sort_by(|a, b| of(b).total_cmp(&of(a)));
        println!("by {}", ["value", "grad relative", "grad"][key]);
        for w in worst.iter().take(12) {
            println!("{:.2e} {:.2e} {:.2e} {}", w.0, w.1, w.2, w.3);
        }
        println!("median {:.1e}", of(&worst[worst.len() / 2]));
    }
}

#[test]
fn single() {
    survey::<f32>();
}
#[test]
fn double() {
    survey::<f64>();
}
