//! Weights of a long tail against their formulas.

use proptest::prelude::*;
use topk_loss::imbalance::{effective_number_weights, inverse_frequency_weights};
use topk_loss::{Error, Real};

const SENTINEL: f64 = 7.0;

fn agree(weights: &[f64], counts: &[usize], shape: impl Fn(f64) -> f64) -> Result<(), TestCaseError> {
    let (examples, weighted) =
        counts.iter().zip(weights).fold((0.0, 0.0), |(n, sum), (&count, weight)| (n + count as f64, sum + count as f64 * weight));
    prop_assert!((weighted / examples - 1.0).abs() < 1e-12);
    for (weight, &count) in weights.iter().zip(counts) {
        let ratio = (weight / weights[0]) / (shape(count as f64) / shape(counts[0] as f64));
        prop_assert!((ratio - 1.0).abs() < 1e-9, "{ratio} of {count}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn weights_have_their_shape_and_average_1(counts in prop::collection::vec(1..5000_usize, 1..50), beta in 0.0..0.999, power in -1.0..2.0) {
        let mut weights = vec![f64::NAN; counts.len()];
        effective_number_weights(&counts, beta, &mut weights).unwrap();
        agree(&weights, &counts, |n| (1.0 - beta) / (1.0 - beta.powf(n)))?;
        inverse_frequency_weights(&counts, power, &mut weights).unwrap();
        agree(&weights, &counts, |n| n.powf(-power))?;
    }
}

/// Near β = 1 the naive 1 − βⁿ has lost its digits; ours is the inverse count.
fn the_limit_is_the_inverse_count<F: Real>() {
    let (counts, mut weights, mut inverse) = ([1000, 100, 1], [F::zero(); 3], [F::zero(); 3]);
    effective_number_weights(&counts, F::one() - F::epsilon() / F::from_f64(2.0), &mut weights).unwrap();
    inverse_frequency_weights(&counts, F::one(), &mut inverse).unwrap();
    for (weight, inverse) in weights.into_iter().zip(inverse) {
        assert!((weight / inverse - F::one()).abs() < F::epsilon() * F::from_f64(2000.0), "{weight} {inverse}");
    }
    effective_number_weights(&counts, F::zero(), &mut weights).unwrap();
    assert_eq!(weights, [F::one(); 3]);
}

#[test]
fn the_limits_of_beta() {
    the_limit_is_the_inverse_count::<f32>();
    the_limit_is_the_inverse_count::<f64>();
}

#[test]
fn what_has_no_weights_is_refused() {
    let mut weights = [SENTINEL; 2];
    let must = "at least 0 and less than 1";
    for beta in [-0.5, 1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(effective_number_weights(&[1, 2], beta, &mut weights), Err(Error::Parameter { name: "beta", must }));
    }
    for power in [f64::NAN, f64::INFINITY] {
        assert_eq!(inverse_frequency_weights(&[1, 2], power, &mut weights), Err(Error::Parameter { name: "power", must: "finite" }));
    }
    let no_examples = Err(Error::Parameter { name: "counts", must: "positive for every class" });
    assert_eq!(inverse_frequency_weights(&[1, 0], 1.0, &mut weights), no_examples);
    assert_eq!(effective_number_weights::<f64>(&[], 0.5, &mut []), no_examples);
    assert_eq!(inverse_frequency_weights(&[1], 1.0, &mut weights), Err(Error::Length { what: "weights", expected: 1, actual: 2 }));
    assert_eq!(inverse_frequency_weights(&[1, usize::MAX], 300.0, &mut weights), Ok(()));
    weights = [SENTINEL; 2];
    assert_eq!(inverse_frequency_weights(&[2, 1], -2000.0, &mut weights), Err(Error::Overflow { what: "weights" }));
    assert_eq!(weights, [SENTINEL; 2]);
}
