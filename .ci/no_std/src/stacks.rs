//! The stack of one call of every loss, a line each, held against its limit: a microcontroller has little.

use core::hint::black_box;

use topk_loss::loss::{
    ClassWeighted, Focal, Ldam, LogitAdjusted, MeanOfHinge, SmoothTopKSvm, SmoothedLoss, TopKCrossEntropy, TopKHinges, TopKSvm, TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Normal};
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Key, Loss, Margins, Real, Result, Smoothing, TopKHinge};

use crate::{bare, stack};

/// Bytes.
const LIMIT: usize = 4096;
/// Until the integrals keep their nodes elsewhere.
const LIMIT_OF_INTEGRALS: usize = 12 * 1024;

const K: usize = 5;
const CLASSES: usize = 100;

pub fn are_small() -> Result<bool> {
    Ok(of_losses::<f32>(b"f32, 10 classes", 10)?
        & of_losses::<f32>(b"f32, 100 classes", 100)?
        & of_losses::<f64>(b"f64, 10 classes", 10)?
        & of_losses::<f64>(b"f64, 100 classes", 100)?)
}

/// The rows of a table, and what all calls work with.
struct Stacks<F> {
    len: usize,
    scores: [F; CLASSES],
    grad: [F; CLASSES],
    scratch: [F; 80 * CLASSES],
}

impl<F: Real> Stacks<F> {
    /// Scores from −3 to 3, in no order.
    fn new(len: usize) -> Self {
        let mut scores = [F::zero(); CLASSES];
        scores.iter_mut().enumerate().for_each(|(class, score)| *score = F::from_f64((class * 37 % 61) as f64 / 10.0 - 3.0));
        Self { len: black_box(len), scores, grad: scores, scratch: [F::zero(); 80 * CLASSES] }
    }

    /// Prints a row; whether it is within the limit.
    fn hold(&mut self, name: &[u8], limit: usize, loss: &impl Loss<F>) -> Result<bool> {
        let (scores, grad) = (self.scores.get(..self.len).unwrap_or(&[]), self.grad.get_mut(..self.len).unwrap_or(&mut []));
        let (label, mut result) = (black_box(0), Ok(F::zero()));
        let bytes = stack::of(&mut || result = loss.value_and_grad(scores, label, grad, &mut self.scratch));
        bare::print(&digits(bytes));
        bare::print(b"  ");
        bare::print(name);
        bare::print(if bytes > limit { b", above its limit\n" } else { b"\n" });
        Ok(result?.is_finite() && bytes <= limit)
    }
}

/// Right-aligned.
fn digits(mut number: usize) -> [u8; 8] {
    let mut digits = [b' '; 8];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits
}

fn of_losses<F: Real>(title: &[u8], len: usize) -> Result<bool> {
    let (one, key, k) = (F::one(), Key::new(1), black_box(K));
    let (unit, per_class) = (Margins::Uniform(one), &[F::from_f64(0.5); CLASSES]);
    let per_class = per_class.get(..len).unwrap_or(&[]);
    let shares = &[0.5, 0.0, 0.0, 0.0, 0.5].map(F::from_f64);
    let hinge = |smoothing| TopKHinge::new(k)?.with_smoothing(smoothing);
    let draws = MonteCarlo::new(Normal, 5)?;
    let mut stacks = Stacks::new(len);

    bare::print(b"Bytes of stack of one call, K = 5, ");
    bare::print(title);
    bare::print(b"\n");
    Ok(stacks.hold(b"cross-entropy", LIMIT, &CrossEntropy)?
        & stacks.hold(b"focal", LIMIT, &Focal::new(F::from_f64(2.0))?)?
        & stacks.hold(b"LDAM", LIMIT, &Ldam::new(unit, F::from_f64(30.0))?)?
        & stacks.hold(b"hard hinge", LIMIT, &hinge(Smoothing::None)?)?
        & stacks.hold(b"pathwise hinge", LIMIT, &hinge(Smoothing::Pathwise { epsilon: one, num_samples: 5, key })?)?
        & stacks.hold(b"conditional hinge", LIMIT, &hinge(Smoothing::Conditional { epsilon: one, num_samples: 5, key })?)?
        & stacks.hold(b"exact hinge", LIMIT_OF_INTEGRALS, &hinge(Smoothing::Exact { epsilon: one })?)?
        & stacks.hold(b"hinges of 1 and K, hard", LIMIT, &TopKHinges::new(shares)?.with_margins(unit)?.with_scale(one)?)?
        & stacks.hold(
            b"hinges of 1 and K, exact",
            LIMIT_OF_INTEGRALS,
            &TopKHinges::new(shares)?.with_margins(unit)?.with_scale(one)?.with_epsilon(Some(one))?,
        )?
        & stacks.hold(b"top-K cross-entropy, Gumbel", LIMIT_OF_INTEGRALS, &TopKCrossEntropy::new(k, Gumbel, one)?)?
        & stacks.hold(b"top-K cross-entropy, Normal", LIMIT_OF_INTEGRALS, &TopKCrossEntropy::new(k, Normal, one)?)?
        & stacks.hold(b"cross-entropies of 1 and K", LIMIT_OF_INTEGRALS, &TopKCrossEntropy::mixture(shares, Gumbel, one)?)?
        & stacks.hold(b"smooth top-K SVM", LIMIT, &SmoothTopKSvm::new(k, one, one)?)?
        & stacks.hold(b"top-K SVM", LIMIT, &TopKSvm::new(k, TopKSvmForm::MeanInside)?.with_margins(unit)?.with_scale(one)?)?
        & stacks.hold(
            b"mean of hinge",
            LIMIT,
            &MeanOfHinge::new(KthLargest::new(k)?, draws, one, key)?.with_margins(unit)?.with_scale(one)?,
        )?
        & stacks.hold(b"smoothed cross-entropy", LIMIT, &SmoothedLoss::new(CrossEntropy, draws, one, key)?)?
        & stacks.hold(b"class-weighted", LIMIT, &ClassWeighted::new(CrossEntropy, per_class)?)?
        & stacks.hold(b"logit-adjusted", LIMIT, &LogitAdjusted::new(CrossEntropy, per_class)?)?)
}
