//! Oracles against a sorted list.
#![no_main]

use topk_loss::maximizer::{Ranking, TopKMask};
use topk_loss::oracle::{Oracle, SupportFunction};
use topk_loss_fuzz::oracles::weights;
use topk_loss_fuzz::{Float, Input, promises, target};
use topk_loss_laws::reference::{ranking, to_f64};

fn oracles<F: Float>(input: &Input) {
    let (theta, weight): (Vec<F>, F) = (input.scores(), input.factor());
    if let Ok(mask) = TopKMask::new(input.k.rank(theta.len())) {
        let _ = promises::oracle(&SupportFunction::new(mask), &theta, weight);
    }
    let _ = promises::oracle(&SupportFunction::new(Ranking), &theta, weight);

    let Ok(oracle) = input.order_statistics::<F>(theta.len()) else { return };
    let _ = Oracle::<F>::scratch_len(&*oracle, input.label.rank(theta.len()));
    let Ok((value, grad)) = promises::oracle(&*oracle, &theta, weight) else { return };
    let (ranking, weights) = (ranking(&theta), weights(&*oracle));
    let mut expected = vec![F::zero(); theta.len()];
    let (mut sum, mut size) = (0.0, 0.0);
    for &(share, rank) in &weights {
        let class = ranking[rank - 1];
        expected[class] += weight * share;
        let part = to_f64(share) * to_f64(theta[class]);
        sum += part;
        size += part.abs();
    }
    promises::assert_same("gradient", &grad, &expected);
    let allowed = 2.0 * (weights.len() + 1) as f64 * to_f64(F::epsilon()) * size + to_f64(F::min_positive_value());
    // In f64 the reference itself may overflow.
    assert!(!size.is_finite() || (to_f64(value) - sum).abs() <= allowed, "{value} instead of {sum}");
}

target!(oracles);
