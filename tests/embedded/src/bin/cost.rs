//! The cost of the one loss that the environment asks for by `LOSS`: for 10, 100 and 1000 classes a line of its scratch in bytes, the deepest
//! stack so far in bytes, and the instructions of a call.
#![no_std]
#![no_main]

use core::hint::black_box;

use topk_loss::{Loss, Result};
use topk_loss_embedded::losses::{Visitor, scores, visit};
use topk_loss_embedded::{Print, device};

const MOST: usize = 1000;
const CALLS: u32 = 10;

struct Cost<'a> {
    scores: &'a [f32],
    grad: &'a mut [f32],
    scratch: &'a mut [f32],
    scratch_len: usize,
    ticks: u32,
}

impl Visitor<f32> for Cost<'_> {
    fn visit(&mut self, _: &str, loss: &impl Loss<f32>) -> Result<()> {
        let start = device::timer();
        for _ in 0..CALLS {
            loss.value_and_grad(self.scores, black_box(0), self.grad, self.scratch)?;
        }
        self.ticks = device::ticks_since(start);
        self.scratch_len = loss.scratch_len(self.scores.len());
        Ok(())
    }
}

fn print(print: &mut Print<'_>) -> Result<()> {
    let (mut scores, mut per_class, mut grad) = (scores::<f32, MOST>(), [0.5; MOST], [0.0; MOST]);
    let mut scratch = [0.0; 120 * MOST];
    // There even if no loss is, and once: by value they could be copied.
    black_box((&mut scores, &mut per_class, &mut grad, &mut scratch));
    let mut lines = [(0, 0, 0); 3];
    for (line, len) in lines.iter_mut().zip([10, 100, MOST]) {
        let (scores, grad) = (&scores[..len], &mut grad[..len]);
        let mut cost = Cost { scores, grad, scratch: &mut scratch, scratch_len: 0, ticks: 0 };
        visit(&per_class[..len], &mut cost)?;
        let instructions = cost.ticks / CALLS * device::INSTRUCTIONS_OF_A_TICK;
        *line = (size_of::<f32>() * cost.scratch_len, device::stack_peak(), instructions);
    }
    // Printing has a stack of its own.
    lines.iter().for_each(|(scratch, stack, instructions)| print(format_args!("{scratch} {stack} {instructions}")));
    Ok(())
}

topk_loss_embedded::program!(print);
