//! The control variate: the mean of a difference, and an expectation that is known.

use proptest::prelude::*;
use topk_loss::estimator::{Conditional, ControlVariate, Estimator, Exact, Pathwise};
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::{KthLargest, Max, Oracle, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Error, FoldIn, Key, Real, Result};
use topk_loss_laws::reference::ValueAndGrad;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::MEAN;
use topk_loss_laws::unbiased::{assert_unbiased, evaluate, midpoint_kth_largest};
use topk_loss_laws::{Example, both_floats};

/// A function whose smoothing is known and whose value and gradient are constants: not one that follows an offset.
#[derive(Debug, Clone)]
struct Known<F>(ValueAndGrad<F>);

impl<F: Real> Oracle<F> for Known<F> {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, _: &[F], _: &mut [F]) -> Result<F> {
        Ok(self.0.0)
    }

    fn value_and_add_grad(&self, _: &[F], weight: F, grad: &mut [F], _: &mut [F]) -> Result<F> {
        grad.iter_mut().zip(&self.0.1).for_each(|(entry, &g)| *entry += weight * g);
        Ok(self.0.0)
    }
}

/// Σ wᵢθᵢ, which names no center.
#[derive(Debug, Clone, Copy)]
struct Linear;

impl<F: Real> Oracle<F> for Linear {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, theta: &[F], _: &mut [F]) -> Result<F> {
        Ok(theta.iter().zip(0..).fold(F::zero(), |sum, (&t, i)| sum + t * F::from_usize(i % 3)))
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        grad.iter_mut().enumerate().for_each(|(i, entry)| *entry += weight * F::from_usize(i % 3));
        self.value(theta, scratch)
    }
}

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    epsilon: F,
    coefficient: F,
    num_samples: usize,
    key: Key,
}

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let epsilon = prop::sample::select(vec![0.01, 0.2, 1.0, 5.0]);
    (moderate_example(), epsilon, -2.0..2.0_f64, 1..=16_usize, any::<u64>()).prop_map(
        |(example, epsilon, coefficient, num_samples, seed)| Case {
            example,
            epsilon: F::from_f64(epsilon),
            coefficient: F::from_f64(coefficient),
            num_samples,
            key: Key::new(seed),
        },
    )
}

/// pathwise(f) − β·pathwise(h) + β·h_ε, for controls with and without a center of their own.
fn it_is_the_corrected_pathwise_mean<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    fn check<F: Real>(case: &Case<F>, control: impl Oracle<F> + Copy, size: F) -> core::result::Result<(), TestCaseError> {
        let (scores, beta) = (&case.example.scores, case.coefficient);
        let sampler = MonteCarlo::new(Normal, case.num_samples).unwrap();
        let sum = TopKSum::new(case.example.k).unwrap();
        let known = Known((F::from_f64(0.75), (0..scores.len()).map(|i| F::from_usize(i % 5)).collect()));
        let estimator = ControlVariate::new(sum, control, &known, sampler, case.epsilon, case.key).unwrap();
        let estimator = estimator.with_coefficient(beta).unwrap();
        let (value, grad) = evaluate(&estimator, scores);

        let f = evaluate(&Pathwise::new(sum, sampler, case.epsilon, case.key).unwrap(), scores);
        let h = evaluate(&Pathwise::new(control, sampler, case.epsilon, case.key).unwrap(), scores);
        let largest = scores.iter().fold(case.epsilon * F::from_f64(9.0), |largest, s| largest + s.abs());
        let magnitude = F::from_usize(4) * size * largest + F::one();
        prop_assert!(MEAN.allows(value, f.0 + beta * (known.0.0 - h.0), magnitude), "{} {} {} {}", value, f.0, h.0, beta);
        for (i, &actual) in grad.iter().enumerate() {
            let expected = f.1[i] + beta * (known.0.1[i] - h.1[i]);
            prop_assert!(MEAN.allows(actual, expected, F::from_f64(16.0)), "{} instead of {}", actual, expected);
        }

        let mut scratch = vec![F::from_f64(1e9); estimator.scratch_len(scores.len()) + 5];
        prop_assert_eq!(estimator.value(scores, &mut scratch), Ok(value));
        let mut again = vec![F::zero(); scores.len()];
        prop_assert_eq!(estimator.value_and_add_grad(scores, F::one(), &mut again, &mut scratch), Ok(value));
        prop_assert_eq!(again, grad);
        Ok(())
    }
    check(&case, KthLargest::new(case.example.k).unwrap(), F::from_usize(case.example.k))?;
    check(&case, Max, F::from_usize(case.example.k))?;
    check(&case, Linear, F::from_usize(case.example.k + 2))
}

fn folding_changes_the_draws<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    let (scores, sum) = (&case.example.scores, TopKSum::new(case.example.k).unwrap());
    let sampler = MonteCarlo::new(Normal, case.num_samples).unwrap();
    let of = |key| {
        let expectation = Pathwise::new(Max, sampler, case.epsilon, key).unwrap();
        let estimator = ControlVariate::new(sum, Linear, expectation, sampler, case.epsilon, key).unwrap();
        // With β = 1 the three may cancel.
        estimator.with_coefficient(F::from_f64(0.3)).unwrap()
    };
    let folded = evaluate(&of(case.key).fold_in(1), scores);
    prop_assert_ne!(evaluate(&of(case.key), scores), folded.clone());
    // The expectation's key is folded too.
    prop_assert_eq!(evaluate(&of(case.key.fold_in(1)), scores), folded);
    Ok(())
}

both_floats! {
    it_is_the_corrected_pathwise_mean in case;
    folding_changes_the_draws in case;
}

const SCORES: [f64; 5] = [0.9, 0.4, 0.6, 1.3, 1.0];
const EPSILON: f64 = 0.7;

fn sum_of(parts: impl Iterator<Item = ValueAndGrad<f64>>) -> ValueAndGrad<f64> {
    parts
        .fold((0.0, vec![0.0; SCORES.len()]), |(value, grad), part| (value + part.0, grad.iter().zip(part.1).map(|(a, b)| a + b).collect()))
}

/// The sum of the two largest, controlled by the largest.
fn check_unbiased<N: Noise<f64>, E: Oracle<f64> + Copy>(law: N, seed: u64, expectation: E, expected: &ValueAndGrad<f64>) {
    let (sum, sampler) = (TopKSum::new(2).unwrap(), MonteCarlo::new(law, 50).unwrap());
    for (beta, seed) in [0.5, 1.0].into_iter().zip(seed..) {
        let of = |step| {
            let estimator = ControlVariate::new(sum, Max, expectation, sampler, EPSILON, Key::new(seed).fold_in(step)).unwrap();
            estimator.with_coefficient(beta).unwrap()
        };
        assert_unbiased(expected, (0..4000).map(|step| evaluate(&of(step), &SCORES)));
    }
}

#[test]
fn it_is_unbiased_under_every_law() {
    fn smooth<N: Noise<f64>>(law: N, seed: u64) {
        let exact = |k| Exact::new(KthLargest::new(k).unwrap(), law, EPSILON).unwrap();
        check_unbiased(law, seed, exact(1), &sum_of((1..=2).map(|k| evaluate(&exact(k), &SCORES))));
    }
    fn kinked<N: Noise<f64>>(law: N, seed: u64) {
        let limit = |k| midpoint_kth_largest(&SCORES, k, law, EPSILON);
        check_unbiased(law, seed, &Known(limit(1)), &sum_of((1..=2).map(limit)));
    }
    smooth(Normal, 10);
    smooth(Gumbel, 20);
    smooth(Logistic, 30);
    kinked(Laplace, 40);
    kinked(Uniform, 50);
}

/// What it is for: the same draws, a smaller standard error; none at all where control and function are the same.
#[test]
fn a_good_control_lowers_the_variance() {
    let (kth, sampler, key) = (KthLargest::new(1).unwrap(), MonteCarlo::new(Normal, 500).unwrap(), Key::new(60));
    let estimate = |estimator: &dyn Estimator<f64>| {
        let mut scratch = vec![0.0; estimator.estimate_scratch_len(SCORES.len())];
        estimator.estimate(&SCORES, 1.0, &mut [0.0; SCORES.len()], &mut scratch).unwrap()
    };
    let exact = Exact::new(kth, Normal, EPSILON).unwrap();
    let plain = estimate(&Pathwise::new(TopKSum::new(2).unwrap(), sampler, EPSILON, key).unwrap());
    let controlled = estimate(&ControlVariate::new(TopKSum::new(2).unwrap(), kth, exact, sampler, EPSILON, key).unwrap());
    assert!(controlled.standard_error < 0.7 * plain.standard_error);
    let itself = ControlVariate::new(Max, kth, exact, sampler, EPSILON, key).unwrap();
    let known = estimate(&itself);
    assert_eq!((known.standard_error, known.gradient_standard_error), (0.0, 0.0));
    assert_eq!(evaluate(&itself, &SCORES).0, evaluate(&exact, &SCORES).0);
    // It needs no gradient of the oracles to be a stochastic one: an estimator can be controlled too.
    let conditional = Conditional::new(kth, sampler, EPSILON, key).unwrap();
    assert!(ControlVariate::new(conditional, kth, exact, sampler, EPSILON, key).is_ok());
}

#[test]
fn a_common_offset_leaves_the_gradient() {
    const OFFSET: f32 = 1e6;
    let near: Vec<f32> = [3, 1, 1, 0, 2, 1, 1].iter().map(|&step| step as f32 / 16.0).collect();
    let far: Vec<f32> = near.iter().map(|s| OFFSET + s).collect();
    let sampler = MonteCarlo::new(Normal, 16).unwrap();
    let third = KthLargest::new(3).unwrap();
    let expectation = Conditional::new(third, sampler, 0.01_f32, Key::new(2)).unwrap();
    let estimator = ControlVariate::new(KthLargest::new(2).unwrap(), third, expectation, sampler, 0.01_f32, Key::new(1)).unwrap();
    let ((near_value, near_grad), (far_value, far_grad)) = (evaluate(&estimator, &near), evaluate(&estimator, &far));
    for (&near, &far) in near_grad.iter().zip(&far_grad) {
        assert!(MEAN.allows(far, near, 1.0));
    }
    assert!(MEAN.allows(far_value, OFFSET + near_value, OFFSET));
}

#[test]
fn mistakes_are_named() {
    let (key, sampler) = (Key::new(0), MonteCarlo::new(Normal, 3).unwrap());
    for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Error::Parameter { name: "epsilon", must: "positive and finite" };
        assert_eq!(ControlVariate::new(Max, Max, Max, sampler, x, key), Err(error));
    }
    let good = ControlVariate::new(Max, Max, Max, sampler, 1.0, key).unwrap();
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(good.with_coefficient(x), Err(Error::Parameter { name: "coefficient", must: "finite" }));
    }
    // A control or an expectation that does not fit leaves the gradient alone.
    let fifth = KthLargest::new(5).unwrap();
    let mut grad = [-7.25; 2];
    let error = Err(Error::K { k: 5, max: 2 });
    let control = ControlVariate::new(Max, fifth, Max, sampler, 1.0, key).unwrap();
    assert_eq!(control.value_and_add_grad(&[1.0, 2.0], 1.0, &mut grad, &mut [0.0; 4]), error);
    let expectation = ControlVariate::new(Max, Max, fifth, sampler, 1.0, key).unwrap();
    assert_eq!(expectation.value_and_add_grad(&[1.0, 2.0], 1.0, &mut grad, &mut [0.0; 4]), error);
    assert_eq!(expectation.estimate(&[1.0, 2.0], 1.0, &mut grad, &mut [0.0; 8]).map(|_| 0.0), error);
    assert_eq!(grad, [-7.25; 2]);
    let many = ControlVariate::new(Max, Max, Max, MonteCarlo::new(Normal, 1_000_000).unwrap(), 1.0, key).unwrap();
    assert_eq!(Oracle::<f64>::scratch_len(&many, 10), 20);
}
