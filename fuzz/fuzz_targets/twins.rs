//! Losses in closed form against their formulas, written as naively as can be.
#![no_main]

use topk_loss::loss::{Focal, Hinge, Ldam, TopKSvm, TopKSvmForm};
use topk_loss::oracle::{KthLargest, TopKSum};
use topk_loss::{CrossEntropy, Loss, Margins};
use topk_loss_fuzz::{Float, Input, promises, target};
use topk_loss_laws::Tolerance;
use topk_loss_laws::reference::{self, ValueAndGrad, to_f64};
use topk_loss_laws::tolerances::{CROSS_ENTROPY, FOCAL, SUM};

/// Where the naive form is exact enough to be a reference, beside 0.
const MODERATE: core::ops::RangeInclusive<f64> = 1e-3..=32.0;

fn agree<F: Float>(loss: topk_loss::Result<impl Loss<F>>, twin: impl FnOnce() -> ValueAndGrad<f64>, input: &Input, tolerance: Tolerance) {
    let scores: Vec<F> = input.scores();
    let Ok((value, grad)) = loss.and_then(|loss| promises::loss(&loss, &scores, input.label.label(scores.len()))) else { return };
    let (expected, expected_grad) = twin();
    let size = scores.iter().chain(&[F::one()]).fold(0.0_f64, |largest, &score| largest.max(to_f64(score.abs())));
    let largest = expected_grad.iter().fold(1.0_f64, |largest, entry| largest.max(entry.abs()));
    // What a rounding of a score does to the loss.
    let allowed = tolerance.of::<F>(expected.abs().max(size * largest));
    assert!((to_f64(value) - expected).abs() <= allowed, "{value} instead of {expected}");
    for (&entry, expected) in grad.iter().zip(expected_grad) {
        assert!((to_f64(entry) - expected).abs() <= tolerance.of::<F>(size * largest * largest), "{entry} instead of {expected}");
    }
}

fn twins<F: Float>(input: &Input) {
    let scores: Vec<F> = input.scores();
    let (len, label) = (scores.len(), input.label.label(scores.len()));
    let (factor, margins) = (input.factor::<F>(), input.others::<F>(len));
    let is_moderate = |number: &F| *number == F::zero() || MODERATE.contains(&to_f64(number.abs()));
    if label >= len || !scores.iter().chain(&margins).chain(&[factor]).all(is_moderate) {
        return;
    }
    let margins = if input.dice[1] & 1 == 0 { Margins::Uniform(factor) } else { Margins::PerClass(&margins) };
    let k = input.k.rank(len);
    let in_f64 = |(value, grad): ValueAndGrad<F>| (to_f64(value), grad.into_iter().map(to_f64).collect());
    match input.which % 5 {
        0 => agree::<F>(Ok(CrossEntropy), || reference::cross_entropy(&scores, label), input, CROSS_ENTROPY),
        1 => agree(Focal::new(factor), || reference::focal(&scores, label, to_f64(factor)), input, FOCAL),
        2 => {
            let scale = F::from_f64(f64::from(input.num_samples) / 16.0);
            agree(Ldam::new(margins, scale), || reference::ldam(&scores, label, margins, to_f64(scale)), input, CROSS_ENTROPY);
        }
        3 => {
            let form = [TopKSvmForm::KthOther, TopKSvmForm::MeanOutside, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel];
            let form = form[usize::from(input.dice[2] % 4)];
            let loss = TopKSvm::new(k, form).and_then(|loss| loss.with_margins(margins));
            agree(loss, || in_f64(reference::top_k_svm(&scores, label, k, form, margins, F::one())), input, SUM);
        }
        _ if input.dice[2] & 1 == 0 => {
            let hinge = KthLargest::new(k).and_then(|oracle| Hinge::new(oracle, margins, factor));
            agree(hinge, || in_f64(reference::hinge(reference::kth_largest(&scores, k), &scores, label, margins, factor)), input, SUM);
        }
        _ => {
            let hinge = TopKSum::new(k).and_then(|oracle| Hinge::new(oracle, margins, factor));
            agree(hinge, || in_f64(reference::hinge(reference::top_k_sum(&scores, k), &scores, label, margins, factor)), input, SUM);
        }
    }
}

target!(twins);
