//! Choosing ε: the interval holds the bias, the helper meets the number that was asked for.

use proptest::prelude::*;
use topk_loss::epsilon::{bias_interval, effective_classes, epsilon_for_effective_classes};
use topk_loss::estimator::Exact;
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::select::kth_largest;
use topk_loss::{Error, Real};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::unbiased::{evaluate, midpoint_kth_largest};
use topk_loss_laws::{Example, both_floats};

use super::conditional::NoCdf;

fn the_interval_holds_the_bias<F: Real>((example, epsilon): (Example<F>, f64)) -> Result<(), TestCaseError> {
    let (Example { scores, k, .. }, epsilon) = (example, F::from_f64(epsilon));
    let hard = kth_largest(&scores, k, &mut vec![F::zero(); scores.len()]).unwrap().value;
    macro_rules! for_laws {
        ($($law:ident),*) => {$(
            let (low, high) = bias_interval($law, epsilon, k, scores.len()).unwrap();
            let smoothed = evaluate(&Exact::new(KthLargest::new(k).unwrap(), $law, epsilon).unwrap(), &scores).0;
            let rounding = F::from_f64(16.0) * F::epsilon() * hard.abs();
            prop_assert!(low - rounding <= smoothed - hard && smoothed - hard <= high + rounding, "{} outside [{}, {}]", smoothed - hard, low, high);
        )*};
    }
    for_laws!(Normal, Gumbel, Logistic);
    Ok(())
}
fn example_and_epsilon<F: Real>() -> impl Strategy<Value = (Example<F>, f64)> {
    (moderate_example(), prop_oneof![Just(0.05), Just(1.0), Just(20.0)])
}
both_floats!(the_interval_holds_the_bias in example_and_epsilon);

/// The interval is attained where all scores are tied (k = 1 and k = L), to the step of its sums.
#[test]
fn the_interval_is_tight() {
    fn attained(law: impl Noise<f64>) {
        let (_, high) = bias_interval(law, 1.0, 1, 5).unwrap();
        let largest = midpoint_kth_largest(&[0.0; 5], 1, law, 1.0).0;
        assert!((-1e-3..=1.0 / 64.0 + 1e-3).contains(&(high - largest)), "{high} for {largest}");
        let (low, _) = bias_interval(law, 1.0, 5, 5).unwrap();
        let least = midpoint_kth_largest(&[0.0; 5], 5, law, 1.0).0;
        assert!((-1e-3..=1.0 / 64.0 + 1e-3).contains(&(least - low)), "{low} for {least}");
    }
    attained(Normal);
    attained(Logistic);
    attained(Gumbel);
    attained(Laplace);
    attained(Uniform);
}

fn the_number_is_met<F: Real>(example: Example<F>) -> Result<(), TestCaseError> {
    let Example { scores, k, .. } = example;
    let (mut grad, kth) = (vec![F::zero(); scores.len()], KthLargest::new(k).unwrap());
    let mut scratch = vec![F::zero(); Exact::new(kth, Normal, F::one()).unwrap().scratch_len(scores.len())];
    let wanted = F::from_f64(1.0 + 0.4 * (scores.len() - 1) as f64);
    // Scores that are tied at the rank have no ε with fewer classes than that.
    let Ok(epsilon) = epsilon_for_effective_classes(kth, Normal, &scores, wanted, &mut grad, &mut scratch) else { return Ok(()) };
    let reached = effective_classes(&evaluate(&Exact::new(kth, Normal, epsilon).unwrap(), &scores).1);
    prop_assert!((reached - wanted).abs() <= F::from_f64(1.1e-3) * wanted, "{} for {}", reached, wanted);
    Ok(())
}
both_floats!(the_number_is_met in moderate_example);

#[test]
fn mistakes_are_named() {
    for epsilon in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Error::Parameter { name: "epsilon", must: "positive and finite" };
        assert_eq!(bias_interval(Normal, epsilon, 1, 5), Err(error));
    }
    assert_eq!(bias_interval(Normal, 1.0, 0, 5), Err(Error::K { k: 0, max: 5 }));
    assert_eq!(bias_interval(Normal, 1.0, 6, 5), Err(Error::K { k: 6, max: 5 }));
    assert_eq!(bias_interval(NoCdf, 1.0, 1, 5), Err(Error::NotFinite { what: "noise law", index: 0 }));
    assert_eq!(bias_interval(Normal, f64::MAX, 1, 5), Err(Error::Overflow { what: "bias interval" }));
    let find = |theta: &[f64], wanted| {
        epsilon_for_effective_classes(KthLargest::new(1).unwrap(), Normal, theta, wanted, &mut [0.0; 3], &mut [0.0; 1000])
    };
    let positive = |name| Error::Parameter { name, must: "positive and finite" };
    let unreachable = Error::Parameter { name: "wanted", must: "an effective number of classes that some epsilon gives" };
    assert_eq!(find(&[1.0, 1.0, 1.0], 2.0), Err(positive("range of the scores")));
    assert_eq!(find(&[1.0, 2.0, 3.0], f64::NAN), Err(positive("wanted")));
    assert_eq!(find(&[1.0, 2.0, 3.0], 0.5), Err(unreachable));
    assert_eq!(find(&[1.0, 2.0, 3.0], 4.0), Err(unreachable));
    assert_eq!(find(&[1.0, f64::NAN, 3.0], 2.0), Err(Error::NotFinite { what: "scores", index: 1 }));
    assert_eq!(find(&[1.0, 2.0], 1.5), Err(Error::Length { what: "grad", expected: 2, actual: 3 }));
}
