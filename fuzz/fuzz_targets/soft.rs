//! Losses of a distribution over the classes, alone and in a batch.
#![no_main]

use topk_loss::loss::{ExpectedLoss, LogitAdjusted, SoftLabelLoss};
use topk_loss::{CrossEntropy, FoldIn};
use topk_loss_batch::{Rows, RowsMut, SoftTargets, Threads, soft_values_and_grads};
use topk_loss_fuzz::promises::{assert_same, both, scratch};
use topk_loss_fuzz::{Float, Input, target};

fn keeps_promises<F: Float>(loss: &(impl SoftLabelLoss<F> + FoldIn + Sync), scores: &[F], target: &[F], input: &Input) {
    let _ = loss.soft_scratch_len(input.label.rank(scores.len()));
    let needed = loss.soft_scratch_len(scores.len());
    let value = || loss.soft_value(scores, target, &mut scratch(needed));
    let core = both(scores.len(), value, |grad| loss.soft_value_and_grad(scores, target, grad, &mut scratch(needed)));
    let (Ok(rows), Ok(shares)) = (Rows::new(scores, scores.len()), Rows::new(target, scores.len())) else { return };
    let (mut values, mut grad) = ([F::nan()], vec![F::nan(); scores.len()]);
    let into = RowsMut::new(&mut grad, scores.len()).expect("as the scores");
    let batch = soft_values_and_grads(loss, rows, &SoftTargets::new(shares), &mut values, into, Threads::ONE);
    match core {
        Ok((value, expected)) => {
            batch.expect("as alone");
            assert_same("value", &values, &[value]);
            assert_same("gradient", &grad, &expected);
        }
        Err(error) => assert!(batch.is_err(), "a batch goes where {error:?}"),
    }
}

fn soft<F: Float>(input: &Input) {
    let mut scores: Vec<F> = input.scores();
    scores.truncate(64);
    let target = if input.dice[1] & 64 == 0 { input.distribution(scores.len()) } else { input.others(scores.len()) };
    match input.dice[0] % 3 {
        0 => keeps_promises(&CrossEntropy, &scores, &target, input),
        1 => {
            let adjusted = LogitAdjusted::new(CrossEntropy, input.others::<F>(scores.len()));
            let invariant = |loss: LogitAdjusted<_, _>| if input.dice[1] & 1 == 0 { loss } else { loss.shift_invariant() };
            _ = adjusted.map(|loss| keeps_promises(&invariant(loss), &scores, &target, input));
        }
        _ => {
            // What draws has other draws in the batch.
            let is_drawn = input.which % 10 == 3 && input.dice[2] % 4 > 1;
            let loss = input.base::<F>(scores.len()).build();
            _ = loss.map(|loss| {
                if !is_drawn {
                    keeps_promises(&ExpectedLoss::new(loss), &scores, &target, input)
                }
            });
        }
    }
}

target!(soft);
