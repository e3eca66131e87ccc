//! The exact form over shards, from the largest scores and a histogram of the others on.
//!
//! Everybody has heard every shard's, and so computes the same partition, and how many candidates each shard has at most. What follows is
//! one more message: how many classes are surely above, the moments of all bulks, rounded so that their sum is not, and a slot for the
//! candidates of every shard.

use super::lists::Lists;
use super::shard::{Piece, Shard};
use crate::exact::census::{self, Census, Censuses};
use crate::exact::{self, Grid, Part, Partition, Problem, Summary, is_double, most_terms};
use crate::loss::positive_part;
use crate::{Error, Margins, Normal, Real, Result, TopKHinge, check};

pub(super) use census::BINS;

/// What every shard knows after the first round, but for its own slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summaries<F> {
    partition: Partition<Normal, F>,
    grid: Grid<F>,
    /// By how much the label's score is above the center.
    lead: F,
    /// Where this shard's candidates stand, and how many there may be.
    start: usize,
    len: usize,
    /// How many candidates there may be in all.
    candidates: usize,
}

/// The numbers of the longest second message.
pub(super) fn max_message_len<F: Real>(num_classes: usize, last_rank: usize) -> usize {
    1 + 2 * most_terms(is_double::<F>()) + exact::most_told::<F>(num_classes, last_rank)
}

fn problem<F: Real>(loss: &TopKHinge<F, Margins<'_, F>>, epsilon: F, center: F, num_classes: usize) -> Result<Problem<Normal, F>> {
    loss.exact(epsilon, num_classes)?.single(center, num_classes)
}

/// Counts the scores that are not listed.
#[inline(always)]
pub(super) fn count<F: Real>(
    loss: &TopKHinge<F, Margins<'_, F>>,
    epsilon: F,
    piece: Piece<'_, F>,
    largest: &[F],
    counts: &mut [F],
) -> Result<()> {
    let problem = problem(loss, epsilon, F::zero(), piece.shard.num_classes())?;
    census::count(&problem, piece.scores, largest, counts)
}

impl<F: Real> Summaries<F> {
    /// What follows from the largest scores of all shards and their histograms.
    #[inline(always)]
    pub fn new(
        loss: &TopKHinge<F, Margins<'_, F>>,
        epsilon: F,
        (center, lead): (F, F),
        shard: &Shard,
        lists: Lists<'_, F>,
        scratch: &mut [F],
    ) -> Result<Self> {
        let problem = problem(loss, epsilon, center, shard.num_classes())?;
        let told = || lists.iter().map(|list| Census { largest: list.largest, counts: list.rest });
        let censuses = Censuses::new(problem)?;
        let partition = censuses.partition(told(), scratch)?;
        let grid = censuses.grid(told(), &partition, shard.count());
        let counts = || told().map(|census| censuses.candidates(census, &partition));
        let start = counts().take(shard.index()).fold(0, usize::saturating_add);
        let len = counts().nth(shard.index()).unwrap_or(0);
        let candidates = counts().fold(0, usize::saturating_add);
        if candidates > exact::most_told::<F>(shard.num_classes(), problem.run.last) {
            return Err(Error::Accuracy { what: "exact smoothing over shards" });
        }
        Ok(Self { partition, grid, lead, start, len, candidates })
    }

    fn header_len(&self) -> usize {
        1 + 2 * self.partition.terms()
    }

    pub fn message_len(&self) -> usize {
        self.header_len() + self.candidates
    }

    #[inline(always)]
    pub fn tell(&self, scores: &[F], message: &mut [F], scratch: &mut [F]) -> Result<()> {
        let (room, _) = check::split(scratch, self.partition.terms() * crate::lanes::LANES + self.len)?;
        let mut summary = Summary::new(self.partition, room)?;
        summary.add(scores)?;
        let part = summary.part();
        let (header, slots) = check::split(message, self.header_len())?;
        if let Some((sure, moments)) = header.split_first_mut() {
            *sure = F::from_usize(part.sure);
            let (high, low) = check::split(moments, self.partition.terms())?;
            for ((high, low), &moment) in high.iter_mut().zip(low).zip(part.moments) {
                [*high, *low] = self.grid.split(moment);
            }
        }
        let slot = slots.iter_mut().skip(self.start).take(self.len);
        let empty = core::iter::repeat(exact::never());
        slot.zip(part.candidates.iter().copied().chain(empty)).for_each(|(place, u)| *place = u);
        Ok(())
    }

    /// The loss, and over zeros its gradient.
    #[inline(always)]
    pub fn hear(
        &self,
        piece: Piece<'_, F>,
        (margin, scale): (F, F),
        message: &mut [F],
        grad: Option<&mut [F]>,
        scratch: &mut [F],
    ) -> Result<F> {
        let (header, slots) = check::split(message, self.header_len())?;
        let Some((&mut sure, moments)) = header.split_first_mut() else { return Ok(F::zero()) };
        let (high, low) = check::split(moments, self.partition.terms())?;
        high.iter_mut().zip(low).for_each(|(high, &mut low)| *high += low);

        let is_candidate = |u: F| u > exact::never();
        let first = slots.iter().take(self.start).filter(|&&u| is_candidate(u)).count();
        let mut len = 0;
        for place in 0..slots.len() {
            let Some(&u) = slots.get(place).filter(|&&u| is_candidate(u)) else { continue };
            if let Some(entry) = slots.get_mut(len) {
                *entry = u;
            }
            len += 1;
        }
        let candidates = slots.get(..len).unwrap_or_default();
        let part = Part { sure: sure.to_usize().unwrap_or(0), bulk: 0, moments: high, candidates };
        let solution = self.partition.solve(part, scratch)?;
        if !solution.is_within_tolerance() {
            return Err(Error::Accuracy { what: "exact smoothing over shards" });
        }
        let smoothed = solution.centered_value();
        let value = positive_part(scale, |unit| margin * unit + (smoothed * unit - self.lead * unit))?;
        if let Some(grad) = grad.filter(|_| value > F::zero()) {
            solution.add_finite_grad(piece.scores, first, scale, grad);
            piece.add_own(grad, -scale);
        }
        Ok(value)
    }
}
