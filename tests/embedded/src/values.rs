//! The value of every loss, and a hash of its gradient.

use core::hint::black_box;

use topk_loss::{Loss, Real, Result, TopKHinge};

use crate::losses::{Visitor, visit, visit_small};
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

/// What fits 256 KB of flash and 16 KB of RAM: of the losses that integrate, the exact hinge.
///
/// # Errors
/// Those of the losses.
pub fn print_small(print: &mut Print<'_>) -> Result<()> {
    print(format_args!("10 classes, f32"));
    let (scores, mut grad) = (scores::<_, 10>(), [0.0; 10]);
    let mut scratch = [f32::NAN; 1252];
    let mut row = Row { scores: &scores, grad: &mut grad, scratch: &mut scratch, print };
    visit_small(&per_class::<_, 10>(), &mut row)?;
    row.visit("exact hinge", &TopKHinge::smoothed(5, 1.0)?)
}

/// Scores from −3 to 3, in no order.
pub fn scores<F: Real, const L: usize>() -> [F; L] {
    core::array::from_fn(|class| F::from_f64((class * 37 % 61) as f64 / 10.0 - 3.0))
}

fn per_class<F: Real, const L: usize>() -> [F; L] {
    core::array::from_fn(|class| F::from_f64((1 + class % 3) as f64 / 2.0))
}

#[inline(never)]
fn of_classes<F: Real, const L: usize, const SCRATCH: usize>(float: &str, print: &mut Print<'_>) -> Result<()> {
    print(format_args!("{L} classes, {float}"));
    let (scores, mut grad) = (scores::<F, L>(), [F::zero(); L]);
    let mut scratch = [F::nan(); SCRATCH];
    let mut row = Row { scores: &scores, grad: &mut grad, scratch: &mut scratch, print };
    visit(&per_class::<F, L>(), &mut row)
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
