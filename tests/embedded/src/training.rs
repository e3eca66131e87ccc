//! A linear head learns on the device, one example after another, with each of five losses.

use topk_loss::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use topk_loss::{FoldIn, Key, Loss, Result, Smoothing, TopKHinge, select};

use crate::examples::{CLASSES, FEATURES, features};
use crate::{Print, bits};

const K: usize = 3;
const STEPS: usize = 200;
const EXAMPLES_OF_A_STEP: usize = 8;
const STEPS_OF_A_LINE: usize = 20;
/// Enough for the exact hinge; checked when it runs.
const SCRATCH: usize = 3384;

/// The learning curve of each loss.
///
/// # Errors
/// Those of the losses.
pub fn print(print: &mut Print<'_>) -> Result<()> {
    let hinge = TopKHinge::new(K)?;
    let pathwise = hinge.with_smoothing(Smoothing::Pathwise { epsilon: 0.5, num_samples: 5, key: Key::new(1) })?;
    let exact = hinge.with_smoothing(Smoothing::Exact { epsilon: 0.5 })?;
    let (polyhedral, margin) = (PolyhedralHinge::new(K)?, TopKMarginCrossEntropy::new(K, 1.0)?);
    let mut weights = [[0.0; FEATURES]; CLASSES];
    learn("hard hinge", &by(hinge), &mut weights, print)?;
    learn("polyhedral hinge", &by(polyhedral), &mut weights, print)?;
    learn("margin cross-entropy", &by(margin), &mut weights, print)?;
    learn("pathwise hinge", &by(pathwise), &mut weights, print)?;
    learn("exact hinge", &by(exact), &mut weights, print)
}

type Weights = [[f32; FEATURES]; CLASSES];
/// Value and gradient of an example: its number, scores, label, gradient, scratch.
type Evaluate<'a> = dyn Fn(usize, &[f32], usize, &mut [f32], &mut [f32]) -> Result<f32> + 'a;

/// Every example has draws of its own.
fn by<L: Loss<f32> + FoldIn>(loss: L) -> impl Fn(usize, &[f32], usize, &mut [f32], &mut [f32]) -> Result<f32> {
    move |row, scores, label, grad, scratch| loss.fold_in(row as u64).value_and_grad(scores, label, grad, scratch)
}

/// Each example is guessed, then learnt from: what is printed is of examples not seen before.
#[inline(never)]
fn learn(name: &str, evaluate: &Evaluate<'_>, weights: &mut Weights, print: &mut Print<'_>) -> Result<()> {
    print(format_args!("{name}"));
    weights.as_flattened_mut().fill(0.0);
    for line in 1..=STEPS / STEPS_OF_A_LINE {
        let count = STEPS_OF_A_LINE * EXAMPLES_OF_A_STEP;
        let (mut sum, mut hits) = (0.0, 0);
        for row in (line - 1) * count..line * count {
            let (loss, is_hit) = step(row, evaluate, weights)?;
            sum += loss;
            hits += usize::from(is_hit);
        }
        let mean = sum / count as f32;
        print(format_args!("step {:3}: loss {mean:.4} {:08x}, {hits} hits of {count}", line * STEPS_OF_A_LINE, mean.to_bits()));
    }
    print(format_args!("weights {:016x}", bits::hash(weights.as_flattened())));
    Ok(())
}

/// The loss of the example before the weights learn it, and whether its label was among the K guesses.
fn step(row: usize, evaluate: &Evaluate<'_>, weights: &mut Weights) -> Result<(f32, bool)> {
    const RATE: f32 = 0.5;
    let label = row % CLASSES;
    let x = features(label, row);
    let scores = weights.each_ref().map(|w| w.iter().zip(&x).fold(0.0, |sum, (w, x)| sum + w * x));
    let mut grad = [0.0; CLASSES];
    let mut scratch = [0.0; SCRATCH];
    let loss = evaluate(row, &scores, label, &mut grad, &mut scratch)?;
    for (w, &g) in weights.iter_mut().zip(&grad).filter(|&(_, &g)| g != 0.0) {
        w.iter_mut().zip(&x).for_each(|(w, x)| *w -= RATE * g * x);
    }
    Ok((loss, select::rank_of(&scores, label)? <= K))
}
