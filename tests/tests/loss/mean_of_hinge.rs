//! The mean of the hinge: against a plain loop over its draws, against the hinge of the mean, and in expectation.

use proptest::prelude::*;
use topk_loss::estimator::Pathwise;
use topk_loss::loss::{Hinge, MeanOfHinge};
use topk_loss::noise::{Gumbel, Noise, Normal};
use topk_loss::oracle::{KthLargest, TopKSum};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key, Margins, Real};
use topk_loss_laws::property::{config, evaluate};
use topk_loss_laws::reference::{self, ValueAndGrad};
use topk_loss_laws::smoothed::mean_excess_of_kth_largest;
use topk_loss_laws::statistics::{Moments, reject};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{DETECTABLE_BIAS, LINEAR_DIFFERENCE, LINEAR_STEP, MEAN};
use topk_loss_laws::{Example, both_floats};

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    epsilon: F,
    num_samples: usize,
    key: Key,
}

const SCALE: f64 = 2.5;

impl<F: Real> Case<F> {
    fn sampler(&self) -> MonteCarlo<Normal> {
        MonteCarlo::new(Normal, self.num_samples).unwrap()
    }

    fn loss(&self) -> MeanOfHinge<KthLargest, MonteCarlo<Normal>, F> {
        let (missed, margins) = (KthLargest::new(self.example.k + 1).unwrap(), Margins::Uniform(F::one()));
        MeanOfHinge::new(missed, self.sampler(), self.epsilon, self.key)
            .unwrap()
            .with_margins(margins)
            .unwrap()
            .with_scale(F::from_f64(SCALE))
            .unwrap()
    }

    fn hinge_of_the_mean(&self) -> Hinge<Pathwise<KthLargest, MonteCarlo<Normal>, F>, F> {
        let missed = KthLargest::new(self.example.k + 1).unwrap();
        let smoothed = Pathwise::new(missed, self.sampler(), self.epsilon, self.key).unwrap();
        Hinge::new(smoothed, Margins::Uniform(F::one()), F::from_f64(SCALE)).unwrap()
    }

    fn draws(&self) -> Vec<Vec<F>> {
        let mut draws = vec![vec![F::nan(); self.example.scores.len()]; self.num_samples];
        draws.iter_mut().enumerate().for_each(|(index, z)| self.sampler().sample(self.key, index, z).unwrap());
        draws
    }

    /// What is rounded: scores, margin and noise of at most 9 standard deviations, times the scale.
    fn magnitude(&self) -> F {
        let size = self.example.scores.iter().fold(F::one() + self.epsilon * F::from_f64(9.0), |largest, s| largest + s.abs());
        size * F::from_f64(SCALE)
    }

    /// Each draw's hinge by hand, and its distance from the kink.
    fn hinges(&self) -> Vec<(ValueAndGrad<F>, F)> {
        let Example { scores, label, k } = &self.example;
        let (center, _) = reference::kth_largest(scores, k + 1);
        let centered: Vec<F> = scores.iter().map(|&s| s - center).collect();
        let hinge = |z: Vec<F>| {
            let perturbed: Vec<F> = centered.iter().zip(z).map(|(&s, z)| s + self.epsilon * z).collect();
            let noised = reference::kth_largest(&perturbed, k + 1);
            let slack = F::one() + (noised.0 - centered[*label]);
            (reference::hinge(noised, &centered, *label, Margins::Uniform(F::one()), F::from_f64(SCALE)), slack.abs())
        };
        self.draws().into_iter().map(hinge).collect()
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

fn it_is_the_mean_of_the_hinges<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    let Example { scores, label, .. } = &case.example;
    let (hinges, magnitude) = (case.hinges(), case.magnitude());
    let (value, grad) = evaluate(&case.loss(), scores, *label);
    let count = F::from_usize(case.num_samples);
    let expected = hinges.iter().fold(F::zero(), |sum, ((value, _), _)| sum + *value / count);
    prop_assert!(MEAN.allows(value, expected, magnitude), "{value} instead of {expected}");
    // A hinge within rounding of its kink may fall on either side.
    prop_assume!(!hinges.iter().any(|(_, slack)| MEAN.allows(*slack, F::zero(), magnitude)));
    for (class, &entry) in grad.iter().enumerate() {
        let expected = hinges.iter().fold(F::zero(), |sum, ((_, grad), _)| sum + grad[class] / count);
        prop_assert!(MEAN.allows(entry, expected, F::from_f64(SCALE)), "{entry} instead of {expected}");
    }
    let sum = grad.iter().fold(F::zero(), |sum, &g| sum + g);
    prop_assert!(MEAN.allows(sum, F::zero(), F::from_f64(SCALE)));
    Ok(())
}

/// Jensen's inequality for the same draws; one draw makes them equal.
fn it_is_above_the_hinge_of_the_mean<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    let Example { scores, label, .. } = &case.example;
    let above = |case: &Case<F>| (evaluate(&case.loss(), scores, *label).0, evaluate(&case.hinge_of_the_mean(), scores, *label).0);
    let (mean, paper) = above(&case);
    prop_assert!(mean >= paper || MEAN.allows(mean, paper, case.magnitude()), "{mean} below {paper}");
    let (mean, paper) = above(&Case { num_samples: 1, ..case.clone() });
    prop_assert!(MEAN.allows(mean, paper, case.magnitude()), "{mean} is not {paper}");
    Ok(())
}

fn keys_are_values(case: Case<f64>) -> Result<(), TestCaseError> {
    let (loss, Example { scores, label, .. }) = (case.loss(), &case.example);
    let folded = Case { key: case.key.fold_in(3), ..case.clone() }.loss();
    prop_assert_eq!(evaluate(&loss.fold_in(3), scores, *label), evaluate(&folded, scores, *label));
    prop_assert_eq!(evaluate(&loss.clone(), scores, *label), evaluate(&loss, scores, *label));
    Ok(())
}

/// For fixed draws the value is piecewise linear, and where no draw changes its mind the gradient is its slope.
fn the_gradient_is_the_slope_for_fixed_draws(case: Case<f64>) -> Result<(), TestCaseError> {
    let (loss, Example { scores, label, .. }) = (case.loss(), &case.example);
    let (_, grad) = evaluate(&loss, scores, *label);
    for class in 0..scores.len() {
        let at = |shift: f64| {
            let mut moved = scores.clone();
            moved[class] += shift;
            evaluate(&loss, &moved, *label)
        };
        let (above, below) = (at(LINEAR_STEP), at(-LINEAR_STEP));
        if above.1 == grad && below.1 == grad {
            let slope = (above.0 - below.0) / (2.0 * LINEAR_STEP);
            prop_assert!(LINEAR_DIFFERENCE.allows(slope, grad[class], case.magnitude()), "{} instead of {slope}", grad[class]);
        }
    }
    Ok(())
}

both_floats! {
    it_is_the_mean_of_the_hinges in case;
    it_is_above_the_hinge_of_the_mean in case;
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn in_double_precision(case in case::<f64>()) {
        keys_are_values(case.clone())?;
        the_gradient_is_the_slope_for_fixed_draws(case)?;
    }

    /// At 1e6 the grid of `f32` has the step 1/16, wider than the noise: only the center keeps the draws alive.
    #[test]
    fn a_common_offset_leaves_the_loss(steps in prop::collection::vec(0..40_u8, 3..40), seed: u64) {
        let near: Vec<f32> = steps.iter().map(|&step| f32::from(step) / 16.0).collect();
        let far: Vec<f32> = near.iter().map(|s| 1e6 + s).collect();
        let example = Example { k: 2, scores: near.clone(), label: 0 };
        let loss = Case { example, epsilon: 0.01_f32, num_samples: 16, key: Key::new(seed) }.loss();
        prop_assert_eq!(evaluate(&loss, &far, 0), evaluate(&loss, &near, 0));
    }
}

/// A sum of the two largest has the mass 2: the label's score does not follow the offset, and neither may be lost.
#[test]
fn any_mass_is_centered() {
    let loss = |oracle| {
        let sampler = MonteCarlo::new(Normal, 4).unwrap();
        MeanOfHinge::new(oracle, sampler, 0.5, Key::new(3)).unwrap().with_margins(Margins::PerClass(&[1.0, 2.0, 3.0])).unwrap()
    };
    let (scores, label) = ([5.0, 7.0, 6.0], 1);
    let (value, grad) = evaluate(&loss(TopKSum::new(2).unwrap()), &scores, label);
    let mut expected = 0.0;
    for index in 0..4 {
        let mut z = [0.0; 3];
        MonteCarlo::new(Normal, 4).unwrap().sample(Key::new(3), index, &mut z).unwrap();
        let perturbed: Vec<f64> = scores.iter().zip(z).map(|(s, z)| s + 0.5 * z).collect();
        expected += (2.0 + reference::top_k_sum(&perturbed, 2).0 - scores[label]) / 4.0;
    }
    assert!(MEAN.allows(value, expected, 20.0), "{value} {expected}");
    assert!((grad.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

/// z-scores of value and gradient against quadrature, the expectation taken `wrong_by` a share.
fn bias_scores<N: Noise<f64>>(law: N, num_samples: usize, wrong_by: f64) -> Vec<f64> {
    const MARGIN: f64 = 0.6;
    let (scores, label, k, epsilon) = ([0.9, 0.4, 0.1, -0.2, 0.3, 0.35], 0, 2, 0.3);
    let sampler = MonteCarlo::new(law, num_samples).unwrap();
    let missed = KthLargest::new(k + 1).unwrap();
    let loss = MeanOfHinge::new(missed, sampler, epsilon, Key::new(21))
        .unwrap()
        .with_margins(Margins::Uniform(MARGIN))
        .unwrap()
        .with_scale(SCALE)
        .unwrap();
    let mut moments = [Moments::default(); 7];
    for step in 0..60_000 / num_samples as u64 {
        let (value, grad) = evaluate(&loss.fold_in(step), &scores, label);
        moments.iter_mut().zip(core::iter::once(value).chain(grad)).for_each(|(m, x)| m.extend([x]));
    }
    let at = |scores: &[f64]| SCALE * mean_excess_of_kth_largest(scores, k + 1, law, epsilon, scores[label] - MARGIN);
    let slope = |class: usize| {
        let moved = |shift: f64| {
            let mut moved = scores;
            moved[class] += shift;
            at(&moved)
        };
        (moved(1e-4) - moved(-1e-4)) / 2e-4
    };
    let expected = core::iter::once(at(&scores)).chain((0..6).map(slope));
    moments.iter().zip(expected).map(|(m, e)| m.z_score(e * (1.0 + wrong_by))).collect()
}

#[test]
fn value_and_gradient_are_unbiased_for_every_number_of_draws() {
    let families = |wrong_by| {
        [
            bias_scores(Normal, 1, wrong_by),
            bias_scores(Normal, 4, wrong_by),
            bias_scores(Gumbel, 1, wrong_by),
            bias_scores(Gumbel, 4, wrong_by),
        ]
    };
    let z_scores = families(0.0);
    assert!(!reject(&z_scores.concat()), "{z_scores:?}");
    for wrong_by in [DETECTABLE_BIAS, -DETECTABLE_BIAS] {
        assert!(families(wrong_by).iter().all(|family| reject(family)));
    }
}
