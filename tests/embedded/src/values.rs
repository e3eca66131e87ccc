//! The value of every loss, and a hash of its gradient.

use core::hint::black_box;

use topk_loss::{Loss, Real, Result};

use crate::losses::{Visitor, visit};
use crate::{Print, bits};

/// In either precision, for ten, a hundred and a thousand classes.
///
/// # Errors
/// Those of the losses.
pub fn print(print: &mut Print<'_>) -> Result<()> {
    of_classes::<f32, 10, 1800>("f32", print)?;
    of_classes::<f32, 100, 20_000>("f32", print)?;
    of_classes::<f32, 1000, 120_000>("f32", print)?;
    of_classes::<f64, 10, 4000>("f64", print)?;
    of_classes::<f64, 100, 20_000>("f64", print)?;
    of_classes::<f64, 1000, 120_000>("f64", print)
}

/// What 16 KB of RAM have room for.
///
/// # Errors
/// Those of the losses.
pub fn print_small(print: &mut Print<'_>) -> Result<()> {
    of_classes::<f32, 10, 1800>("f32", print)
}

/// Scores from −3 to 3, in no order.
pub fn scores<F: Real, const L: usize>() -> [F; L] {
    core::array::from_fn(|class| F::from_f64((class * 37 % 61) as f64 / 10.0 - 3.0))
}

#[inline(never)]
fn of_classes<F: Real, const L: usize, const SCRATCH: usize>(float: &str, print: &mut Print<'_>) -> Result<()> {
    print(format_args!("{L} classes, {float}"));
    let mut row = Row { scores: scores::<F, L>(), grad: [F::zero(); L], scratch: [F::nan(); SCRATCH], print };
    visit(&core::array::from_fn::<_, L, _>(|class| F::from_f64((1 + class % 3) as f64 / 2.0)), &mut row)
}

struct Row<'a, 'p, F, const L: usize, const SCRATCH: usize> {
    scores: [F; L],
    grad: [F; L],
    scratch: [F; SCRATCH],
    print: &'a mut Print<'p>,
}

impl<F: Real, const L: usize, const SCRATCH: usize> Visitor<F> for Row<'_, '_, F, L, SCRATCH> {
    fn visit(&mut self, name: &str, loss: &impl Loss<F>) -> Result<()> {
        let value = loss.value_and_grad(&self.scores, black_box(0), &mut self.grad, &mut self.scratch)?;
        (self.print)(format_args!("{name}: {value:.6} {:016x}, gradient {:016x}", bits::of(value), bits::hash(&self.grad)));
        Ok(())
    }
}
