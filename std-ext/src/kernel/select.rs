//! The n largest scores of a row, ties to the lowest index.

use core::cmp::Ordering;

use pulp::{Arch, Simd, WithSimd};
use topk_loss::Ranked;

use crate::elementary::Elementary;

/// The order of ranks: larger values first, then lower indices.
fn by_rank<F: Elementary>(a: &Ranked<F>, b: &Ranked<F>) -> Ordering {
    b.value.partial_cmp(&a.value).unwrap_or(Ordering::Equal).then(a.index.cmp(&b.index))
}

/// The n-th of these; those that rank higher are then before it.
pub(super) fn nth<F: Elementary>(entries: &mut [Ranked<F>], n: usize) -> Ranked<F> {
    const SHORT_LIST: usize = 12;
    if n > SHORT_LIST {
        return *entries.select_nth_unstable_by(n - 1, by_rank).1;
    }
    entries[..n].sort_unstable_by(by_rank);
    for later in n..entries.len() {
        if by_rank(&entries[later], &entries[n - 1]).is_lt() {
            entries.swap(later, n - 1);
            let mut place = n - 1;
            while place > 0 && by_rank(&entries[place], &entries[place - 1]).is_lt() {
                entries.swap(place, place - 1);
                place -= 1;
            }
        }
    }
    entries[n - 1]
}

/// Fills `best` with the `n` largest of at least `n` finite scores, the n-th last.
///
/// A score is compared with a threshold that n scores are known to reach; the few that reach it are kept in a list of at most 2n + 64.
pub(super) fn largest<F: Elementary>(arch: Arch, scores: &[F], n: usize, best: &mut Vec<Ranked<F>>) -> Ranked<F> {
    best.clear();
    arch.dispatch(Largest { scores, n, best });
    let last = nth(best, n);
    best.truncate(n);
    last
}

/// How many scores are compared before the program branches.
const BLOCK: usize = 32;

struct Largest<'a, F> {
    scores: &'a [F],
    n: usize,
    best: &'a mut Vec<Ranked<F>>,
}

impl<F: Elementary> WithSimd for Largest<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { scores, n, best } = self;
        let capacity = 2 * n + 64;
        let mut threshold = reached_by(scores, n);
        // A later score that equals the n-th best ranks below it.
        let mut ties_count = true;
        let (blocks, left) = scores.as_chunks::<BLOCK>();
        let mut padded = [F::neg_infinity(); BLOCK];
        padded[..left.len()].copy_from_slice(left);
        for (first, block) in (0..).step_by(BLOCK).zip(blocks.iter().chain([&padded])) {
            if !block.iter().fold(false, |any, &score| any | (score >= threshold)) {
                continue;
            }
            let mut reached = 0_u32;
            for lane in 0..BLOCK {
                reached |= u32::from(block[lane] >= threshold) << lane;
            }
            while reached != 0 {
                let (index, value) = (first + reached.trailing_zeros() as usize, block[reached.trailing_zeros() as usize]);
                reached &= reached - 1;
                if (ties_count || value > threshold) && index < scores.len() {
                    best.push(Ranked { index, value });
                }
            }
            if best.len() >= capacity {
                threshold = nth(best, n).value;
                best.truncate(n);
                ties_count = false;
            }
        }
    }
}

/// Some number that at least `n` of the scores reach: the n-th largest of the maxima of disjoint parts of the row.
#[inline(always)]
fn reached_by<F: Elementary>(scores: &[F], n: usize) -> F {
    match (n, scores.len()) {
        (..=8, 64..) => reached_by_maxima::<F, 32>(scores, n),
        (..=64, 256..) => reached_by_maxima::<F, 128>(scores, n),
        _ => F::neg_infinity(),
    }
}

#[inline(always)]
fn reached_by_maxima<F: Elementary, const PARTS: usize>(scores: &[F], n: usize) -> F {
    let mut maxima = [F::neg_infinity(); PARTS];
    for chunk in scores.as_chunks::<PARTS>().0 {
        for part in 0..PARTS {
            maxima[part] = if chunk[part] > maxima[part] { chunk[part] } else { maxima[part] };
        }
    }
    // How many maxima reach each: no branches.
    let mut reach = [F::zero(); PARTS];
    for other in maxima {
        for part in 0..PARTS {
            reach[part] += if other >= maxima[part] { F::one() } else { F::zero() };
        }
    }
    let n = F::from_usize(n);
    let enough = maxima.into_iter().zip(reach).filter(|&(_, count)| count >= n);
    enough.fold(F::neg_infinity(), |largest, (maximum, _)| if maximum > largest { maximum } else { largest })
}
