//! Every loss of the catalogue on batches of three examples, of whole and of half floats.

use faer::Par;
use half::{bf16, f16};
use topk_loss_batch::instruction_sets::under_each;
use topk_loss_batch::{Elementary, Gradients, Reduction, Rows, RowsMut, Scores, Targets, Threads, objective_and_grads, values};
use topk_loss_golden::losses::{Case, Tables, cases, losses, score};
use topk_loss_golden::{bits, committed};

pub const BATCH: usize = 3;

/// The first row is that of the core; each of the others is closer together than the one before.
pub fn entry(case: &Case, example: usize, class: usize) -> f64 {
    score(class, case.unit / [1.0, 2.0, 4.0][example])
}

pub const WEIGHTS: [f64; BATCH] = [1.0, 0.5, 2.0];

/// A float that scores and gradients are kept in.
struct Kept<H> {
    name: &'static str,
    narrow: fn(f64) -> H,
    widen: fn(H) -> f64,
}

/// `F` is what it is computed in.
fn of<F: Elementary, H: Copy>(kept: &Kept<H>, lines: &mut Vec<String>)
where
    for<'a> Rows<'a, H>: Scores<F>,
    for<'a> RowsMut<'a, H>: Gradients<F>,
{
    let weights = WEIGHTS.map(F::from_f64);
    for case in cases() {
        let (len, labels, tables) = (case.num_classes, [case.label; BATCH], Tables::<F>::new(case.k));
        let scores: Vec<H> = (0..BATCH * len).map(|place| (kept.narrow)(entry(&case, place / len, place % len))).collect();
        let (rows, targets) = (Rows::new(&scores, len).unwrap(), Targets::new(&labels).with_weights(&weights).unwrap());
        for (name, config) in losses(&case, &tables) {
            let (loss, mut of_examples, mut grads) = (config.build().unwrap(), [F::nan(); BATCH], scores.clone());
            values(&loss, rows, &targets, &mut of_examples, Threads::ONE).unwrap();
            let into = RowsMut::new(&mut grads, len).unwrap();
            let objective = objective_and_grads(&loss, rows, &targets, Reduction::WeightedMean, into, Par::Seq).unwrap();
            let grads: Vec<f64> = grads.into_iter().map(kept.widen).collect();
            let (values, grads) = (bits::hash(&of_examples), bits::hash(&grads));
            lines.push(format!("{}, {case}, {name}: {objective}, examples {values:016x}, gradients {grads:016x}", kept.name));
        }
    }
}

#[test]
fn batches_have_their_golden_values_under_every_instruction_set() {
    under_each(|instructions| {
        let mut lines = vec![];
        of::<f32, _>(&Kept { name: "f32", narrow: |x| x as f32, widen: f64::from }, &mut lines);
        of::<f64, _>(&Kept { name: "f64", narrow: |x| x, widen: |x| x }, &mut lines);
        of::<f32, _>(&Kept { name: "f16", narrow: f16::from_f64, widen: f16::to_f64 }, &mut lines);
        of::<f32, _>(&Kept { name: "bf16", narrow: bf16::from_f64, widen: bf16::to_f64 }, &mut lines);
        committed::assert_are("batch.txt", &lines, &format!("by {instructions}"));
    });
}
