//! Random batches, and losses that can be run on both sides.

use topk_loss_cuda::Score;

use super::batch::{Batch, Number, Outputs};
use super::driver::Driver;
use super::families::{FAMILIES, Sequence};

const SHAPES: [(usize, usize); 7] = [(2, 1), (3, 2), (7, 3), (33, 1), (100, 5), (257, 20), (1000, 5)];

/// Random batches of every family and shape, with padding now and then.
pub fn batches<T: Score + Number>(seed: u64) -> Vec<(Batch<T>, usize)>
where
    T::Float: Number,
{
    let mut random = Sequence::new(seed);
    let mut batches = Vec::new();
    for (num_classes, k) in SHAPES {
        let rows: Vec<_> = FAMILIES.iter().map(|family| family.row(num_classes, &mut random)).collect();
        let labels: Vec<_> = rows.iter().map(|_| random.below(num_classes)).collect();
        batches.push((Batch::new(&rows, &labels).padded(random.below(3)), k));
    }
    batches
}

pub fn l1(actual: &[impl Number], expected: &[f64]) -> f64 {
    actual.iter().zip(expected).map(|(a, e)| (a.to_f64() - e).abs()).sum()
}

/// The largest rounding of a number of this type, relative.
pub fn rounding<T: Number>() -> f64 {
    let next_above_one = (1..60).map(|bits| 1.0 + 0.5_f64.powi(bits)).take_while(|&x| T::of_f64(x).to_f64() > 1.0).last();
    next_above_one.map_or(1.0, |x| x - 1.0)
}

/// A loss on the kernels in its own float, and on core in `f64`.
pub trait Run<T: Score> {
    fn run(&self, driver: &mut Driver, batch: &Batch<T>) -> Outputs<T>;
    fn expected(&self, batch: &Batch<T>, example: usize) -> (f64, Vec<f64>);
}
