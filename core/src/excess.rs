//! By how much entries exceed a threshold, and the threshold where that comes to a given total: what projections onto a simplex search for.

use crate::lanes::{self, LANES, PAIR};
use crate::loss::softmax;
use crate::{Error, Real, Result, check};

/// So many entries a lane are added without compensation.
const FEW: usize = 8;

/// Entries above a threshold, of which those that are above it by a width, if there is one, are whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excess<F> {
    /// How many are whole.
    pub whole: F,
    /// How many are in between, and by how much they are above the threshold, all together.
    pub between: F,
    pub sum: F,
}

impl<F: Real> Excess<F> {
    #[inline(always)]
    pub fn new(entries: &[F], threshold: F, width: Option<F>) -> Self {
        let zeros = [F::zero(); LANES];
        let (mut whole, mut between, mut sums, mut lost) = (zeros, zeros, zeros, zeros);
        let (chunks, left) = entries.as_chunks::<LANES>();
        let mut last = [F::neg_infinity(); LANES];
        last.iter_mut().zip(left).for_each(|(lane, &entry)| *lane = entry);
        for chunks in chunks.chunks(FEW).chain([core::slice::from_ref(&last)]) {
            let mut few = zeros;
            for chunk in chunks {
                let mut excess = lanes::map(*chunk, |entry| entry - threshold);
                let (one, zero) = (F::one(), F::zero());
                if let Some(width) = width {
                    whole = lanes::zip(whole, excess, |n, x| n + if x >= width { one } else { zero });
                    excess = lanes::map(excess, |x| if x < width { x } else { zero });
                }
                between = lanes::zip(between, excess, |n, x| n + if x > zero { one } else { zero });
                few = lanes::zip(few, excess, |sum, x| sum + if x > zero { x } else { zero });
            }
            lanes::add(&few, &mut sums, &mut lost);
        }
        // As in `softmax::maxima`: lanes that are known to be joined in halves would be loaded so.
        let total = |lanes| lanes::sum(&core::hint::black_box(lanes));
        Self { whole: total(whole), between: total(between), sum: total(sums) }
    }
}

/// A step of Newton's method towards where Σ (x − t)₊ is a total, and how many entries are above `threshold`.
///
/// The sum is convex, falls in t, and is linear between entries: from below, steps never pass the root.
#[inline(always)]
fn step<F: Real>(entries: &[F], total: F, threshold: F) -> (F, F) {
    let Excess { between, sum, .. } = Excess::new(entries, threshold, None);
    (threshold + (sum - total) / between, between)
}

/// Where Σ (x − t)₊ is a total, and how many of the entries are above it; it is not below `floor`.
#[inline(always)]
#[must_use]
pub fn root<F: Real>(entries: &[F], total: F, floor: F) -> (F, F) {
    let (mut threshold, mut before) = (floor, F::infinity());
    loop {
        let (next, count) = step(entries, total, threshold);
        // As many as before: the step was along the root's own piece. Rounding may end it too.
        if !(count < before && next > threshold) {
            return (threshold, count);
        }
        (threshold, before) = (next, count);
    }
}

/// Some number between `floor` and that root.
#[inline(always)]
pub(crate) fn bound<F: Real>(entries: &[F], total: F, floor: F) -> F {
    /// What more would take costs more than it saves.
    const STEPS: usize = 3;
    (0..STEPS).fold(floor, |threshold, _| {
        let (next, _) = step(entries, total, threshold);
        if next > threshold { next } else { threshold }
    })
}

/// The largest score, and relative to it that of each of some parts of the row, or −∞: so many entries say much about all.
#[inline(always)]
pub(crate) fn leaders<F: Real>(scores: &[F]) -> Result<(F, [F; PAIR])> {
    match softmax::maxima(scores) {
        Some((top, mut parts)) if !scores.is_empty() => {
            parts.iter_mut().for_each(|part| *part -= top);
            Ok((top, parts))
        }
        _ => check::scores(scores).and(Err(Error::NotFinite { what: "scores", index: 0 })),
    }
}

/// The same of a finer division, into as many parts as twice `k` at least; nothing if the row or the room is too short for it.
#[inline(always)]
pub(crate) fn finer_leaders<'o, F: Real>(scores: &[F], top: F, k: usize, out: &'o mut [F]) -> &'o [F] {
    let pieces = k.saturating_mul(2).div_ceil(PAIR);
    let len = scores.len() / pieces;
    if len < PAIR {
        return &[];
    }
    for (piece, parts) in scores.chunks_exact(len).zip(out.as_chunks_mut().0) {
        *parts = softmax::maxima(piece).map_or([F::neg_infinity(); PAIR], |(_, parts)| parts);
        parts.iter_mut().for_each(|part| *part -= top);
    }
    out.get(..pieces * PAIR).unwrap_or_default()
}

/// Some number that k of the entries reach, not far below the largest such by the measure of `width`; −∞ where there is none. The largest is 0.
#[inline(always)]
pub(crate) fn reached<F: Real>(entries: &[F], k: usize, width: F) -> F {
    const HALVINGS: usize = 4;
    let is_reached = |bound: F| entries.iter().filter(|&&entry| entry >= bound).count() >= k;
    if !is_reached(F::min_value()) {
        return F::neg_infinity();
    }
    let (mut low, mut high) = (-width, F::zero());
    while !is_reached(low) {
        (low, high) = (low + low, low);
    }
    for _ in 0..HALVINGS {
        let middle = (low + high) * F::from_f64(0.5);
        (low, high) = if is_reached(middle) { (middle, high) } else { (low, middle) };
    }
    low
}

/// Puts the entries that may be above a floor, relative to `top`, and some others at the front of `out`, in their order; returns them.
///
/// Blocks stay or go without a branch: it takes the same time whatever the entries.
#[inline(always)]
pub(crate) fn gather<'o, F: Real>(entries: &[F], top: F, floor: F, out: &'o mut [F]) -> &'o [F] {
    let (chunks, left) = entries.as_chunks::<LANES>();
    let mut count = 0;
    for chunk in chunks {
        let relative = lanes::map(*chunk, |entry| entry - top);
        // Never ahead of what was read.
        if let Some(place) = out.get_mut(count..).and_then(<[F]>::first_chunk_mut) {
            *place = relative;
        }
        count += if relative.iter().fold(false, |any, &x| any | (x > floor)) { LANES } else { 0 };
    }
    for (place, &entry) in out.iter_mut().skip(count).zip(left) {
        *place = entry - top;
    }
    out.get(..count + left.len()).unwrap_or_default()
}
