//! Metrics against counting by hand.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::Real;
use topk_loss::metrics::{Frequency, FrequencyGroups, TopKCounts};
use topk_loss_laws::strategies::tied;
use topk_loss_laws::{both_floats, reference};

#[derive(Debug, Clone)]
struct Evaluation<F> {
    k: usize,
    rows: Vec<(Vec<F>, usize)>,
    training_counts: Vec<usize>,
}

fn evaluation<F: Real>() -> impl Strategy<Value = Evaluation<F>> {
    (2..15_usize).prop_flat_map(|classes| {
        let row = (tied(classes), 0..classes);
        (1..classes, vec(row, 0..12), vec(0..150_usize, classes)).prop_map(|(k, rows, training_counts)| Evaluation {
            k,
            rows,
            training_counts,
        })
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn metrics_are_shares_of_the_rows<F: Real>(Evaluation { k, rows, training_counts }: Evaluation<F>) -> Result<(), TestCaseError> {
    let classes = training_counts.len();
    let (mut examples, mut correct, mut guessed) = (vec![0; classes], vec![0; classes], vec![0; classes]);
    let mut counts = TopKCounts::new(k, &mut examples, &mut correct, &mut guessed).unwrap();
    for (scores, label) in &rows {
        counts.add(scores, *label, &mut vec![F::nan(); classes]).unwrap();
    }
    let metrics = counts.metrics();

    let guesses: Vec<Vec<usize>> = rows.iter().map(|(scores, _)| reference::ranking(scores)[..k].to_vec()).collect();
    let hit = |row: usize| if guesses[row].contains(&rows[row].1) { 1.0 } else { 0.0 };
    let of_class = |class: usize| mean((0..rows.len()).filter(|&row| rows[row].1 == class).map(hit));

    prop_assert_eq!(metrics.accuracy(), mean((0..rows.len()).map(hit)));
    prop_assert_eq!(metrics.macro_accuracy(), mean((0..classes).filter_map(of_class)));
    for class in 0..classes {
        prop_assert_eq!(metrics.class_accuracy(class), of_class(class));
        let holds = guesses.iter().map(|guesses| if guesses.contains(&class) { 1.0 } else { 0.0 });
        prop_assert_eq!(metrics.occupancy(class), mean(holds));
    }
    let groups = FrequencyGroups::default();
    for group in [Frequency::Many, Frequency::Medium, Frequency::Few] {
        let is_member = |class: &usize| match training_counts[*class] {
            101.. => group == Frequency::Many,
            20..=100 => group == Frequency::Medium,
            _ => group == Frequency::Few,
        };
        let expected = mean((0..classes).filter(is_member).filter_map(of_class));
        prop_assert_eq!(metrics.group_accuracy(&training_counts, groups, group), Ok(expected));
    }
    Ok(())
}

both_floats!(metrics_are_shares_of_the_rows in evaluation);

/// Counts start from what the slices hold, so that shards can be added.
#[test]
fn counts_continue() {
    let (mut examples, mut correct, mut guessed) = ([3, 1], [2, 0], [4, 0]);
    let mut counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed).unwrap();
    counts.add(&[0.0, 1.0], 1, &mut [0.0; 2]).unwrap();
    assert_eq!((examples, correct, guessed), ([3, 2], [2, 1], [4, 1]));
}
