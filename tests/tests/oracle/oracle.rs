//! Oracles against sorting, and what every oracle promises.

use proptest::prelude::*;
use topk_loss::oracle::{KthLargest, Max, Oracle, TopKSum, Translation};
use topk_loss::{Error, Real};
use topk_loss_laws::reference::{self, ValueAndGrad};
use topk_loss_laws::{Example, both_floats, example, tolerances};

/// The oracle's value and gradient; the gradient is added, with the weight, to what was there.
fn evaluate<F: Real>(oracle: &dyn Oracle<F>, theta: &[F], weight: F, before: F) -> ValueAndGrad<F> {
    let mut grad = vec![before; theta.len()];
    // The scratch holds garbage: its contents must not matter.
    let mut scratch = vec![F::nan(); oracle.scratch_len(theta.len())];
    let value = oracle.value_and_add_grad(theta, weight, &mut grad, &mut scratch).unwrap();
    assert_eq!(oracle.value(theta, &mut scratch), Ok(value));
    (value, grad)
}

fn added<F: Real>(grad: Vec<F>, weight: F, before: F) -> Vec<F> {
    grad.into_iter().map(|g| if g == F::zero() { before } else { before + weight }).collect()
}

fn kth_largest_is_the_kth_of_the_sorted<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    let (weight, before) = (F::from_f64(0.375), F::from_f64(-2.0));
    for k in [k, scores.len()] {
        let (value, grad) = reference::kth_largest(&scores, k);
        let oracle = KthLargest::new(k).unwrap();
        prop_assert_eq!(evaluate(&oracle, &scores, weight, before), (value, added(grad, weight, before)));
        // A reference to an oracle is the oracle.
        prop_assert_eq!(evaluate(&&oracle, &scores, weight, before), evaluate(&oracle, &scores, weight, before));
    }
    Ok(())
}

fn max_is_the_first_of_the_sorted<F: Real>(Example { scores, .. }: Example<F>) -> Result<(), TestCaseError> {
    prop_assert_eq!(evaluate(&Max, &scores, F::one(), F::zero()), reference::kth_largest(&scores, 1));
    Ok(())
}

fn top_k_sum_adds_the_first_of_the_sorted<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    let (weight, before) = (F::from_f64(0.375), F::from_f64(-2.0));
    for k in [k, scores.len()] {
        let (expected, mask) = reference::top_k_sum(&scores, k);
        let (value, grad) = evaluate(&TopKSum::new(k).unwrap(), &scores, weight, before);
        prop_assert!(tolerances::SUM.allows(value, expected, magnitude(&scores)), "{} instead of {}", value, expected);
        prop_assert_eq!(grad, added(mask, weight, before));
    }
    Ok(())
}

/// f(θ) = f(θ − center) + center·mass, the center is an entry, and the mass is the sum of the gradient.
fn translation_is_as_claimed<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    let oracles: [&dyn Oracle<F>; 3] = [&Max, &KthLargest::new(k).unwrap(), &TopKSum::new(k).unwrap()];
    for oracle in oracles {
        let mut scratch = vec![F::nan(); oracle.scratch_len(scores.len())];
        let Translation { center, mass } = oracle.translation(&scores, &mut scratch).unwrap();
        prop_assert!(scores.contains(&center));

        let centered: Vec<F> = scores.iter().map(|&s| s - center).collect();
        let (value, grad) = evaluate(oracle, &scores, F::one(), F::zero());
        let moved = oracle.value(&centered, &mut scratch).unwrap() + center * mass;
        prop_assert!(tolerances::SUM.allows(moved, value, magnitude(&scores)), "{} instead of {}", moved, value);
        prop_assert_eq!(mass, grad.into_iter().fold(F::zero(), |sum, g| sum + g));
    }
    Ok(())
}

/// What the additions round: no partial sum is larger.
fn magnitude<F: Real>(scores: &[F]) -> F {
    scores.iter().fold(F::zero(), |sum, s| sum + s.abs())
}

both_floats! {
    kth_largest_is_the_kth_of_the_sorted in example;
    max_is_the_first_of_the_sorted in example;
    top_k_sum_adds_the_first_of_the_sorted in example;
    translation_is_as_claimed in example;
}

/// An oracle of the user's own that overrides nothing claims no translation.
#[test]
fn the_default_translation_claims_nothing() {
    struct Norm;
    impl Oracle<f64> for Norm {
        fn scratch_len(&self, _: usize) -> usize {
            0
        }
        fn value(&self, theta: &[f64], _: &mut [f64]) -> topk_loss::Result<f64> {
            Ok(theta.iter().map(|t| t * t).sum::<f64>().sqrt())
        }
        fn value_and_add_grad(&self, theta: &[f64], weight: f64, grad: &mut [f64], scratch: &mut [f64]) -> topk_loss::Result<f64> {
            let norm = self.value(theta, scratch)?;
            grad.iter_mut().zip(theta).for_each(|(g, t)| *g += weight * t / norm);
            Ok(norm)
        }
    }
    assert_eq!(Norm.translation(&[3.0, 4.0], &mut []), Ok(Translation { center: 0.0, mass: 0.0 }));
    assert_eq!(Norm.translation(&[3.0, f64::NAN], &mut []), Err(Error::NotFinite { what: "scores", index: 1 }));
}
