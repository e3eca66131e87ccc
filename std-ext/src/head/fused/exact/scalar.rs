//! Rows by core's code, and its mergeable summaries.

use topk_loss::sharded::{self, Division, Part, Profile};
use topk_loss::{Exact, KthLargest, Normal};

use super::super::examples::map;
use super::super::frame::Frame;
use super::super::largest::Largest;
use super::super::strips::Strips;
use super::CHUNK;
use crate::{BatchReal, Result};

/// Reads the rows of these frames twice: a census, from which the division follows, and the summary. Rows whose summary is not accurate
/// enough are read once more, with their classes one by one.
pub(super) fn summarise<'e, F: BatchReal>(
    exact: &'e Exact<KthLargest, Normal, F>,
    k: usize,
    strips: &Strips<'_, F>,
    frames: Vec<Option<Frame<F>>>,
) -> Result<Vec<Option<Row<'e, F>>>> {
    let (num_classes, par) = (strips.num_classes(), strips.par());
    let profile = |center| exact.profile(center, num_classes);
    let mut censuses = map(frames, par, |_, frame| Ok(Census { frame, largest: Largest::new(k), profile: None }))?;
    strips.read(&mut censuses, |census, first, scores| census.add(first, scores, profile))?;
    let mut rows = map(censuses, par, |_, census| census.finish(profile))?;
    strips.read(&mut rows, Row::add)?;

    let mut again = map(rows.iter().map(Option::as_ref).collect(), par, |_, row| Ok(row.is_coarse()?.then(|| row.plain())))?;
    let mut again: Vec<_> = again.drain(..).map(Option::flatten).collect();
    if again.iter().any(Option::is_some) {
        strips.read(&mut again, Row::add)?;
        rows.iter_mut().zip(again).filter(|(_, again)| again.is_some()).for_each(|(row, again)| *row = again);
    }
    Ok(rows)
}

/// The first reading: the K + 1 largest scores, and how many others lie where below the last of them.
struct Census<'e, F> {
    frame: Frame<F>,
    largest: Largest<F>,
    profile: Option<Profile<'e, Normal, F>>,
}

impl<'e, F: BatchReal> Census<'e, F> {
    fn add(
        &mut self,
        first: usize,
        scores: &mut [F],
        new: impl Fn(F) -> topk_loss::Result<Profile<'e, Normal, F>>,
    ) -> topk_loss::Result<()> {
        self.frame.enter(first, scores)?;
        for (scores, start) in scores.chunks_mut(CHUNK).zip((first..).step_by(CHUNK)) {
            self.largest.take(start, scores);
            // What leaves the places that were not filled yet is no score.
            let empty = scores.iter().take_while(|&&score| score == F::neg_infinity()).count();
            if empty < scores.len() {
                let last = self.largest.last().value;
                let profile = match &mut self.profile {
                    Some(profile) => profile,
                    none => none.insert(new(last)?),
                };
                profile.raise(last)?;
                profile.add(&scores[empty..])?;
            }
        }
        Ok(())
    }

    fn finish(self, new: impl Fn(F) -> topk_loss::Result<Profile<'e, Normal, F>>) -> topk_loss::Result<Row<'e, F>> {
        let last = self.largest.last().value;
        let mut profile = self.profile.map_or_else(|| new(last), Ok)?;
        profile.raise(last)?;
        profile.add(&self.largest.values().collect::<Vec<_>>())?;
        Ok(Row::new(self.frame, profile.division()?))
    }
}

/// The second reading: a row's summary, in room that grows.
pub(super) struct Row<'e, F> {
    pub frame: Frame<F>,
    division: Division<'e, Normal, F>,
    sure: usize,
    bulk: usize,
    moments: Vec<F>,
    candidates: Vec<F>,
}

impl<'e, F: BatchReal> Row<'e, F> {
    fn new(frame: Frame<F>, division: Division<'e, Normal, F>) -> Self {
        let moments = division.summary(&mut []).part().moments.to_vec();
        Self { frame, division, sure: 0, bulk: 0, moments, candidates: Vec::new() }
    }

    /// The same row, not yet read, without a bulk.
    fn plain(&self) -> Self {
        Self::new(self.frame.clone(), self.division.plain())
    }

    fn add(&mut self, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        self.frame.enter(first, scores)?;
        for scores in scores.chunks(CHUNK) {
            let mut room = [F::zero(); CHUNK];
            let mut summary = self.division.summary(&mut room);
            summary.add(scores)?;
            let Part { sure, bulk, moments, candidates } = summary.part();
            self.sure += sure;
            self.bulk += bulk;
            self.moments.iter_mut().zip(moments).for_each(|(sum, &moment)| *sum += moment);
            self.candidates.extend_from_slice(candidates);
        }
        Ok(())
    }

    pub fn solve<'s>(&self, scratch: &'s mut Vec<F>) -> topk_loss::Result<sharded::Solution<'s, 'e, Normal, F>> {
        let mut room = vec![F::zero(); self.candidates.len()];
        let mut summary = self.division.summary(&mut room);
        summary.merge(Part { sure: self.sure, bulk: self.bulk, moments: &self.moments, candidates: &self.candidates })?;
        scratch.resize(summary.scratch_len(), F::zero());
        summary.solve(scratch)
    }

    fn is_coarse(&self) -> topk_loss::Result<bool> {
        Ok(!self.solve(&mut Vec::new())?.is_within_tolerance())
    }
}

/// A row that is solved.
pub(super) struct Solution<'s, 'e, F> {
    solution: sharded::Solution<'s, 'e, Normal, F>,
    /// The position of the next strip's first candidate.
    next: usize,
}

impl<'s, 'e, F: BatchReal> Solution<'s, 'e, F> {
    pub fn new(solution: sharded::Solution<'s, 'e, Normal, F>) -> Self {
        Self { solution, next: 0 }
    }

    pub fn value(&self) -> F {
        self.solution.value()
    }

    /// Puts the gradient of the order statistic in the place of a strip's scores, strip after strip.
    pub fn differentiate(&mut self, scores: &mut [F]) -> topk_loss::Result<()> {
        for entries in scores.chunks_mut(CHUNK) {
            let mut copy = [F::zero(); CHUNK];
            let copy = &mut copy[..entries.len()];
            copy.copy_from_slice(entries);
            entries.fill(F::zero());
            self.next = self.solution.add_grad(copy, self.next, F::one(), entries)?;
        }
        Ok(())
    }
}
