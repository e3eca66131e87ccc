//! The inputs reach their corners, and shrink to what a person would write.

use core::cell::RefCell;

use proptest::prelude::*;
use topk_loss_laws::strategies::{distribution, example, moderate_example, permutation, probability, segment};
use topk_loss_laws::{Example, Segment, check, holds};

type Verdict = Result<(), TestCaseError>;

#[test]
fn an_example_shrinks_to_the_fewest_classes_and_round_scores() {
    let refuted = check(example::<f64>(), |example: Example<f64>| -> Verdict {
        prop_assert!(example.scores.len() < 5);
        Ok(())
    });
    assert_eq!(refuted.unwrap_err().input, Example { scores: vec![0.0; 5], label: 0, k: 1 });
}

/// Today's inputs are tomorrow's, whether the seed is the usual one or named by the environment.
#[test]
fn every_run_draws_the_same_inputs() {
    let drawn = || {
        let inputs = RefCell::new(Vec::new());
        let all = check(example::<f64>(), |example: Example<f64>| -> Verdict {
            inputs.borrow_mut().push(example);
            Ok(())
        });
        assert!(all.is_ok());
        inputs.into_inner()
    };
    assert_eq!(drawn(), drawn());
}

#[test]
fn distinct_scores_shrink_to_few_values() {
    let refuted = check(moderate_example::<f64>(), |example: Example<f64>| -> Verdict {
        prop_assert!(!example.scores.iter().any(|&s| s > 1.5));
        Ok(())
    });
    let scores = refuted.unwrap_err().input.scores;
    assert!(scores.len() == 2 && scores.contains(&0.0) && scores.iter().all(|s| s.fract() == 0.0), "{scores:?}");
}

#[test]
fn segments_have_two_ends_of_one_length() {
    holds(segment(), |Segment { example, to }: Segment<f32>| -> Verdict {
        prop_assert!(example.scores.len() == to.len() && example.label < to.len() && (1..to.len()).contains(&example.k));
        Ok(())
    });
}

#[test]
fn permutations_are_orders_of_all_classes() {
    holds(permutation(6), |classes| -> Verdict {
        let mut sorted = classes;
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..6).collect::<Vec<_>>());
        Ok(())
    });
}

/// Every claim that a corner does not occur is refuted.
#[test]
fn the_corners_are_reached() {
    let never_tied = |example: Example<f64>| -> Verdict {
        let mut sorted = example.scores;
        sorted.sort_by(f64::total_cmp);
        prop_assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]));
        Ok(())
    };
    let never_far = |example: Example<f64>| -> Verdict {
        prop_assert!(example.scores.iter().all(|s| s.abs() < 1e6));
        Ok(())
    };
    let never_huge = |example: Example<f64>| -> Verdict {
        prop_assert!(example.scores.iter().all(|s| s.abs() < 1e28));
        Ok(())
    };
    assert!(check(example(), never_tied).is_err() && check(example(), never_far).is_err() && check(example(), never_huge).is_err());

    let never_zero = |shares: Vec<f64>| -> Verdict {
        prop_assert!(shares.iter().all(|&share| share > 0.0));
        Ok(())
    };
    let never_sure = |shares: Vec<f64>| -> Verdict {
        prop_assert!(shares.iter().all(|&share| share < 0.9));
        Ok(())
    };
    assert!(check(distribution(4), never_zero).is_err() && check(distribution(4), never_sure).is_err());

    let never_small = |p: f64| -> Verdict {
        prop_assert!(p > 1e-9);
        Ok(())
    };
    assert!(check(probability(), never_small).is_err());
}
