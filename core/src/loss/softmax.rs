//! The softmax as a label sees it: what the cross-entropy and its relatives are made of, in three steps.
//!
//! 1. [`Part::of`] a few of the classes: their largest score, and the sum of the others' exponentials relative to it. Parts
//!    [merge](Part::merge); what comes before or after what does not matter to them, only to the last bits.
//! 2. [`Softmax::new`] of the whole row's part: a handful of scalars.
//! 3. [`Softmax::scale`] the exponentials that the first step has left behind, or [`Softmax::differentiate`] where there was no room for
//!    them.
//!
//! `Row` is all three for a row in memory. A batch calls the steps itself, piece by piece on several threads; a head strip by strip.
//!
//! **Order.** Blocks of 8 × 32 scores are summed in 32 lanes, blocks with compensation, lanes in a tree, and [pieces](crate::pieces) of
//! long rows in their order. Whoever computes them gets the same bits.
//!
//! **Errors.** Every exponential has two units in the last place, one more such factor in a row of several pieces; a sum of them adds 7
//! roundings in a lane, 5 in the tree and about one for all blocks, however long the row is.
//!
//! **Underflow.** What would be smaller than 2⁻¹⁰⁰ in `f32` (2⁻⁹⁹⁶ in `f64`: 2²⁶ times the smallest normal number) is exactly zero: an
//! entry of a gradient, and the sum of a lane's exponentials in a block. Of p_y and the label's entry that is less than 2⁻⁷⁶ roundings
//! unless they are tiny themselves, and where the label leads by so much that the others come to less, the loss and all of its gradient are
//! zero. The products of what remains with a weight of at least 2⁻²⁶, and the rounding errors of its sums, are normal numbers: a subnormal
//! one would take a processor a hundred times longer.

mod part;
mod row;

pub(crate) use part::maxima;
pub use part::{Part, largest};
pub(super) use row::Row;

use crate::{Ranked, Real, Result, check};

/// What the whole row comes to.
///
/// Every exponential is relative to the largest score, and the label's is kept apart from the others', so that 1 − p_y and −ln p_y keep
/// their digits where the label leads.
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

    /// The probability of a part of the row, the label aside.
    #[must_use]
    pub fn share(&self, part: Part<F>) -> F {
        part.rest * (part.largest - self.largest).fast_exp() / self.total()
    }

    /// The label's entry of `slope` times the gradient of −ln p_y.
    #[must_use]
    pub fn own_entry(&self, slope: F) -> F {
        -(slope / self.total() * self.rest)
    }

    /// Makes exponentials of the others in a part of the row their entries of `slope` times the gradient of −ln p_y, and of that `weight`
    /// times: two roundings, as if one had been written after the other.
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
pub(super) fn tiny<F: Real>() -> F {
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
