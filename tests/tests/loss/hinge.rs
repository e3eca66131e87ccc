//! The hinge and the top-K hinge against sorting, against one another, and against their slopes.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::estimator::{Conditional, Exact, Pathwise};
use topk_loss::loss::Hinge;
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Max, Oracle};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{FoldIn, Key, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_laws::property::{config, evaluate};
use topk_loss_laws::reference;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{LINEAR_DIFFERENCE, LINEAR_STEP, MEAN};
use topk_loss_laws::{Example, both_floats, example};

/// An example, and a margin a class.
type Margined<F> = (Example<F>, Vec<F>);

fn margined<F: Real>() -> impl Strategy<Value = Margined<F>> {
    with_margins(example())
}

fn moderate<F: Real>() -> impl Strategy<Value = Margined<F>> {
    with_margins(moderate_example())
}

fn with_margins<F: Real>(example: impl Strategy<Value = Example<F>>) -> impl Strategy<Value = Margined<F>> {
    // Margins on the grid of the tied scores make exact kinks likely.
    let margin = prop::sample::select(vec![0.0, 0.2, 0.5, 1.0]).prop_map(F::from_f64);
    example.prop_flat_map(move |example| {
        let margins = vec(margin.clone(), example.scores.len());
        (Just(example), margins)
    })
}

fn scale<F: Real>() -> F {
    F::from_f64(40.0)
}

fn pathwise<F: Real>(num_samples: usize) -> Smoothing<F> {
    Smoothing::Pathwise { epsilon: F::from_f64(0.2), num_samples, key: Key::new(11) }
}

/// The hard losses are exact: one rounding a subtraction, in any order of sorting.
fn hard_hinges_are_the_formula<F: Real>((Example { scores, label, k }, margins): Margined<F>) -> Result<(), TestCaseError> {
    for margins in [Margins::PerClass(&margins), Margins::Uniform(F::one())] {
        let top_k = TopKHinge::new(k).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap();
        let expected = reference::hinge(reference::kth_largest(&scores, k + 1), &scores, label, margins, scale());
        prop_assert_eq!(evaluate(&top_k, &scores, label), expected);

        let crammer_singer = Hinge::new(Max, margins, scale()).unwrap();
        let expected = reference::hinge(reference::kth_largest(&scores, 1), &scores, label, margins, scale());
        prop_assert_eq!(evaluate(&crammer_singer, &scores, label), expected);
    }
    Ok(())
}

/// So it is with the smoothings that are not the paper's.
fn exact_and_conditional_hinges_too<F: Real>((Example { scores, label, k }, margins): Margined<F>) -> Result<(), TestCaseError> {
    let (margins, missed, epsilon) = (Margins::PerClass(&margins), KthLargest::new(k + 1).unwrap(), F::from_f64(0.2));
    let plain = TopKHinge::smoothed(k, epsilon).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap();
    let composed = Hinge::new(Exact::new(missed, Normal, epsilon).unwrap(), margins, scale()).unwrap();
    prop_assert_eq!(evaluate(&plain, &scores, label), evaluate(&composed, &scores, label));
    prop_assert_eq!(evaluate(&plain.fold_in(3), &scores, label), evaluate(&plain, &scores, label));

    let (num_samples, key) = (2, Key::new(11));
    let plain = TopKHinge::new(k)
        .unwrap()
        .with_margins(margins)
        .unwrap()
        .with_scale(scale())
        .unwrap()
        .with_smoothing(Smoothing::Conditional { epsilon, num_samples, key })
        .unwrap();
    let sampler = MonteCarlo::new(Normal, num_samples).unwrap();
    let of = |key| Hinge::new(Conditional::new(missed, sampler, epsilon, key).unwrap(), margins, scale()).unwrap();
    prop_assert_eq!(evaluate(&plain, &scores, label), evaluate(&of(key), &scores, label));
    prop_assert_eq!(evaluate(&plain.fold_in(3), &scores, label), evaluate(&of(key.fold_in(3)), &scores, label));
    Ok(())
}

/// `TopKHinge` is plain data for a `Hinge`, bit for bit, at every number of draws and through references.
fn top_k_hinge_is_a_hinge<F: Real>((Example { scores, label, k }, margins): Margined<F>) -> Result<(), TestCaseError> {
    let margins = Margins::PerClass(&margins);
    let missed = KthLargest::new(k + 1).unwrap();
    let plain = TopKHinge::new(k).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap();
    let composed = Hinge::new(missed, margins, scale()).unwrap();
    prop_assert_eq!(evaluate(&plain, &scores, label), evaluate(&composed, &scores, label));
    prop_assert_eq!(plain.scratch_len(scores.len()), composed.scratch_len(scores.len()));

    for num_samples in [1, 5] {
        let plain = TopKHinge::new(k)
            .unwrap()
            .with_margins(margins)
            .unwrap()
            .with_scale(scale())
            .unwrap()
            .with_smoothing(pathwise(num_samples))
            .unwrap();
        let sampler = MonteCarlo::new(Normal, num_samples).unwrap();
        let oracle = Pathwise::new(missed, sampler, F::from_f64(0.2), Key::new(11)).unwrap();
        let composed = Hinge::new(oracle, margins, scale()).unwrap();
        prop_assert_eq!(evaluate(&plain, &scores, label), evaluate(&&composed, &scores, label));
        prop_assert_eq!(evaluate(&plain.fold_in(3), &scores, label), evaluate(&composed.fold_in(3), &scores, label));
        prop_assert_eq!(plain.scratch_len(scores.len()), composed.scratch_len(scores.len()));
    }
    Ok(())
}

/// A smoothed hinge is the hinge of the smoothed order statistic.
fn smoothed_hinge_is_the_formula<F: Real>((Example { scores, label, k }, margins): Margined<F>) -> Result<(), TestCaseError> {
    let oracle =
        Pathwise::new(KthLargest::new(k + 1).unwrap(), MonteCarlo::new(Normal, 7).unwrap(), F::from_f64(0.2), Key::new(11)).unwrap();
    let mut smoothed_grad = vec![F::zero(); scores.len()];
    let mut scratch = vec![F::zero(); Oracle::scratch_len(&oracle, scores.len())];
    let smoothed = Oracle::value_and_add_grad(&oracle, &scores, F::one(), &mut smoothed_grad, &mut scratch).unwrap();
    let margins = Margins::PerClass(&margins);
    let expected = reference::hinge((smoothed, smoothed_grad), &scores, label, margins, scale());

    let (value, grad) = evaluate(
        &TopKHinge::new(k).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap().with_smoothing(pathwise(7)).unwrap(),
        &scores,
        label,
    );
    let magnitude = scores.iter().fold(F::from_f64(4.0), |largest, s| largest.max(s.abs())) * scale();
    prop_assert!(MEAN.allows(value, expected.0, magnitude), "{} instead of {}", value, expected.0);
    // Where rounding decides the side of the kink, either gradient is right.
    if value > F::zero() && expected.0 > F::zero() {
        let close = grad.iter().zip(&expected.1).all(|(&a, &e)| MEAN.allows(a, e, scale()));
        prop_assert!(close, "{:?} instead of {:?}", grad, expected.1);
    }
    Ok(())
}

/// The gradient sums to zero, since a common offset changes nothing; and it is zero where the loss is.
fn the_gradient_follows_the_loss<F: Real>((Example { scores, label, k }, margins): Margined<F>) -> Result<(), TestCaseError> {
    for smoothing in [Smoothing::None, pathwise(5)] {
        let (value, grad) = evaluate(
            &TopKHinge::new(k)
                .unwrap()
                .with_margins(Margins::PerClass(&margins))
                .unwrap()
                .with_scale(scale())
                .unwrap()
                .with_smoothing(smoothing)
                .unwrap(),
            &scores,
            label,
        );
        let sum = grad.iter().fold(F::zero(), |sum, &g| sum + g);
        prop_assert!(value >= F::zero());
        prop_assert!(MEAN.allows(sum, F::zero(), scale()));
        if value == F::zero() {
            prop_assert!(grad.iter().all(|&g| g == F::zero()));
        } else {
            prop_assert!(grad[label] <= F::zero());
        }
    }
    Ok(())
}

both_floats! {
    hard_hinges_are_the_formula in margined;
    top_k_hinge_is_a_hinge in margined;
    exact_and_conditional_hinges_too in moderate;
    smoothed_hinge_is_the_formula in moderate;
    the_gradient_follows_the_loss in margined;
}

/// Away from kinks, for fixed draws, the loss is linear and the gradient is its slope.
fn the_gradient_is_the_slope((Example { scores, label, k }, margins): Margined<f64>) -> Result<(), TestCaseError> {
    let magnitude = scores.iter().fold(4.0, |largest: f64, s| largest.max(s.abs())) * scale::<f64>();
    for smoothing in [Smoothing::None, pathwise(5)] {
        let loss = TopKHinge::new(k)
            .unwrap()
            .with_margins(Margins::PerClass(&margins))
            .unwrap()
            .with_scale(scale())
            .unwrap()
            .with_smoothing(smoothing)
            .unwrap();
        let (_, grad) = evaluate(&loss, &scores, label);
        for class in 0..scores.len() {
            let at = |shift: f64| {
                let mut moved = scores.clone();
                moved[class] += shift;
                evaluate(&loss, &moved, label)
            };
            let (above, below) = (at(LINEAR_STEP), at(-LINEAR_STEP));
            if above.1 == grad && below.1 == grad {
                let slope = (above.0 - below.0) / (2.0 * LINEAR_STEP);
                prop_assert!(LINEAR_DIFFERENCE.allows(slope, grad[class], magnitude), "{} instead of {}", grad[class], slope);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn in_double_precision(margined in moderate::<f64>()) {
        the_gradient_is_the_slope(margined)?;
    }

    /// At 1e6 the grid of `f32` has the step 1/16. The scores are on it, so the offset is exact, and must cancel exactly.
    #[test]
    fn a_common_offset_changes_nothing(steps in vec(0..4_u8, 2..40), place: (prop::sample::Index, prop::sample::Index), seed: u64) {
        let near: Vec<f32> = steps.iter().map(|&step| f32::from(step) / 16.0).collect();
        let far: Vec<f32> = near.iter().map(|s| 1e6 + s).collect();
        let (k, label) = (1 + place.0.index(near.len() - 1), place.1.index(near.len()));
        let smoothed = Smoothing::Pathwise { epsilon: 0.01, num_samples: 5, key: Key::new(seed) };
        for smoothing in [Smoothing::None, smoothed] {
            let loss = TopKHinge::new(k).unwrap().with_margins(Margins::Uniform(0.2)).unwrap().with_scale(60.0).unwrap().with_smoothing(smoothing).unwrap();
            prop_assert_eq!(evaluate(&loss, &far, label), evaluate(&loss, &near, label));
        }
    }
}

/// m_y + s₍K+1₎ = s_y exactly: the loss is zero, and of the two one-sided gradients zero is chosen.
#[test]
fn the_gradient_at_the_kink_is_zero() {
    let loss = TopKHinge::new(1).unwrap().with_scale(2.0).unwrap();
    assert_eq!(evaluate(&loss, &[1.5, 0.5, 0.0], 0), (0.0, vec![0.0; 3]));
    assert_eq!(evaluate(&loss, &[1.5, 0.75, 0.0], 0), (0.5, vec![-2.0, 2.0, 0.0]));
}

#[test]
fn what_goes_in_can_be_read_back() {
    let margins = [0.1, 0.2, 0.3];
    let loss = TopKHinge::new(2)
        .unwrap()
        .with_margins(Margins::PerClass(&margins))
        .unwrap()
        .with_scale(30.0)
        .unwrap()
        .with_smoothing(pathwise(5))
        .unwrap();
    assert_eq!((loss.k(), loss.margins(), loss.scale(), loss.smoothing()), (2, &Margins::PerClass(&margins[..]), 30.0, pathwise(5)));
    assert_ne!(loss.fold_in(0), loss);
}
