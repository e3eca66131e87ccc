//! The n largest scores of a row, ties to the lowest index.

use core::cmp::Ordering;

use pulp::{Simd, WithSimd};
use topk_loss::select::{self, Ranked};

use super::executor::{Executor, Piece};
use crate::elementary::Elementary;

/// The order of ranks: larger values first, then lower indices.
fn by_rank<F: Elementary>(a: &Ranked<F>, b: &Ranked<F>) -> Ordering {
    b.value.partial_cmp(&a.value).unwrap_or(Ordering::Equal).then(a.index.cmp(&b.index))
}

/// The n-th largest of the values, or −∞.
pub(super) fn nth_value<F: Elementary>(executor: Executor, values: &[F], n: usize, room: &mut Vec<F>) -> F {
    /// More are sorted rather than counted.
    const FEW: usize = 128;
    if n > values.len() {
        return F::neg_infinity();
    }
    if values.len() <= FEW {
        return executor.dispatch(NthValue { values, n });
    }
    room.clear();
    room.extend_from_slice(values);
    *room.select_nth_unstable_by(n - 1, |a, b| b.partial_cmp(a).unwrap_or(Ordering::Equal)).1
}

struct NthValue<'a, F> {
    values: &'a [F],
    n: usize,
}

impl<F: Elementary> WithSimd for NthValue<'_, F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> F {
        nth_by_counting(self.values, self.n)
    }
}

/// The largest of those that at least n values reach: as many comparisons as there are pairs, but not one branch.
#[inline(always)]
fn nth_by_counting<F: Elementary>(values: &[F], n: usize) -> F {
    const LANES: usize = 16;
    let n = F::from_usize(n);
    let mut nth = [F::neg_infinity(); LANES];
    for chunk in values.chunks(LANES) {
        let mut block = [F::neg_infinity(); LANES];
        block[..chunk.len()].copy_from_slice(chunk);
        let mut reached_by = [F::zero(); LANES];
        for &other in values {
            for lane in 0..LANES {
                reached_by[lane] += if other >= block[lane] { F::one() } else { F::zero() };
            }
        }
        for lane in 0..LANES {
            nth[lane] = if (reached_by[lane] >= n) & (block[lane] > nth[lane]) { block[lane] } else { nth[lane] };
        }
    }
    nth.iter().fold(F::neg_infinity(), |largest, &value| if value > largest { value } else { largest })
}

/// The largest scores of a row.
#[derive(Debug)]
pub(super) struct TopScores<F> {
    executor: Executor,
    /// One a piece of the row; all in the first in the end.
    pools: Vec<Vec<Ranked<F>>>,
}

impl<F: Elementary> TopScores<F> {
    pub fn new(executor: Executor) -> Self {
        Self { executor, pools: vec![vec![]] }
    }

    /// Finds the `n` largest of at least `n` finite scores.
    ///
    /// A score is compared with a threshold that n scores are known to reach; the few that reach it are kept in a list of at most 2n + 96.
    pub fn find(&mut self, scores: &[F], n: usize) {
        self.executor.map_with(scores, None, &mut self.pools, |Piece { first, scores, room, .. }| {
            self.executor.dispatch(Collect { scores, n, best: room });
            room.iter_mut().for_each(|ranked| ranked.index += first);
        });
        if let Some((best, others)) = self.pools.split_first_mut() {
            best.extend(others.iter().flatten());
            if n < best.len() {
                best.select_nth_unstable_by(n, by_rank);
                best.truncate(n);
            }
            best.sort_unstable_by(by_rank);
        }
    }

    /// Those that were found, in the order of their ranks.
    pub fn found(&self) -> &[Ranked<F>] {
        &self.pools[0]
    }
}

/// How many scores are compared before the program branches.
const BLOCK: usize = 32;

/// Fills `best` with the `n` largest of the scores among at most 2n + 96.
struct Collect<'a, F> {
    scores: &'a [F],
    n: usize,
    best: &'a mut Vec<Ranked<F>>,
}

impl<F: Elementary> WithSimd for Collect<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { scores, n, best } = self;
        best.clear();
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
            for (lane, &score) in block.iter().enumerate() {
                reached |= u32::from(score >= threshold) << lane;
            }
            while reached != 0 {
                let (index, value) = (first + reached.trailing_zeros() as usize, block[reached.trailing_zeros() as usize]);
                reached &= reached - 1;
                if (ties_count || value > threshold) && index < scores.len() {
                    best.push(Ranked { index, value });
                }
            }
            if best.len() >= capacity {
                threshold = best.select_nth_unstable_by(n - 1, by_rank).1.value;
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
        (..=24, 128..) => reached_by_maxima::<F, 64>(scores, n),
        (..=72, 256..) => reached_by_maxima::<F, 128>(scores, n),
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
    select::kth_of(&maxima, n)
}
