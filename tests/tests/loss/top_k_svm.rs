//! The top-K hinges over the other classes against sorting, against one another, against their slopes, and against calibration.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::loss::{ExpectedLoss, SoftLabelLoss, TopKSvm, TopKSvmForm};
use topk_loss::{Loss, Margins, Real, TopKHinge};
use topk_loss_laws::property::{config, evaluate};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{LINEAR_DIFFERENCE, LINEAR_STEP, SUM};
use topk_loss_laws::{Example, both_floats, example, reference};

/// From the least to the largest.
const FORMS: [TopKSvmForm; 4] = [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside];

type Margined<F> = (Example<F>, Vec<F>);

fn margined<F: Real>() -> impl Strategy<Value = Margined<F>> {
    with_margins(example())
}

fn moderate<F: Real>() -> impl Strategy<Value = Margined<F>> {
    with_margins(moderate_example())
}

fn with_margins<F: Real>(example: impl Strategy<Value = Example<F>>) -> impl Strategy<Value = Margined<F>> {
    // Margins on the grid of the tied scores make exact kinks and ties with the label likely.
    let margin = prop::sample::select(vec![-0.5, 0.0, 0.2, 0.5, 1.0]).prop_map(F::from_f64);
    example.prop_flat_map(move |example| {
        let margins = vec(margin.clone(), example.scores.len());
        (Just(example), margins)
    })
}

fn scale<F: Real>() -> F {
    F::from_f64(3.0)
}

/// What the sums are made of.
fn magnitude<F: Real>(scores: &[F], label: usize) -> F {
    scale::<F>() * scores.iter().fold(F::one(), |largest, &s| largest.max((s - scores[label]).abs() + F::one()))
}

fn value_and_gradient_are_the_formula<F: Real>((Example { scores, label, k }, margins): Margined<F>) -> Result<(), TestCaseError> {
    for (form, margins) in
        FORMS.into_iter().flat_map(|form| [Margins::PerClass(&margins[..]), Margins::Uniform(F::one())].map(|m| (form, m)))
    {
        let (value, grad) =
            evaluate(&TopKSvm::new(k, form).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap(), &scores, label);
        let (expected, expected_grad) = reference::top_k_svm(&scores, label, k, form, margins, scale());
        prop_assert!(SUM.allows(value, expected, magnitude(&scores, label)), "{:?}: {} instead of {}", form, value, expected);
        // Within the rounding of the sums a kink may be on either side.
        if !SUM.allows(value, F::zero(), magnitude(&scores, label)) {
            for (&g, &expected) in grad.iter().zip(&expected_grad) {
                prop_assert!(SUM.allows(g, expected, scale()), "{:?}: {:?} instead of {:?}", form, grad, expected_grad);
            }
        }
    }
    Ok(())
}

fn each_form_is_at_least_the_one_before<F: Real>((Example { scores, label, k }, margins): Margined<F>) -> Result<(), TestCaseError> {
    let margins = Margins::PerClass(&margins[..]);
    let (mut before, _) = evaluate(&TopKHinge::new(k).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap(), &scores, label);
    for form in FORMS {
        let (value, _) =
            evaluate(&TopKSvm::new(k, form).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap(), &scores, label);
        prop_assert!(value >= before || SUM.allows(value, before, magnitude(&scores, label)), "{:?}: {} after {}", form, value, before);
        before = value;
    }
    Ok(())
}

fn one_guess_is_crammer_and_singer<F: Real>((Example { scores, label, .. }, margins): Margined<F>) -> Result<(), TestCaseError> {
    let margins = Margins::PerClass(&margins[..]);
    let mut others = scores.clone();
    others[label] = F::min_value();
    let expected = reference::hinge(reference::kth_largest(&others, 1), &scores, label, margins, scale());
    for form in FORMS {
        prop_assert_eq!(
            &evaluate(&TopKSvm::new(1, form).unwrap().with_margins(margins).unwrap().with_scale(scale()).unwrap(), &scores, label),
            &expected
        );
    }
    Ok(())
}

both_floats! {
    value_and_gradient_are_the_formula in margined;
    each_form_is_at_least_the_one_before in margined;
    one_guess_is_crammer_and_singer in moderate;
}

/// Away from kinks the loss is linear and the gradient is its slope.
fn the_gradient_is_the_slope((Example { scores, label, k }, margins): Margined<f64>) -> Result<(), TestCaseError> {
    for form in FORMS {
        let loss = TopKSvm::new(k, form).unwrap().with_margins(Margins::PerClass(&margins)).unwrap().with_scale(scale()).unwrap();
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
                prop_assert!(
                    LINEAR_DIFFERENCE.allows(slope, grad[class], 4.0 * magnitude(&scores, label)),
                    "{} for {}",
                    grad[class],
                    slope
                );
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
    fn a_common_offset_changes_nothing(steps in vec(0..4_u8, 2..40), place: (prop::sample::Index, prop::sample::Index)) {
        let near: Vec<f32> = steps.iter().map(|&step| f32::from(step) / 16.0).collect();
        let far: Vec<f32> = near.iter().map(|s| 1e6 + s).collect();
        let (k, label) = (1 + place.0.index(near.len() - 1), place.1.index(near.len()));
        for form in FORMS {
            let loss = TopKSvm::new(k, form).unwrap().with_margins(Margins::Uniform(0.02)).unwrap().with_scale(60.0).unwrap();
            prop_assert_eq!(evaluate(&loss, &far, label), evaluate(&loss, &near, label));
        }
    }
}

/// The label leads all others by exactly the margin: the loss is zero, and so is the gradient.
#[test]
fn the_gradient_at_the_kink_is_zero() {
    for form in FORMS {
        let loss = TopKSvm::new(2, form).unwrap().with_scale(2.0).unwrap();
        assert_eq!(evaluate(&loss, &[1.5, 0.5, 0.5], 0), (0.0, vec![0.0; 3]));
    }
}

/// Of equal scores the first is taken, whether they are two others or the label and another.
#[test]
fn ties_go_to_the_lowest_index() {
    let evaluate = |form, scores: &[f64], label| evaluate(&TopKSvm::new(2, form).unwrap(), scores, label);
    let scores = [2.0, 1.0, 1.0, 0.0, 1.0];
    assert_eq!(evaluate(TopKSvmForm::KthOther, &scores, 3), (2.0, vec![0.0, 1.0, 0.0, -1.0, 0.0]));
    assert_eq!(evaluate(TopKSvmForm::MeanInside, &scores, 3), (2.5, vec![0.5, 0.5, 0.0, -1.0, 0.0]));
    // The second place is the label's or that of a class which is exactly a margin below it.
    assert_eq!(evaluate(TopKSvmForm::MeanWithLabel, &[3.0, 2.0, 1.0], 1), (1.0, vec![0.5, -0.5, 0.0]));
    assert_eq!(evaluate(TopKSvmForm::MeanWithLabel, &[3.0, 1.0, 2.0], 2), (1.0, vec![0.5, 0.5, -1.0]));
}

/// Whether scores rank the classes as the shares do, as far as K guesses can tell.
fn is_preserving(scores: &[f64], shares: &[f64], k: usize) -> bool {
    let kth = |numbers: &[f64], k: usize| reference::kth_largest(numbers, k).0;
    scores.iter().zip(shares).all(|(&score, &share)| {
        (share <= kth(shares, k + 1) || score > kth(scores, k + 1)) && (share >= kth(shares, k) || score < kth(scores, k))
    })
}

/// The least conditional risk of a hinge on a grid that holds its kinks: over the scores that preserve the ranking, and over those that do not.
fn least_risks(loss: &impl Loss<f64>, shares: &[f64; 5], k: usize) -> (f64, f64) {
    let (mut preserving, mut other) = (f64::INFINITY, f64::INFINITY);
    for code in 0..4_u32.pow(5) {
        let scores: Vec<f64> = (0..5).map(|class| f64::from(code / 4_u32.pow(class) % 4)).collect();
        let risk = ExpectedLoss::new(loss);
        let risk = risk.soft_value(&scores, shares, &mut [0.0; 15]).unwrap();
        let least = if is_preserving(&scores, shares, k) { &mut preserving } else { &mut other };
        *least = least.min(risk);
    }
    (preserving, other)
}

/// What Yang and Koyejo proved, on an example: where classes are about equally likely, scores that do not preserve their ranking are as good
/// as any for the four forms, and worse for the calibrated hinge.
#[test]
fn only_the_calibrated_hinge_is_calibrated() {
    let (shares, k) = ([0.22, 0.21, 0.2, 0.19, 0.18], 2);
    let calibrated = TopKHinge::new(k).unwrap();
    let (preserving, other) = least_risks(&calibrated, &shares, k);
    assert!(preserving + 1e-3 < other, "{preserving} {other}");
    for form in FORMS {
        let (preserving, other) = least_risks(&TopKSvm::new(k, form).unwrap(), &shares, k);
        assert!(other <= preserving + 1e-12, "{form:?}: {preserving} {other}");
    }
}
