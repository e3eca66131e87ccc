//! The top-K hinge over shards: one round without noise, two where noise is averaged out.

use super::exact_hinge::{self, Summaries};
use super::lists::{self, Lists};
use super::shard::{Piece, Shard};
use super::sharded_loss::ShardedLoss;
use crate::exact::shard_scratch_len;
use crate::loss::positive_part;
use crate::{AsMargins, Error, Margins, Real, Result, Smoothing, TopKHinge, check};

/// What is known of a row of a [`TopKHinge`].
///
/// It is made by [`ShardedLoss::row`] and of use to no one else.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss::sharded::{Shard, ShardedLoss};
/// let (hinge, shard) = (TopKHinge::<f64>::new(2)?, Shard::even(0, 2, 5)?);
/// let row = hinge.row(&shard, 4)?;
/// // The label's score and, of two shards each, the number of classes and three scores.
/// assert_eq!(hinge.message_len(&row, &shard), 1 + 2 * 4);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TopKHingeRow<F>(Round<F>);

#[derive(Debug, Clone, Copy)]
enum Round<F> {
    /// The largest scores are to be told.
    Largest,
    /// They were heard; what the classes near the last of them come to is to be told.
    Summaries(Summaries<F>),
}

/// Without noise or smoothed exactly. Equal scores rank by shard, then by class: as in the whole row where shards are in the order of their
/// classes.
///
/// The first message is the label's score and a slot a shard: how many classes it has, its K + 1 largest scores and, if noise is averaged
/// out, a histogram of the others. From those everybody makes the same partition of the row. The second is how many classes are surely
/// above the window, the moments of all that are far below, rounded so that their sum is not, and a slot a shard for the classes near it. A
/// loss that is zero for certain has none.
impl<F: Real, M: AsMargins<F>> ShardedLoss<F> for TopKHinge<F, M> {
    type Row = TopKHingeRow<F>;

    fn row(&self, shard: &Shard, label: usize) -> Result<TopKHingeRow<F>> {
        shard.check_guesses::<F>(self.k(), label)?;
        self.borrowed().margins().of(label, shard.num_classes())?;
        match self.smoothing() {
            Smoothing::None | Smoothing::Exact { .. } => Ok(TopKHingeRow(Round::Largest)),
            Smoothing::Pathwise { .. } | Smoothing::Conditional { .. } => {
                Err(Error::Parameter { name: "smoothing", must: "none or exact over shards" })
            }
        }
    }

    fn max_message_len(&self, shard: &Shard) -> usize {
        let first = self.borrowed().first_len(shard);
        match self.smoothing() {
            Smoothing::Exact { .. } => first.max(exact_hinge::max_message_len::<F>(shard.num_classes(), self.first_missed())),
            _ => first,
        }
    }

    fn scratch_len(&self, shard: &Shard) -> usize {
        let list = self.first_missed().min(shard.num_classes());
        match self.smoothing() {
            Smoothing::Exact { .. } => list.max(shard_scratch_len::<F>(shard.num_classes(), self.first_missed())),
            _ => list,
        }
    }

    fn message_len(&self, row: &TopKHingeRow<F>, shard: &Shard) -> usize {
        match &row.0 {
            Round::Largest => self.borrowed().first_len(shard),
            Round::Summaries(summaries) => summaries.message_len(),
        }
    }

    #[inline(always)]
    fn tell(&self, row: &TopKHingeRow<F>, piece: Piece<'_, F>, message: &mut [F], scratch: &mut [F]) -> Result<()> {
        if let Round::Summaries(summaries) = &row.0 {
            return summaries.tell(piece.scores, message, scratch);
        }
        piece.check()?;
        let Some((own, slots)) = message.split_first_mut() else { return Ok(()) };
        piece.tell_own(own);
        let (largest, rest) = lists::write(piece.shard.slot(slots), self.first_missed(), piece.scores);
        match self.smoothing() {
            Smoothing::Exact { epsilon } => exact_hinge::count(&self.borrowed(), epsilon, piece, largest, rest),
            _ => Ok(()),
        }
    }

    #[inline(always)]
    fn hear(
        &self,
        row: &mut TopKHingeRow<F>,
        piece: Piece<'_, F>,
        message: &mut [F],
        mut grad: Option<&mut [F]>,
        scratch: &mut [F],
    ) -> Result<Option<F>> {
        let (loss, shard) = (self.borrowed(), piece.shard);
        if let Some(grad) = &mut grad {
            check::length("grad", grad, piece.scores.len())?;
            grad.fill(F::zero());
        }
        let margin = loss.margins().of(piece.label, shard.num_classes())?;
        if let Round::Summaries(summaries) = &row.0 {
            return summaries.hear(piece, (margin, self.scale()), message, grad, scratch).map(Some);
        }
        let Some((&mut own, slots)) = message.split_first_mut() else { return Ok(None) };
        let (lists, k) = (Lists::new(slots, shard, self.first_missed())?, self.first_missed());
        let center = lists.kth_value(k, scratch);
        let lead = own - center;
        if let Smoothing::Exact { epsilon } = self.smoothing() {
            if loss.is_surely_zero(epsilon, lead, margin, shard.num_classes()) {
                return Ok(Some(F::zero()));
            }
            check::in_range("range of the scores", lead)?;
            row.0 = Round::Summaries(Summaries::new(&loss, epsilon, (center, lead), shard, lists, scratch)?);
            return Ok(None);
        }
        let value = positive_part(self.scale(), |unit| margin * unit - (own * unit - center * unit))?;
        if let Some(grad) = grad.filter(|_| value > F::zero()) {
            let (home, place) = lists.home_of_kth(k, center);
            let mut ties = grad.iter_mut().zip(piece.scores).filter(|&(_, &score)| score == center);
            if let (true, Some((entry, _))) = (home == shard.index(), ties.nth(place)) {
                *entry += self.scale();
            }
            piece.add_own(grad, -self.scale());
        }
        Ok(Some(value))
    }
}

impl<F: Real> TopKHinge<F, Margins<'_, F>> {
    fn first_len(&self, shard: &Shard) -> usize {
        let histogram = if let Smoothing::Exact { .. } = self.smoothing() { exact_hinge::BINS } else { 0 };
        lists::slot_len(self.first_missed()).saturating_add(histogram).saturating_mul(shard.count()).saturating_add(1)
    }
}
