//! The exact form of classes in two shards.

use topk_loss::estimator::Exact;
use topk_loss::noise::{Gumbel, Logistic, Noise, Normal};
use topk_loss::oracle::KthLargest;
use topk_loss::sharded::{largest, merge_largest};
use topk_loss::{Real, Result};

use crate::{Print, bits, losses};

const CLASSES: usize = 200;
const LEFT: usize = 77;

pub fn print<F: Real>(print: &mut Print<'_>) -> Result<()> {
    of_law::<F>("normal", Normal, print)?;
    of_law::<F>("Gumbel", Gumbel, print)?;
    of_law::<F>("logistic", Logistic, print)
}

#[inline(never)]
fn of_law<F: Real>(name: &str, law: impl Noise<F>, print: &mut Print<'_>) -> Result<()> {
    let scores = losses::scores::<F, CLASSES>(0.125);
    let (left, right) = scores.split_at(LEFT);
    let exact = Exact::new(KthLargest::new(5)?, law, F::from_f64(0.75))?;
    let (mut best, mut others) = ([F::neg_infinity(); 5], [F::neg_infinity(); 5]);
    largest(left, &mut best)?;
    largest(right, &mut others)?;
    merge_largest(&mut best, &others)?;
    let mut histogram = exact.histogram(best[4], CLASSES)?;
    let mut there = histogram;
    histogram.add(left)?;
    there.add(right)?;
    histogram.merge(there.counts())?;
    let (mut scratch, mut room, mut room_there) = ([F::nan(); 20_000], [F::nan(); 2000], [F::nan(); 2000]);
    let partition = histogram.partition(&mut scratch)?;
    let mut summary = partition.summary(&mut room)?;
    summary.add(left)?;
    let mut there = partition.summary(&mut room_there)?;
    there.add(right)?;
    let first = summary.merge(there.part())?;
    let solution = summary.solve(&mut scratch)?;
    let mut grad = [F::zero(); CLASSES];
    solution.add_grad(left, 0, F::one(), &mut grad[..LEFT])?;
    solution.add_grad(right, first, F::one(), &mut grad[LEFT..])?;
    print(format_args!("two shards, {name}: {}, gradient {:016x}", solution.value(), bits::hash(&grad)));
    Ok(())
}
