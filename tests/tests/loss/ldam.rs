//! The label-distribution-aware margin loss against a shifted and scaled cross-entropy.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::loss::Ldam;
use topk_loss::{CrossEntropy, Margins, Real};
use topk_loss_laws::property::{config, evaluate};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::CROSS_ENTROPY;
use topk_loss_laws::{Example, both_floats, example, reference};

fn margined<F: Real>() -> impl Strategy<Value = (Example<F>, Vec<F>)> {
    moderate_example().prop_flat_map(|example: Example<F>| {
        let margins = vec((-1.0..1.0).prop_map(F::from_f64), example.scores.len());
        (Just(example), margins)
    })
}

fn value_and_gradient_are_the_formula<F: Real>(
    (Example { scores, label, .. }, margins): (Example<F>, Vec<F>),
) -> Result<(), TestCaseError> {
    for (scale, margins) in
        [(1.0, Margins::PerClass(&margins[..])), (30.0, Margins::PerClass(&margins)), (60.0, Margins::Uniform(F::one()))]
    {
        let (value, grad) = evaluate(&Ldam::new(margins, F::from_f64(scale)).unwrap(), &scores, label);
        let (expected, expected_grad) = reference::ldam(&scores, label, margins, scale);
        let range = scores.iter().fold(F::one(), |range, &s| range.max((s - scores[label]).abs()));
        let condition = F::one() + range.min(F::from_f64(100.0)) * F::from_f64(scale);
        let expected = F::from_f64(expected);
        prop_assert!(CROSS_ENTROPY.allows(value, expected, expected.max(F::one()) * condition), "{} instead of {}", value, expected);
        for (g, expected) in grad.into_iter().zip(expected_grad) {
            prop_assert!(CROSS_ENTROPY.allows(g, F::from_f64(expected), condition * F::from_f64(scale)), "{} instead of {}", g, expected);
        }
    }
    Ok(())
}

fn without_margin_and_scale_it_is_the_cross_entropy<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let loss = Ldam::new(Margins::Uniform(F::zero()), F::one()).unwrap();
    prop_assert_eq!(evaluate(&loss, &scores, label), evaluate(&CrossEntropy, &scores, label));
    Ok(())
}

both_floats! {
    value_and_gradient_are_the_formula in margined;
    without_margin_and_scale_it_is_the_cross_entropy in example;
}

proptest! {
    #![proptest_config(config())]

    /// At 1e6 the grid of `f32` has the step 1/16. The scores are on it, so the offset is exact, and must cancel before the margin is lost.
    #[test]
    fn a_common_offset_changes_nothing(steps in vec(0..16_u8, 2..40), place: prop::sample::Index) {
        let near: Vec<f32> = steps.iter().map(|&step| f32::from(step) / 16.0).collect();
        let far: Vec<f32> = near.iter().map(|s| 1e6 + s).collect();
        let (loss, label) = (Ldam::new(Margins::Uniform(0.01), 30.0).unwrap(), place.index(near.len()));
        prop_assert_eq!(evaluate(&loss, &far, label), evaluate(&loss, &near, label));
    }
}
