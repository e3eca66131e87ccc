//! The cost of the one loss that the environment asks for, `LOSS` at `CLASSES` classes: scratch, stack and instructions of a call.
#![no_std]
#![no_main]

use core::hint::black_box;

use topk_loss::{Loss, Result};
use topk_loss_embedded::losses::{Visitor, visit};
use topk_loss_embedded::{Print, device, values};

const CLASSES: usize = match option_env!("CLASSES") {
    Some(digits) => match usize::from_str_radix(digits, 10) {
        Ok(classes) => classes,
        Err(_) => panic!("CLASSES is no number"),
    },
    None => 100,
};
const CALLS: u32 = 20;

struct Cost {
    scores: [f32; CLASSES],
    grad: [f32; CLASSES],
    scratch: [f32; 120 * CLASSES + 1000],
    scratch_len: usize,
    ticks: u32,
}

impl Visitor<f32> for Cost {
    // Inlined, so that the loss is known and what it does not use is left out.
    #[inline(always)]
    fn visit(&mut self, _: &str, loss: &impl Loss<f32>) -> Result<()> {
        let start = device::ticks();
        for _ in 0..CALLS {
            loss.value_and_grad(black_box(&self.scores), black_box(0), &mut self.grad, &mut self.scratch)?;
        }
        self.ticks = device::ticks() - start;
        self.scratch_len = loss.scratch_len(CLASSES);
        Ok(())
    }
}

/// Scratch in floats, stack in bytes, instructions of a call.
fn print(print: &mut Print<'_>) -> Result<()> {
    let scratch = [0.0; 120 * CLASSES + 1000];
    let mut cost = Cost { scores: values::scores(), grad: [0.0; CLASSES], scratch, scratch_len: 0, ticks: 0 };
    visit(&[0.5; CLASSES], &mut cost)?;
    black_box(&cost.grad);
    let stack = device::stack_peak();
    print(format_args!("{} {stack} {}", cost.scratch_len, device::INSTRUCTIONS_OF_A_TICK * cost.ticks / CALLS));
    Ok(())
}

topk_loss_embedded::program!(print);
