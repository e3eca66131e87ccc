//! Order statistics: the k-th largest of a slice, its position, its neighbours, and the rank of a class.
//!
//! Ties go to the lowest index everywhere: of two equal scores the one that stands first ranks higher.
//!
//! ```
//! use topk_loss::select::{kth_largest, rank_of};
//! let scores = [0.5, 2.0, 2.0, 1.0];
//! assert_eq!(kth_largest(&scores, 2, &mut [0.0; 4])?.index, 2);
//! assert_eq!((rank_of(&scores, 1)?, rank_of(&scores, 2)?), (1, 2));
//! # Ok::<(), topk_loss::Error>(())
//! ```

use crate::{Real, Result, check};

/// An entry of a slice of scores, as [`kth_largest`] finds it: its position and its score.
///
/// ```
/// use topk_loss::select::{Ranked, kth_largest};
/// assert_eq!(kth_largest(&[3.0, 1.0, 2.0], 2, &mut [0.0; 3])?, Ranked { index: 2, value: 2.0 });
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked<F> {
    /// Where it stands.
    pub index: usize,
    /// Its score.
    pub value: F,
}

/// The k-th largest score s₍ₖ₎ and where it stands; k counts from 1.
///
/// **Shapes.** `scores` of any length L ≥ 1, `scratch` at least L long; its contents are irrelevant before and after.
///
/// **Ties and NaN.** Equal scores rank by index, lowest first. NaN is an error.
///
/// **Cost.** About L comparisons; L ln k at worst, for scores in ascending order; beyond the middle the ranks are counted from the other end.
///
/// ```
/// use topk_loss::select::kth_largest;
/// let second = kth_largest(&[3.0, 1.0, 3.0, 2.0], 2, &mut [0.0; 4])?;
/// assert_eq!((second.index, second.value), (2, 3.0));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// No score, k outside 1..=L, a NaN or infinite score, scratch too short.
pub fn kth_largest<F: Real>(scores: &[F], k: usize, scratch: &mut [F]) -> Result<Ranked<F>> {
    let value = checked_kth_value(scores, k, scratch)?;
    Ok(Ranked { index: index_of_kth(scores, k, value), value })
}

/// The rank of class `index`, from 1: how many scores are larger, or equal and earlier, plus one.
///
/// **Shapes.** `scores` of any length L ≥ 1, `index` below L.
///
/// **Ties and NaN.** Equal scores rank by index, lowest first. NaN is an error.
///
/// **Cost.** One pass.
///
/// ```
/// use topk_loss::select::rank_of;
/// assert_eq!(rank_of(&[3.0, 1.0, 3.0, 2.0], 2)?, 2);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// No score, a NaN or infinite score, `index` not a class.
pub fn rank_of<F: Real>(scores: &[F], index: usize) -> Result<usize> {
    check::scores(scores)?;
    let own = check::label(scores, index)?;
    let ahead = scores.iter().enumerate().filter(|&(i, &s)| s > own || (s == own && i < index)).count();
    Ok(ahead + 1)
}

/// The k-th largest of a few numbers, or −∞: of those that k reach, the largest. As many comparisons as there are pairs, but not one
/// branch.
#[doc(hidden)]
#[inline(always)]
#[must_use]
pub fn kth_of<F: Real, const N: usize>(numbers: &[F; N], k: usize) -> F {
    let mut reached_by = [F::zero(); N];
    for &other in numbers {
        for (count, &number) in reached_by.iter_mut().zip(numbers) {
            *count += if other >= number { F::one() } else { F::zero() };
        }
    }
    let (k, mut kth) = (F::from_usize(k), F::neg_infinity());
    for (&count, &number) in reached_by.iter().zip(numbers) {
        kth = if (count >= k) & (number > kth) { number } else { kth };
    }
    kth
}

/// For small k a sorted list of the k best beats a heap of them.
const SHORT_LIST: usize = 12;

/// The value of the k-th largest, after every check.
pub(crate) fn checked_kth_value<F: Real>(scores: &[F], k: usize, scratch: &mut [F]) -> Result<F> {
    check::scores(scores)?;
    check::rank(k, scores.len())?;
    Ok(kth_value(scores, k, check::scratch(scratch, scores.len())?))
}

/// The value of the k-th largest; `scratch` is as long as `scores`, 1 ≤ k ≤ L, all finite.
///
/// Not `select_nth_unstable`, whose panics the compiler cannot rule out.
pub(crate) fn kth_value<F: Real>(scores: &[F], k: usize, scratch: &mut [F]) -> F {
    let from_the_end = scores.len().saturating_sub(k) + 1;
    if k <= SHORT_LIST {
        largest(scores, scratch.get_mut(..k).unwrap_or_default())
    } else if k <= from_the_end {
        least_of_largest(scores.iter().copied(), scratch.get_mut(..k).unwrap_or_default())
    } else {
        -least_of_largest(scores.iter().map(|&score| -score), scratch.get_mut(..from_the_end).unwrap_or_default())
    }
}

/// Fills `best` with the largest scores in descending order and returns the last of them.
pub(crate) fn largest<F: Real>(scores: &[F], best: &mut [F]) -> F {
    best.fill(F::neg_infinity());
    let mut threshold = F::neg_infinity();
    for &score in scores {
        if score > threshold {
            insert(score, best);
            threshold = best.last().copied().unwrap_or(score);
        }
    }
    threshold
}

/// Puts a score into its place of a descending list, whose last one drops out.
pub(crate) fn insert<F: Real>(score: F, best: &mut [F]) {
    let mut carried = score;
    for place in best {
        if carried > *place {
            core::mem::swap(place, &mut carried);
        }
    }
}

/// The least of the scores that fill the heap, the largest there are. In random order few scores enter it at all.
fn least_of_largest<F: Real>(scores: impl Iterator<Item = F>, heap: &mut [F]) -> F {
    heap.fill(F::neg_infinity());
    let least = |heap: &[F]| heap.first().copied().unwrap_or(F::infinity());
    for score in scores {
        if score > least(heap) {
            replace_least(score, heap);
        }
    }
    least(heap)
}

/// Takes the least of a heap out and puts a score in: it sinks below the lesser child until no child is less.
fn replace_least<F: Real>(score: F, heap: &mut [F]) {
    let mut place = 0;
    loop {
        let (left, right) = (2 * place + 1, 2 * place + 2);
        let lesser = match (heap.get(left), heap.get(right)) {
            (Some(a), Some(b)) if b < a => Some((right, *b)),
            (Some(a), _) => Some((left, *a)),
            (None, _) => None,
        };
        let next = lesser.filter(|&(_, child)| child < score);
        if let Some(entry) = heap.get_mut(place) {
            *entry = next.map_or(score, |(_, child)| child);
        }
        match next {
            Some((child, _)) => place = child,
            None => return,
        }
    }
}

/// The k-th largest together with the values ranked just above and just below it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neighbours<F> {
    /// s₍ₖ₋₁₎, +∞ for k = 1.
    pub above: F,
    /// s₍ₖ₎.
    pub value: F,
    /// s₍ₖ₊₁₎, −∞ for k = L.
    pub below: F,
}

pub(crate) fn neighbours<F: Real>(scores: &[F], k: usize, scratch: &mut [F]) -> Neighbours<F> {
    let value = kth_value(scores, k, scratch);
    let larger = scores.iter().filter(|&&s| s > value).count();
    let tied = scores.iter().filter(|&&s| s == value).count();
    let least_larger = || scores.iter().copied().filter(|&s| s > value).fold(F::infinity(), F::min);
    let largest_less = || scores.iter().copied().filter(|&s| s < value).fold(F::neg_infinity(), F::max);
    Neighbours {
        above: if k > larger + 1 { value } else { least_larger() },
        value,
        below: if k < larger + tied { value } else { largest_less() },
    }
}

/// The position of the k-th largest, given its value.
pub(crate) fn index_of_kth<F: Real>(scores: &[F], k: usize, value: F) -> usize {
    let above = scores.iter().filter(|&&s| s > value).count();
    let ties = scores.iter().enumerate().filter(|&(_, &s)| s == value);
    ties.map(|(i, _)| i).nth(k - 1 - above).unwrap_or_default()
}

/// The positions of the k largest, in the order of the classes, given the k-th value.
pub(crate) fn indices_of_top<F: Real>(scores: &[F], k: usize, value: F) -> impl Iterator<Item = usize> {
    let above = scores.iter().filter(|&&s| s > value).count();
    let mut ties_left = k - above;
    scores.iter().enumerate().filter_map(move |(i, &s)| {
        if s == value && ties_left > 0 {
            ties_left -= 1;
            return Some(i);
        }
        (s > value).then_some(i)
    })
}

/// k + 1 guesses need K < L: the rank whose score a top-K hinge looks at.
pub(crate) fn first_missed(k: usize, num_classes: usize) -> Result<usize> {
    check::rank(k, num_classes.saturating_sub(1))?;
    Ok(k + 1)
}
