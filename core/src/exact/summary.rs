//! The summary of a set of classes: all that the exact form needs to know of it.

use super::chebyshev::{ROOM, Terms, add_moments};
use super::mean::Mean;
use super::partition::{Partition, Places};
use super::precision::{MAX_TERMS, terms};
use super::solution::{self, Form, Solution};
use crate::lanes::{LANES, Lanes, sum};
use crate::{Error, Noise, Real, Result, check};

/// The candidates of a set of classes and the Chebyshev moments of the classes far below: the third round of a computation over
/// [shards](crate::sharded).
///
/// ```
/// use topk_loss::estimator::Exact;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
/// histogram.add(&[3.0, 3.0])?;
/// let partition = histogram.partition(&mut [0.0; 480])?;
/// let mut room = [0.0; 402];
/// let mut summary = partition.summary(&mut room)?;
/// summary.add(&[3.0, 3.0])?;
/// // Two classes at the center.
/// assert_eq!(summary.part().candidates, [0.0, 0.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// The [module](crate::sharded) has an example of all steps.
#[derive(Debug)]
pub struct Summary<'a, N, F> {
    pub(super) partition: Partition<N, F>,
    sure: usize,
    bulk: usize,
    moments: Terms<F>,
    /// What rounding took from the moments so far (Kahan).
    lost: Terms<F>,
    /// The moments of some classes, lane by lane.
    lanes: &'a mut [Lanes<F>],
    candidates: &'a mut [F],
    len: usize,
}

/// A summary's contents, to be carried to another device.
///
/// ```
/// use topk_loss::estimator::Exact;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sharded::Part;
/// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
/// histogram.add(&[3.0, 3.0])?;
/// let partition = histogram.partition(&mut [0.0; 480])?;
/// let mut room = [0.0; 402];
/// let mut summary = partition.summary(&mut room)?;
/// summary.add(&[3.0, 3.0])?;
/// let moments = &[0.0; Part::<f64>::NUM_MOMENTS];
/// assert_eq!(summary.part(), Part { sure: 0, bulk: 0, moments, candidates: &[0.0, 0.0] });
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part<'a, F> {
    /// Classes above the window for certain.
    pub sure: usize,
    /// Classes that the moments stand for.
    pub bulk: usize,
    /// Σ w·T_d(x) over those classes, degree by degree.
    pub moments: &'a [F],
    /// (s − center)/ε of the classes that need individual care.
    pub candidates: &'a [F],
}

/// Classes that are placed together: a few arrays of so many numbers.
const BLOCK: usize = 4 * LANES;

/// Classes whose moments are added among themselves first: short sums round less. The sums of runs are added with compensation.
const RUN: usize = 8 * BLOCK;

/// Some classes of a block: u, and 2x, weight·x and weight, weight 0 for whatever is not of the bulk.
struct Block<F> {
    units: [F; BLOCK],
    twice_x: [F; BLOCK],
    before: [F; BLOCK],
    now: [F; BLOCK],
}

impl<F> Part<'_, F> {
    /// How many moments there are.
    pub const NUM_MOMENTS: usize = ROOM;
}

impl<'a, N: Noise<F>, F: Real> Summary<'a, N, F> {
    /// The room it takes beside its candidates.
    pub(super) const ROOM_BESIDE: usize = MAX_TERMS * LANES;

    #[inline(always)]
    pub(crate) fn new(partition: Partition<N, F>, room: &'a mut [F]) -> Result<Self> {
        let (lanes, candidates) = check::split(room, partition.terms() * LANES)?;
        let lanes = lanes.as_chunks_mut::<LANES>().0;
        Ok(Self { partition, sure: 0, bulk: 0, moments: [F::zero(); ROOM], lost: [F::zero(); ROOM], lanes, candidates, len: 0 })
    }

    /// Adds the classes of a slice of scores.
    ///
    /// **Ties and NaN.** NaN is an error.
    ///
    /// **Cost.** A pass to check, and one of as many multiply-adds for each class of the bulk as there are moments.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 2.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// let mut room = [0.0; 402];
    /// let mut summary = partition.summary(&mut room)?;
    /// summary.add(&[3.0])?;
    /// summary.add(&[2.0])?;
    /// // In units of ε from the center.
    /// assert_eq!(summary.part().candidates, [0.0, -2.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A NaN or infinite score; no room left for candidates, after which the summary is incomplete.
    #[inline(always)]
    pub fn add(&mut self, scores: &[F]) -> Result<()> {
        check::finite("scores", scores)?;
        self.add_finite([scores, &[]])
    }

    /// Adds scores that are known to be finite: those of a piece of a row, around the label if that is in it.
    #[inline(always)]
    pub(crate) fn add_finite(&mut self, piece: [&[F]; 2]) -> Result<()> {
        if self.partition.terms() == 0 {
            return self.add_candidates(piece);
        }
        match terms::<F>(self.partition.problem.law.regularity()) {
            8 => self.add_runs::<8>(piece),
            13 => self.add_runs::<13>(piece),
            16 => self.add_runs::<16>(piece),
            _ => self.add_runs::<MAX_TERMS>(piece),
        }
    }

    #[inline(always)]
    fn add_runs<const TERMS: usize>(&mut self, piece: [&[F]; 2]) -> Result<()> {
        let (mut moments, mut lost) = ([F::zero(); ROOM], [F::zero(); ROOM]);
        let (places, zeros) = (self.partition.places(), [F::zero(); BLOCK]);
        let mut block = Block { units: zeros, twice_x: zeros, before: zeros, now: zeros };
        for scores in piece {
            for run in scores.chunks(RUN) {
                let in_bulk = self.bulk;
                self.lanes.fill([F::zero(); LANES]);
                for scores in run.chunks(BLOCK) {
                    self.add_block::<TERMS>(&places, scores, &mut block)?;
                }
                if self.bulk > in_bulk {
                    let mut sums = [F::zero(); ROOM];
                    sums.iter_mut().zip(&*self.lanes).for_each(|(total, lanes)| *total = sum(lanes));
                    add_sums(&mut moments, &mut lost, &sums);
                }
            }
        }
        add_sums(&mut self.moments, &mut self.lost, &moments);
        Ok(())
    }

    #[inline(always)]
    fn add_block<const TERMS: usize>(&mut self, places: &Places<F>, scores: &[F], block: &mut Block<F>) -> Result<()> {
        if scores.len() < BLOCK {
            // What the block before left behind its last class.
            (block.before, block.now) = ([F::zero(); BLOCK], [F::zero(); BLOCK]);
        }
        let (mut in_bulk, mut above) = (0_u32, 0_u32);
        let room = block.units.iter_mut().zip(&mut block.twice_x).zip(&mut block.before).zip(&mut block.now);
        for (&score, (((unit, twice_x), before), now)) in scores.iter().zip(room) {
            let u = places.unit(score);
            *unit = u;
            let (x, weight) = places.bulk(u);
            above += u32::from(places.is_above(u));
            in_bulk += u32::from(weight > F::zero());
            (*twice_x, *before, *now) = (x + x, x * weight, weight);
        }
        if above > 0 {
            self.pick(places, block.units.get(..scores.len()).unwrap_or_default())?;
        }
        if in_bulk > 0 {
            self.bulk += in_bulk as usize;
            if let Some(moments) = self.lanes.first_chunk_mut::<TERMS>() {
                let [twice_x, before, now] = [&block.twice_x, &block.before, &block.now].map(|array| array.as_chunks::<LANES>().0);
                for ((twice_x, before), now) in twice_x.iter().zip(before).zip(now).take(scores.len().div_ceil(LANES)) {
                    add_moments(twice_x, before, now, moments);
                }
            }
        }
        Ok(())
    }

    /// The same where there is no bulk.
    #[inline(always)]
    pub(super) fn add_candidates(&mut self, piece: [&[F]; 2]) -> Result<()> {
        let (places, mut units) = (self.partition.places(), [F::zero(); BLOCK]);
        for scores in piece.into_iter().flat_map(|scores| scores.chunks(BLOCK)) {
            let mut above = 0_u32;
            for (unit, &score) in units.iter_mut().zip(scores) {
                *unit = places.unit(score);
                above += u32::from(places.is_above(*unit));
            }
            if above > 0 {
                self.pick(&places, units.get(..scores.len()).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// Lists those above the bulk. Among lanes that hold one no branch depends on where it is: each is written, and the next one over it
    /// unless it is a candidate.
    #[inline(always)]
    fn pick(&mut self, places: &Places<F>, units: &[F]) -> Result<()> {
        let (mut len, mut sure) = (self.len, 0);
        for &u in units.chunks(LANES).filter(|units| places.is_any_above(units)).flatten() {
            if let Some(place) = self.candidates.get_mut(len) {
                *place = u;
            }
            let is_sure = places.is_sure(u);
            sure += usize::from(is_sure);
            len += usize::from(places.is_above(u) & !is_sure);
        }
        let actual = self.candidates.len();
        if len > actual {
            return Err(Error::Length { what: "candidates", expected: len, actual });
        }
        (self.len, self.sure) = (len, self.sure + sure);
        Ok(())
    }

    /// What it holds.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// let mut room = [0.0; 402];
    /// let mut summary = partition.summary(&mut room)?;
    /// summary.add(&[3.0, 3.0])?;
    /// assert_eq!((summary.part().sure, summary.part().candidates), (0, &[0.0, 0.0][..]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn part(&self) -> Part<'_, F> {
        let candidates = self.candidates.get(..self.len).unwrap_or_default();
        Part { sure: self.sure, bulk: self.bulk, moments: &self.moments, candidates }
    }

    /// Adds the classes of another summary of the same partition and returns the position from which its candidates now stand.
    ///
    /// **Cost.** One pass over the moments and the candidates of the other.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// let (mut room, mut other) = ([0.0; 402], [0.0; 402]);
    /// let (mut here, mut there) = (partition.summary(&mut room)?, partition.summary(&mut other)?);
    /// here.add(&[3.0])?;
    /// there.add(&[3.0])?;
    /// assert_eq!(here.merge(there.part())?, 1);
    /// assert_eq!(here.part().candidates, [0.0, 0.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Moments of another number, or no room for the candidates; the summary is then as before.
    pub fn merge(&mut self, part: Part<'_, F>) -> Result<usize> {
        check::length("moments", part.moments, ROOM)?;
        let (start, actual) = (self.len, self.candidates.len());
        let total = start + part.candidates.len();
        let room = self.candidates.get_mut(start..total).ok_or(Error::Length { what: "candidates", expected: total, actual })?;
        room.iter_mut().zip(part.candidates).for_each(|(room, &u)| *room = u);
        self.len = total;
        self.sure += part.sure;
        self.bulk += part.bulk;
        add_sums(&mut self.moments, &mut self.lost, part.moments);
        Ok(start)
    }

    /// The scratch that [`solve`](Self::solve) needs with the candidates it has now.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// let mut room = [0.0; 402];
    /// let mut summary = partition.summary(&mut room)?;
    /// summary.add(&[3.0, 3.0])?;
    /// assert_eq!(summary.scratch_len(), 314);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        solution::fast_scratch_len(self.len, self.partition.problem.run.last, self.partition.terms())
    }

    /// The value, and what every class's gradient follows from.
    ///
    /// **Ties.** They need no rule.
    ///
    /// **Cost.** It grows with the nodes, the candidates and the last rank, not with how many classes the moments stand for.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// let mut room = [0.0; 402];
    /// let mut summary = partition.summary(&mut room)?;
    /// summary.add(&[3.0, 3.0])?;
    /// let mut scratch = [0.0; 1000];
    /// let solution = summary.solve(&mut scratch)?;
    /// // The larger of two tied scores is ε/√π above them.
    /// assert!((solution.value() - 3.0 - 0.5 / core::f64::consts::PI.sqrt()).abs() < 1e-9);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Scratch too short; a noise law that returns NaN; a value beyond the float's range.
    #[inline(always)]
    pub fn solve<'s>(&self, scratch: &'s mut [F]) -> Result<Solution<'s, N, F>> {
        let solution = self.partition.solve(self.part(), scratch)?;
        check::in_range("smoothed value", solution.value())?;
        Ok(solution)
    }
}

impl<N: Noise<F>, F: Real> Partition<N, F> {
    /// What the summary of all classes comes to.
    #[inline(always)]
    pub(crate) fn solve<'s>(&self, all: Part<'_, F>, scratch: &'s mut [F]) -> Result<Solution<'s, N, F>> {
        Solution::new(&Mean::new(self, all.candidates.len()), self, all, Form::Fast, scratch)
    }
}

#[inline(always)]
fn add_sums<F: Real>(moments: &mut Terms<F>, lost: &mut Terms<F>, sums: &[F]) {
    for ((moment, lost), &part) in moments.iter_mut().zip(lost).zip(sums) {
        let corrected = part - *lost;
        let next = *moment + corrected;
        (*moment, *lost) = (next, (next - *moment) - corrected);
    }
}
