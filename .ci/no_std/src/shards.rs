//! The losses over shards, of which here is one.

use core::convert::Infallible;
use core::hint::black_box;

use topk_loss::loss::PolyhedralHinge;
use topk_loss::sharded::{AllReduce, ClassParallel, Room, Shard, ShardedLoss};
use topk_loss::{CrossEntropy, Loss, Result, TopKHinge};

use crate::{CLASSES, evaluate, scores};

/// The sum over one shard, which the compiler does not know to be that.
struct Alone;

impl AllReduce<f32> for Alone {
    type Error = Infallible;

    fn all_reduce_sum(&mut self, values: &mut [f32]) -> core::result::Result<(), Infallible> {
        black_box(values);
        Ok(())
    }
}

/// Whether the loss is that of a row in memory.
fn is_right<L: ShardedLoss<f32> + Loss<f32> + Clone>(loss: &L) -> Result<bool> {
    let (value, grad) = evaluate(loss)?;
    let parallel = ClassParallel::new(loss.clone(), Shard::even(black_box(0), black_box(1), CLASSES)?);
    let (mut values, mut grads) = ([f32::NAN; 1], [f32::NAN; CLASSES]);
    let room = Room { rows: &mut [None], messages: &mut [f32::NAN; 200], scratch: &mut [f32::NAN; 4000] };
    let told = parallel.values_and_grads(scores(), &[black_box(0)], &mut values, Some(&mut grads), room, &mut Alone);
    let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
    Ok(told.is_ok() && near(values[0], value) && grads.iter().zip(&grad).all(|(&a, &b)| near(a, b)))
}

pub fn are_right() -> Result<bool> {
    Ok(is_right(&CrossEntropy)?
        && is_right(&TopKHinge::new(black_box(2))?)?
        && is_right(&TopKHinge::smoothed(black_box(2), black_box(0.2))?)?
        && is_right(&PolyhedralHinge::new(black_box(2))?)?)
}
