//! The conditional estimator against its definition, class by class, and its variance beside the other estimators'.

mod moments;

use core::ops::RangeInclusive;

use proptest::prelude::*;
use topk_loss::estimator::{Baseline, Conditional, Estimator, Exact, Pathwise, ScoreFunction};
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::{KthLargest, Max, Oracle, OrderStatistics, RankSum, TopKSum, Translation};
use topk_loss::sampler::{Antithetic, GivenDraws, MonteCarlo, Sampler};
use topk_loss::{Error, FoldIn, Key, Real};
use topk_loss_laws::reference::{ValueAndGrad, to_f64};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::MEAN;
use topk_loss_laws::unbiased::{assert_unbiased, evaluate, midpoint_kth_largest};
use topk_loss_laws::{Example, both_floats};

/// Weights of the ranks from `first` to `last`.
fn middle<F: Real>(first: usize, last: usize) -> Vec<F> {
    (1..=last).map(|rank| if rank < first { F::zero() } else { F::one() }).collect()
}

/// P(class i has one of the ranks | the noise of all others), in `f64` from the same noised scores.
fn naive_draw<F: Real>(ranks: &RangeInclusive<usize>, law: impl Noise<f64>, scores: &[F], center: F, epsilon: F, z: &[F]) -> Vec<f64> {
    let centered: Vec<F> = scores.iter().map(|&s| s - center).collect();
    let noised: Vec<f64> = centered.iter().zip(z).map(|(&s, &z)| to_f64(s + epsilon * z)).collect();
    let probability = |class: usize| {
        let mut others: Vec<f64> = noised.iter().enumerate().filter(|&(i, _)| i != class).map(|(_, &s)| s).collect();
        others.sort_by(|a, b| b.total_cmp(a));
        let unit = |s: f64| (s - to_f64(centered[class])) / to_f64(epsilon);
        let above = if *ranks.start() == 1 { 1.0 } else { law.cdf(unit(others[*ranks.start() - 2])) };
        let below = if *ranks.end() > others.len() { 0.0 } else { law.cdf(unit(others[*ranks.end() - 1])) };
        above - below
    };
    (0..scores.len()).map(probability).collect()
}

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    epsilon: F,
    num_samples: usize,
    key: Key,
}

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let epsilon = prop::sample::select(vec![0.01, 0.2, 1.0, 5.0]);
    (moderate_example(), epsilon, 1..=6_usize, any::<u64>()).prop_map(|(example, epsilon, num_samples, seed)| Case {
        example,
        epsilon: F::from_f64(epsilon),
        num_samples,
        key: Key::new(seed),
    })
}

impl<F: Real> Case<F> {
    fn assert_naive<O, S>(&self, oracle: O, sampler: S) -> core::result::Result<(), TestCaseError>
    where
        O: OrderStatistics<F> + Copy,
        S: Sampler<F> + Copy,
        S::Law: Noise<f64>,
    {
        let (scores, dim) = (&self.example.scores, self.example.scores.len());
        let estimator = Conditional::new(oracle, sampler, self.epsilon, self.key).unwrap();
        let (value, grad) = evaluate(&estimator, scores);

        let mut scratch = vec![F::zero(); estimator.scratch_len(dim)];
        let Translation { center, .. } = oracle.translation(scores, &mut scratch).unwrap();
        let count = sampler.num_samples();
        let (mut z, mut expected) = (vec![F::nan(); dim], vec![0.0; dim]);
        for index in 0..count {
            sampler.sample(self.key, index, &mut z).unwrap();
            let draw = naive_draw(
                &(oracle.ranks().first()..=oracle.ranks().last()),
                Sampler::<F>::law(&sampler),
                scores,
                center,
                self.epsilon,
                &z,
            );
            expected.iter_mut().zip(draw).for_each(|(mean, p)| *mean += p / count as f64);
        }
        for (&actual, &expected) in grad.iter().zip(&expected) {
            prop_assert!(MEAN.allows(actual, F::from_f64(expected), F::one()), "{} instead of {}", actual, expected);
            // Each rank of a sum rounds once.
            let rounding = F::epsilon() * F::from_usize(oracle.ranks().last());
            prop_assert!(actual >= F::zero() && actual <= F::one() + rounding);
        }

        // The value is the pathwise one, with a gradient or without; the scratch's contents and surplus do not matter.
        prop_assert_eq!(evaluate(&Pathwise::new(oracle, sampler, self.epsilon, self.key).unwrap(), scores).0, value);
        let mut scratch = vec![F::from_f64(1e9); estimator.scratch_len(dim) + 5];
        prop_assert_eq!(estimator.value(scores, &mut scratch), Ok(value));
        let mut again = vec![F::zero(); dim];
        prop_assert_eq!(estimator.value_and_add_grad(scores, F::one(), &mut again, &mut scratch), Ok(value));
        prop_assert_eq!(again, grad);
        Ok(())
    }
}

fn it_is_the_probability_given_the_others<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    let Example { scores, k, label } = &case.example;
    let (kth, sum) = (KthLargest::new(*k).unwrap(), TopKSum::new(*k).unwrap());
    let weights = middle(1 + label % k, *k);
    let middle = RankSum::new(&weights).unwrap();
    macro_rules! for_laws {
        ($($law:ident),*) => {$(
            let sampler = MonteCarlo::new($law, case.num_samples).unwrap();
            case.assert_naive(kth, sampler)?;
            case.assert_naive(sum, sampler)?;
        )*};
    }
    for_laws!(Normal, Gumbel, Logistic, Laplace, Uniform);
    let sampler = MonteCarlo::new(Normal, case.num_samples).unwrap();
    case.assert_naive(middle, sampler)?;
    case.assert_naive(Max, sampler)?;
    case.assert_naive(KthLargest::new(scores.len()).unwrap(), sampler)?;
    case.assert_naive(TopKSum::new(scores.len()).unwrap(), sampler)
}

/// Scores and noise on a coarse grid: noised scores tie at every rank.
fn ties_need_no_rule<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    let half = F::from_f64(0.5);
    let coarse = |x: &F| (*x + *x).round().max(F::from_f64(-2.0)).min(F::from_f64(2.0)) * half;
    let scores: Vec<F> = case.example.scores.iter().map(coarse).collect();
    let mut z = vec![F::zero(); scores.len()];
    MonteCarlo::new(Normal, 1).unwrap().sample(case.key, 0, &mut z).unwrap();
    let draws: Vec<F> = z.iter().map(coarse).collect();
    let k = case.example.k;
    let label = case.example.label;
    let case = Case { example: Example { scores, ..case.example }, epsilon: F::one(), ..case };
    let given = GivenDraws::new(Normal, &draws, draws.len()).unwrap();
    case.assert_naive(KthLargest::new(k).unwrap(), given)?;
    case.assert_naive(TopKSum::new(k).unwrap(), given)?;
    case.assert_naive(RankSum::new(&middle(1 + label % k, k)).unwrap(), given)
}

fn folding_changes_the_draws<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    let of =
        |key| Conditional::new(KthLargest::new(case.example.k).unwrap(), MonteCarlo::new(Normal, 3).unwrap(), case.epsilon, key).unwrap();
    let (estimator, scores) = (of(case.key), &case.example.scores);
    let folded = evaluate(&estimator.fold_in(1), scores);
    prop_assert_ne!(evaluate(&estimator, scores), folded.clone());
    prop_assert_eq!(evaluate(&of(case.key.fold_in(1)), scores), folded);
    Ok(())
}

both_floats! {
    it_is_the_probability_given_the_others in case;
    ties_need_no_rule in case;
    folding_changes_the_draws in case;
}

const SCORES: [f64; 6] = [0.9, 0.4, 0.6, 1.3, 0.5, 1.0];
const EPSILON: f64 = 0.7;

/// At 1e6 the grid of `f32` has the step 1/16, wider than the noise: only the center keeps the draws alive.
#[test]
fn a_common_offset_leaves_the_gradient() {
    const OFFSET: f32 = 1e6;
    let near: Vec<f32> = [3, 1, 1, 0, 2, 1, 1].iter().map(|&step| step as f32 / 16.0).collect();
    let far: Vec<f32> = near.iter().map(|s| OFFSET + s).collect();
    let sampler = MonteCarlo::new(Normal, 16).unwrap();
    for k in 1..=7 {
        let kth = Conditional::new(KthLargest::new(k).unwrap(), sampler, 0.01_f32, Key::new(k as u64)).unwrap();
        let sum = Conditional::new(TopKSum::new(k).unwrap(), sampler, 0.01_f32, Key::new(k as u64)).unwrap();
        let oracles: [&dyn Oracle<f32>; 2] = [&kth, &sum];
        for oracle in oracles {
            let ((near_value, near_grad), (far_value, far_grad)) = (evaluate(oracle, &near), evaluate(oracle, &far));
            assert_eq!(far_grad, near_grad);
            let Translation { mass, .. } = oracle.translation(&far, &mut [0.0; 14]).unwrap();
            assert!(MEAN.allows(far_value, OFFSET * mass + near_value, OFFSET * mass), "{far_value}");
        }
    }
}

/// In the far tails a probability keeps its relative precision: nothing is the difference of two numbers near 1.
#[test]
fn both_tails_keep_their_digits() {
    // Class 2 is far below or above its two rivals, which do not move.
    let given = GivenDraws::new(Normal, &[0.0, 0.0, 0.0], 3).unwrap();
    let probability = |score: f64, k: usize| {
        let kth = Conditional::new(KthLargest::new(k).unwrap(), given, 1.0, Key::new(0)).unwrap();
        evaluate(&kth, &[0.5, -0.5, score]).1[2]
    };
    let between = |low: f64, high: f64| Normal.survival(low) - Normal.survival(high);
    assert_eq!(probability(-10.0, 1), Normal.survival(10.5));
    assert_eq!(probability(-10.0, 2), between(9.5, 10.5));
    assert_eq!(probability(10.0, 2), between(9.5, 10.5));
    assert_eq!(probability(10.0, 3), Normal.survival(10.5));
}

/// A law whose distribution function is no number.
#[derive(Debug, Clone, Copy)]
pub struct NoCdf;

impl Noise<f64> for NoCdf {
    fn quantile(&self, p: f64) -> f64 {
        p
    }
    fn cdf(&self, _: f64) -> f64 {
        f64::NAN
    }
    fn survival(&self, _: f64) -> f64 {
        f64::NAN
    }
    fn pdf(&self, _: f64) -> f64 {
        1.0
    }
    fn score(&self, _: f64) -> f64 {
        0.0
    }
}

#[test]
fn mistakes_are_named() {
    let sampler = MonteCarlo::new(Normal, 3).unwrap();
    for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Error::Parameter { name: "epsilon", must: "positive and finite" };
        assert_eq!(Conditional::new(Max, sampler, x, Key::new(0)), Err(error));
    }
    let broken = Conditional::new(Max, MonteCarlo::new(NoCdf, 3).unwrap(), 1.0, Key::new(0)).unwrap();
    let error = Error::NotFinite { what: "conditional probability", index: 0 };
    assert_eq!(broken.value_and_add_grad(&[1.0, 2.0], 1.0, &mut [0.0; 2], &mut [0.0; 4]), Err(error));

    // A rank that is none.
    let weights = middle(1, 4);
    let estimator = Conditional::new(RankSum::new(&weights).unwrap(), sampler, 1.0, Key::new(0)).unwrap();
    let mut grad = [-7.25; 3];
    let result = estimator.value_and_add_grad(&[1.0, 2.0, 3.0], 1.0, &mut grad, &mut [0.0; 6]);
    assert_eq!((result, grad), (Err(Error::K { k: 4, max: 3 }), [-7.25; 3]));

    let many = Conditional::new(Max, MonteCarlo::new(Normal, 1_000_000).unwrap(), 1.0_f32, Key::new(0)).unwrap();
    assert_eq!(Oracle::<f32>::scratch_len(&many, 10), 20);

    // The smallest noise there is, beside ties and beside a gap.
    let subnormal = Conditional::new(Max, sampler, f64::MIN_POSITIVE / 8.0, Key::new(0)).unwrap();
    let (value, grad) = evaluate(&subnormal, &[1.0, 2.0]);
    assert_eq!((value, grad), (2.0, vec![0.0, 1.0]));
}
