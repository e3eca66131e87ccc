//! The cross-entropy over shards: one round.

use super::shard::{Piece, Shard};
use super::sharded_loss::ShardedLoss;
use crate::loss::softmax::{Part, Softmax};
use crate::{CrossEntropy, Error, Real, Result, check, pieces};

/// A shard's slot: how many classes it has, the largest score, and the sum of the others' exponentials.
const SLOT: usize = 3;

/// The label's score, then a slot a shard; the parts are merged in the order of the shards, each by one exponential and two roundings.
impl<F: Real> ShardedLoss<F> for CrossEntropy {
    type Row = ();

    fn row(&self, shard: &Shard, label: usize) -> Result<()> {
        shard.check_countable::<F>()?;
        match shard.num_classes() {
            actual @ 0..2 => Err(Error::Length { what: "scores", expected: 2, actual }),
            _ => shard.check_label(label),
        }
    }

    fn max_message_len(&self, shard: &Shard) -> usize {
        shard.count().saturating_mul(SLOT).saturating_add(1)
    }

    fn scratch_len(&self, _: &Shard) -> usize {
        0
    }

    fn message_len(&self, (): &(), shard: &Shard) -> usize {
        ShardedLoss::<F>::max_message_len(self, shard)
    }

    #[inline(always)]
    fn tell(&self, (): &(), piece: Piece<'_, F>, message: &mut [F], _: &mut [F]) -> Result<()> {
        let Some((own, slots)) = message.split_first_mut() else { return Ok(()) };
        piece.tell_own(own);
        let (mut whole, len) = (Part::default(), pieces::len(piece.scores.len()));
        for (scores, first) in piece.scores.chunks(len).zip((0..).step_by(len)) {
            let label = piece.own().and_then(|own| own.checked_sub(first));
            match Part::of(scores, label, &mut []) {
                Some(part) => whole = whole.merge(part),
                None => piece.check()?,
            }
        }
        if let ([count, largest, rest], false) = (piece.shard.slot(slots), piece.scores.is_empty()) {
            *count = F::from_usize(piece.scores.len());
            (*largest, *rest) = (whole.largest, whole.rest);
        }
        Ok(())
    }

    #[inline(always)]
    fn hear(&self, (): &mut (), piece: Piece<'_, F>, message: &mut [F], grad: Option<&mut [F]>, _: &mut [F]) -> Result<Option<F>> {
        let Some((&mut own, slots)) = message.split_first_mut() else { return Ok(None) };
        let slots = slots.as_chunks::<SLOT>().0;
        piece.shard.check_count(slots.iter().fold(F::zero(), |sum, &[count, ..]| sum + count))?;
        let parts = slots.iter().filter(|&&[count, ..]| count > F::zero()).map(|&[_, largest, rest]| Part { largest, rest });
        let softmax = Softmax::new(parts.fold(Part::default(), Part::merge), own)?;
        if let Some(grad) = grad {
            check::length("grad", grad, piece.scores.len())?;
            grad.copy_from_slice(piece.scores);
            softmax.differentiate(F::one(), F::one(), grad);
            if let Some(entry) = piece.own().and_then(|own| grad.get_mut(own)) {
                *entry = softmax.own_entry(F::one());
            }
        }
        Ok(Some(softmax.surprise()))
    }
}
