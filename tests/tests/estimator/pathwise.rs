//! The pathwise estimator against the plain loop over its draws.

use proptest::prelude::*;
use topk_loss::estimator::Pathwise;
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Oracle, TopKSum};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key, Real};
use topk_loss_laws::property::config;
use topk_loss_laws::reference::{self, ValueAndGrad};
use topk_loss_laws::statistics::{Moments, reject};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{DETECTABLE_BIAS, LINEAR_DIFFERENCE, LINEAR_STEP, MEAN};
use topk_loss_laws::{Example, both_floats};

#[derive(Debug, Clone)]
struct Smoothing<F> {
    example: Example<F>,
    epsilon: F,
    num_samples: usize,
    key: Key,
}

impl<F: Real> Smoothing<F> {
    fn of<O>(&self, oracle: O) -> Pathwise<O, MonteCarlo<Normal>, F> {
        Pathwise::new(oracle, MonteCarlo::new(Normal, self.num_samples).unwrap(), self.epsilon, self.key).unwrap()
    }

    fn kth_largest(&self) -> Pathwise<KthLargest, MonteCarlo<Normal>, F> {
        self.of(KthLargest::new(self.example.k).unwrap())
    }

    fn draws(&self) -> Vec<Vec<F>> {
        let sampler = MonteCarlo::new(Normal, self.num_samples).unwrap();
        let mut draws = vec![vec![F::nan(); self.example.scores.len()]; self.num_samples];
        draws.iter_mut().enumerate().for_each(|(index, z)| sampler.sample(self.key, index, z).unwrap());
        draws
    }

    /// What is rounded: scores and noise of at most 9 standard deviations.
    fn magnitude(&self) -> F {
        self.example.scores.iter().fold(self.epsilon * F::from_f64(9.0), |largest, s| largest + s.abs())
    }
}

fn smoothing<F: Real>() -> impl Strategy<Value = Smoothing<F>> {
    let epsilon = prop::sample::select(vec![0.01, 0.2, 1.0, 5.0]);
    (moderate_example(), epsilon, 1..=16_usize, any::<u64>()).prop_map(|(example, epsilon, num_samples, seed)| Smoothing {
        example,
        epsilon: F::from_f64(epsilon),
        num_samples,
        key: Key::new(seed),
    })
}

fn evaluate<F: Real>(oracle: &impl Oracle<F>, theta: &[F]) -> ValueAndGrad<F> {
    let mut grad = vec![F::zero(); theta.len()];
    let mut scratch = vec![F::nan(); oracle.scratch_len(theta.len())];
    let value = oracle.value_and_add_grad(theta, F::one(), &mut grad, &mut scratch).unwrap();
    (value, grad)
}

fn assert_close<F: Real>(actual: ValueAndGrad<F>, expected: ValueAndGrad<F>, magnitude: F) -> Result<(), TestCaseError> {
    prop_assert!(MEAN.allows(actual.0, expected.0, magnitude), "{} instead of {}", actual.0, expected.0);
    let close = actual.1.iter().zip(&expected.1).all(|(&a, &e)| MEAN.allows(a, e, F::one()));
    prop_assert!(close, "{:?} instead of {:?}", actual.1, expected.1);
    Ok(())
}

fn it_is_the_mean_over_the_draws<F: Real>(smoothing: Smoothing<F>) -> Result<(), TestCaseError> {
    let (Example { scores, k, .. }, epsilon, draws) = (&smoothing.example, smoothing.epsilon, smoothing.draws());
    let (center, _) = reference::kth_largest(scores, *k);
    let expected = reference::pathwise(|s| reference::kth_largest(s, *k), scores, center, epsilon, &draws);
    assert_close(evaluate(&smoothing.kth_largest(), scores), expected, smoothing.magnitude())?;

    let expected = reference::pathwise(|s| reference::top_k_sum(s, *k), scores, center, epsilon, &draws);
    let magnitude = smoothing.magnitude() * F::from_usize(*k);
    assert_close(evaluate(&smoothing.of(TopKSum::new(*k).unwrap()), scores), expected, magnitude)
}

/// In `f64` the center is invisible: the definition itself, without it, gives the same.
fn the_center_is_only_for_rounding(smoothing: Smoothing<f64>) -> Result<(), TestCaseError> {
    let Example { scores, k, .. } = &smoothing.example;
    let expected = reference::pathwise(|s| reference::kth_largest(s, *k), scores, 0.0, smoothing.epsilon, &smoothing.draws());
    assert_close(evaluate(&smoothing.kth_largest(), scores), expected, smoothing.magnitude())
}

fn the_same_key_gives_the_same_numbers<F: Real>(smoothing: Smoothing<F>) -> Result<(), TestCaseError> {
    let (oracle, scores) = (smoothing.kth_largest(), &smoothing.example.scores);
    let (value, grad) = evaluate(&oracle, scores);
    prop_assert_eq!(evaluate(&oracle.clone(), scores), (value, grad.clone()));

    // Neither the scratch's contents nor what it has too much matter, and the value alone is the same value.
    let mut scratch = vec![F::from_f64(1e9); oracle.scratch_len(scores.len()) + 5];
    prop_assert_eq!(oracle.value(scores, &mut scratch), Ok(value));
    let mut again = vec![F::zero(); scores.len()];
    prop_assert_eq!(oracle.value_and_add_grad(scores, F::one(), &mut again, &mut scratch), Ok(value));
    prop_assert_eq!(again, grad);
    Ok(())
}

fn folding_changes_the_draws(smoothing: Smoothing<f64>) -> Result<(), TestCaseError> {
    let (oracle, scores) = (smoothing.kth_largest(), &smoothing.example.scores);
    let folded = evaluate(&oracle.fold_in(1), scores);
    prop_assert_ne!(evaluate(&oracle, scores).0, folded.0);
    let by_hand = Smoothing { key: smoothing.key.fold_in(1), ..smoothing.clone() };
    prop_assert_eq!(evaluate(&by_hand.kth_largest(), scores), folded);
    Ok(())
}

/// Entries are shares of the draws: not negative, at most B of them, and they sum to the weight.
fn the_gradient_is_a_distribution<F: Real>(smoothing: Smoothing<F>) -> Result<(), TestCaseError> {
    let (_, grad) = evaluate(&smoothing.kth_largest(), &smoothing.example.scores);
    prop_assert!(grad.iter().all(|&g| g >= F::zero()));
    prop_assert!(grad.iter().filter(|&&g| g > F::zero()).count() <= smoothing.num_samples);
    let sum = grad.into_iter().fold(F::zero(), |sum, g| sum + g);
    prop_assert!(MEAN.allows(sum, F::one(), F::one()));
    Ok(())
}

/// For fixed draws the value is piecewise linear, and where no draw changes its mind the gradient is its slope.
fn the_gradient_is_the_slope_for_fixed_draws(smoothing: Smoothing<f64>) -> Result<(), TestCaseError> {
    let (oracle, scores) = (smoothing.kth_largest(), &smoothing.example.scores);
    let (_, grad) = evaluate(&oracle, scores);
    for class in 0..scores.len() {
        let at = |shift: f64| {
            let mut moved = scores.clone();
            moved[class] += shift;
            evaluate(&oracle, &moved)
        };
        let (above, below) = (at(LINEAR_STEP), at(-LINEAR_STEP));
        if above.1 == grad && below.1 == grad {
            let slope = (above.0 - below.0) / (2.0 * LINEAR_STEP);
            prop_assert!(LINEAR_DIFFERENCE.allows(slope, grad[class], smoothing.magnitude()), "{} instead of {}", grad[class], slope);
        }
    }
    Ok(())
}

both_floats! {
    it_is_the_mean_over_the_draws in smoothing;
    the_same_key_gives_the_same_numbers in smoothing;
    the_gradient_is_a_distribution in smoothing;
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn in_double_precision(smoothing in smoothing::<f64>()) {
        the_center_is_only_for_rounding(smoothing.clone())?;
        folding_changes_the_draws(smoothing.clone())?;
        the_gradient_is_the_slope_for_fixed_draws(smoothing)?;
    }

    /// At 1e6 the grid of `f32` has the step 1/16, wider than the noise: only the center keeps the draws alive.
    #[test]
    fn a_common_offset_leaves_the_gradient(steps in prop::collection::vec(0..4_u8, 2..40), seed: u64, rank: prop::sample::Index) {
        const OFFSET: f32 = 1e6;
        let near: Vec<f32> = steps.iter().map(|&step| f32::from(step) / 16.0).collect();
        let far: Vec<f32> = near.iter().map(|s| OFFSET + s).collect();
        let example = Example { k: 1 + rank.index(near.len()), scores: near.clone(), label: 0 };
        let oracle = Smoothing { example, epsilon: 0.01_f32, num_samples: 16, key: Key::new(seed) }.kth_largest();
        let ((near_value, near_grad), (far_value, far_grad)) = (evaluate(&oracle, &near), evaluate(&oracle, &far));
        prop_assert_eq!(far_grad, near_grad);
        prop_assert!(MEAN.allows(far_value, OFFSET + near_value, OFFSET));
    }
}

/// Value and gradient of many independent estimates, `wrong_by` a relative error in ε, against the limit of infinitely many draws.
fn bias_scores(wrong_by: f64) -> Vec<f64> {
    const REPETITIONS: u64 = 2000;
    const DRAWS: usize = 20;
    let mut z_scores = Vec::new();
    for (case, key) in crate::data::section("noised_exact_limit").iter().zip((0..).map(|case| Key::new(17).fold_in(case))) {
        let oracle = KthLargest::new(case.number("K") as usize + 1).unwrap();
        let sampler = MonteCarlo::new(Normal, DRAWS).unwrap();
        let epsilon = case.number("eps") * (1.0 + wrong_by);
        let limits = case.numbers("skp1").into_iter().zip(case.rows("prob"));
        for ((row, scores), (limit, probabilities)) in (0..).zip(case.rows("scores")).zip(limits) {
            let smoothed = Pathwise::new(oracle, sampler, epsilon, key.fold_in(row)).unwrap();
            let (values, grads): (Vec<f64>, Vec<Vec<f64>>) =
                (0..REPETITIONS).map(|step| evaluate(&smoothed.fold_in(step), &scores)).unzip();
            z_scores.push(values.into_iter().collect::<Moments>().z_score(limit));
            // Classes that are picked rarely are far from a normal law; the others hold almost all of the mass.
            let likely = probabilities.iter().enumerate().filter(|&(_, &p)| p * (REPETITIONS as f64) * (DRAWS as f64) > 500.0);
            z_scores.extend(likely.map(|(class, &p)| grads.iter().map(|g| g[class]).collect::<Moments>().z_score(p)));
        }
    }
    z_scores
}

#[test]
fn value_and_gradient_are_unbiased() {
    let z_scores = bias_scores(0.0);
    assert!(!reject(&z_scores), "{z_scores:?}");
    // Power: noise that is 5 % too wide or too narrow is seen.
    assert!(reject(&bias_scores(DETECTABLE_BIAS)));
    assert!(reject(&bias_scores(-DETECTABLE_BIAS)));
}
