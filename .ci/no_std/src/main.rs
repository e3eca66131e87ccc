//! The top-K hinge, plain and smoothed, and the estimators, on stack arrays, in a program without `std`, libc or an allocator. It exits
//! with 0 when the numbers are right and no loss takes more stack than a small machine has.
//!
//! No panic can happen in it either: the panic handler calls a function that does not exist, so that the program links only if
//! the optimiser has proved every panic away.
#![no_std]
#![no_main]

mod bare;
mod shards;
mod stack;
mod stacks;

use core::hint::black_box;

use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Estimator, ScoreFunction, Until};
use topk_loss::imbalance::{ldam_margins, log_priors};
use topk_loss::loss::{
    ClassWeighted, ExpectedLoss, Focal, Ldam, LogitAdjusted, SmoothTopKSvm, SoftLabelLoss, TopKCrossEntropy, TopKHinges, TopKSvm,
    TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Normal};
use topk_loss::oracle::{KthLargest, Max, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Key, Loss, Margins, Result, Smoothing, TopKHinge};

const CLASSES: usize = 6;

/// Neither the scores nor how many there are is known to the compiler, so nothing is computed or proved ahead of time.
fn scores() -> &'static [f32] {
    black_box::<&[f32]>(&[0.2, 0.9, 0.4, 0.7, -0.3, 0.5])
}

fn evaluate(loss: &impl Loss<f32>) -> Result<(f32, [f32; CLASSES])> {
    let (mut grad, mut scratch) = ([f32::NAN; CLASSES], [f32::NAN; 1000]);
    let value = loss.value_and_grad(scores(), black_box(0), &mut grad, &mut scratch)?;
    Ok((value, grad))
}

/// With as many draws as it takes, the entries of the gradient sum to `mass`.
fn sums_to(mass: f32, estimator: &impl Estimator<f32>) -> Result<bool> {
    let (mut grad, mut scratch) = ([0.0; CLASSES], [f32::NAN; 8 * CLASSES]);
    let estimate = estimator.estimate_until(scores(), Until::Gradient(0.1), 1.0, &mut grad, &mut scratch)?;
    estimator.value_and_add_grad(scores(), 1.0, &mut grad, &mut scratch)?;
    Ok(estimate.gradient_standard_error <= 0.1 && (grad.iter().sum::<f32>() / 2.0 - mass).abs() < 0.3)
}

fn estimators_are_right() -> Result<bool> {
    let (draws, key) = (MonteCarlo::new(Normal, black_box(5000))?, Key::new(2));
    let (third, sum) = (KthLargest::new(black_box(3))?, TopKSum::new(black_box(3))?);
    Ok(sums_to(1.0, &Conditional::new(third, draws, 0.2, key)?)?
        && sums_to(3.0, &Conditional::new(sum, draws, 0.2, key)?)?
        && sums_to(1.0, &ScoreFunction::new(third, draws, 0.2, Baseline::Mean, key)?)?
        && sums_to(1.0, &ScoreFunction::new(third, draws, 0.2, Baseline::LeaveOneOut, key)?)?
        && sums_to(3.0, &ControlVariate::new(sum, Max, Conditional::new(Max, draws, 0.2, key)?, draws, 0.2, key)?)?)
}

/// A loss that is positive where its gradient is not zero, and that a common offset of the scores does not change.
fn is_shift_invariant((value, grad): (f32, [f32; CLASSES])) -> bool {
    value > 0.0 && grad.iter().sum::<f32>().abs() < 1e-5 && grad.iter().any(|&g| g != 0.0)
}

/// The losses that the field compares with, and what wraps them.
fn other_losses_are_right() -> Result<bool> {
    let unit = Margins::Uniform(1.0);
    let svm = |form| evaluate(&TopKSvm::new(black_box(2), form)?.with_margins(unit)?);
    let hinges_are_right = svm(TopKSvmForm::KthOther)? == (1.5, [-1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
        && [TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside]
            .into_iter()
            .try_fold(true, |right, form| Ok(right && svm(form)? == (1.6, [-1.0, 0.5, 0.0, 0.5, 0.0, 0.0])))?;

    let mut priors = [0.0; CLASSES];
    log_priors(black_box::<&[usize]>(&[1, 16, 81, 16, 1, 1]), 1.0, &mut priors)?;
    let weights = black_box::<&[f32]>(&[2.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let weighted = ClassWeighted::new(Focal::new(black_box(2.0))?, weights)?;
    let losses_are_right = is_shift_invariant(evaluate(&weighted)?)
        && is_shift_invariant(evaluate(&Ldam::new(unit, black_box(30.0))?)?)
        && is_shift_invariant(evaluate(&LogitAdjusted::new(CrossEntropy, &priors)?.shift_invariant())?);

    let target = black_box::<&[f32]>(&[0.5, 0.25, 0.25, 0.0, 0.0, 0.0]);
    let (mut grad, mut scratch) = ([f32::NAN; CLASSES], [f32::NAN; 2 * CLASSES]);
    let value = SoftLabelLoss::soft_value_and_grad(&LogitAdjusted::new(CrossEntropy, &priors)?, scores(), target, &mut grad, &mut scratch)?;
    let soft_is_right = is_shift_invariant((value, grad));
    let expected = ExpectedLoss::new(weighted).soft_value_and_grad(scores(), target, &mut grad, &mut scratch)?;
    Ok(hinges_are_right && losses_are_right && soft_is_right && is_shift_invariant((expected, grad)))
}

/// The smooth losses of K guesses, and those of several K.
fn losses_of_several_guesses_are_right() -> Result<bool> {
    let shares = black_box::<&[f32]>(&[0.5, 0.0, 0.5]);
    let unit = Margins::Uniform(1.0);
    let (value, grad) = evaluate(&TopKHinges::new(shares)?.with_margins(unit)?)?;
    Ok((value - 1.35).abs() < 1e-6
        && grad == [-1.0, 0.0, 0.5, 0.5, 0.0, 0.0]
        && is_shift_invariant(evaluate(&TopKHinges::new(shares)?.with_margins(unit)?.with_epsilon(Some(black_box(0.2)))?)?)
        && is_shift_invariant(evaluate(&SmoothTopKSvm::new(black_box(2), 0.5, 1.0)?)?)
        && is_shift_invariant(evaluate(&TopKCrossEntropy::new(black_box(2), Gumbel, 1.0)?)?)
        && is_shift_invariant(evaluate(&TopKCrossEntropy::new(black_box(2), Normal, 1.0)?)?)
        && is_shift_invariant(evaluate(&TopKCrossEntropy::mixture(shares, Gumbel, 1.0)?)?))
}

fn numbers_are_right() -> Result<bool> {
    let hard = TopKHinge::new(black_box(2))?;
    let hard_is_right = evaluate(&hard)? == (1.3, [-1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);

    let mut margins = [0.0; CLASSES];
    ldam_margins(black_box::<&[usize]>(&[1, 16, 81, 16, 1, 0]), 0.5, &mut margins)?;
    let smoothing = Smoothing::Pathwise { epsilon: 0.2, num_samples: black_box(8), key: Key::new(1) };
    let noised = TopKHinge::new(black_box(2))?.with_margins(Margins::PerClass(&margins))?.with_scale(2.0)?.with_smoothing(smoothing)?;
    let noised_is_right = evaluate(&noised)? == (1.698_312, [-1.75, 0.25, 1.0, 0.0, 0.0, 0.5]);

    // The rank is black-boxed alone, so that no selection is proved away; at the kink's active side the gradient sums to 0.
    let exact = TopKHinge::smoothed(black_box(2), black_box(0.2))?;
    let (value, grad) = evaluate(&exact)?;
    let exact_is_right = (value - 1.337_5).abs() < 0.05 && grad.iter().sum::<f32>().abs() < 1e-5;

    let (value, grad) = evaluate(&CrossEntropy)?;
    let softmax_is_right = value > 0.0 && grad.iter().sum::<f32>().abs() < 1e-6;
    Ok(hard_is_right
        && noised_is_right
        && exact_is_right
        && softmax_is_right
        && other_losses_are_right()?
        && losses_of_several_guesses_are_right()?
        && estimators_are_right()?
        && shards::are_right()?)
}

fn main() -> i32 {
    match (numbers_are_right(), stacks::are_small()) {
        (Ok(true), Ok(true)) => 0,
        (Ok(true), _) => 2,
        _ => 1,
    }
}
