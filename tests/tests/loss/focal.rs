//! The focal loss against its formula in `f64`, and where its factors run away.

use proptest::prelude::*;
use topk_loss::loss::Focal;
use topk_loss::{CrossEntropy, Real};
use topk_loss_laws::property::evaluate;
use topk_loss_laws::reference::to_f64;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::FOCAL;
use topk_loss_laws::{Example, both_floats, example, reference};

const GAMMAS: [f64; 6] = [0.0, 0.25, 0.5, 1.0, 2.0, 5.0];

fn focal<F: Real>(gamma: f64) -> Focal<F> {
    Focal::new(F::from_f64(gamma)).unwrap()
}

fn value_and_gradient_are_the_formula<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let range = scores.iter().fold(F::zero(), |range, &s| range.max((s - scores[label]).abs()));
    let condition = F::one() + range.min(F::from_f64(100.0));
    for gamma in GAMMAS {
        let (value, grad) = evaluate(&focal(gamma), &scores, label);
        let (expected, expected_grad) = reference::focal(&scores, label, gamma);
        let expected = F::from_f64(expected);
        prop_assert!(FOCAL.allows(value, expected, expected.max(F::min_positive_value()) * condition), "{} instead of {}", value, expected);
        let largest = F::from_f64(expected_grad.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()))).max(F::min_positive_value());
        // Entries below 2⁻¹⁰⁰, 2⁻⁹⁹⁶ in `f64`, are exactly 0.
        let least = F::min_positive_value() * F::from_f64(2.0_f64.powi(26));
        for (g, expected) in grad.into_iter().zip(expected_grad) {
            let is_dropped = g == F::zero() && F::from_f64(expected).abs() <= least;
            prop_assert!(is_dropped || FOCAL.allows(g, F::from_f64(expected), largest * condition), "{} instead of {}", g, expected);
        }
    }
    Ok(())
}

fn gamma_0_is_the_cross_entropy<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    prop_assert_eq!(evaluate(&focal(0.0), &scores, label), evaluate(&CrossEntropy, &scores, label));
    Ok(())
}

/// As the label wins, 1 − p = q vanishes: the loss is q^(1+γ), its slope (1 + γ) q^(1+γ), until both underflow to exactly 0.
fn a_win_is_finite_and_keeps_its_digits<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let others = scores.iter().enumerate().filter(|&(class, _)| class != label);
    let largest = others.fold(F::zero(), |largest, (_, &score)| largest.max(score));
    // Of others that come to less than 2⁻¹⁰⁰ in single precision nothing is left.
    let far = if size_of::<F>() == 4 { 60.0 } else { 90.0 };
    for (gamma, lead) in GAMMAS.into_iter().flat_map(|gamma| [30.0, far, 800.0, 1e30].map(|lead| (gamma, lead))) {
        let mut won = scores.clone();
        won[label] = largest + F::from_f64(lead);
        let (value, grad) = evaluate(&focal(gamma), &won, label);
        let q: f64 = (0..won.len()).filter(|&i| i != label).map(|i| (to_f64(won[i]) - to_f64(won[label])).exp()).sum();
        let expected = q.powf(1.0 + gamma);
        let condition = F::from_f64(expected.max(to_f64(F::min_positive_value())) * 100.0 * (1.0 + gamma));
        prop_assert!(FOCAL.allows(value, F::from_f64(expected), condition), "{} instead of {}", value, expected);
        prop_assert!(FOCAL.allows(-grad[label], F::from_f64((1.0 + gamma) * expected), condition * F::from_f64(1.0 + gamma)));
        prop_assert!(grad.iter().all(|g| g.is_finite()));
    }
    Ok(())
}

/// As the label loses, the loss is how far it is behind, and the gradient the cross-entropy's.
#[test]
fn a_defeat_is_the_cross_entropy() {
    for gamma in GAMMAS {
        assert_eq!(evaluate(&focal(gamma), &[0.0_f32, -1e30, -2e30], 1), (1e30, vec![1.0, -1.0, 0.0]));
        assert_eq!(evaluate(&focal(gamma), &[1e30_f64, -1e30], 1), (2e30, vec![1.0, -1.0]));
    }
}

both_floats! {
    value_and_gradient_are_the_formula in moderate_example;
    gamma_0_is_the_cross_entropy in example;
    a_win_is_finite_and_keeps_its_digits in moderate_example;
}
