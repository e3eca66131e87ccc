//! The cross-entropy against a softmax in `f64`.

use proptest::prelude::*;
use topk_loss::{CrossEntropy, Loss, Real};
use topk_loss_laws::property::config;
use topk_loss_laws::reference::to_f64;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::{Example, both_floats, example, reference, tolerances};

fn value_and_gradient_are_the_softmax<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let (expected, expected_grad) = reference::cross_entropy(&scores, label);
    let mut grad = vec![F::nan(); scores.len()];
    let value = CrossEntropy.value_and_grad(&scores, label, &mut grad, &mut []).unwrap();
    prop_assert_eq!(CrossEntropy.value(&scores, label, &mut []), Ok(value));

    // exp amplifies the rounding of s − max by |s − max|, but beyond 100 nothing is left to amplify.
    let range = scores.iter().fold(F::zero(), |range, &s| range.max((s - scores[label]).abs()));
    let condition = F::one() + range.min(F::from_f64(100.0));
    prop_assert!(tolerances::CROSS_ENTROPY.allows(value, F::from_f64(expected), F::from_f64(expected).max(F::one()) * condition));
    for (g, expected) in grad.into_iter().zip(expected_grad) {
        prop_assert!(tolerances::CROSS_ENTROPY.allows(g, F::from_f64(expected), condition), "{} instead of {}", g, expected);
    }
    Ok(())
}

/// A confident, right prediction keeps the digits of its small loss and gradient.
fn small_losses_keep_their_digits<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let mut confident = scores;
    confident[label] = F::neg_infinity();
    confident[label] = confident.iter().copied().fold(F::neg_infinity(), F::max) + F::from_f64(40.0);
    let mut grad = vec![F::nan(); confident.len()];
    let value = CrossEntropy.value_and_grad(&confident, label, &mut grad, &mut []).unwrap();
    let rest: f64 = (0..confident.len()).filter(|&i| i != label).map(|i| (to_f64(confident[i]) - to_f64(confident[label])).exp()).sum();
    let rest = F::from_f64(rest);
    let condition = F::from_f64(100.0);
    prop_assert!(tolerances::CROSS_ENTROPY.allows(value, rest, rest * condition), "{} instead of {}", value, rest);
    prop_assert!(tolerances::CROSS_ENTROPY.allows(-grad[label], rest, rest * condition));
    Ok(())
}

both_floats! {
    value_and_gradient_are_the_softmax in example;
    small_losses_keep_their_digits in moderate_example;
}

/// The sum of 2²⁵ equal terms that are no power of two keeps the digits of single precision.
#[test]
fn thousands_of_ties_do_not_add_up_their_roundings() {
    let mut scores = vec![0.0_f32; 1 << 25];
    scores[12_345] = 1.2;
    let expected = (1.2_f64.exp() + f64::from((1 << 25) - 1)).ln();
    let value = CrossEntropy.value(&scores, 0, &mut []).unwrap();
    // A rounding of a lane or the tree in 17, and that of the result, which is 17.
    assert!((f64::from(value) - expected).abs() < 4e-6, "{value} instead of {expected}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn gradient_is_the_slope(Example { scores, label, .. } in moderate_example::<f64>()) {
        let step = tolerances::SMOOTH_STEP;
        let mut grad = vec![f64::NAN; scores.len()];
        CrossEntropy.value_and_grad(&scores, label, &mut grad, &mut []).unwrap();
        for (class, g) in grad.into_iter().enumerate() {
            let at = |shift: f64| {
                let mut moved = scores.clone();
                moved[class] += shift;
                CrossEntropy.value(&moved, label, &mut []).unwrap()
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            // Values are up to 40: their rounding, divided by the step.
            prop_assert!(tolerances::SMOOTH_DIFFERENCE.allows(slope, g, 1.0), "{} instead of {}", g, slope);
        }
    }
}
