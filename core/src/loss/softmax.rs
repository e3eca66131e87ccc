//! The softmax as a label sees it: what the cross-entropy and its relatives are made of, in three steps.
//!
//! 1. [`Part::of`] a few of the classes: their largest score, and the sum of the others' exponentials relative to it. Parts
//!    [merge](Part::merge); what comes before or after what does not matter to them, only to the last bits.
//! 2. [`Softmax::new`] of the whole row's part: a handful of scalars.
//! 3. [`Softmax::scale`] the exponentials that the first step has left behind, or [`Softmax::differentiate`] where there was no room for them.
//!
//! `Row` is all three for a row in memory. A batch calls the steps itself, piece by piece on several threads; a head strip by strip.
//!
//! **Order.** Blocks of 8 × 32 scores are summed in 32 lanes, blocks with compensation, lanes in a tree, and [pieces](crate::pieces) of long
//! rows in their order. Whoever computes them gets the same bits.
//!
//! **Errors.** Every exponential has two units in the last place, one more such factor in a row of several pieces; a sum of them adds 7
//! roundings in a lane, 5 in the tree and about one for all blocks, however long the row is.
//!
//! **Underflow.** What would be smaller than 2⁻¹⁰⁰ in `f32` (2⁻⁹⁹⁶ in `f64`: 2²⁶ times the smallest normal number) is exactly zero: an entry of a gradient,
//! and the sum of a lane's exponentials in a block. Of p_y and the label's entry that is less than 2⁻⁷⁶ roundings unless they are tiny themselves,
//! and where the label leads by so much that the others come to less, the loss and all of its gradient are zero. The products of what
//! remains with a weight of at least 2⁻²⁶, and the rounding errors of its sums, are normal numbers: a subnormal one would take a processor a
//! hundred times longer.

use crate::{Error, Ranked, Real, Result, check, lanes, pieces};

const LANES: usize = lanes::PAIR;
/// So many numbers a lane are added without compensation.
const FEW: usize = 8;
/// And so many exponentials a lane stand on the stack where no gradient is wanted, a part of those.
const BLOCK: usize = FEW / 2;

/// Some of a row's classes.
#[derive(Debug, Clone, Copy)]
pub struct Part<F> {
    /// The largest of their scores, the label's among them.
    largest: F,
    /// Σ exp(s − largest) over those that are not the label.
    rest: F,
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
        Some(Self { largest, rest: rest(scores, label, largest, exponentials) })
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
fn larger<F: Real>(a: F, b: F) -> F {
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

/// The sum of the exponentials but for the label's.
#[inline(always)]
fn rest<F: Real>(scores: &[F], label: Option<usize>, largest: F, exponentials: &mut [F]) -> F {
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
            exponentials_of(chunks.as_flattened(), largest, out.as_flattened_mut());
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
            *few = (*few - largest).fast_exp();
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

#[inline(always)]
fn exponentials_of<F: Real>(scores: &[F], largest: F, out: &mut [F]) {
    for (out, &score) in out.iter_mut().zip(scores) {
        *out = (score - largest).fast_exp();
    }
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

/// What the whole row comes to.
///
/// Every exponential is relative to the largest score, and the label's is kept apart from the others', so that 1 − p_y and −ln p_y keep their
/// digits where the label leads.
#[derive(Debug, Clone, Copy)]
pub struct Softmax<F> {
    largest: F,
    /// Σ over the classes other than the label.
    rest: F,
    /// The label's own exponential.
    own: F,
    /// By how much the label's score is below the largest.
    gap: F,
}

impl<F: Real> Softmax<F> {
    /// Given the part that is the whole row, and the label's score.
    ///
    /// # Errors
    /// A label so far below that the float does not reach.
    pub fn new(row: Part<F>, own: F) -> Result<Self> {
        let Part { largest, rest } = row;
        let gap = check::in_range("range of the scores", largest - own)?;
        Ok(Self { largest, rest, own: (-gap).fast_exp(), gap })
    }

    fn total(&self) -> F {
        self.rest + self.own
    }

    /// p_y.
    pub(super) fn hit(&self) -> F {
        self.own / self.total()
    }

    /// 1 − p_y.
    pub(super) fn miss(&self) -> F {
        self.rest / self.total()
    }

    /// −ln p_y.
    #[must_use]
    pub fn surprise(&self) -> F {
        // ln(rest + own) + gap. One of the two is at least 1, and the other keeps its digits: no small loss is lost in the 1.
        let (rest, own, one) = (self.rest, self.own, F::one());
        let more = if self.gap > F::zero() { (rest - one) + own } else { rest + (own - one) };
        more.ln_1p() + self.gap
    }

    /// The label's entry of `slope` times the gradient of −ln p_y.
    #[must_use]
    pub fn own_entry(&self, slope: F) -> F {
        -(slope / self.total() * self.rest)
    }

    /// Makes exponentials of the others in a part of the row their entries of `slope` times the gradient of −ln p_y, and of that `weight` times: two
    /// roundings, as if one had been written after the other.
    #[inline(always)]
    pub fn scale(&self, part: Part<F>, slope: F, weight: F, exponentials: &mut [F]) {
        let lead = part.largest - self.largest;
        let relative = if lead == F::zero() { F::one() } else { lead.fast_exp() };
        let share = slope / self.total() * relative;
        let least = least(share);
        for entry in exponentials {
            *entry = clamped(*entry, least) * share * weight;
        }
    }

    /// Puts the same entries in the place of scores.
    #[inline(always)]
    pub fn differentiate(&self, slope: F, weight: F, scores: &mut [F]) {
        let share = slope / self.total();
        let least = least(share);
        for entry in scores {
            *entry = clamped((*entry - self.largest).fast_exp(), least) * share * weight;
        }
    }
}

/// The exponential below which an entry is zero.
#[inline(always)]
fn least<F: Real>(share: F) -> F {
    tiny::<F>() / share
}

/// What is less is zero.
#[inline(always)]
fn tiny<F: Real>() -> F {
    F::min_positive_value() * F::from_f64(f64::from(1 << 26))
}

#[inline(always)]
fn clamped<F: Real>(exponential: F, least: F) -> F {
    if exponential < least { F::zero() } else { exponential }
}

/// scale · (s − largest): scores as a loss with margins takes the softmax of them.
#[inline(always)]
pub fn spread<F: Real>(scores: &[F], largest: F, scale: F, out: &mut [F]) {
    for (out, &score) in out.iter_mut().zip(scores) {
        *out = scale * (score - largest);
    }
}

/// The label's among them, which has to win by a margin.
#[must_use]
pub fn spread_label<F: Real>(own: F, largest: F, margin: F, scale: F) -> F {
    scale * ((own - largest) - margin)
}

/// The first of the classes with the largest score.
pub(super) fn leader<F: Real>(scores: &[F]) -> Ranked<F> {
    let lowest = Ranked { index: 0, value: F::neg_infinity() };
    let ranked = scores.iter().enumerate().map(|(index, &value)| Ranked { index, value });
    ranked.fold(lowest, |best, other| if other.value > best.value { other } else { best })
}

/// A row in memory.
#[derive(Debug)]
pub(super) struct Row<F> {
    pub softmax: Softmax<F>,
    pieces: [Part<F>; pieces::MOST],
}

impl<F: Real> Row<F> {
    /// The exponentials are left in `exponentials`, unless it is empty.
    pub fn new(scores: &[F], label: usize, exponentials: &mut [F]) -> Result<Self> {
        check::at_least_one_score(scores)?;
        let len = pieces::len(scores.len());
        let mut pieces = [Part::default(); pieces::MOST];
        for (piece, scores) in pieces.iter_mut().zip(scores.chunks(len)) {
            match largest(scores) {
                Some(largest) => piece.largest = largest,
                None => check::finite("scores", scores)?,
            }
        }
        if scores.len() < 2 {
            return Err(Error::Length { what: "scores", expected: 2, actual: scores.len() });
        }
        Self::of(pieces, scores, label, exponentials)
    }

    /// The same for scores whose largest is known, of which some may be −∞; compiled where it is called.
    #[inline(always)]
    pub fn relative_to(largest: F, scores: &[F], label: usize, exponentials: &mut [F]) -> Result<Self> {
        Self::of([Part { largest, ..Part::default() }; pieces::MOST], scores, label, exponentials)
    }

    /// Given numbers that are not below the scores of each piece.
    #[inline(always)]
    fn of(mut pieces: [Part<F>; pieces::MOST], scores: &[F], label: usize, exponentials: &mut [F]) -> Result<Self> {
        let (len, own) = (pieces::len(scores.len()), check::label(scores, label)?);
        let whole = pieces.iter().fold(F::neg_infinity(), |most, piece| larger(most, piece.largest));
        check::in_range("range of the scores", whole - own)?;
        let mut outs = exponentials.chunks_mut(len);
        for ((piece, scores), first) in pieces.iter_mut().zip(scores.chunks(len)).zip((0..).step_by(len)) {
            piece.rest = rest(scores, label.checked_sub(first), piece.largest, outs.next().unwrap_or_default());
        }
        let row = pieces.iter().fold(Part::default(), |row: Part<F>, &piece| row.merge(piece));
        Ok(Self { softmax: Softmax::new(row, own)?, pieces })
    }

    /// Makes the exponentials `slope` times the gradient of −ln p_y.
    pub fn differentiate(&self, label: usize, slope: F, exponentials: &mut [F]) {
        self.write(label, slope, F::one(), exponentials);
    }

    /// The same times `weight`; compiled where it is called.
    #[inline(always)]
    pub fn write(&self, label: usize, slope: F, weight: F, exponentials: &mut [F]) {
        let len = pieces::len(exponentials.len());
        for (&piece, exponentials) in self.pieces.iter().zip(exponentials.chunks_mut(len)) {
            self.softmax.scale(piece, slope, weight, exponentials);
        }
        if let Some(entry) = exponentials.get_mut(label) {
            *entry = self.softmax.own_entry(slope) * weight;
        }
    }
}
