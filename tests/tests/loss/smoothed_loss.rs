//! Any loss under noise: against a plain loop over the draws, and in expectation.

use proptest::prelude::*;
use topk_loss::loss::{Hinge, SmoothedLoss};
use topk_loss::noise::Normal;
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{CrossEntropy, Error, FoldIn, Key, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_laws::property::{config, evaluate};
use topk_loss_laws::reference::{ValueAndGrad, normal_pdf};
use topk_loss_laws::statistics::{Moments, reject};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{DETECTABLE_BIAS, MEAN, SMOOTH_DIFFERENCE, SMOOTH_STEP};
use topk_loss_laws::{Example, both_floats};

/// ½ Σ (sⱼ − 1[j = y])²: a loss that is not shift invariant.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Squares;

impl<F: Real> Loss<F> for Squares {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, scores: &[F], label: usize, _: &mut [F]) -> topk_loss::Result<F> {
        let own = *scores.get(label).ok_or(Error::Label { label, num_classes: scores.len() })?;
        Ok(scores.iter().fold(F::one() - own - own, |sum, &s| sum + s * s) * F::from_f64(0.5))
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> topk_loss::Result<F> {
        let value = self.value(scores, label, scratch)?;
        grad.copy_from_slice(scores);
        grad[label] -= F::one();
        Ok(value)
    }
}

impl FoldIn for Squares {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    epsilon: F,
    num_samples: usize,
    key: Key,
}

impl<F: Real> Case<F> {
    fn of<L>(&self, loss: L) -> SmoothedLoss<L, MonteCarlo<Normal>, F> {
        SmoothedLoss::new(loss, MonteCarlo::new(Normal, self.num_samples).unwrap(), self.epsilon, self.key).unwrap()
    }

    fn top_k(&self) -> TopKHinge<F> {
        TopKHinge::new(self.example.k).unwrap()
    }

    /// The mean over the draws around s − center, and the largest magnitude that was added up.
    fn naive(&self, loss: &impl Loss<F>, center: F) -> (ValueAndGrad<F>, F) {
        let Example { scores, label, .. } = &self.example;
        let (mut value, mut grad, mut size) = (F::zero(), vec![F::zero(); scores.len()], F::one());
        let count = F::from_usize(self.num_samples);
        for index in 0..self.num_samples {
            let mut z = vec![F::nan(); scores.len()];
            MonteCarlo::new(Normal, self.num_samples).unwrap().sample(self.key, index, &mut z).unwrap();
            let perturbed: Vec<F> = scores.iter().zip(z).map(|(&s, z)| (s - center) + self.epsilon * z).collect();
            let (draw, part) = evaluate(loss, &perturbed, *label);
            value += draw / count;
            grad.iter_mut().zip(&part).for_each(|(sum, &g)| *sum += g / count);
            size = part.iter().fold(size.max(draw.abs()), |size, g| size.max(g.abs()));
        }
        ((value, grad), size)
    }

    fn agrees(&self, loss: impl Loss<F> + Copy, shift_invariant: bool) -> Result<(), TestCaseError> {
        let Example { scores, label, .. } = &self.example;
        let largest = scores.iter().copied().fold(F::neg_infinity(), F::max);
        let (smoothed, center) = if shift_invariant { (self.of(loss).shift_invariant(), largest) } else { (self.of(loss), F::zero()) };
        let ((expected, expected_grad), size) = self.naive(&loss, center);
        let (value, grad) = evaluate(&smoothed, scores, *label);
        prop_assert!(MEAN.allows(value, expected, size), "{value} instead of {expected}");
        let close = grad.iter().zip(&expected_grad).all(|(&g, &e)| MEAN.allows(g, e, size));
        prop_assert!(close, "{grad:?} instead of {expected_grad:?}");
        Ok(())
    }
}

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let epsilon = prop::sample::select(vec![0.01, 0.2, 1.0, 5.0]);
    (moderate_example(), epsilon, 1..=16_usize, any::<u64>()).prop_map(|(example, epsilon, num_samples, seed)| Case {
        example,
        epsilon: F::from_f64(epsilon),
        num_samples,
        key: Key::new(seed),
    })
}

fn it_is_the_mean_over_the_draws<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    for shift_invariant in [false, true] {
        case.agrees(CrossEntropy, shift_invariant)?;
        case.agrees(case.top_k(), shift_invariant)?;
    }
    case.agrees(Squares, false)
}

/// For fixed draws the smoothed cross-entropy is smooth.
fn the_gradient_is_the_slope_for_fixed_draws(case: Case<f64>) -> Result<(), TestCaseError> {
    let (loss, Example { scores, label, .. }) = (case.of(CrossEntropy), &case.example);
    let (value, grad) = evaluate(&loss, scores, *label);
    for class in 0..scores.len() {
        let at = |shift: f64| {
            let mut moved = scores.clone();
            moved[class] += shift;
            evaluate(&loss, &moved, *label).0
        };
        let slope = (at(SMOOTH_STEP) - at(-SMOOTH_STEP)) / (2.0 * SMOOTH_STEP);
        prop_assert!(SMOOTH_DIFFERENCE.allows(slope, grad[class], 1.0 + value.abs()), "{} instead of {slope}", grad[class]);
    }
    Ok(())
}

fn keys_are_values(case: Case<f64>) -> Result<(), TestCaseError> {
    let (loss, Example { scores, label, .. }) = (case.of(CrossEntropy), &case.example);
    let folded = Case { key: case.key.fold_in(3), ..case.clone() }.of(CrossEntropy);
    prop_assert_eq!(evaluate(&loss.fold_in(3), scores, *label), evaluate(&folded, scores, *label));
    Ok(())
}

both_floats!(it_is_the_mean_over_the_draws in case);

proptest! {
    #![proptest_config(config())]

    #[test]
    fn in_double_precision(case in case::<f64>()) {
        keys_are_values(case.clone())?;
        the_gradient_is_the_slope_for_fixed_draws(case)?;
    }

    /// At 1e6 the grid of `f32` has the step 1/16, wider than the noise.
    #[test]
    fn a_common_offset_leaves_a_shift_invariant_loss(steps in prop::collection::vec(0..40_u8, 3..40), seed: u64) {
        let near: Vec<f32> = steps.iter().map(|&step| f32::from(step) / 16.0).collect();
        let far: Vec<f32> = near.iter().map(|s| 1e6 + s).collect();
        let example = Example { k: 2, scores: near.clone(), label: 0 };
        let case = Case { example, epsilon: 0.01_f32, num_samples: 16, key: Key::new(seed) };
        let entropy = case.of(CrossEntropy).shift_invariant();
        prop_assert_eq!(evaluate(&entropy, &far, 0), evaluate(&entropy, &near, 0));
        let hinge = case.of(case.top_k()).shift_invariant();
        prop_assert_eq!(evaluate(&hinge, &far, 0), evaluate(&hinge, &near, 0));
    }
}

/// A stochastic loss inside is folded too.
#[test]
fn folding_reaches_the_loss_inside() {
    let inner = |key| {
        let smoothing = Smoothing::Pathwise { epsilon: 0.5, num_samples: 2, key };
        TopKHinge::new(1).unwrap().with_smoothing(smoothing).unwrap()
    };
    let outer = |inner, key| SmoothedLoss::new(inner, MonteCarlo::new(Normal, 2).unwrap(), 0.5, key).unwrap();
    let (a, b) = (Key::new(1), Key::new(2));
    assert_eq!(outer(inner(a), b).fold_in(7), outer(inner(a.fold_in(7)), b.fold_in(7)));
}

/// E g(s₀ − s₁ + ε√2 Z) by Simpson's rule, its kinks resolved by the number of nodes.
fn mean_of_difference(g: impl Fn(f64) -> f64, difference: f64, epsilon: f64) -> f64 {
    const INTERVALS: i32 = 200_000;
    let step = 20.0 / f64::from(INTERVALS);
    let simpson = |i: i32| if i == 0 || i == INTERVALS { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
    let at = |z: f64| normal_pdf(z) * g(difference + epsilon * 2.0_f64.sqrt() * z);
    (0..=INTERVALS).map(|i| simpson(i) * at(f64::from(i) * step - 10.0)).sum::<f64>() * step / 3.0
}

/// z-scores of the value and the label's gradient, for label 0 of two classes.
fn bias_scores(loss: impl Loss<f64> + Copy + FoldIn, num_samples: usize, expected: [f64; 2], wrong_by: f64) -> Vec<f64> {
    let sampler = MonteCarlo::new(Normal, num_samples).unwrap();
    let smoothed = SmoothedLoss::new(loss, sampler, EPSILON, Key::new(31)).unwrap();
    let mut moments = [Moments::default(); 2];
    for step in 0..80_000 / num_samples as u64 {
        let (value, grad) = evaluate(&smoothed.fold_in(step), &SCORES, 0);
        moments[0].extend([value]);
        moments[1].extend([grad[0]]);
    }
    moments.iter().zip(expected).map(|(m, e)| m.z_score(e * (1.0 + wrong_by))).collect()
}

const SCORES: [f64; 2] = [0.7, 0.2];
const EPSILON: f64 = 0.4;

fn families(wrong_by: f64) -> Vec<Vec<f64>> {
    let difference = SCORES[0] - SCORES[1];
    let entropy = [
        mean_of_difference(|d| (-d).exp().ln_1p(), difference, EPSILON),
        mean_of_difference(|d| -1.0 / (1.0 + d.exp()), difference, EPSILON),
    ];
    // The second largest of two minus the label's own is −d₊.
    let hinge = [
        mean_of_difference(|d| (1.0 - d.max(0.0)).max(0.0), difference, EPSILON),
        mean_of_difference(|d| if d > 0.0 && d < 1.0 { -1.0 } else { 0.0 }, difference, EPSILON),
    ];
    // E ½‖s + εZ − e‖² = ½‖s − e‖² + ½ L ε².
    let squares = [0.5 * (0.09 + 0.04) + EPSILON * EPSILON, -0.3];
    let second = Hinge::new(KthLargest::new(2).unwrap(), Margins::Uniform(1.0), 1.0).unwrap();
    let mut families = Vec::new();
    for num_samples in [1, 4] {
        families.push(bias_scores(CrossEntropy, num_samples, entropy, wrong_by));
        families.push(bias_scores(second, num_samples, hinge, wrong_by));
        families.push(bias_scores(Squares, num_samples, squares, wrong_by));
    }
    families
}

#[test]
fn value_and_gradient_are_unbiased() {
    let z_scores = families(0.0);
    assert!(!reject(&z_scores.concat()), "{z_scores:?}");
    for wrong_by in [DETECTABLE_BIAS, -DETECTABLE_BIAS] {
        assert!(families(wrong_by).iter().all(|family| reject(family)));
    }
}
