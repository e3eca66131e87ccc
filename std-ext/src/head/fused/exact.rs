//! The exact smoothing over strips: core's sharded form, two readings of the scores, and one for the gradient. Rows whose summary is not
//! accurate enough are read once more, with their classes one by one.

use pulp::{Simd, WithSimd};
use topk_loss::estimator::Exact;
use topk_loss::noise::Normal;
use topk_loss::oracle::KthLargest;
use topk_loss::sharded::{self, Histogram, Part, Partition};
use topk_loss::{Error, Margins, TopKHinge};

use super::HeadGrads;
use super::examples::{Examples, map};
use super::filter::Mass;
use super::frame::{Frame, largest_of};
use super::strips::Strips;
use super::top_k_hinge::hinge;
use super::top_n::TopN;
use crate::kernel::executor::Executor;
use crate::{BatchReal, Result, Threads};

/// Classes that are looked at at a time.
const CHUNK: usize = 128;

pub(super) fn objective<F: BatchReal>(
    loss: &TopKHinge<F, Margins<'_, F>>,
    epsilon: F,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
    grads: Option<HeadGrads<'_, F>>,
) -> Result<F> {
    let (num_classes, threads, k) = (strips.num_classes(), strips.threads(), loss.first_missed());
    let exact = examples.check(loss.exact(epsilon, num_classes))?;
    let executor = Executor::new(Threads::ONE);
    let margins = loss.margins();
    let is_zero = |frame: &Frame<F>, center: F| {
        let margin = margins.of(frame.label(), num_classes)?;
        Ok(loss.is_surely_zero(epsilon, frame.own() - center, margin, num_classes))
    };
    let rows = summarise(executor, &exact, k, strips, examples, is_zero)?;
    let mut shares = vec![vec![]; rows.len()];
    let rows = rows.iter().zip(&mut shares).map(|(row, shares)| Some((row.as_ref()?, shares)));
    let mut hinges = map(rows.collect(), threads, |example, (row, shares)| {
        let solution = row.solve(shares)?;
        if !solution.is_within_tolerance() {
            return Err(Error::Accuracy { what: "exact smoothing" });
        }
        let frame = row.frame.clone();
        let value = hinge(loss, frame.label(), num_classes, solution.value() - frame.own())?;
        Ok(Gradient { frame, solution, row, value, weights: (loss.scale(), examples.coefficient(example)) })
    })?;
    let objective = examples.objective(&hinges, |hinge| Ok(hinge.value))?;
    if let Some(grads) = grads {
        hinges.iter_mut().for_each(|hinge| *hinge = hinge.take().filter(|hinge| hinge.value > F::zero()));
        let filter = strips.filter(&hinges, |hinge| Some(hinge.mass()));
        strips.backward(&mut hinges, &filter, grads, |hinge, first, scores| hinge.put(executor, first, scores))?;
    }
    Ok(objective)
}

/// Reads the rows twice: a census, from which the partition follows, and the summary. Nothing remains of a row that the census shows to be zero.
fn summarise<F: BatchReal>(
    executor: Executor,
    exact: &Exact<KthLargest, Normal, F>,
    k: usize,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
    is_zero: impl Fn(&Frame<F>, F) -> topk_loss::Result<bool> + Sync,
) -> Result<Vec<Option<Row<F>>>> {
    let (num_classes, threads) = (strips.num_classes(), strips.threads());
    let histogram = |center| exact.histogram(center, num_classes);
    let mut censuses = examples.states(|_, label| Census { frame: Frame::new(label), largest: TopN::new(k), histogram: None });
    strips.read(&mut censuses, |census, first, scores| census.add(executor, first, scores, histogram))?;
    let rows = map(censuses, threads, |_, census| {
        Ok(if is_zero(&census.frame, census.largest.last().value)? { None } else { Some(census.finish(strips.count(), histogram)?) })
    })?;
    let mut rows: Vec<_> = rows.into_iter().map(Option::flatten).collect();
    strips.read(&mut rows, |row, first, scores| row.add(executor, first, scores))?;

    let again = map(rows.iter().map(Option::as_ref).collect(), threads, |_, row| {
        Ok((!row.solve(&mut vec![])?.is_within_tolerance()).then(|| row.plain()))
    })?;
    let mut again: Vec<_> = again.into_iter().map(Option::flatten).collect();
    if again.iter().any(Option::is_some) {
        strips.read(&mut again, |row, first, scores| row.add(executor, first, scores))?;
        rows.iter_mut().zip(again).filter(|(_, again)| again.is_some()).for_each(|(row, again)| *row = again);
    }
    Ok(rows)
}

/// The first reading: the K + 1 largest scores, and how many others lie where below the last of them.
struct Census<F> {
    frame: Frame<F>,
    largest: TopN<F>,
    histogram: Option<Histogram<Normal, F>>,
}

impl<F: BatchReal> Census<F> {
    fn add(
        &mut self,
        executor: Executor,
        first: usize,
        scores: &mut [F],
        new: impl Fn(F) -> topk_loss::Result<Histogram<Normal, F>>,
    ) -> topk_loss::Result<()> {
        self.frame.enter(first, scores)?;
        for (scores, start) in scores.chunks_mut(CHUNK).zip((first..).step_by(CHUNK)) {
            self.largest.take(start, scores);
        }
        // What leaves the places that were not filled yet is no score.
        let empty = scores.iter().take_while(|&&score| score == F::neg_infinity()).count();
        if empty < scores.len() {
            let last = self.largest.last().value;
            let histogram = match &mut self.histogram {
                Some(histogram) => histogram,
                none => none.insert(new(last)?),
            };
            histogram.raise(last)?;
            executor.dispatch(Count { histogram, scores: &scores[empty..] })?;
        }
        Ok(())
    }

    fn finish(self, num_strips: usize, new: impl Fn(F) -> topk_loss::Result<Histogram<Normal, F>>) -> topk_loss::Result<Row<F>> {
        let last = self.largest.last().value;
        let mut histogram = self.histogram.map_or_else(|| new(last), Ok)?;
        histogram.raise(last)?;
        histogram.add(&self.largest.values().collect::<Vec<_>>())?;
        Ok(Row::new(self.frame, histogram.partition(&mut vec![F::zero(); histogram.scratch_len()])?, num_strips))
    }
}

struct Count<'a, F> {
    histogram: &'a mut Histogram<Normal, F>,
    scores: &'a [F],
}

impl<F: BatchReal> WithSimd for Count<'_, F> {
    type Output = topk_loss::Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        self.histogram.add(self.scores)
    }
}

/// The second reading: a row's summary, in room that grows.
struct Row<F> {
    frame: Frame<F>,
    partition: Partition<Normal, F>,
    sure: usize,
    bulk: usize,
    moments: Vec<F>,
    candidates: Vec<F>,
    /// How many classes have been read, and in a strip that is not the last.
    classes: usize,
    height: usize,
    strips: Vec<Strip<F>>,
}

/// What the gradient of a strip needs to know before the strip is read again.
struct Strip<F> {
    largest: F,
    /// The position of its first candidate.
    candidate: usize,
}

impl<F: BatchReal> Row<F> {
    fn new(frame: Frame<F>, partition: Partition<Normal, F>, num_strips: usize) -> Self {
        let (moments, strips) = (vec![F::zero(); Part::<F>::NUM_MOMENTS], Vec::with_capacity(num_strips));
        Self { frame, partition, sure: 0, bulk: 0, moments, candidates: vec![], classes: 0, height: 1, strips }
    }

    /// The same row, not yet read, without a bulk.
    fn plain(&self) -> Self {
        Self::new(self.frame.clone(), self.partition.plain(), self.strips.len())
    }

    fn add(&mut self, executor: Executor, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        self.frame.enter(first, scores)?;
        self.classes += scores.len();
        self.height = self.height.max(scores.len());
        self.strips.push(Strip { largest: largest_of(scores), candidate: self.candidates.len() });
        executor.dispatch(Summarise { row: self, scores })
    }

    /// Many rows are kept solved, and a solution needs far less room than what it is found in.
    fn solve<'s>(&self, shares: &'s mut Vec<F>) -> topk_loss::Result<sharded::Solution<'s, Normal, F>> {
        let mut room = vec![F::zero(); self.partition.room_len(self.candidates.len())];
        let mut summary = self.partition.summary(&mut room)?;
        summary.merge(Part { sure: self.sure, bulk: self.bulk, moments: &self.moments, candidates: &self.candidates })?;
        shares.resize(self.candidates.len(), F::zero());
        summary.solve(&mut vec![F::zero(); summary.scratch_len()])?.in_room(shares)
    }
}

struct Summarise<'a, F> {
    row: &'a mut Row<F>,
    scores: &'a [F],
}

impl<F: BatchReal> WithSimd for Summarise<'_, F> {
    type Output = topk_loss::Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Row { partition, sure, bulk, moments, candidates, .. } = self.row;
        let mut room = vec![F::zero(); partition.room_len(self.scores.len())];
        let mut summary = partition.summary(&mut room)?;
        summary.add(self.scores)?;
        let part = summary.part();
        *sure += part.sure;
        *bulk += part.bulk;
        moments.iter_mut().zip(part.moments).for_each(|(sum, &moment)| *sum += moment);
        candidates.extend_from_slice(part.candidates);
        Ok(())
    }
}

/// The last reading.
struct Gradient<'s, F> {
    frame: Frame<F>,
    solution: sharded::Solution<'s, Normal, F>,
    row: &'s Row<F>,
    value: F,
    /// The loss's scale, and the example's coefficient.
    weights: (F, F),
}

impl<F: BatchReal> Gradient<'_, F> {
    /// Of the gradient: shares that sum to 1, from which the label's is taken.
    fn mass(&self) -> Mass<F> {
        let weight = self.weights.0 * self.weights.1.abs();
        let (label, Row { classes, height, strips, .. }) = (self.frame.label(), self.row);
        let of_strip = |(first, strip): (usize, &Strip<F>)| {
            let len = (classes - first).min(*height);
            let own = if (first..first + len).contains(&label) { F::one() } else { F::zero() };
            weight * (own + F::from_usize(len) * self.solution.share_at_most(strip.largest))
        };
        let others = weight * (F::one() - self.solution.share_at_most(self.frame.own()));
        Mass { total: others + others, of_strips: (0..).step_by(*height).zip(strips).map(of_strip).collect() }
    }

    /// Puts the gradient in the place of a strip's scores.
    fn put(&mut self, executor: Executor, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        self.frame.enter(first, scores)?;
        let next = self.row.strips.get(first / self.row.height).map_or(0, |strip| strip.candidate);
        executor.dispatch(Differentiate { solution: &self.solution, next, scores })?;
        if let Some(own) = self.frame.label().checked_sub(first).and_then(|place| scores.get_mut(place)) {
            *own -= F::one();
        }
        let (scale, coefficient) = self.weights;
        scores.iter_mut().for_each(|entry| *entry = *entry * scale * coefficient);
        Ok(())
    }
}

struct Differentiate<'a, 's, F> {
    solution: &'a sharded::Solution<'s, Normal, F>,
    next: usize,
    scores: &'a mut [F],
}

impl<F: BatchReal> WithSimd for Differentiate<'_, '_, F> {
    type Output = topk_loss::Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Self { solution, mut next, scores } = self;
        for entries in scores.chunks_mut(CHUNK) {
            let mut copy = [F::zero(); CHUNK];
            let copy = &mut copy[..entries.len()];
            copy.copy_from_slice(entries);
            entries.fill(F::zero());
            next = solution.add_grad(copy, next, F::one(), entries)?;
        }
        Ok(())
    }
}
