//! Every loss that fits 256 KB of flash and 16 KB of RAM: its value, and a hash of its gradient.

use core::array;
use core::hint::black_box;

use topk_loss::{Loss, Real, Result, TopKHinge};

use crate::losses::{Visitor, scores, visit_small};
use crate::{Print, bits};

/// For ten classes in single precision; of the losses that integrate, the exact hinge.
///
/// # Errors
/// Those of the losses.
pub fn print(print: &mut Print<'_>) -> Result<()> {
    let (scores, mut grad) = (scores::<_, 10>(), [0.0; 10]);
    let mut scratch = [f32::NAN; 1252];
    let mut row = Row { scores: &scores, grad: &mut grad, scratch: &mut scratch, print };
    visit_small(&array::from_fn::<_, 10, _>(|class| (1 + class % 3) as f32 / 2.0), &mut row)?;
    row.visit("exact hinge", &TopKHinge::smoothed(5, 1.0)?)
}

struct Row<'a, 'p, F> {
    scores: &'a [F],
    grad: &'a mut [F],
    scratch: &'a mut [F],
    print: &'a mut Print<'p>,
}

impl<F: Real> Visitor<F> for Row<'_, '_, F> {
    fn visit(&mut self, name: &str, loss: &impl Loss<F>) -> Result<()> {
        let value = loss.value_and_grad(self.scores, black_box(0), self.grad, self.scratch)?;
        (self.print)(format_args!("{name}: {value:.6} {:016x}, gradient {:016x}", bits::of(value), bits::hash(self.grad)));
        Ok(())
    }
}
