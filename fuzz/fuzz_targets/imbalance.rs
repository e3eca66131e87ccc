//! Margins, adjustments and weights from any class counts.
#![no_main]

use topk_loss::imbalance::{effective_number_weights, inverse_frequency_weights, ldam_margins, log_priors};
use topk_loss::{Margins, Result};
use topk_loss_fuzz::promises::{assert_finite, assert_untouched, buffer};
use topk_loss_fuzz::{Float, Input, Place, target};
use topk_loss_laws::reference::{self, to_f64};
use topk_loss_laws::tolerances::{LOG_PRIOR, MARGIN};

fn checked<F: Float>(len: usize, call: impl FnOnce(&mut [F]) -> Result<()>) -> Option<Vec<F>> {
    let mut out = buffer(len);
    match call(&mut out) {
        Ok(()) => {
            assert_finite("output", &out);
            Some(out)
        }
        Err(error) => {
            assert_untouched(&out, &error);
            None
        }
    }
}

fn imbalance<F: Float>(input: &Input) {
    let len = usize::from(input.num_samples % 32);
    let count = |class: usize| {
        let [kind, n] = input.key().fold_in(class as u64).words();
        let count = match kind % 16 {
            0 => Place::Huge(n as u8),
            1 => Place::Power(n as u8),
            _ => Place::Low(n as u8),
        };
        count.rank(len) + usize::from(input.dice[0] & 1 == 1 && !matches!(count, Place::Huge(_)))
    };
    let counts: Vec<usize> = (0..len).map(count).collect();
    let factor = input.factor.to::<F>();
    // Both forms must be far from the ends of the range to be compared.
    let is_comparable = (1e-3..1e3).contains(&to_f64(factor).abs()) && counts.iter().all(|&n| n < 1 << 40);
    if let Some(margins) = checked(len, |out| ldam_margins(&counts, factor, out)) {
        assert!(margins.iter().all(|&margin| margin >= F::zero() && margin <= factor));
        for (&margin, expected) in margins.iter().zip(reference::ldam_margins(&counts, to_f64(factor))) {
            let agrees = MARGIN.allows(margin, F::from_f64(expected), F::from_f64(expected));
            assert!(!is_comparable || agrees, "{margin} instead of {expected}");
        }
        for label in 0..=len {
            assert_eq!(Margins::PerClass(&margins).of(label, len).ok(), margins.get(label).copied());
        }
    }
    if let Some(adjustments) = checked(len, |out| log_priors(&counts, factor, out)) {
        for (&adjustment, expected) in adjustments.iter().zip(reference::log_priors(&counts, to_f64(factor))) {
            let agrees = LOG_PRIOR.allows(adjustment, F::from_f64(expected), F::from_f64(expected.abs().max(to_f64(factor.abs()))));
            assert!(!is_comparable || agrees, "{adjustment} instead of {expected}");
        }
    }
    for weights in [
        checked(len, |out| effective_number_weights(&counts, factor, out)),
        checked(len, |out| inverse_frequency_weights(&counts, factor, out)),
    ] {
        let Some(weights) = weights else { continue };
        assert!(weights.iter().all(|&weight| weight >= F::zero()), "{weights:?}");
        // The mean over the examples is 1.
        let examples: f64 = counts.iter().map(|&n| n as f64).sum();
        let mean = counts.iter().zip(&weights).map(|(&n, &weight)| n as f64 * to_f64(weight)).sum::<f64>() / examples;
        assert!((mean - 1.0).abs() <= 64.0 * len as f64 * to_f64(F::epsilon()), "a mean weight of {mean}");
    }
}

target!(imbalance);
