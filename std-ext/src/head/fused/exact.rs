//! The exact smoothing over strips, by core's mergeable summaries.

use faer::Par;
use topk_loss::sharded::{Division, Part, Profile, Solution};
use topk_loss::{Error, Exact, KthLargest, Normal, TopKHinge};

use super::HeadGrads;
use super::examples::{Examples, map};
use super::frame::Frame;
use super::largest::Largest;
use super::strips::Strips;
use super::top_k_hinge::hinge;
use crate::{BatchReal, Result};

/// Classes that are handed to core at a time.
const CHUNK: usize = 128;

/// Three readings of the scores: a census, from which the division follows; the summary; the gradient. Rows whose summary is not accurate
/// enough are read once more, with their classes one by one.
pub(super) fn objective<F: BatchReal>(
    loss: &TopKHinge<'_, F>,
    epsilon: F,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
    grads: Option<HeadGrads<'_, F>>,
) -> Result<F> {
    let (num_classes, par) = (strips.num_classes(), strips.par());
    let rank = loss.k() + 1;
    let estimator = KthLargest::new(rank).and_then(|oracle| Exact::new(oracle, Normal, epsilon));
    let exact = examples.check(estimator)?;
    let profile = |center| exact.profile(center, num_classes);

    let mut censuses = examples.states(|_, label| Census { frame: Frame::new(label), largest: Largest::new(rank), profile: None });
    strips.read(&mut censuses, |census, first, scores| census.add(first, scores, profile))?;
    let mut rows = map(censuses, par, |_, census| census.finish(profile))?;

    strips.read(&mut rows, Row::add)?;
    let mut scratches = vec![Vec::new(); rows.len()];
    let mut solutions = solve(&rows, &mut scratches, par)?;
    if solutions.iter().flatten().any(|solution| !solution.is_within_tolerance()) {
        let pairs = rows.iter().zip(&solutions).map(|(row, solution)| row.as_ref().zip(solution.as_ref()));
        let coarse = pairs.map(|pair| pair.filter(|(_, solution)| !solution.is_within_tolerance()));
        let mut again: Vec<_> = coarse.map(|pair| pair.map(|(row, _)| row.plain())).collect();
        drop(solutions);
        strips.read(&mut again, Row::add)?;
        rows.iter_mut().zip(again).filter(|(_, again)| again.is_some()).for_each(|(row, again)| *row = again);
        solutions = solve(&rows, &mut scratches, par)?;
    }

    let solved = rows.into_iter().zip(solutions).map(|(row, solution)| row.zip(solution));
    let mut hinges = map(solved.collect(), par, |example, (row, solution)| {
        if !solution.is_within_tolerance() {
            return Err(Error::Accuracy { what: "exact smoothing" });
        }
        let value = hinge(loss, row.frame.label(), num_classes, solution.value() - row.frame.own())?;
        let weights = (loss.scale(), examples.coefficient(example));
        Ok(Gradient { frame: row.frame, solution, value, weights, next: 0 })
    })?;
    let objective = examples.objective(&hinges, |hinge| Ok(hinge.value))?;
    if let Some(grads) = grads {
        strips.backward(&mut hinges, grads, Gradient::put)?;
    }
    Ok(objective)
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
            let last = self.largest.last().value;
            if scores.iter().fold(false, |any, &score| any | (score > last)) {
                scores.iter_mut().zip(start..).for_each(|(score, class)| *score = self.largest.offer(class, *score));
            }
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
struct Row<'e, F> {
    frame: Frame<F>,
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

    fn solve<'s>(&self, scratch: &'s mut Vec<F>) -> topk_loss::Result<Solution<'s, 'e, Normal, F>> {
        let mut room = vec![F::zero(); self.candidates.len()];
        let mut summary = self.division.summary(&mut room);
        summary.merge(Part { sure: self.sure, bulk: self.bulk, moments: &self.moments, candidates: &self.candidates })?;
        scratch.resize(summary.scratch_len(), F::zero());
        summary.solve(scratch)
    }
}

fn solve<'s, 'e, F: BatchReal>(
    rows: &[Option<Row<'e, F>>],
    scratches: &'s mut [Vec<F>],
    par: Par,
) -> Result<Vec<Option<Solution<'s, 'e, Normal, F>>>> {
    let pairs = rows.iter().zip(scratches).map(|(row, scratch)| Some((row.as_ref()?, scratch)));
    map(pairs.collect(), par, |_, (row, scratch)| row.solve(scratch))
}

/// The third reading.
struct Gradient<'s, 'e, F> {
    frame: Frame<F>,
    solution: Solution<'s, 'e, Normal, F>,
    value: F,
    /// The loss's scale, and the example's coefficient.
    weights: (F, F),
    /// The position of the next strip's first candidate.
    next: usize,
}

impl<F: BatchReal> Gradient<'_, '_, F> {
    /// Puts the gradient in the place of the scores.
    fn put(&mut self, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        if self.value <= F::zero() {
            scores.fill(F::zero());
            return Ok(());
        }
        self.frame.enter(first, scores)?;
        let (scale, coefficient) = self.weights;
        for entries in scores.chunks_mut(CHUNK) {
            let mut copy = [F::zero(); CHUNK];
            let copy = &mut copy[..entries.len()];
            copy.copy_from_slice(entries);
            entries.fill(F::zero());
            self.next = self.solution.add_grad(copy, self.next, scale, entries)?;
        }
        if let Some(own) = self.frame.label().checked_sub(first).and_then(|place| scores.get_mut(place)) {
            *own -= scale;
        }
        scores.iter_mut().for_each(|entry| *entry *= coefficient);
        Ok(())
    }
}
