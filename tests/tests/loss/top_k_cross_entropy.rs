//! The top-K cross-entropy: the softmax for one guess, the Plackett–Luce model for more, mixtures, and what every loss of ranks must do.

use proptest::prelude::*;
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::{Gumbel, Logistic, Noise, Normal};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{CrossEntropy, Key, Real};
use topk_loss_laws::plackett_luce::label_among_the_first;
use topk_loss_laws::property::{evaluate, holds, try_evaluate};
use topk_loss_laws::reference::{ValueAndGrad, ranking, to_f64};
use topk_loss_laws::statistics::{Moments, reject};
use topk_loss_laws::strategies::{moderate_example, normal};
use topk_loss_laws::tolerances::{
    DETECTABLE_BIAS, LABEL_AMONG_THE_TOP, SINGLE_PRECISION, SOFTMAX_BY_QUADRATURE, SUM, TINY_LABEL_AMONG_THE_TOP, TINY_LOSS,
    TOP_K_CROSS_ENTROPY,
};
use topk_loss_laws::{Example, Tolerance, both_floats, example};

fn l1(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// Value within `tolerance` of 1 + value, gradient in L1.
fn agree(
    tolerance: Tolerance,
    (value, grad): &ValueAndGrad<f64>,
    (expected, expected_grad): &ValueAndGrad<f64>,
) -> Result<(), TestCaseError> {
    prop_assert!(tolerance.allows(*value, *expected, 1.0 + expected), "{} instead of {}", value, expected);
    prop_assert!(
        tolerance.allows(l1(grad, expected_grad), 0.0, largest(expected_grad).max(1.0)),
        "{:?} instead of {:?}",
        grad,
        expected_grad
    );
    Ok(())
}

fn epsilons() -> impl Strategy<Value = f64> {
    0.3..4.0
}

fn in_units(scores: &[f64], epsilon: f64) -> Vec<f64> {
    scores.iter().map(|s| s / epsilon).collect()
}

/// The loss in units of ε: its gradient times ε.
fn under_gumbel_noise(k: usize, epsilon: f64, scores: &[f64], label: usize) -> ValueAndGrad<f64> {
    let (value, grad) = evaluate(&TopKCrossEntropy::new(k, Gumbel, epsilon).unwrap(), scores, label);
    (value, grad.iter().map(|g| g * epsilon).collect())
}

#[test]
fn one_guess_is_the_softmax() {
    holds((moderate_example::<f64>(), epsilons()), |(Example { scores, label, .. }, epsilon)| {
        let softmax = evaluate(&CrossEntropy, &in_units(&scores, epsilon), label);
        agree(SOFTMAX_BY_QUADRATURE, &under_gumbel_noise(1, epsilon, &scores, label), &softmax)
    });
}

#[test]
fn one_guess_is_the_softmax_of_any_scores() {
    holds(example::<f64>(), |Example { scores, label, .. }| {
        agree(SOFTMAX_BY_QUADRATURE, &under_gumbel_noise(1, 1.0, &scores, label), &evaluate(&CrossEntropy, &scores, label))
    });
}

/// In `f32` against the softmax in `f64`, where the loss is large enough to have digits.
#[test]
fn one_guess_is_the_softmax_in_single_precision() {
    holds(example::<f32>(), |Example { scores, label, .. }| {
        let loss = TopKCrossEntropy::new(1, Gumbel, 1.0).unwrap();
        let (value, grad) = evaluate(&loss, &scores, label);
        let same: Vec<f64> = scores.iter().map(|&s| to_f64(s)).collect();
        let (expected, expected_grad) = evaluate(&CrossEntropy, &same, label);
        prop_assert!(SINGLE_PRECISION.allows(to_f64(value), expected, 0.1 + expected), "{} instead of {}", value, expected);
        for (g, expected_entry) in grad.into_iter().zip(&expected_grad) {
            let close = SINGLE_PRECISION.allows(to_f64(g), *expected_entry, largest(&expected_grad).max(1e-4));
            prop_assert!(close, "{} instead of {}", g, expected_entry);
        }
        Ok(())
    });
}

#[test]
fn more_guesses_are_those_of_the_plackett_luce_model() {
    let few = (2..=6_usize).prop_flat_map(|len| (normal::<f64>(len), 0..len, 1..len, -12.0..12.0));
    holds((few, epsilons()), |((mut scores, label, k, lift), epsilon)| {
        scores[label] += lift;
        let expected = label_among_the_first(&in_units(&scores, epsilon), label, k);
        let actual = under_gumbel_noise(k, epsilon, &scores, label);
        let tolerance = LABEL_AMONG_THE_TOP;
        prop_assert!(tolerance.allows(actual.0, expected.0, expected.0.max(1e-4)), "{} instead of {}", actual.0, expected.0);
        agree(tolerance, &actual, &expected)
    });
}

/// Σ π_k of the single losses; `gap` tears the leading classes from the others.
fn check_mixture(law: impl Noise<f64>, shares: &[f64], gap: f64, example: &Example<f64>) -> Result<(), TestCaseError> {
    let Example { scores, label, k } = example;
    let (mut scores, label) = (scores.clone(), *label);
    let leaders: Vec<usize> = ranking(&scores).into_iter().filter(|&class| class != label).take(*k).collect();
    leaders.iter().for_each(|&class| scores[class] += gap);
    let parts: topk_loss::Result<Vec<(f64, ValueAndGrad<f64>)>> = (1..)
        .zip(shares)
        .filter(|(_, share)| **share > 0.0)
        .map(|(k, &share)| Ok((share, try_evaluate(&TopKCrossEntropy::new(k, law, 1.0).unwrap(), &scores, label)?)))
        .collect();
    // What each can do alone, they can do together.
    let parts = parts.map_err(|_| TestCaseError::reject("a label too deep for the law"))?;
    let whole = evaluate(&TopKCrossEntropy::mixture(shares, law, 1.0).unwrap(), &scores, label);
    let value = parts.iter().map(|(share, part)| share * part.0).sum();
    let grad = (0..scores.len()).map(|class| parts.iter().map(|(share, part)| share * part.1[class]).sum()).collect();
    agree(LABEL_AMONG_THE_TOP, &whole, &(value, grad))
}

#[test]
fn a_mixture_is_the_sum_of_its_parts() {
    let gaps = prop::sample::select(vec![0.0, 5.0, 45.0, 60.0, 300.0, 5e3, 1e30]);
    holds(
        (moderate_example::<f64>(), prop::collection::vec(prop_oneof![5 => Just(0_u8), 1 => 1..4_u8], 40), gaps),
        |(example, weights, gap)| {
            // The last guess that is possible has a share.
            let mut shares: Vec<f64> = weights[..example.scores.len() - 1].iter().map(|&w| f64::from(w)).collect();
            shares[example.scores.len() - 2] += 1.0;
            let total: f64 = shares.iter().sum();
            shares.iter_mut().for_each(|share| *share /= total);
            check_mixture(Gumbel, &shares, gap, &example)?;
            if gap < 50.0 && example.scores.len() < 12 {
                check_mixture(Logistic, &shares, gap, &example)?;
                check_mixture(Normal, &shares, 0.1 * gap, &example)?;
            }
            Ok::<(), TestCaseError>(())
        },
    );
}

/// The others are at least 0, the label at most, and together they are nothing.
fn the_gradient_moves_the_label_against_the_others<F: Real>(Example { scores, label, k }: Example<F>) -> Result<(), TestCaseError> {
    let (value, grad) = evaluate(&TopKCrossEntropy::new(k, Gumbel, F::one()).unwrap(), &scores, label);
    prop_assert!(value >= F::zero());
    for (class, &entry) in grad.iter().enumerate() {
        prop_assert!(if class == label { entry <= F::zero() } else { entry >= F::zero() }, "{} at {}", entry, class);
    }
    let sum = grad.iter().fold(F::zero(), |sum, &g| sum + g);
    prop_assert!(SUM.allows(sum, F::zero(), grad[label]), "{} in all", sum);
    Ok(())
}

/// Differences of scores are exact, so an offset that loses no digits changes nothing at all.
fn a_common_offset_changes_nothing<F: Real>(Example { scores, label, k }: Example<F>) -> Result<(), TestCaseError> {
    let offset = F::from_f64(1e6);
    let far: Vec<F> = scores.iter().map(|&s| s + offset).collect();
    let near: Vec<F> = far.iter().map(|&s| s - offset).collect();
    let loss = TopKCrossEntropy::new(k, Gumbel, F::from_f64(0.5)).unwrap();
    prop_assert_eq!(evaluate(&loss, &far, label), evaluate(&loss, &near, label));
    Ok(())
}

both_floats! {
    the_gradient_moves_the_label_against_the_others in example;
    a_common_offset_changes_nothing in moderate_example;
}

fn a_lift_and_more_guesses_lose_less(Example { scores, label, k }: &Example<f64>, lift: f64) -> Result<(), TestCaseError> {
    let value = |scores: &[f64], k| evaluate(&TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap(), scores, *label).0;
    let mut raised = scores.clone();
    raised[*label] += lift;
    let here = value(scores, *k);
    let most = here + TOP_K_CROSS_ENTROPY.of::<f64>(here);
    let lifted = value(&raised, *k);
    prop_assert!(lifted <= most, "{} after {}, {} higher", lifted, here, lift);
    if k + 1 < scores.len() {
        let more = value(scores, k + 1);
        prop_assert!(more <= most, "{} after {}, with one more guess", more, here);
    }
    Ok(())
}

#[test]
fn a_higher_label_and_more_guesses_lose_less() {
    holds((moderate_example::<f64>(), 1e-3..10.0), |(example, lift)| a_lift_and_more_guesses_lose_less(&example, lift));
}

/// With three and four guesses 1e−16 and 4e−25, of which less is left than the rounding of the probabilities that they are made of.
#[test]
fn a_vanishing_loss_is_as_good_as_promised() {
    let scores = [-0.16159975154886286, 21.066235625804786, 0.0, -0.5917181418317598, 19.042244405251065];
    for k in 1..=4 {
        let example = Example { scores: scores.to_vec(), label: 4, k };
        a_lift_and_more_guesses_lose_less(&example, 1e-3).unwrap();
        let (value, expected) = (under_gumbel_noise(k, 1.0, &scores, 4).0, label_among_the_first(&scores, 4, k).0);
        assert!(TINY_LABEL_AMONG_THE_TOP.allows(value, expected, expected.max(TINY_LOSS)), "k = {k}: {value:e} instead of {expected:e}");
    }
}

#[test]
fn the_order_of_the_classes_does_not_matter() {
    holds((moderate_example::<f64>(), any::<prop::sample::Index>()), |(Example { scores, label, k }, turn)| {
        let loss = TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap();
        let (mut turned, len) = (scores.clone(), scores.len());
        let turn = turn.index(len);
        turned.rotate_left(turn);
        let (value, mut grad) = evaluate(&loss, &turned, (label + len - turn) % len);
        grad.rotate_right(turn);
        agree(SOFTMAX_BY_QUADRATURE, &(value, grad), &evaluate(&loss, &scores, label))
    });
}

/// How often the label is among the K largest of drawn noised scores, and a wrong probability that this would find out.
#[test]
fn draws_agree() {
    const DRAWS: usize = 40_000;
    let scores = [1.0, 0.5, 0.0, 0.25, -0.5, 0.75, 0.0];
    let (mut z_scores, mut biased) = (vec![], vec![]);
    for (k, label) in [(1, 0), (2, 4), (3, 1), (5, 6), (6, 4)] {
        let epsilon = 0.5;
        let sampler = MonteCarlo::new(Gumbel, DRAWS).unwrap();
        let mut noise = [0.0; 7];
        let hits: Moments = (0..DRAWS)
            .map(|draw| {
                sampler.sample(Key::new(12).fold_in(k as u64), draw, &mut noise).unwrap();
                let noised: Vec<f64> = scores.iter().zip(noise).map(|(s, z)| s + epsilon * z).collect();
                f64::from(u8::from(ranking(&noised)[..k].contains(&label)))
            })
            .collect();
        let (value, _) = evaluate(&TopKCrossEntropy::new(k, Gumbel, epsilon).unwrap(), &scores, label);
        z_scores.push(hits.z_score((-value).exp()));
        biased.push(hits.z_score((-value).exp() * (1.0 - DETECTABLE_BIAS)));
    }
    assert!(!reject(&z_scores), "{z_scores:?}");
    assert!(reject(&biased), "{biased:?}");
}
