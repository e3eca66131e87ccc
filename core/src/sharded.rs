//! Losses of rows whose classes are spread over machines, processes, devices or threads, by sums alone.
//!
//! All that MPI, NCCL and the collectives of frameworks have in common is a sum over all shards of a few numbers: [`AllReduce`], a trait of
//! one method. [`ClassParallel`] computes a batch of losses on each shard with it, and the gradient of the shard's own classes; nothing of
//! the size of a row is ever brought together.
//!
//! | loss | rounds | numbers a row, R shards | bytes a row: `f32`, R = 4, K = 5 |
//! |---|---|---|---|
//! | [`CrossEntropy`](crate::CrossEntropy) | 1 | 3R + 1 | 52 |
//! | [`TopKHinge`](crate::TopKHinge) without noise | 1 | (K + 2)R + 1 | 116 |
//! | [`TopKHinge`](crate::TopKHinge), exact | 2 | (K + 34)R + 1, then 33 and one for each class near the window; in `f64` 51 | 628 and 130 to 400 |
//! | [`PolyhedralHinge`](crate::loss::PolyhedralHinge) | 1 where no shard has more than 24 classes that share | 26R + 1 | 420 |
//! | | else a few more | 2R each | 32 |
//!
//! None depends on the number of classes. What only few shards know has a slot for each in the message, all zeros but for one: so top
//! lists, histograms and candidates merge by a sum. All examples of a batch share a round.
//!
//! **The same bits.** No sum is rounded, so it does not matter who adds in which order, and all shards have the same bits and take the same
//! turns. However classes are spread, the exact form has the same window and the same candidates. Another partition changes only what each
//! shard rounds of its own sums: a few units in the last place. Against the loss of a whole row the exact form has another quadrature,
//! within the same error bound; the others differ by their rounding, the hard hinge not at all.
//!
//! **Errors.** One number of every message counts the shards that cannot go on: a bad score anywhere is a [`Failure`] everywhere, in the
//! same round. Rows whose exact form is not within its tolerance, which in a single memory are computed class by class, are an
//! [`Accuracy`](crate::Error::Accuracy) error here.
//!
//! **What is not here.** The losses that need a second threshold search or a random draw: a top-K margin's cross-entropy, top-K
//! cross-entropies, smoothing by draws.
//!
//! ```
//! use std::sync::{Barrier, Mutex};
//! use std::thread;
//! use topk_loss::sharded::{AllReduce, ClassParallel, Room, Shard};
//! use topk_loss::TopKHinge;
//!
//! /// Two threads that share a buffer.
//! struct Threads<'a>(&'a Mutex<Vec<f64>>, &'a Barrier);
//!
//! impl AllReduce<f64> for Threads<'_> {
//!     type Error = ();
//!
//!     fn all_reduce_sum(&mut self, values: &mut [f64]) -> Result<(), ()> {
//!         let Self(sum, barrier) = self;
//!         if barrier.wait().is_leader() {
//!             *sum.lock().unwrap() = vec![0.0; values.len()];
//!         }
//!         barrier.wait();
//!         sum.lock().unwrap().iter_mut().zip(&*values).for_each(|(sum, &value)| *sum += value);
//!         barrier.wait();
//!         values.copy_from_slice(&sum.lock().unwrap());
//!         Ok(())
//!     }
//! }
//!
//! let whole = [0.3, 2.0, 1.9, 1.8, -1.0];
//! let (sum, barrier) = (Mutex::new(vec![]), Barrier::new(2));
//! let on_shard = |index| {
//!     let shard = Shard::even(index, 2, 5)?;
//!     let (scores, mut value, mut grad) = (&whole[shard.classes()], [0.0], vec![0.0; shard.len()]);
//!     let hinge = ClassParallel::new(TopKHinge::smoothed(2, 0.2)?, shard);
//!     let (mut messages, mut scratch) = (vec![0.0; hinge.messages_len(1)], vec![0.0; hinge.scratch_len()]);
//!     let room = Room { rows: &mut [None], messages: &mut messages, scratch: &mut scratch };
//!     let mut all = Threads(&sum, &barrier);
//!     hinge.values_and_grads(scores, &[0], &mut value, Some(&mut grad), room, &mut all).unwrap();
//!     Ok::<_, topk_loss::Error>((value[0], grad))
//! };
//! let (first, second) = thread::scope(|scope| {
//!     let first = scope.spawn(|| on_shard(0));
//!     (on_shard(1), first.join().unwrap())
//! });
//! let ((value, right), (same, left)) = (first?, second?);
//! assert!((value - 2.410).abs() < 1e-3 && value == same);
//! // The first shard has three classes, the label among them; the second two.
//! assert!((left[0] + 1.0).abs() < 1e-3 && (left[1] - 0.150).abs() < 1e-3 && (left[2] - 0.301).abs() < 1e-3);
//! assert!((right[0] - 0.549).abs() < 1e-3);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! # The steps of the exact form
//!
//! Where tiles are read one after the other, by a head that stores no scores or a stream, the steps are called one by one:
//!
//! 1. the k largest scores ([`largest`], [`merge_largest`]), the last of which is the center;
//! 2. the scores counted in a [`Histogram`], from which the [`Partition`] into candidates and bulk follows. The center may rise with the
//!    largest scores seen so far ([`Histogram::raise`]), so that one reading serves for both;
//! 3. the [`Summary`] of candidates and moments, from which the [`Solution`] follows, and from that the gradient.
//!
//! Any partition, merged in any order, gives the whole's value and gradient up to the rounding of the sums; for ranks beyond the middle,
//! which [`Exact`](crate::estimator::Exact) counts from the other end, up to the error bounds.
//!
//! ```
//! use topk_loss::estimator::Exact;
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::{KthLargest, Oracle};
//! use topk_loss::sharded;
//!
//! let (left, right) = ([0.3, 2.0, -1.0, 0.7], [1.1, 0.2, 1.9]);
//! let exact = Exact::new(KthLargest::new(2)?, Normal, 0.5)?;
//!
//! // 1. The second largest of all.
//! let (mut best, mut other) = ([f64::NEG_INFINITY; 2], [f64::NEG_INFINITY; 2]);
//! sharded::largest(&left, &mut best)?;
//! sharded::largest(&right, &mut other)?;
//! sharded::merge_largest(&mut best, &other)?;
//! assert_eq!(best, [2.0, 1.9]);
//!
//! // 2. The partition.
//! let mut histogram = exact.histogram(best[1], 7)?;
//! histogram.add(&left)?;
//! let mut there = exact.histogram(best[1], 7)?;
//! there.add(&right)?;
//! histogram.merge(there.counts())?;
//! let mut scratch = [0.0; 1000];
//! let partition = histogram.partition(&mut scratch)?;
//!
//! // 3. The summary.
//! let (mut room, mut room_there) = ([0.0; 410], [0.0; 410]);
//! let mut summary = partition.summary(&mut room)?;
//! summary.add(&left)?;
//! let mut summary_there = partition.summary(&mut room_there)?;
//! summary_there.add(&right)?;
//! let first = summary.merge(summary_there.part())?;
//! let solution = summary.solve(&mut scratch)?;
//! let mut grad = [0.0; 7];
//! solution.add_grad(&left, 0, 1.0, &mut grad[..4])?;
//! solution.add_grad(&right, first, 1.0, &mut grad[4..])?;
//!
//! let whole = [0.3, 2.0, -1.0, 0.7, 1.1, 0.2, 1.9];
//! assert!((solution.value() - exact.value(&whole, &mut [0.0; 1000])?).abs() < 1e-14);
//! assert!((grad.iter().sum::<f64>() - 1.0).abs() < 1e-14);
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod all_reduce;
mod class_parallel;
mod cross_entropy;
mod exact_hinge;
mod lists;
mod polyhedral_hinge;
mod shard;
mod sharded_loss;
mod top_k_hinge;

pub use all_reduce::{AllReduce, Failure};
pub use class_parallel::{ClassParallel, Room};
pub use polyhedral_hinge::PolyhedralHingeRow;
pub use shard::{Piece, Shard};
pub use sharded_loss::ShardedLoss;
pub use top_k_hinge::TopKHingeRow;

pub use crate::exact::{Histogram, Part, Partition, Solution, Summary};

use crate::{Error, Real, Result, check, select};

/// Fills `best` with the largest scores, in descending order; −∞ where there are fewer scores than room.
///
/// **Ties and NaN.** NaN is an error; of equal scores as many are listed as there are.
///
/// **Cost.** A pass to check, and one that keeps the list in order.
///
/// ```
/// use topk_loss::sharded::largest;
/// let mut best = [0.0; 3];
/// largest(&[1.0, 3.0], &mut best)?;
/// assert_eq!(best, [3.0, 1.0, f64::NEG_INFINITY]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// No room, a NaN or infinite score.
pub fn largest<F: Real>(scores: &[F], best: &mut [F]) -> Result<()> {
    check::finite("scores", scores)?;
    if best.is_empty() {
        return Err(Error::Length { what: "best", expected: 1, actual: 0 });
    }
    select::largest(scores, best);
    Ok(())
}

/// Merges two such lists: `best` becomes the largest of both.
///
/// **Ties and NaN.** NaN is an error; of equal scores as many are listed as there are.
///
/// **Cost.** O(k²) at most for lists of k.
///
/// ```
/// use topk_loss::sharded::merge_largest;
/// let mut best = [3.0, 1.0];
/// merge_largest(&mut best, &[2.0, 2.0])?;
/// assert_eq!(best, [3.0, 2.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// Lists of different lengths, a NaN among them.
pub fn merge_largest<F: Real>(best: &mut [F], other: &[F]) -> Result<()> {
    check::length("other", other, best.len())?;
    if let Some(index) = best.iter().chain(other).position(|s| s.is_nan()) {
        return Err(Error::NotFinite { what: "best", index });
    }
    for &score in other {
        select::insert(score, best);
    }
    Ok(())
}
