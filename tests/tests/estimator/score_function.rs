//! The score-function estimator against its definition, draw by draw.

use proptest::prelude::*;
use topk_loss::estimator::{Baseline, Estimator, Exact, Pathwise, ScoreFunction};
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::{KthLargest, Max, Oracle};
use topk_loss::sampler::{GivenDraws, MonteCarlo, Sampler};
use topk_loss::{Error, FoldIn, Key, Real, Result};
use topk_loss_laws::reference::{ValueAndGrad, kth_largest};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::MEAN;
use topk_loss_laws::unbiased::{assert_unbiased, evaluate, midpoint_kth_largest};
use topk_loss_laws::{Example, both_floats};

const BASELINES: [Baseline; 3] = [Baseline::None, Baseline::Mean, Baseline::LeaveOneOut];

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    epsilon: F,
    num_samples: usize,
    key: Key,
}

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let epsilon = prop::sample::select(vec![0.01, 0.2, 1.0, 5.0]);
    (moderate_example(), epsilon, 2..=16_usize, any::<u64>()).prop_map(|(example, epsilon, num_samples, seed)| Case {
        example,
        epsilon: F::from_f64(epsilon),
        num_samples,
        key: Key::new(seed),
    })
}

/// (1/B) Σ (f_b − baseline_b) ψ(z_b) / ε with f relative to the unperturbed k-th largest, and Σ of the magnitudes that it sums, per class.
fn naive<F: Real>(case: &Case<F>, baseline: Baseline, law: impl Noise<F>) -> (Vec<F>, Vec<F>) {
    let (Example { scores, k, .. }, count) = (&case.example, case.num_samples);
    let (center, _) = kth_largest(scores, *k);
    let sampler = MonteCarlo::new(law, count).unwrap();
    let mut draws = vec![vec![F::nan(); scores.len()]; count];
    draws.iter_mut().enumerate().for_each(|(index, z)| sampler.sample(case.key, index, z).unwrap());
    let value = |z: &Vec<F>| {
        let noised: Vec<F> = scores.iter().zip(z).map(|(&s, &z)| (s - center) + case.epsilon * z).collect();
        kth_largest(&noised, *k).0
    };
    let values: Vec<F> = draws.iter().map(value).collect();
    let (mut grad, mut magnitude) = (vec![F::zero(); scores.len()], vec![F::zero(); scores.len()]);
    for (b, z) in draws.iter().enumerate() {
        let others = values.iter().enumerate().filter(|&(other, _)| other != b).fold(F::zero(), |sum, (_, &v)| sum + v);
        let base = match baseline {
            Baseline::None | Baseline::Mean => F::zero(),
            Baseline::LeaveOneOut => others / F::from_usize(count - 1),
        };
        let scale = F::from_usize(count) * case.epsilon;
        for ((entry, size), &z) in grad.iter_mut().zip(&mut magnitude).zip(z) {
            *entry += (values[b] - base) * law.score(z) / scale;
            *size += (values[b].abs() + base.abs()) * law.score(z).abs() / scale;
        }
    }
    (grad, magnitude)
}

fn it_is_the_mean_of_value_times_score<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    fn under<F: Real>(case: &Case<F>, law: impl Noise<F>) -> core::result::Result<(), TestCaseError> {
        let (scores, kth) = (&case.example.scores, KthLargest::new(case.example.k).unwrap());
        let sampler = MonteCarlo::new(law, case.num_samples).unwrap();
        for baseline in BASELINES {
            let estimator = ScoreFunction::new(kth, sampler, case.epsilon, baseline, case.key).unwrap();
            let (value, grad) = evaluate(&estimator, scores);
            let (expected, magnitude) = naive(case, baseline, law);
            for ((&actual, &expected), &magnitude) in grad.iter().zip(&expected).zip(&magnitude) {
                prop_assert!(MEAN.allows(actual, expected, magnitude), "{:?}: {} instead of {}", baseline, actual, expected);
            }

            prop_assert_eq!(evaluate(&Pathwise::new(kth, sampler, case.epsilon, case.key).unwrap(), scores).0, value);
            let mut scratch = vec![F::from_f64(1e9); estimator.scratch_len(scores.len()) + 5];
            prop_assert_eq!(estimator.value(scores, &mut scratch), Ok(value));
            let mut again = vec![F::zero(); scores.len()];
            prop_assert_eq!(estimator.value_and_add_grad(scores, F::one(), &mut again, &mut scratch), Ok(value));
            prop_assert_eq!(&again, &grad);

            let folded = evaluate(&estimator.fold_in(1), scores);
            prop_assert_ne!(&folded, &(value, grad));
            let by_hand = ScoreFunction::new(kth, sampler, case.epsilon, baseline, case.key.fold_in(1)).unwrap();
            prop_assert_eq!(evaluate(&by_hand, scores), folded);
        }
        Ok(())
    }
    under(&case, Normal)?;
    under(&case, Gumbel)?;
    under(&case, Logistic)?;
    under(&case, Laplace)
}

both_floats!(it_is_the_mean_of_value_times_score in case);

const SCORES: [f64; 4] = [0.9, 0.4, 0.6, 1.3];
const EPSILON: f64 = 0.7;

#[test]
fn it_is_unbiased_under_every_continuous_law() {
    fn check<N: Noise<f64>>(law: N, seed: u64, expected: &ValueAndGrad<f64>) {
        let (second, sampler) = (KthLargest::new(2).unwrap(), MonteCarlo::new(law, 50).unwrap());
        for (baseline, seed) in BASELINES.into_iter().zip(seed..) {
            let estimator = ScoreFunction::new(second, sampler, EPSILON, baseline, Key::new(seed)).unwrap();
            assert_unbiased(expected, (0..4000).map(|step| evaluate(&estimator.fold_in(step), &SCORES)));
        }
    }
    fn exact<N: Noise<f64>>(law: N) -> ValueAndGrad<f64> {
        evaluate(&Exact::new(KthLargest::new(2).unwrap(), law, EPSILON).unwrap(), &SCORES)
    }
    check(Normal, 10, &exact(Normal));
    check(Gumbel, 20, &exact(Gumbel));
    check(Logistic, 30, &exact(Logistic));
    check(Laplace, 40, &midpoint_kth_largest(&SCORES, 2, Laplace, EPSILON));
}

/// Few draws are where a baseline from the same draws would be biased.
#[test]
fn leaving_one_out_is_unbiased_for_two_draws() {
    let second = KthLargest::new(2).unwrap();
    let expected = evaluate(&Exact::new(second, Normal, EPSILON).unwrap(), &SCORES);
    let estimator = ScoreFunction::new(second, MonteCarlo::new(Normal, 2).unwrap(), EPSILON, Baseline::LeaveOneOut, Key::new(50)).unwrap();
    let mean_of_many = |step: u64| {
        let (mut value, mut grad) = (0.0, vec![0.0; SCORES.len()]);
        for repetition in 0..40 {
            let (v, g) = evaluate(&estimator.fold_in(step).fold_in(repetition), &SCORES);
            value += v / 40.0;
            grad.iter_mut().zip(g).for_each(|(sum, g)| *sum += g / 40.0);
        }
        (value, grad)
    };
    assert_unbiased(&expected, (0..4000).map(mean_of_many));
}

/// An oracle that has no gradient: whether class 0 leads.
#[derive(Debug, Clone, Copy)]
struct Leads;

impl Oracle<f64> for Leads {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, theta: &[f64], _: &mut [f64]) -> Result<f64> {
        Ok(if theta[0] > theta[1] { 1.0 } else { 0.0 })
    }

    fn value_and_add_grad(&self, _: &[f64], _: f64, _: &mut [f64], _: &mut [f64]) -> Result<f64> {
        Err(Error::Parameter { name: "oracle", must: "differentiable" })
    }
}

/// P(θ₀ + Z₀ > θ₁ + Z₁) is Φ of the scaled difference, and only values are asked for.
#[test]
fn a_jump_has_a_smoothed_gradient() {
    let (theta, root) = ([0.3, 0.1], 2.0_f64.sqrt());
    let slope = Normal.pdf(0.2 / root) / root;
    let expected = (Normal.cdf(0.2 / root), vec![slope, -slope]);
    let estimator = ScoreFunction::new(Leads, MonteCarlo::new(Normal, 50).unwrap(), 1.0, Baseline::Mean, Key::new(60)).unwrap();
    assert_unbiased(&expected, (0..4000).map(|step| evaluate(&estimator.fold_in(step), &theta)));
}

#[test]
fn a_common_offset_leaves_the_gradient() {
    const OFFSET: f32 = 1e6;
    let near: Vec<f32> = [3, 1, 1, 0, 2, 1, 1].iter().map(|&step| step as f32 / 16.0).collect();
    let far: Vec<f32> = near.iter().map(|s| OFFSET + s).collect();
    let sampler = MonteCarlo::new(Normal, 16).unwrap();
    for baseline in BASELINES {
        let estimator = ScoreFunction::new(KthLargest::new(3).unwrap(), sampler, 0.01_f32, baseline, Key::new(1)).unwrap();
        let ((near_value, near_grad), (far_value, far_grad)) = (evaluate(&estimator, &near), evaluate(&estimator, &far));
        assert_eq!(far_grad, near_grad);
        assert!(MEAN.allows(far_value, OFFSET + near_value, OFFSET));
    }
}

/// A law with a score of its own.
#[derive(Debug, Clone, Copy)]
struct Scored(f64);

impl Noise<f64> for Scored {
    fn quantile(&self, p: f64) -> f64 {
        p
    }
    fn cdf(&self, z: f64) -> f64 {
        z
    }
    fn survival(&self, z: f64) -> f64 {
        1.0 - z
    }
    fn pdf(&self, _: f64) -> f64 {
        1.0
    }
    fn score(&self, _: f64) -> f64 {
        self.0
    }
}

/// Pairs of equal draws.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Twice(MonteCarlo<Normal>);

impl Sampler<f64> for Twice {
    type Law = Normal;

    fn law(&self) -> Normal {
        Normal
    }

    fn num_samples(&self) -> usize {
        Sampler::<f64>::num_samples(&self.0)
    }

    fn block_len(&self) -> usize {
        2
    }

    fn sample(&self, key: Key, index: usize, z: &mut [f64]) -> Result<()> {
        self.0.sample(key, index / 2, z)
    }
}

#[test]
fn mistakes_are_named() {
    let (key, sampler) = (Key::new(0), MonteCarlo::new(Normal, 4).unwrap());
    for baseline in BASELINES {
        for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = Error::Parameter { name: "epsilon", must: "positive and finite" };
            assert_eq!(ScoreFunction::new(Max, sampler, x, baseline, key), Err(error));
        }
        let uniform = ScoreFunction::new(Max, MonteCarlo::new(Uniform, 4).unwrap(), 1.0, baseline, key);
        assert!(matches!(uniform, Err(Error::Parameter { name: "law", must }) if must.contains("conditional")));
        for x in [f64::NAN, f64::INFINITY] {
            let broken = ScoreFunction::new(Max, MonteCarlo::new(Scored(x), 4).unwrap(), 1.0, baseline, key).unwrap();
            let mut scratch = vec![0.0; broken.estimate_scratch_len(2)];
            let error = Error::NotFinite { what: "score of the noise", index: 0 };
            let mut grad = [-7.25; 2];
            assert_eq!(broken.value_and_add_grad(&[1.0, 2.0], 1.0, &mut grad, &mut scratch), Err(error));
            assert_eq!(broken.estimate(&[1.0, 2.0], 1.0, &mut grad, &mut scratch), Err(error));
            assert_eq!(grad, [-7.25; 2]);
        }
        let long = ScoreFunction::new(Max, MonteCarlo::new(Normal, 1_000_000).unwrap(), 1.0, baseline, key).unwrap();
        assert!(Oracle::<f64>::scratch_len(&long, 10) <= 50);
    }
    let loo = |sampler| ScoreFunction::new(Max, sampler, 1.0, Baseline::LeaveOneOut, key).map(|_| ());
    let error = Error::Parameter { name: "num_samples", must: "at least 2 for the leave-one-out baseline" };
    assert_eq!(loo(MonteCarlo::new(Normal, 1).unwrap()), Err(error));
    let given = GivenDraws::new(Normal, &[0.5, 1.0], 2).unwrap();
    assert_eq!(ScoreFunction::new(Max, given, 1.0, Baseline::LeaveOneOut, key).map(|_| ()), Err(error));
    let pairs = ScoreFunction::new(Max, Twice(sampler), 1.0, Baseline::LeaveOneOut, key).map(|_| ());
    assert_eq!(pairs, Err(Error::Parameter { name: "sampler", must: "one of independent draws for the leave-one-out baseline" }));
    assert!(ScoreFunction::new(Max, Twice(sampler), 1.0, Baseline::Mean, key).is_ok());

    // Finite input whose gradient is beyond the range: with an offset so small that f does not round to 0 beside it.
    let tiny = ScoreFunction::new(Leads, sampler, f64::MIN_POSITIVE / 8.0, Baseline::None, key).unwrap();
    let error = Error::Overflow { what: "score-function gradient" };
    assert_eq!(tiny.value_and_add_grad(&[1.0, 0.0], 1.0, &mut [0.0; 2], &mut [0.0; 4]), Err(error));
}
