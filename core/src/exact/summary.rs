//! The summary of a set of classes: all that the exact form needs to know of it.

mod pass;

use super::chebyshev::{ROOM, Terms};
use super::mean::Mean;
use super::partition::Partition;
use super::precision::MAX_TERMS;
use super::solution::{self, Form, Solution};
use crate::lanes::{LANES, Lanes};
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
