//! The head that stores no scores, with every loss that it has.
//!
//! Of features that are 1 once and 0 else the scores are the weights, whatever multiplies the matrices.

use faer::{Mat, Par};
use topk_loss::config::{AnyLoss, BaseLoss, LossConfig};
use topk_loss_batch::instruction_sets::under_each;
use topk_loss_batch::{BatchReal, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets};
use topk_loss_golden::losses::{Case, Tables, cases, losses};
use topk_loss_golden::{bits, committed};

use crate::batch::{BATCH, WEIGHTS, entry};

fn of<F: BatchReal>(float: &str, lines: &mut Vec<String>) {
    for case in cases() {
        for (name, config) in losses(&case, &Tables::<F>::new(case.k)) {
            if let Some(numbers) = of_any(&case, name, config) {
                lines.push(format!("{float}, {case}, {name}: {numbers}"));
            }
        }
    }
}

/// Nothing of a loss that the head does not have.
fn of_any<F: BatchReal>(case: &Case, name: &str, config: LossConfig<F, &[F]>) -> Option<String> {
    match config.build().unwrap() {
        AnyLoss::Base(BaseLoss::CrossEntropy(loss)) => Some(step::<F, _>(case, &loss)),
        AnyLoss::Base(BaseLoss::TopKHinge(loss)) if name != "conditional hinge" => Some(step::<F, _>(case, &loss)),
        AnyLoss::Base(BaseLoss::PolyhedralHinge(loss)) => Some(step::<F, _>(case, &loss)),
        AnyLoss::Base(BaseLoss::TopKMarginCrossEntropy(loss)) => Some(step::<F, _>(case, &loss)),
        _ => None,
    }
}

fn step<F: BatchReal, L: HeadLoss<F>>(case: &Case, loss: &L) -> String {
    let (len, labels, of_examples) = (case.num_classes, [case.label; BATCH], WEIGHTS.map(F::from_f64));
    let weights = Mat::from_fn(BATCH, len, |example, class| F::from_f64(entry(case, example, class)));
    let head = LinearHead::new(weights, Some(vec![F::zero(); len]), Similarity::Inner).unwrap();
    let features = Mat::from_fn(BATCH, BATCH, |feature, example| F::from_usize(usize::from(feature == example)));
    let targets = Targets::new(&labels).with_weights(&of_examples).unwrap();
    let (mut weights, mut bias) = (Mat::zeros(BATCH, len), vec![F::nan(); len]);
    let grads = HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias[..]), features: None };
    let objective = head.objective_and_grads(loss, features.as_ref(), &targets, Reduction::WeightedMean, grads, Par::Seq).unwrap();
    let entries = |row: usize| weights.row(row).iter().copied().collect::<Vec<_>>();
    let weights: Vec<F> = (0..BATCH).flat_map(entries).collect();
    format!("{objective}, weights {:016x}, bias {:016x}", bits::hash(&weights), bits::hash(&bias))
}

#[test]
fn the_fused_head_has_its_golden_values_under_every_instruction_set() {
    under_each(|instructions| {
        let mut lines = vec![];
        of::<f32>("f32", &mut lines);
        of::<f64>("f64", &mut lines);
        committed::assert_are("head.txt", &lines, &format!("by {instructions}"));
    });
}
