//! The hinges of several K against the hinges of one.

use proptest::prelude::*;
use topk_loss::estimator::Exact;
use topk_loss::loss::TopKHinges;
use topk_loss::noise::Normal;
use topk_loss::oracle::{Oracle, RankSum};
use topk_loss::{Real, Smoothing, TopKHinge};
use topk_loss_laws::property::evaluate;
use topk_loss_laws::reference::ValueAndGrad;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{SUM, exact};
use topk_loss_laws::{Example, both_floats, example};

/// Shares of 1, 2, … K guesses, some of them zero, all exact.
fn shares<F: Real>(k: usize) -> Vec<F> {
    let mut shares = vec![F::zero(); k];
    for (place, share) in [(k, 0.5), (1, 0.25), (k.div_ceil(2), 0.25)] {
        shares[place - 1] += F::from_f64(share);
    }
    shares
}

const SCALE: f64 = 2.0;

/// Σ_k π_k of the hinges of one K.
fn one_by_one<F: Real>(shares: &[F], smoothing: Smoothing<F>, scores: &[F], label: usize) -> ValueAndGrad<F> {
    let mut sum = (F::zero(), vec![F::zero(); scores.len()]);
    for (k, &share) in (1..).zip(shares).filter(|&(_, &share)| share > F::zero()) {
        let hinge = TopKHinge::new(k).unwrap().with_scale(F::from_f64(SCALE)).unwrap().with_smoothing(smoothing).unwrap();
        let (value, grad) = evaluate(&hinge, scores, label);
        sum.0 += share * value;
        sum.1.iter_mut().zip(grad).for_each(|(sum, g)| *sum += share * g);
    }
    sum
}

fn hard_hinges_are_the_sum<F: Real>(Example { scores, label, k }: Example<F>) -> Result<(), TestCaseError> {
    let shares = shares(k);
    let hinges = TopKHinges::new(&shares).unwrap().with_scale(F::from_f64(SCALE)).unwrap();
    let (value, grad) = evaluate(&hinges, &scores, label);
    let (expected, expected_grad) = one_by_one(&shares, Smoothing::None, &scores, label);
    let magnitude = scores.iter().fold(F::one(), |largest, s| largest.max(s.abs()));
    prop_assert!(SUM.allows(value, expected, magnitude), "{} instead of {}", value, expected);
    // Where rounding decides the side of a kink, either gradient is right; the shares are exact.
    if value == expected {
        prop_assert_eq!(grad, expected_grad);
    }
    Ok(())
}

fn smoothed_hinges_are_the_sum<F: Real>(Example { scores, label, k }: Example<F>) -> Result<(), TestCaseError> {
    let (shares, epsilon) = (shares(k), F::from_f64(0.5));
    let hinges = TopKHinges::new(&shares).unwrap().with_scale(F::from_f64(SCALE)).unwrap().with_epsilon(Some(epsilon)).unwrap();
    let (value, grad) = evaluate(&hinges, &scores, label);
    let (expected, expected_grad) = one_by_one(&shares, Smoothing::Exact { epsilon }, &scores, label);
    let magnitude = scores.iter().fold(F::one(), |largest, s| largest.max(s.abs()));
    prop_assert!(exact::<F>().allows(value, expected, magnitude), "{} instead of {}", value, expected);
    let close = grad.iter().zip(&expected_grad).all(|(&a, &e)| exact::<F>().allows(a, e, F::from_f64(SCALE)));
    prop_assert!(close, "{:?} instead of {:?}", grad, expected_grad);
    Ok(())
}

fn values_of_all_ranks_are_those_of_each<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    let (weights, epsilon) = (shares::<F>(k), F::from_f64(0.5));
    let count = weights.iter().filter(|&&weight| weight > F::zero()).count();
    let all = Exact::new(RankSum::new(&weights).unwrap(), Normal, epsilon).unwrap();
    let mut values = vec![F::nan(); count];
    let mut scratch = vec![F::nan(); all.scratch_len(scores.len())];
    all.rank_values(&scores, &mut values, &mut scratch).unwrap();
    for (rank, value) in (1..=k).filter(|rank| weights[rank - 1] > F::zero()).zip(values) {
        let one = Exact::new(topk_loss::oracle::KthLargest::new(rank).unwrap(), Normal, epsilon).unwrap();
        let expected = one.value(&scores, &mut scratch).unwrap();
        prop_assert!(exact::<F>().allows(value, expected, F::from_f64(32.0)), "{} instead of {}", value, expected);
    }
    Ok(())
}

both_floats! {
    hard_hinges_are_the_sum in example;
    smoothed_hinges_are_the_sum in moderate_example;
    values_of_all_ranks_are_those_of_each in moderate_example;
}

/// Tied classes share the ranks in their order.
#[test]
fn of_tied_classes_the_first_ranks_highest() {
    let hinges = TopKHinges::new(&[0.25, 0.25, 0.5]).unwrap();
    let (value, grad) = evaluate(&hinges, &[2.0, 2.0, 0.0, 2.0, 1.0], 2);
    assert_eq!((value, grad), (0.25 * 3.0 + 0.25 * 3.0 + 0.5 * 2.0, vec![0.0, 0.25, -1.0, 0.25, 0.5]));
}
