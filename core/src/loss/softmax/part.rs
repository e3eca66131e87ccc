//! The softmax of some of a row's classes, to be merged with that of others: their largest score, and the sum of the exponentials.

use super::tiny;
use crate::{Real, lanes};

const LANES: usize = lanes::PAIR;
/// So many numbers a lane are added without compensation.
const FEW: usize = 8;
/// And so many exponentials a lane stand on the stack where no gradient is wanted, a part of those.
const BLOCK: usize = FEW / 2;

/// Some of a row's classes.
#[derive(Debug, Clone, Copy)]
pub struct Part<F> {
    /// The largest of their scores, the label's among them.
    pub(crate) largest: F,
    /// Σ exp(s − largest) over those that are not the label.
    pub(crate) rest: F,
}

impl<F: Real> Default for Part<F> {
    /// No class.
    fn default() -> Self {
        Self { largest: F::neg_infinity(), rest: F::zero() }
    }
}

impl<F: Real> Part<F> {
    /// The classes with these scores, among them the label at `label`, if that is a place. The exponentials are left in `exponentials`, 0
    /// in the label's place, unless it is empty. Nothing if a score is not finite.
    #[inline(always)]
    #[must_use]
    pub fn of(scores: &[F], label: Option<usize>, exponentials: &mut [F]) -> Option<Self> {
        let largest = largest(scores)?;
        Some(Self { largest, rest: rest(scores, |score| score, label, largest, exponentials) })
    }

    /// The same classes, their scores less a common offset.
    #[must_use]
    pub fn relative_to(self, offset: F) -> Self {
        Self { largest: self.largest - offset, ..self }
    }

    /// Both.
    #[inline(always)]
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        // A part without a class changes nothing.
        if other.largest == F::neg_infinity() {
            return self;
        }
        if self.largest == F::neg_infinity() {
            return other;
        }
        let largest = if other.largest > self.largest { other.largest } else { self.largest };
        let relative = |part: Self| part.rest * (part.largest - largest).fast_exp();
        Self { largest, rest: relative(self) + relative(other) }
    }
}

/// The largest score, if all are finite; −∞ of none.
#[inline(always)]
#[must_use]
pub fn largest<F: Real>(scores: &[F]) -> Option<F> {
    maxima(scores).map(|(largest, _)| largest)
}

/// The same with the largest of each lane: scores of as many classes, all different. Of fewer scores than lanes −∞.
#[inline(always)]
pub(crate) fn maxima<F: Real>(scores: &[F]) -> Option<(F, [F; LANES])> {
    let (mut most, mut zeros) = ([F::neg_infinity(); LANES], [F::zero(); LANES]);
    let (chunks, left) = scores.as_chunks::<LANES>();
    for chunk in chunks {
        look_at(chunk, &mut most, &mut zeros);
    }
    let of_lanes = most;
    if let (Some(&any), false) = (scores.first(), left.is_empty()) {
        // Some are looked at twice, which changes nothing.
        look_at(&last(scores, any).0, &mut most, &mut zeros);
    }
    let are_finite = zeros.iter().fold(true, |all, &zero| all & (zero == F::zero()));
    // Lanes that a compiler knows to be joined in halves it loads in the order of the halves, with a shuffle for every load.
    are_finite.then(|| (lanes::tree(core::hint::black_box(most), larger), of_lanes))
}

/// The largest of each lane, and s − s: 0, or NaN for a score that is NaN or infinite.
#[inline(always)]
#[expect(clippy::eq_op, reason = "not 0 for what is not finite")]
fn look_at<F: Real>(scores: &[F; LANES], most: &mut [F; LANES], zeros: &mut [F; LANES]) {
    for (most, &score) in most.iter_mut().zip(scores) {
        *most = larger(*most, score);
    }
    for (zero, &score) in zeros.iter_mut().zip(scores) {
        *zero += score - score;
    }
}

#[inline(always)]
pub(super) fn larger<F: Real>(a: F, b: F) -> F {
    if b > a { b } else { a }
}

/// As many numbers as lanes, the last of them, and how many of those are in whole chunks too; of fewer all, and others.
#[inline(always)]
fn last<F: Real>(numbers: &[F], others: F) -> ([F; LANES], usize) {
    if let Some(&last) = numbers.last_chunk::<LANES>() {
        return (last, LANES - numbers.len() % LANES);
    }
    let mut lanes = [others; LANES];
    for (lane, &number) in lanes.iter_mut().zip(numbers) {
        *lane = number;
    }
    (lanes, 0)
}

/// The sum of the exponentials of what `logit` makes of the scores, but for the label's.
#[inline(always)]
pub(super) fn rest<F: Real>(scores: &[F], logit: impl Fn(F) -> F, label: Option<usize>, largest: F, exponentials: &mut [F]) -> F {
    let exponential = |score| (logit(score) - largest).fast_exp();
    let label = label.unwrap_or(usize::MAX);
    let mut room = [[F::zero(); LANES]; BLOCK];
    let (mut sums, mut lost) = ([F::zero(); LANES], [F::zero(); LANES]);
    let (chunks, left) = scores.as_chunks::<LANES>();
    let first_left = scores.len() - left.len();
    let (outs, _) = exponentials.as_chunks_mut::<LANES>();
    let mut outs = outs.chunks_mut(BLOCK);
    for (chunks, first) in chunks.chunks(FEW).zip((0..).step_by(FEW * LANES)) {
        let mut few = [F::zero(); LANES];
        for (chunks, first) in chunks.chunks(BLOCK).zip((first..).step_by(BLOCK * LANES)) {
            let out = outs.next().or_else(|| room.get_mut(..chunks.len())).unwrap_or_default();
            for (out, &score) in out.as_flattened_mut().iter_mut().zip(chunks.as_flattened()) {
                *out = exponential(score);
            }
            if let Some(own) = out.as_flattened_mut().get_mut(label.wrapping_sub(first)) {
                *own = F::zero();
            }
            for chunk in out.iter() {
                for (sum, &term) in few.iter_mut().zip(chunk) {
                    *sum += term;
                }
            }
        }
        add(&few, &mut sums, &mut lost);
    }
    if !left.is_empty() {
        let (mut few, again) = last(scores, F::neg_infinity());
        for few in &mut few {
            *few = exponential(*few);
        }
        if let Some(own) = few.get_mut(label.wrapping_add(again).wrapping_sub(first_left)) {
            *own = F::zero();
        }
        match exponentials.last_chunk_mut::<LANES>() {
            Some(out) => *out = few,
            None => {
                for (out, &exponential) in exponentials.iter_mut().zip(&few) {
                    *out = exponential;
                }
            }
        }
        // Those that the chunk before had already are not added again.
        for (lane, few) in few.iter_mut().enumerate() {
            *few = if lane < again { F::zero() } else { *few };
        }
        add(&few, &mut sums, &mut lost);
    }
    lanes::tree(sums, |a, b| a + b)
}

/// Adds terms, but for those whose rounding errors would be no normal numbers.
#[inline(always)]
fn add<F: Real>(terms: &[F; LANES], sums: &mut [F; LANES], lost: &mut [F; LANES]) {
    let tiny = tiny::<F>();
    let mut normal = *terms;
    for term in &mut normal {
        *term = if *term < tiny { F::zero() } else { *term };
    }
    lanes::add(&normal, sums, lost);
}
