//! The exact form over shards: any partition of the classes, merged in any order, is the whole.

use proptest::prelude::*;
use topk_loss::estimator::{Certified, Exact};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sharded::{Summary, largest, merge_largest};
use topk_loss::{Error, Real};
use topk_loss_laws::reference::to_f64;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::{Example, both_floats};

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    epsilon: F,
    /// For each class the shard it lives on.
    homes: Vec<usize>,
    /// The order in which the shards are merged.
    order: Vec<usize>,
}

const SHARDS: usize = 4;

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let epsilon = prop_oneof![Just(0.05), Just(0.5), Just(5.0)];
    let homes = proptest::collection::vec(0..SHARDS, 64);
    let order = Just((0..SHARDS).collect::<Vec<_>>()).prop_shuffle();
    (moderate_example(), epsilon, homes, order).prop_map(|(example, epsilon, homes, order)| Case {
        example,
        epsilon: F::from_f64(epsilon),
        homes,
        order,
    })
}

fn shards_are_the_whole<F: Real>(Case { example, epsilon, homes, order }: Case<F>) -> Result<(), TestCaseError> {
    let Example { scores, k, .. } = example;
    let home = |class: usize| homes[class % homes.len()];
    let shards: Vec<Vec<F>> =
        order.iter().map(|&shard| scores.iter().enumerate().filter(|&(i, _)| home(i) == shard).map(|(_, &s)| s).collect()).collect();
    let exact = Exact::new(KthLargest::new(k).unwrap(), Normal, epsilon).unwrap();

    let mut best = vec![F::neg_infinity(); k];
    for shard in &shards {
        let mut own = vec![F::zero(); k];
        largest(shard, &mut own).unwrap();
        merge_largest(&mut best, &own).unwrap();
    }
    let mut histogram = exact.histogram(best[k - 1], scores.len()).unwrap();
    for shard in &shards {
        let mut own = exact.histogram(best[k - 1], scores.len()).unwrap();
        own.add(shard).unwrap();
        histogram.merge(own.counts()).unwrap();
    }
    let partition = histogram.partition(&mut vec![F::nan(); histogram.scratch_len()]).unwrap();
    let (mut room, mut firsts) = (vec![F::nan(); partition.room_len(scores.len())], Vec::new());
    let mut whole = partition.summary(&mut room).unwrap();
    for shard in &shards {
        let mut room = vec![F::nan(); partition.room_len(shard.len())];
        let mut own = partition.summary(&mut room).unwrap();
        own.add(shard).unwrap();
        firsts.push(whole.merge(own.part()).unwrap());
    }
    let mut scratch = vec![F::nan(); whole.scratch_len()];
    let solution = whole.solve(&mut scratch).unwrap();

    let (mut expected, mut scratch) = (vec![F::zero(); scores.len()], vec![F::nan(); exact.scratch_len(scores.len())]);
    let Certified { value, error_bound } = exact.certified(&scores, F::one(), &mut expected, &mut scratch).unwrap();
    // Deep ranks of the whole are counted from the other end: another quadrature of the same integral, with a bound of its own.
    let mirrored = 2 * k > scores.len() + 1;
    let tolerance = if mirrored { to_f64(solution.error_bound() + error_bound) } else { to_f64(F::epsilon()) * 1e3 };
    prop_assert!(
        to_f64((solution.value() - value).abs()) <= tolerance * to_f64(epsilon + value.abs()),
        "{} for {}",
        solution.value(),
        value
    );
    let mut distance = 0.0;
    for ((shard, &first), &name) in shards.iter().zip(&firsts).zip(&order) {
        let mut grad = vec![F::zero(); shard.len()];
        solution.add_grad(shard, first, F::one(), &mut grad).unwrap();
        let whole = expected.iter().enumerate().filter(|&(i, _)| home(i) == name).map(|(_, &g)| g);
        distance += grad.iter().zip(whole).map(|(&a, b)| to_f64((a - b).abs())).sum::<f64>();
    }
    prop_assert!(distance <= tolerance, "gradient off by {}", distance);
    Ok(())
}
both_floats!(shards_are_the_whole in case);

/// Scores one by one, with the k-th largest so far as the center: what leaves the k largest is counted.
fn the_center_may_rise<F: Real>(Case { example, epsilon, .. }: Case<F>) -> Result<(), TestCaseError> {
    let Example { scores, k, .. } = example;
    let exact = Exact::new(KthLargest::new(k).unwrap(), Normal, epsilon).unwrap();
    let mut best = vec![F::neg_infinity(); k];
    largest(&scores[..k], &mut best).unwrap();
    let mut histogram = exact.histogram(best[k - 1], scores.len()).unwrap();
    for &score in &scores[k..] {
        let left = score.min(best[k - 1]);
        let mut own = vec![F::neg_infinity(); k];
        own[0] = score;
        merge_largest(&mut best, &own).unwrap();
        histogram.raise(best[k - 1]).unwrap();
        histogram.add(&[left]).unwrap();
    }
    histogram.add(&best).unwrap();

    let mut scratch = vec![F::nan(); exact.scratch_len(scores.len())];
    let partition = histogram.partition(&mut scratch).unwrap();
    let mut room = vec![F::nan(); partition.room_len(scores.len())];
    let mut summary = partition.summary(&mut room).unwrap();
    summary.add(&scores).unwrap();
    let mut expected = vec![F::zero(); scores.len()];
    let value = exact.value_and_add_grad(&scores, F::one(), &mut expected, &mut scratch).unwrap();
    let solution = summary.solve(&mut scratch).unwrap();
    prop_assert!(solution.is_within_tolerance());
    let mut grad = vec![F::zero(); scores.len()];
    prop_assert_eq!(solution.add_grad(&scores, 0, F::one(), &mut grad).unwrap(), summary.part().candidates.len());
    // Another center is another quadrature of the same integral.
    let tolerance = 2.0 * to_f64(solution.error_bound());
    prop_assert!(to_f64((solution.value() - value).abs()) <= tolerance * to_f64(epsilon + value.abs()));
    let distance: f64 = grad.iter().zip(&expected).map(|(&a, &b)| to_f64((a - b).abs())).sum();
    prop_assert!(distance <= tolerance, "gradient off by {}", distance);
    Ok(())
}
both_floats!(the_center_may_rise in case);

#[test]
fn mistakes_are_named() {
    let exact = Exact::new(KthLargest::new(2).unwrap(), Normal, 1.0).unwrap();
    assert_eq!(exact.histogram(f64::NAN, 5).unwrap_err(), Error::NotFinite { what: "center", index: 0 });
    assert_eq!(exact.histogram(0.0, 1).unwrap_err(), Error::K { k: 2, max: 1 });
    let mut histogram = exact.histogram(1.0, 3).unwrap();
    assert_eq!(histogram.merge(&[1, 2, 3]), Err(Error::Length { what: "counts", expected: histogram.counts().len(), actual: 3 }));
    assert_eq!(histogram.add(&[f64::NAN]), Err(Error::NotFinite { what: "scores", index: 0 }));
    assert_eq!(histogram.raise(f64::INFINITY), Err(Error::NotFinite { what: "center", index: 0 }));
    histogram.add(&[2.0, 1.0]).unwrap();
    let mut scratch = vec![0.0; histogram.scratch_len()];
    assert_eq!(histogram.partition(&mut scratch).unwrap_err(), Error::Length { what: "histogram", expected: 3, actual: 2 });
    histogram.add(&[0.5]).unwrap();
    assert!(matches!(histogram.partition(&mut scratch[..4]).unwrap_err(), Error::Length { what: "scratch", actual: 4, .. }));
    let partition = histogram.partition(&mut scratch).unwrap();
    // So few classes have no moments, and all room is the candidates'.
    let mut room = [0.0; 1];
    let mut summary: Summary<'_, _, f64> = partition.summary(&mut room).unwrap();
    assert_eq!(summary.add(&[2.0, 1.0]), Err(Error::Length { what: "candidates", expected: 2, actual: 1 }));
    assert_eq!(largest(&[1.0], &mut []), Err(Error::Length { what: "best", expected: 1, actual: 0 }));
    assert_eq!(merge_largest(&mut [1.0], &[f64::NAN]), Err(Error::NotFinite { what: "best", index: 1 }));
}

/// The lesser of two scores at the end of the range, under noise that takes it beyond.
#[test]
fn a_value_beyond_the_range_is_an_error() {
    let scores = [-f32::MAX; 2];
    let exact = Exact::new(KthLargest::new(2).unwrap(), Normal, 1e38).unwrap();
    let mut histogram = exact.histogram(-f32::MAX, 2).unwrap();
    histogram.add(&scores).unwrap();
    let mut scratch = vec![0.0; 2000];
    let partition = histogram.partition(&mut scratch).unwrap();
    let mut room = vec![0.0; partition.room_len(2)];
    let mut summary = partition.summary(&mut room).unwrap();
    summary.add(&scores).unwrap();
    assert_eq!(summary.solve(&mut scratch).map(|_| ()), Err(Error::Overflow { what: "smoothed value" }));
}
