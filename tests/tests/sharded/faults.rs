//! Whoever is at fault, all shards say so in the same round.

use core::convert::Infallible;

use topk_loss::loss::PolyhedralHinge;
use topk_loss::sharded::{AllReduce, ClassParallel, Failure, Room, Shard, ShardedLoss};
use topk_loss::{CrossEntropy, Error, Margins, Smoothing, TopKHinge};

use crate::threads::{shard_of, together};

const SHARDS: usize = 3;

fn orders() -> Vec<Vec<usize>> {
    vec![(0..SHARDS).collect(); SHARDS]
}

fn rows() -> Vec<Vec<f64>> {
    (0..2).map(|row| (0..12).map(|class| f64::from(class * 7 % 12 + row) * 0.3).collect()).collect()
}

fn one_shard_is_at_fault(loss: &(impl ShardedLoss<f64> + Clone + Sync)) {
    for (guilty, class, bad) in [(0, 3, f64::NAN), (2, 9, f64::INFINITY)] {
        let failures = together(&orders(), |index, all| {
            let (shard, mut rows) = (Shard::even(index, SHARDS, 12).unwrap(), rows());
            rows[1][class] = bad;
            shard_of(loss, shard, &rows, &[4, 5], all).unwrap_err()
        });
        for (index, failure) in failures.into_iter().enumerate() {
            let error = Error::NotFinite { what: "scores", index: class - 4 * guilty };
            let own = Failure::Example { example: 1, error };
            assert_eq!(failure, if index == guilty { own } else { Failure::Elsewhere { shards: 1 } });
        }
    }
}

#[test]
fn a_bad_score_reaches_all() {
    one_shard_is_at_fault(&CrossEntropy);
    one_shard_is_at_fault(&TopKHinge::new(2).unwrap());
    one_shard_is_at_fault(&TopKHinge::smoothed(2, 0.5).unwrap());
    one_shard_is_at_fault(&PolyhedralHinge::new(2).unwrap());
}

/// What all were told wrong, all say.
fn all_say(error: Error, labels: &[usize], loss: &(impl ShardedLoss<f64> + Clone + Sync)) {
    let failures = together(&orders(), |index, all| {
        shard_of(loss, Shard::even(index, SHARDS, 12).unwrap(), &rows()[..labels.len()], labels, all).unwrap_err()
    });
    let example = labels.len() - 1;
    assert!(failures.into_iter().all(|failure| failure == Failure::Example { example, error }));
}

#[test]
fn what_is_wrong_for_all_is_said_by_all() {
    let no_class = Error::Label { label: 12, num_classes: 12 };
    all_say(no_class, &[0, 12], &CrossEntropy);
    all_say(no_class, &[0, 12], &TopKHinge::smoothed(2, 0.5).unwrap());
    all_say(no_class, &[0, 12], &PolyhedralHinge::new(2).unwrap());
    all_say(Error::K { k: 12, max: 11 }, &[3], &TopKHinge::new(12).unwrap());
    all_say(Error::K { k: 12, max: 11 }, &[3], &PolyhedralHinge::new(12).unwrap());
    let margins = TopKHinge::new(2).unwrap().with_margins(Margins::PerClass(&[1.0; 11])).unwrap();
    all_say(Error::Length { what: "margins", expected: 12, actual: 11 }, &[3], &margins);
    let drawn = Smoothing::Conditional { epsilon: 1.0, num_samples: 2, key: topk_loss::Key::new(1) };
    let error = Error::Parameter { name: "smoothing", must: "none or exact over shards" };
    all_say(error, &[3], &TopKHinge::new(2).unwrap().with_smoothing(drawn).unwrap());
    // Beyond the range of the float.
    all_say(Error::Overflow { what: "loss" }, &[0], &TopKHinge::new(1).unwrap().with_scale(f64::MAX).unwrap());
}

/// A class that two shards have, or none.
#[test]
fn shards_that_are_not_the_row_are_found() {
    for (ends, actual) in [([0..4, 4..8, 8..11], 11), ([0..5, 4..8, 8..12], 13)] {
        let failures = together(&orders(), |index, all| {
            let shard = Shard::new(index, SHARDS, ends[index].clone(), 12).unwrap();
            let hinge = shard_of(&TopKHinge::new(2).unwrap(), shard.clone(), &rows(), &[4, 5], all).unwrap_err();
            [hinge, shard_of(&CrossEntropy, shard, &rows(), &[4, 5], all).unwrap_err()]
        });
        let error = Error::Length { what: "classes of all shards", expected: 12, actual };
        assert!(failures.into_iter().flatten().all(|failure| failure == Failure::Example { example: 0, error }));
    }
}

/// One shard has other scores than its classes: it says so, and the others hear of it.
#[test]
fn wrong_lengths_are_named() {
    let failures = together(&orders(), |index, all| {
        let (shard, guilty) = (Shard::even(index, SHARDS, 12).unwrap(), index == 1);
        let (mut values, mut grads) = ([0.0; 2], [0.0; 8]);
        let scores = &[1.0; 8][usize::from(guilty)..];
        let parallel = ClassParallel::new(CrossEntropy, shard);
        let mut messages = vec![0.0; parallel.messages_len::<f64>(2)];
        let mut compute = |labels: &[usize], messages: &mut [f64]| {
            let room = Room { rows: &mut [None; 2], messages, scratch: &mut [] };
            parallel.values_and_grads(scores, labels, &mut values, Some(&mut grads), room, all).unwrap_err()
        };
        // These are wrong on all shards, and nothing is sent.
        let length = |what, expected, actual| Failure::Argument(Error::Length { what, expected, actual });
        assert_eq!(compute(&[1], &mut messages), length("values", 1, 2));
        assert_eq!(compute(&[1, 2], &mut messages[1..]), length("scratch", 21, 20));
        (compute(&[1, 2], &mut messages), length("scores", 8, 7))
    });
    for (index, (failure, own)) in failures.into_iter().enumerate() {
        assert_eq!(failure, if index == 1 { own } else { Failure::Elsewhere { shards: 1 } });
    }
}

/// One shard, which has nobody to wait for.
struct Alone;

impl AllReduce<f64> for Alone {
    type Error = Infallible;

    fn all_reduce_sum(&mut self, _: &mut [f64]) -> Result<(), Infallible> {
        Ok(())
    }
}

/// More shards than any memory has room for.
#[test]
fn lengths_beyond_the_range_of_an_integer_are_no_room() {
    fn refuses(loss: impl ShardedLoss<f64>) {
        let parallel = ClassParallel::new(loss, Shard::new(0, usize::MAX, 0..3, 3).unwrap());
        assert_eq!(parallel.messages_len::<f64>(2), usize::MAX);
        let mut scratch = vec![0.0; parallel.scratch_len::<f64>().min(100_000)];
        let room = Room { rows: &mut [None], messages: &mut [0.0; 9], scratch: &mut scratch };
        let failure = parallel.values_and_grads(&[0.0; 3], &[1], &mut [0.0], None, room, &mut Alone).unwrap_err();
        assert_eq!(failure, Failure::Argument(Error::Length { what: "scratch", expected: usize::MAX, actual: 9 }));
    }
    refuses(CrossEntropy);
    refuses(PolyhedralHinge::new(1).unwrap());
    refuses(TopKHinge::new(1).unwrap());
    refuses(TopKHinge::smoothed(1, 1.0).unwrap());
}

#[test]
fn shards_are_checked() {
    let index = Error::Parameter { name: "index of the shard", must: "below the number of shards" };
    assert_eq!(Shard::new(3, 3, 0..1, 5), Err(index));
    assert_eq!(Shard::even(0, 0, 5), Err(index));
    let classes = Error::Parameter { name: "classes of the shard", must: "a range of all classes" };
    assert_eq!(Shard::new(0, 3, 0..6, 5), Err(classes));
    assert_eq!((0..3).map(|index| Shard::even(index, 3, 2).unwrap().len()).collect::<Vec<_>>(), [1, 1, 0]);
}
