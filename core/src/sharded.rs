//! The exact smoothed order statistic of a row whose classes are spread over tiles, threads, devices or machines.
//!
//! Nothing of the size of the row is ever brought together. Three rounds, each a small sum that any all-reduce carries:
//!
//! 1. each shard gives its k largest scores ([`largest`]); merged, the last of them is the center;
//! 2. each shard counts its scores in a [`Profile`]; merged, they give the [`Division`] into candidates and bulk;
//! 3. each shard fills a [`Summary`] with its candidates and moments; merged, [`solve`](Summary::solve) gives the [`Solution`],
//!    from which each shard computes the gradient of its own classes.
//!
//! Where reading the scores is dear, the first two rounds are one: a center that rises with the largest scores seen so far, see
//! [`Profile::raise`].
//!
//! Any partition of the classes, merged in any order, gives the whole's value and gradient up to the rounding of the sums; for ranks
//! beyond the middle, which [`Exact`](crate::estimator::Exact) counts from the other end, up to the error bounds.
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
//! // 2. The division.
//! let mut profile = exact.profile(best[1], 7)?;
//! profile.add(&left)?;
//! let mut there = exact.profile(best[1], 7)?;
//! there.add(&right)?;
//! profile.merge(there.counts())?;
//! let mut scratch = [0.0; 1000];
//! let division = profile.division(&mut scratch)?;
//!
//! // 3. The summary.
//! let (mut room, mut room_there) = ([0.0; 410], [0.0; 410]);
//! let mut summary = division.summary(&mut room)?;
//! summary.add(&left)?;
//! let mut summary_there = division.summary(&mut room_there)?;
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

pub use crate::exact::{Division, Part, Profile, Solution, Summary};

use crate::{Error, Real, Result, check, select};

/// Fills `best` with the largest scores, in descending order; −∞ where there are fewer scores than room.
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
