//! The polyhedral top-K hinge over shards: one round where few classes share, and a few short ones more where many do.

use super::lists::{self, Lists};
use super::shard::{Piece, Shard};
use super::sharded_loss::ShardedLoss;
use crate::excess::{self, Excess};
use crate::lanes::{self, Compensated};
use crate::loss::{PolyhedralHinge, Sharing};
use crate::{AsMargins, Error, Margins, Real, Result, check};

/// What is known of a row of a [`PolyhedralHinge`].
///
/// It is made by [`ShardedLoss::row`] and of use to no one else.
///
/// ```
/// use topk_loss::loss::PolyhedralHinge;
/// use topk_loss::sharded::{Shard, ShardedLoss};
/// let (hinge, shard) = (PolyhedralHinge::<f64>::new(2)?, Shard::even(0, 2, 5)?);
/// let row = hinge.row(&shard, 4)?;
/// // The label's score and, of two shards each, the number of classes, 24 scores and a threshold.
/// assert_eq!(hinge.message_len(&row, &shard), 1 + 2 * 26);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PolyhedralHingeRow<F>(Round<F>);

#[derive(Debug, Clone, Copy)]
enum Round<F> {
    /// The largest scores are to be told.
    Largest,
    /// What lies above a threshold is to be told.
    Above(Search<F>),
}

/// What is known of the scores, and a threshold that is not above the one that is looked for, both relative to the largest score.
#[derive(Debug, Clone, Copy)]
struct Search<F> {
    top: F,
    /// The shard that has it first.
    leader: usize,
    own: F,
    threshold: F,
    /// How many were above the threshold before.
    before: F,
}

/// So many scores every shard tells.
const LIST: usize = 24;

/// A slot of the later messages: how many scores are above the threshold, and by how much.
const SLOT: usize = 2;

/// The first message is the label's score and a slot a shard: how many classes it has, its 24 largest scores, and its share of the
/// threshold, where its own scores' excess is one of as many equal parts of the total as there are shards. What follows from the scores
/// that are listed is the threshold of all where no shard has others above it. Else it is below that, as the least share is; from the
/// larger of both one message a step of Newton's method, of two numbers a shard, leads there, as long as fewer classes are above after a
/// step than before.
///
/// The gradient of the largest score alone is the first shard's that has it.
impl<F: Real, M: AsMargins<F>> ShardedLoss<F> for PolyhedralHinge<F, M> {
    type Row = PolyhedralHingeRow<F>;

    fn row(&self, shard: &Shard, label: usize) -> Result<PolyhedralHingeRow<F>> {
        shard.check_guesses::<F>(self.k(), label)?;
        self.borrowed().total(label, shard.num_classes())?;
        Ok(PolyhedralHingeRow(Round::Largest))
    }

    fn max_message_len(&self, shard: &Shard) -> usize {
        shard.count().saturating_mul(lists::slot_len(LIST) + 1).saturating_add(1)
    }

    fn scratch_len(&self, shard: &Shard) -> usize {
        shard.count().saturating_mul(LIST).max(shard.len())
    }

    fn message_len(&self, row: &PolyhedralHingeRow<F>, shard: &Shard) -> usize {
        match row.0 {
            Round::Largest => self.max_message_len(shard),
            Round::Above(_) => SLOT * shard.count(),
        }
    }

    #[inline(always)]
    fn tell(&self, row: &PolyhedralHingeRow<F>, piece: Piece<'_, F>, message: &mut [F], scratch: &mut [F]) -> Result<()> {
        match &row.0 {
            Round::Largest => {
                piece.check()?;
                let Some((own, slots)) = message.split_first_mut() else { return Ok(()) };
                piece.tell_own(own);
                let (largest, rest) = lists::write(piece.shard.slot(slots), LIST, piece.scores);
                if let (Some(share), Some(&top)) = (rest.first_mut(), largest.first()) {
                    let (_, total) = self.borrowed().total(piece.label, piece.shard.num_classes())?;
                    *share = top + share_of(total / F::from_usize(piece.shard.count()), piece.scores, largest, top, scratch)?;
                }
            }
            Round::Above(search) => {
                let relative = relative(piece.scores.iter().copied(), search.top, scratch)?;
                let above = Excess::new(relative, search.threshold, None);
                if let [count, sum] = piece.shard.slot(message) {
                    (*count, *sum) = (above.between, above.sum);
                }
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn hear(
        &self,
        row: &mut PolyhedralHingeRow<F>,
        piece: Piece<'_, F>,
        message: &mut [F],
        grad: Option<&mut [F]>,
        scratch: &mut [F],
    ) -> Result<Option<F>> {
        let (loss, shard) = (self.borrowed(), piece.shard);
        let (margin, total) = loss.total(piece.label, shard.num_classes())?;
        let (search, root) = match row.0 {
            Round::Largest => {
                let Some((&mut own, slots)) = message.split_first_mut() else { return Ok(None) };
                let lists = Lists::new(slots, shard, LIST)?;
                let top = lists.kth_value(1, scratch);
                let leader = lists.home_of_kth(1, top).0;
                let (listed, count) = excess::root(relative(lists.entries(), top, scratch)?, total, -total);
                let are_all = lists.iter().all(|list| !list.is_cut || list.largest.last().is_none_or(|&last| last - top <= listed));
                let shares =
                    lists.iter().map(|list| if let ([_, ..], [share, ..]) = (list.largest, list.rest) { *share - top } else { -total });
                let threshold = listed.max(shares.fold(F::infinity(), F::min));
                let search = Search { top, leader, own, threshold, before: F::infinity() };
                (search, are_all.then_some((listed, count)))
            }
            Round::Above(search) => search.step(message, total),
        };
        let Some(root) = root else {
            row.0 = Round::Above(search);
            return Ok(None);
        };
        let sharing = loss.shared(margin, search.top, root);
        let value = sharing.value(search.own)?;
        if let Some(grad) = grad {
            check::length("grad", grad, piece.scores.len())?;
            grad.fill(F::zero());
            if value > F::zero() {
                loss.write(&sharing, search, piece, grad);
            }
        }
        Ok(Some(value))
    }
}

/// Scores relative to the largest.
#[inline(always)]
fn relative<F: Real>(scores: impl Iterator<Item = F>, top: F, scratch: &mut [F]) -> Result<&[F]> {
    let (mut len, room) = (0, scratch.len());
    for score in scores {
        let place = scratch.get_mut(len).ok_or(Error::Length { what: "scratch", expected: len + 1, actual: room })?;
        *place = score - top;
        len += 1;
    }
    Ok(scratch.get(..len).unwrap_or_default())
}

/// Where a shard's scores exceed by the given sum: mostly that of those that are listed.
#[inline(always)]
fn share_of<F: Real>(sum: F, scores: &[F], largest: &[F], top: F, scratch: &mut [F]) -> Result<F> {
    let (listed, _) = excess::root(relative(largest.iter().copied(), top, scratch)?, sum, -sum);
    if largest.len() == scores.len() || largest.last().is_some_and(|&last| last - top <= listed) {
        return Ok(listed);
    }
    Ok(excess::root(relative(scores.iter().copied(), top, scratch)?, sum, listed).0)
}

impl<F: Real> Search<F> {
    /// A step of Newton's method, or the threshold and how many are above it.
    fn step(self, message: &[F], total: F) -> (Self, Option<(F, F)>) {
        let slots = message.as_chunks::<SLOT>().0;
        let count = slots.iter().fold(F::zero(), |sum, &[count, _]| sum + count);
        let surplus = Compensated::of(slots.iter().map(|&[_, sum]| sum)) - total;
        let next = self.threshold + surplus / count;
        if count < self.before && next > self.threshold {
            (Self { threshold: next, before: count, ..self }, None)
        } else {
            (self, Some((self.threshold, count)))
        }
    }
}

impl<F: Real> PolyhedralHinge<F, Margins<'_, F>> {
    /// The label's margin, and that of all guesses.
    fn total(&self, label: usize, num_classes: usize) -> Result<(F, F)> {
        let margin = self.margins().of(label, num_classes)?;
        Ok((margin, check::in_range("margin of all guesses", margin * F::from_usize(self.k()))?))
    }

    /// The gradient of a positive loss over zeros.
    #[inline(always)]
    fn write(&self, sharing: &Sharing<F>, search: Search<F>, piece: Piece<'_, F>, grad: &mut [F]) {
        if let Some(share) = sharing.share() {
            for (entry, &score) in grad.iter_mut().zip(piece.scores) {
                *entry = if sharing.counts(score) { share } else { F::zero() };
            }
        } else if let (true, Some(entry)) = (search.leader == piece.shard.index(), grad.get_mut(lanes::position(piece.scores, search.top)))
        {
            *entry = self.scale();
        }
        piece.add_own(grad, -self.scale());
    }
}
