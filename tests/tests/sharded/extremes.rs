//! Scores far from each other and from zero.

use topk_loss::loss::PolyhedralHinge;
use topk_loss::sharded::ShardedLoss;
use topk_loss::{CrossEntropy, Loss, TopKHinge};

use crate::threads::{cut, over_shards};

/// The loss over three shards of 24 classes each is that of the whole.
fn is_the_whole(loss: &(impl ShardedLoss<f64> + Loss<f64> + Clone + Sync), row: &[f64], label: usize, tolerance: f64) {
    let (values, grads, _) = over_shards(loss, &cut(&[24, 48], 72), &[row.to_vec()], &[label], &vec![vec![0, 1, 2]; 3]);
    let (mut grad, mut scratch) = (vec![0.0; 72], vec![0.0; Loss::scratch_len(loss, 72)]);
    let value = loss.value_and_grad(row, label, &mut grad, &mut scratch).unwrap();
    assert!((values[0] - value).abs() <= tolerance, "{} instead of {value}", values[0]);
    let off: f64 = grads[0].iter().zip(&grad).map(|(a, b)| (a - b).abs()).sum();
    assert!(off <= tolerance, "gradient off by {off}");
}

fn row(offset: f64) -> Vec<f64> {
    (0..72).map(|class| offset + f64::from(class * 29 % 72) / 16.0).collect()
}

#[test]
fn a_shard_of_masked_classes_changes_nothing() {
    for masked in [0..24, 24..48, 20..72] {
        let mut row = row(0.0);
        row[masked.clone()].fill(-1e30);
        let label = (masked.end + 3) % 72 % masked.start.max(72);
        is_the_whole(&CrossEntropy, &row, label, 1e-12);
        is_the_whole(&TopKHinge::new(3).unwrap(), &row, label, 0.0);
        is_the_whole(&PolyhedralHinge::new(3).unwrap(), &row, label, 1e-12);
        for epsilon in [1e-3, 0.5, 20.0] {
            is_the_whole(&TopKHinge::smoothed(3, epsilon).unwrap(), &row, label, 2e-7 * (1.0 + epsilon));
        }
    }
}

#[test]
fn an_offset_changes_nothing() {
    for offset in [-1e9, 1e9] {
        is_the_whole(&CrossEntropy, &row(offset), 5, 1e-7);
        is_the_whole(&TopKHinge::new(3).unwrap(), &row(offset), 5, 0.0);
        is_the_whole(&PolyhedralHinge::new(3).unwrap(), &row(offset), 5, 1e-6);
        is_the_whole(&TopKHinge::smoothed(3, 0.5).unwrap(), &row(offset), 5, 1e-6);
        // Here a float does not tell a bin of the common grid from its neighbours.
        is_the_whole(&TopKHinge::smoothed(3, 1e-9).unwrap(), &row(offset), 5, 1e-6);
    }
}
