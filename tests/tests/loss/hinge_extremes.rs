//! The hinges where floats end: scores at the end of the range, as masks are.

use topk_loss::estimator::{Conditional, Exact, Pathwise};
use topk_loss::loss::{Hinge, MeanOfHinge, TopKHinges, TopKSvm, TopKSvmForm};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Max, RankSum, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Error, Key, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_laws::property::{evaluate, try_evaluate};
use topk_loss_laws::reference::to_f64;

const FORMS: [TopKSvmForm; 4] = [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside];

fn floats<F: Real>(scores: &[f64]) -> Vec<F> {
    // The end of either float's range is infinity here.
    let float = |&s: &f64| if s.is_finite() { F::from_f64(s) } else { F::max_value() * F::from_f64(s.signum()) };
    scores.iter().map(float).collect()
}

/// Hands every hinge of `k` guesses, by name, to `visit`; last those that draw noise.
fn each<F: Real>(k: usize, scale: f64, mut visit: impl FnMut(&str, &dyn Loss<F>)) {
    let (scale, epsilon, key) = (F::from_f64(scale), F::from_f64(0.1), Key::new(3));
    let (margins, missed) = (Margins::Uniform(F::one()), KthLargest::new(k + 1).unwrap());
    let shares: Vec<F> = floats(&vec![1.0 / k as f64; k]);
    let weights: Vec<F> = floats(&[&vec![0.0; k - 1], [0.5, 0.5].as_slice()].concat());
    visit("top-K", &TopKHinge::new(k).unwrap().with_margins(margins).unwrap().with_scale(scale).unwrap());
    visit("exact", &TopKHinge::smoothed(k, epsilon).unwrap().with_margins(margins).unwrap().with_scale(scale).unwrap());
    visit("several", &TopKHinges::new(&shares).unwrap().with_margins(margins).unwrap().with_scale(scale).unwrap());
    visit(
        "several, smoothed",
        &TopKHinges::new(&shares).unwrap().with_margins(margins).unwrap().with_scale(scale).unwrap().with_epsilon(Some(epsilon)).unwrap(),
    );
    for form in FORMS {
        visit(&format!("{form:?}"), &TopKSvm::new(k, form).unwrap().with_margins(margins).unwrap().with_scale(scale).unwrap());
    }
    visit("over an exact", &Hinge::new(Exact::new(missed, Normal, epsilon).unwrap(), margins, scale).unwrap());
    visit("over a rank sum", &Hinge::new(RankSum::new(&weights).unwrap(), margins, scale).unwrap());
    let sampler = MonteCarlo::new(Normal, 3).unwrap();
    visit(
        "pathwise",
        &TopKHinge::new(k)
            .unwrap()
            .with_margins(margins)
            .unwrap()
            .with_scale(scale)
            .unwrap()
            .with_smoothing(Smoothing::Pathwise { epsilon, num_samples: 3, key })
            .unwrap(),
    );
    visit(
        "conditional",
        &TopKHinge::new(k)
            .unwrap()
            .with_margins(margins)
            .unwrap()
            .with_scale(scale)
            .unwrap()
            .with_smoothing(Smoothing::Conditional { epsilon, num_samples: 3, key })
            .unwrap(),
    );
    visit("over a pathwise", &Hinge::new(Pathwise::new(missed, sampler, epsilon, key).unwrap(), margins, scale).unwrap());
    visit("over a conditional", &Hinge::new(Conditional::new(missed, sampler, epsilon, key).unwrap(), margins, scale).unwrap());
    visit(
        "mean of the hinge",
        &MeanOfHinge::new(missed, sampler, epsilon, key).unwrap().with_margins(margins).unwrap().with_scale(scale).unwrap(),
    );
}

const MAX: f64 = f64::INFINITY;
const MIN: f64 = f64::NEG_INFINITY;

fn masked_classes_cost_nothing<F: Real>() {
    for (scores, label) in [
        (vec![5.0, 1.0, MIN, MIN, MIN], 0),
        (vec![MIN, MIN, 1.0, MIN, 5.0, MIN, 0.5], 4),
        (vec![MIN, 5.0, MIN, MIN], 1),
        (vec![1e30, 0.0, MIN, -1e30, MIN], 0),
    ] {
        let scores: Vec<F> = floats(&scores);
        for k in 1..scores.len() {
            for scale in [0.5, 40.0] {
                each::<F>(k, scale, |name, loss| {
                    let result = try_evaluate(loss, &scores, label);
                    assert_eq!(result, Ok((F::zero(), vec![F::zero(); scores.len()])), "{name}, K = {k}, scale {scale}: {scores:?}");
                });
            }
        }
    }
}

#[test]
fn masked_classes_cost_nothing_in_any_float() {
    masked_classes_cost_nothing::<f32>();
    masked_classes_cost_nothing::<f64>();
}

/// The label and the mask so far apart that their difference is no float. Noise is drawn about a center that all scores are relative to:
/// there it is refused, as it may be.
fn the_whole_range<F: Real>() {
    let scores: Vec<F> = floats(&[MIN, MAX, MIN, 0.0, MIN]);
    for k in 1..5 {
        let mut draws = false;
        each::<F>(k, 40.0, |name, loss| {
            draws |= name == "pathwise";
            let result = try_evaluate(loss, &scores, 1);
            assert!(draws || result.is_ok(), "{name}, K = {k}: {result:?}");
            assert!(result.as_ref().map_or_else(|error| matches!(error, Error::Overflow { .. }), |(value, _)| *value == F::zero()));
            assert!(result.map_or(true, |(_, grad)| grad.iter().all(|&g| g == F::zero())), "{name}, K = {k}");
            // And a loss that is beyond the range is no number.
            let lost = try_evaluate(loss, &scores, 0);
            assert!(matches!(lost, Err(Error::Overflow { .. })) || k > 1, "{name}, K = {k}: {lost:?}");
        });
    }
    for oracle in [TopKSum::new(2).unwrap(), TopKSum::new(4).unwrap()] {
        let hinge = Hinge::new(oracle, Margins::Uniform(F::one()), F::from_f64(40.0)).unwrap();
        let masked: Vec<F> = floats(&[5.0, MIN, MIN, MIN]);
        assert_eq!(evaluate(&hinge, &masked, 0), (F::zero(), vec![F::zero(); 4]));
    }
    let hinge = Hinge::new(Max, Margins::Uniform(F::one()), F::one()).unwrap();
    assert_eq!(evaluate(&hinge, &scores, 1).0, F::one());
}

#[test]
fn scores_as_far_apart_as_floats_are() {
    the_whole_range::<f32>();
    the_whole_range::<f64>();
}

/// Beside a mask as beside a score that is merely low.
fn a_mask_is_a_low_score<F: Real>() {
    for k in 1..6 {
        let mut low = vec![];
        let row = |mask: f64| floats::<F>(&[0.75, mask, 0.5, 1.0, 0.625, mask]);
        each::<F>(k, 1.0, |_, loss| low.push([2, 4].map(|label| evaluate(loss, &row(-1e4), label))));
        let mut low = low.into_iter();
        each::<F>(k, 1.0, |name, loss| {
            for (label, (value, grad)) in [2, 4].into_iter().zip(low.next().unwrap()) {
                let masked = evaluate(loss, &row(MIN), label);
                assert!(to_f64(masked.0 - value).abs() < 1e-5, "{name}, K = {k}, label {label}: {} is {value}", masked.0);
                let error: f64 = masked.1.iter().zip(&grad).map(|(&a, &b)| to_f64(a - b).abs()).sum();
                assert!(error < 1e-4, "{name}, K = {k}, label {label}: {:?} is {grad:?}", masked.1);
            }
        });
    }
}

#[test]
fn a_mask_is_a_low_score_in_any_float() {
    a_mask_is_a_low_score::<f32>();
    a_mask_is_a_low_score::<f64>();
}

/// A part of a mean beyond the float's range says nothing of the mean.
#[test]
fn parts_beyond_the_range_may_cancel() {
    let scores = [f32::MIN, f32::MIN, 0.0, f32::MAX, f32::MAX, f32::MAX / 4.0];
    let mean = TopKSvm::new(5, TopKSvmForm::MeanInside).unwrap();
    let (value, grad) = evaluate(&mean, &scores, 2);
    assert!((value / (f32::MAX / 20.0) - 1.0).abs() < 1e-6, "{value}");
    assert_eq!(grad, [0.2, 0.2, -1.0, 0.2, 0.2, 0.2]);
}
