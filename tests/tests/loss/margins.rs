//! Margins against the formula.

use proptest::prelude::*;
use topk_loss::Real;
use topk_loss::imbalance::ldam_margins;
use topk_loss_laws::{both_floats, class_counts, reference, tolerances};

fn counts_and_margin<F: Real>() -> impl Strategy<Value = (Vec<usize>, F)> {
    (class_counts(), (0.01..10.0).prop_map(F::from_f64))
}

fn ldam_margins_follow_the_formula<F: Real>((counts, max_margin): (Vec<usize>, F)) -> Result<(), TestCaseError> {
    let mut margins = vec![F::nan(); counts.len()];
    ldam_margins(&counts, max_margin, &mut margins).unwrap();
    for (&margin, expected) in margins.iter().zip(reference::ldam_margins(&counts, reference::to_f64(max_margin))) {
        prop_assert!(tolerances::MARGIN.allows(margin, F::from_f64(expected), max_margin), "{} instead of {}", margin, expected);
    }
    Ok(())
}

/// The rarest class has exactly the largest margin, classes without examples too, and rarer never means smaller.
fn rarer_means_larger<F: Real>((counts, max_margin): (Vec<usize>, F)) -> Result<(), TestCaseError> {
    let mut margins = vec![F::nan(); counts.len()];
    ldam_margins(&counts, max_margin, &mut margins).unwrap();
    let mut classes: Vec<(usize, F)> = counts.into_iter().zip(margins).collect();
    classes.sort_by_key(|&(count, _)| count);
    prop_assert_eq!(classes.first().map(|&(_, margin)| margin), Some(max_margin));
    let rarest = classes.iter().find(|&&(count, _)| count > 0);
    prop_assert_eq!(rarest.map(|&(_, margin)| margin), Some(max_margin));
    prop_assert!(classes.is_sorted_by(|a, b| a.1 >= b.1 && b.1 > F::zero()));
    Ok(())
}

both_floats! {
    ldam_margins_follow_the_formula in counts_and_margin;
    rarer_means_larger in counts_and_margin;
}
