//! How much is told: rounds, and numbers a row, whatever the number of classes.

use topk_loss::loss::PolyhedralHinge;
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::sharded::{Shard, ShardedLoss};
use topk_loss::{CrossEntropy, Key, TopKHinge};

use crate::threads::over_shards;

const SHARDS: usize = 4;

/// Rows of normal scores times a spread.
fn rows(batch: u64, classes: usize, spread: f64) -> Vec<Vec<f32>> {
    let row = |example| {
        let mut row = vec![0.0_f32; classes];
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(7).fold_in(example), 0, &mut row).unwrap();
        row.iter_mut().for_each(|score| *score *= spread as f32);
        row
    };
    (0..batch).map(row).collect()
}

/// The bytes of a row in each round, on average.
fn bytes(loss: &(impl ShardedLoss<f32> + Clone + Sync), rows: &[Vec<f32>]) -> Vec<f64> {
    let classes = rows[0].len();
    let shards: Vec<_> = (0..SHARDS).map(|index| Shard::even(index, SHARDS, classes).unwrap()).collect();
    let labels: Vec<_> = (0..rows.len()).collect();
    let (.., sent) = over_shards(loss, &shards, rows, &labels, &vec![(0..SHARDS).collect(); SHARDS]);
    // Beside the rows' messages there is the number of faults.
    sent.iter().map(|&numbers| 4.0 * (numbers - 1) as f64 / rows.len() as f64).collect()
}

const CLASSES: [usize; 2] = [1000, 100_000];

#[test]
fn one_round_of_a_few_numbers() {
    for classes in CLASSES {
        for spread in [0.01, 1.0, 100.0] {
            let rows = rows(4, classes, spread);
            assert_eq!(bytes(&CrossEntropy, &rows), [52.0]);
            assert_eq!(bytes(&TopKHinge::new(5).unwrap(), &rows), [116.0]);
        }
    }
}

#[test]
fn the_exact_hinge_takes_two_rounds_and_a_kilobyte() {
    for classes in CLASSES {
        for spread in [0.001, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0] {
            let sent = bytes(&TopKHinge::smoothed(5, 1.0).unwrap(), &rows(4, classes, spread));
            assert!(sent.len() == 2 && sent[0] == 628.0 && sent[1] < 412.0, "{classes} classes, {spread}: {sent:?}");
        }
    }
}

/// One round where few classes share; where nearly all could, Newton's method has a good start.
#[test]
fn the_polyhedral_hinge_takes_one_round_or_a_few() {
    for classes in CLASSES {
        for (spread, rounds) in [(0.001, 6), (0.01, 6), (0.1, 6), (1.0, 1), (3.0, 1), (100.0, 1)] {
            let sent = bytes(&PolyhedralHinge::new(5).unwrap(), &rows(4, classes, spread));
            assert!(sent[0] == 420.0 && sent[1..].iter().all(|&more| more <= 32.0), "{classes} classes, {spread}: {sent:?}");
            assert!(sent.len() <= rounds, "{classes} classes, {spread}: {sent:?}");
        }
    }
}
