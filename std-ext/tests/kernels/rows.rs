//! Rows that strain a kernel, computed by it and by core's code.

use faer::{ColRef, Mat, Par};
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{Key, Loss};
use topk_loss_batch::{BatchLoss, BatchReal, Targets, values, values_and_grads};

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

/// The rows of all kinds and of these sizes (classes, K), each with K and every ε.
pub fn rows(sizes: &[(usize, usize)]) -> impl Iterator<Item = (Vec<f64>, usize, f64)> {
    let seeds = KINDS.iter().flat_map(|kind| sizes.iter().map(move |&size| (kind, size))).zip(0..);
    seeds.flat_map(|((kind, (len, k)), seed)| {
        let mut normal = vec![0.0; len];
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed), 0, &mut normal).unwrap();
        let scores: Vec<f64> = normal.into_iter().enumerate().map(|(i, z)| f64::from(kind(i, len, k, z) as f32)).collect();
        [0.01, 0.1, 0.3, 1.0, 3.0, 30.0].map(|epsilon| (scores.clone(), k, epsilon))
    })
}

/// Value and gradient by the batch call.
pub fn by_kernel<F: BatchReal>(loss: &impl BatchLoss<F>, scores: &[f64], label: usize) -> (f64, Vec<f64>) {
    let scores: Vec<F> = scores.iter().map(|&s| F::from_f64(s)).collect();
    let (targets, column) = ([label], ColRef::from_slice(&scores).as_mat());
    let (mut losses, mut grads) = ([F::nan()], Mat::from_fn(scores.len(), 1, |_, _| F::nan()));
    values_and_grads(loss, column, &Targets::new(&targets), &mut losses, grads.as_mut(), Par::Seq).unwrap();
    let mut again = [F::nan()];
    values(loss, column, &Targets::new(&targets), &mut again, Par::Seq).unwrap();
    assert_eq!(losses, again);
    (losses[0].to_f64().unwrap(), grads.col(0).iter().map(|g| g.to_f64().unwrap()).collect())
}

/// The same by core in double precision.
pub fn by_core(loss: &impl Loss<f64>, scores: &[f64], label: usize) -> (f64, Vec<f64>) {
    let (mut grad, mut scratch) = (vec![0.0; scores.len()], vec![0.0; loss.scratch_len(scores.len())]);
    (loss.value_and_grad(scores, label, &mut grad, &mut scratch).unwrap(), grad)
}
