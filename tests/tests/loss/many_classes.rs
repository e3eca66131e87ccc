//! Millions of classes in single precision: every sum over classes against its closed form. One by one such sums round alike, and stop
//! growing at 2²⁴ times their terms.

use core::f64::consts::{EULER_GAMMA, LN_2};

use topk_loss::epsilon::effective_classes;
use topk_loss::estimator::Exact;
use topk_loss::imbalance::log_priors;
use topk_loss::loss::{FenchelYoung, Focal, Ldam, SmoothTopKSvm, SoftLabelLoss, TopKCrossEntropy, TopKSvm, TopKSvmForm};
use topk_loss::maximizer::TopKMask;
use topk_loss::noise::{Gumbel, Normal};
use topk_loss::oracle::{KthLargest, Max, Oracle, SupportFunction, TopKSum};
use topk_loss::{CrossEntropy, Error, Loss, Margins, TopKHinge};

/// No power of two, so that a class's share is rounded.
const CLASSES: usize = (1 << 22) + 12_345;
const LABEL: usize = 1_234_567;

/// A sum rounds a few times, whatever its length; what is made of it a few times more.
fn near(name: &str, value: f32, expected: f64) {
    let error = (f64::from(value) - expected).abs() / expected.abs().max(1.0);
    assert!(error <= 1.5e-6, "{name}: {value} instead of {expected}, {error:e} off");
}

/// The loss of equal scores; its gradient, which is alike for all but the label, sums to zero.
fn of_equal_scores(name: &str, loss: &impl Loss<f32>, expected: f64) {
    let (mut grad, mut scratch) = (vec![0.0; CLASSES], vec![0.0; loss.scratch_len(CLASSES)]);
    let value = loss.value_and_grad(&vec![0.3; CLASSES], LABEL, &mut grad, &mut scratch).unwrap();
    near(name, value, expected);
    let others: f64 = grad.iter().map(|&g| f64::from(g)).sum::<f64>() - f64::from(grad[LABEL]);
    let error = (others / -f64::from(grad[LABEL]) - 1.0).abs();
    assert!(error <= 1e-5, "{name}: the gradient of the others is {others}, that of the label {}", grad[LABEL]);
}

fn ln_classes() -> f64 {
    (CLASSES as f64).ln()
}

#[test]
fn cross_entropies() -> Result<(), Error> {
    let (miss, lead) = (1.0 - (CLASSES as f64).recip(), 0.5_f64.exp());
    of_equal_scores("cross-entropy", &CrossEntropy, ln_classes());
    of_equal_scores("focal", &Focal::new(2.0)?, miss * miss * ln_classes());
    of_equal_scores("LDAM", &Ldam::new(Margins::Uniform(0.5), 1.0)?, ((CLASSES - 1) as f64 * lead + 1.0).ln());
    of_equal_scores("top-1 cross-entropy", &TopKCrossEntropy::new(1, Gumbel, 1.0)?, ln_classes());
    Ok(())
}

#[test]
fn smooth_top_k_svms() -> Result<(), Error> {
    for k in [1, 2, 7] {
        for temperature in [0.5_f64, 1.0] {
            // Of L − 1 others, e_K/e_{K−1} is (L − K)/K.
            let odds = (CLASSES - k) as f64 / k as f64;
            let expected = temperature * (odds * (1.0 / temperature).exp()).ln_1p();
            of_equal_scores(&format!("smooth {k}"), &SmoothTopKSvm::new(k, temperature as f32, 1.0)?, expected);
        }
    }
    Ok(())
}

#[test]
fn hinges_of_millions_of_guesses() -> Result<(), Error> {
    for form in [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanOutside] {
        of_equal_scores(
            &format!("{form:?}"),
            &TopKSvm::new(3_000_000, form)?.with_margins(Margins::Uniform(0.7))?.with_scale(3.0)?,
            f64::from(0.7_f32) * 3.0,
        );
    }
    of_equal_scores("hinge", &TopKHinge::new(3_000_000)?.with_margins(Margins::Uniform(0.7))?.with_scale(3.0)?, f64::from(0.7_f32) * 3.0);
    Ok(())
}

/// Scores of 1.1 and of 0 by turns, of a target that all have the same share of.
#[test]
fn soft_labels_and_fenchel_young() -> Result<(), Error> {
    let scores: Vec<f32> = (0..CLASSES).map(|i| if i % 2 == 0 { 1.1 } else { 0.0 }).collect();
    let share = 1.0 / CLASSES as f32;
    let (target, mut grad) = (vec![share; CLASSES], vec![0.0; CLASSES]);
    let (high, low) = (CLASSES.div_ceil(2) as f64, (CLASSES / 2) as f64);
    let (top, share) = (f64::from(1.1_f32), f64::from(share));
    let total = high * top.exp() + low;
    let value = SoftLabelLoss::soft_value_and_grad(&CrossEntropy, &scores, &target, &mut grad, &mut [])?;
    near("soft cross-entropy", value, total.ln() - high * top * share);
    near("its gradient", grad[0] * CLASSES as f32, (top.exp() / total - share) * CLASSES as f64);

    // However many shares are rounded, nothing is no distribution.
    let nothing = SoftLabelLoss::soft_value(&CrossEntropy, &scores, &vec![0.0; CLASSES], &mut []);
    assert_eq!(nothing, Err(Error::Parameter { name: "target", must: "of entries that sum to 1" }));

    let loss = FenchelYoung::new(Max);
    let mut scratch = vec![0.0; loss.scratch_len::<f32>(CLASSES)];
    near("Fenchel-Young", loss.value(&scores, &target, &mut scratch)?, top - high * top * share);
    Ok(())
}

#[test]
fn oracles() -> Result<(), Error> {
    let scores: Vec<f32> = (0..CLASSES).map(|i| if i % 2 == 0 { 1.1 } else { 0.0 }).collect();
    let sum = CLASSES.div_ceil(2) as f64 * f64::from(1.1_f32);
    let (k, mut scratch) = (3_000_000, vec![0.0; 2 * CLASSES]);
    near("top-K sum", TopKSum::new(k)?.value(&scores, &mut scratch)?, sum);
    near("support function", SupportFunction::new(TopKMask::new(k)?).value(&scores, &mut scratch)?, sum);
    // E max of n Gumbel variables is ln n + γ.
    let largest = Exact::new(KthLargest::new(1)?, Gumbel, 1.0_f32)?;
    let mut scratch = vec![0.0; largest.scratch_len(CLASSES)];
    near("E max", largest.value(&vec![0.0; CLASSES], &mut scratch)?, ln_classes() + EULER_GAMMA);
    let fifth = Exact::new(KthLargest::new(5)?, Normal, 1.0_f32)?;
    let (mut grad, mut scratch) = (vec![0.0; CLASSES], vec![0.0; fifth.scratch_len(CLASSES)]);
    fifth.value_and_add_grad(&vec![0.5; CLASSES], 1.0, &mut grad, &mut scratch)?;
    near("exact gradient", grad.iter().map(|&g| f64::from(g)).sum::<f64>() as f32, 1.0);
    Ok(())
}

#[test]
fn statistics_of_classes() -> Result<(), Error> {
    let share = 1.0 / CLASSES as f32;
    near("effective classes", effective_classes(&vec![share; CLASSES]) * share, 1.0);
    // More than 2²⁴ examples, most of them one a class.
    let (mut counts, mut priors) = (vec![3; CLASSES], vec![0.0_f32; CLASSES]);
    counts[0] = 1 << 26;
    log_priors(&counts, 1.0, &mut priors)?;
    let total = (3 * (CLASSES - 1)) as f64 + (1 << 26) as f64;
    near("prior", priors[0], 26.0 * LN_2 - total.ln());
    near("prior of a rare class", priors[1], 3.0_f64.ln() - total.ln());
    Ok(())
}
