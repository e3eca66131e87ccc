//! Order statistics against sorting.

use proptest::prelude::*;
use topk_loss::Real;
use topk_loss::select::{Ranked, kth_largest, rank_of};
use topk_loss_laws::{Example, both_floats, example, reference};

fn kth_largest_is_the_kth_of_the_sorted<F: Real>(Example { scores, .. }: Example<F>) -> Result<(), TestCaseError> {
    let mut scratch = vec![F::zero(); scores.len()];
    for (k, index) in (1..).zip(reference::ranking(&scores)) {
        let expected = Ranked { index, value: scores[index] };
        prop_assert_eq!(kth_largest(&scores, k, &mut scratch), Ok(expected), "k = {}", k);
    }
    Ok(())
}

fn rank_is_the_position_in_the_sorted<F: Real>(Example { scores, .. }: Example<F>) -> Result<(), TestCaseError> {
    for (rank, index) in (1..).zip(reference::ranking(&scores)) {
        prop_assert_eq!(rank_of(&scores, index), Ok(rank));
    }
    Ok(())
}

fn scratch_is_irrelevant<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    let mut long = vec![F::nan(); scores.len() + 3];
    let mut short = vec![F::infinity(); scores.len()];
    prop_assert_eq!(kth_largest(&scores, k, &mut long), kth_largest(&scores, k, &mut short));
    Ok(())
}

both_floats! {
    kth_largest_is_the_kth_of_the_sorted in example;
    rank_is_the_position_in_the_sorted in example;
    scratch_is_irrelevant in example;
}
