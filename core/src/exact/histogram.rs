//! A histogram of the scores: where the classes lie, coarsely.

use super::bounds::{Bounds, Window};
use super::partition::Partition;
use super::problem::Problem;
use crate::noise::{Side, reach};
use crate::{Error, Noise, Real, Result, check};

/// Bins of the histogram, at most.
pub(super) const MOST_BINS: usize = 128;

/// The bins that pay for a row whose deciding scores lie within `span` units: fewer make the window of a short one sooner found and
/// hardly wider.
fn bins<F: Real>(num_classes: usize, span: F) -> usize {
    if num_classes < 256 && span < F::from_f64(16.0) { MOST_BINS / 2 } else { MOST_BINS }
}

/// Counts a class of a bin.
#[inline(always)]
fn count(table: &mut [u32; MOST_BINS], bin: u8) {
    if let Some(count) = table.get_mut(usize::from(bin) % MOST_BINS) {
        *count += 1;
    }
}

/// The lowest t that can matter, or the lowest class that can be above it, and how far above that the highest t is.
#[inline(always)]
pub(super) fn range<N: Noise<F>, F: Real>(problem: &Problem<N, F>, has_classes: bool) -> (F, F) {
    let negligible = problem.precision.outside / F::from_usize(problem.num_classes);
    let (below, above) = (reach(&problem.law, Side::Lower, negligible), reach(&problem.law, Side::Upper, negligible));
    let (low, high) = problem.span;
    let below = if has_classes { below + above } else { below };
    (low - below, below + above + (high - low))
}

/// How many classes of a set lie in each of 64 or 128 equal intervals around the scores that decide: the second round of a computation over
/// [shards](crate::sharded).
///
/// **Shapes.** One count an interval: 64 for fewer than 256 classes, else 128. What lies outside counts in the first or the last.
///
/// ```
/// use topk_loss::estimator::Exact;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
/// histogram.add(&[3.0, 3.0])?;
/// assert_eq!((histogram.counts().len(), histogram.counts().iter().sum::<u32>()), (64, 2));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// The [module](crate::sharded) has an example of all steps.
#[derive(Debug, Clone, Copy)]
pub struct Histogram<N, F> {
    pub(super) problem: Problem<N, F>,
    pub(super) lowest: F,
    pub(super) width: F,
    bins: usize,
    counts: [u32; MOST_BINS],
}

impl<N: Noise<F>, F: Real> Histogram<N, F> {
    #[inline(always)]
    pub(crate) fn new(problem: Problem<N, F>) -> Self {
        let (low, high) = problem.span;
        let bins = bins(problem.num_classes, high - low);
        let (lowest, width) = range(&problem, true);
        Self { problem, lowest, width: width / F::from_usize(bins), bins, counts: [0; MOST_BINS] }
    }

    /// Counts classes at a position.
    pub(super) fn add_at(&mut self, position: F, count: usize) {
        let bin = ((position - self.lowest) / self.width).max(F::zero()).to_usize().unwrap_or(0);
        if let Some(counted) = self.counts.get_mut(bin.min(self.bins - 1)) {
            *counted = counted.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    /// Counts the classes of a slice of scores.
    ///
    /// **Ties and NaN.** NaN is an error.
    ///
    /// **Cost.** Two passes.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 3)?;
    /// histogram.add(&[3.0, 2.0])?;
    /// histogram.add(&[1.0])?;
    /// assert_eq!(histogram.counts().iter().sum::<u32>(), 3);
    /// assert!(histogram.add(&[f64::NAN]).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A NaN or infinite score.
    #[inline(always)]
    pub fn add(&mut self, scores: &[F]) -> Result<()> {
        check::finite("scores", scores)?;
        self.add_finite(scores);
        Ok(())
    }

    /// Counts scores that are known to be finite.
    #[inline(always)]
    pub(crate) fn add_finite(&mut self, scores: &[F]) {
        const BLOCK: usize = 64;
        // Neighbouring classes count in different tables, or each increment would wait for the one before.
        let (mut even, mut odd) = ([0_u32; MOST_BINS], [0_u32; MOST_BINS]);
        let (units, lowest, per_width) = (self.problem.units(), self.lowest, self.width.recip());
        let (last, half) = (F::from_usize(self.bins - 1), F::from_f64(0.5));
        for block in scores.chunks(BLOCK) {
            let mut bins = [0_u8; BLOCK];
            for (bin, &score) in bins.iter_mut().zip(block) {
                let place = (units.of(score) - lowest) * per_width - half;
                let place = if place > F::zero() { place } else { F::zero() };
                *bin = (if place < last { place } else { last }).nearest_byte();
            }
            let bins = bins.get(..block.len()).unwrap_or_default();
            let (pairs, rest) = bins.as_chunks::<2>();
            for &[a, b] in pairs {
                count(&mut even, a);
                count(&mut odd, b);
            }
            rest.iter().for_each(|&bin| count(&mut even, bin));
        }
        for ((total, even), odd) in self.counts.iter_mut().zip(&even).zip(&odd) {
            *total += even + odd;
        }
    }

    /// Moves the center up by whole bins, to less than one below `center`: where the deepest wanted score is known only when every class
    /// has been seen, the largest of those seen so far is a center that rises.
    ///
    /// Until the last rise, count only classes that are not above the center of the moment.
    ///
    /// **Cost.** One pass over the counts.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(1.0, 2)?;
    /// histogram.add(&[1.0])?;
    /// let (before, mut after) = (histogram, histogram);
    /// after.raise(3.0)?;
    /// // The class is now two below the center: so many intervals further down.
    /// let interval = |of: &topk_loss::sharded::Histogram<Normal, f64>| of.counts().iter().position(|&count| count == 1);
    /// assert_eq!((interval(&before), interval(&after)), (Some(42), Some(30)));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A center that is not finite.
    pub fn raise(&mut self, center: F) -> Result<()> {
        check::finite("center", &[center])?;
        let bins = ((center - self.problem.center) / self.problem.scale / self.width).floor().max(F::zero());
        let shift = bins.min(F::from_usize(self.bins)).to_usize().unwrap_or(0);
        if shift == self.bins {
            self.problem.center = center;
        } else {
            self.problem.center += bins * self.width * self.problem.scale;
        }
        self.problem.span.1 = (center - self.problem.center) / self.problem.scale;
        let counts = self.counts.get_mut(..self.bins).unwrap_or_default();
        counts.rotate_left(shift);
        let below: u32 = counts.iter_mut().rev().take(shift).map(core::mem::take).sum();
        let [lowest, ..] = &mut self.counts;
        *lowest += below;
        Ok(())
    }

    /// The counts, to be carried to another device.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// // Two equal scores are in one interval.
    /// assert_eq!(histogram.counts().iter().max(), Some(&2));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        self.counts.get(..self.bins).unwrap_or_default()
    }

    /// Adds the counts of another set of classes of the same row.
    ///
    /// **Cost.** One pass over the counts.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let exact = Exact::new(KthLargest::new(1)?, Normal, 0.5)?;
    /// let (mut here, mut there) = (exact.histogram(3.0, 3)?, exact.histogram(3.0, 3)?);
    /// here.add(&[3.0, 2.0])?;
    /// there.add(&[1.0])?;
    /// here.merge(there.counts())?;
    /// assert_eq!(here.counts().iter().sum::<u32>(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of counts.
    pub fn merge(&mut self, counts: &[u32]) -> Result<()> {
        check::length("counts", counts, self.bins)?;
        self.counts.iter_mut().zip(counts).for_each(|(a, b)| *a += b);
        Ok(())
    }

    /// The numbers that [`partition`](Self::partition) needs as scratch.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0_f64, 2)?;
    /// assert_eq!(histogram.scratch_len(), 480);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        Bounds::<F>::len(self.bins)
    }

    /// The partition of all classes, once those of every shard are counted. Scratch as [`scratch_len`](Self::scratch_len) says.
    ///
    /// **Cost.** However many classes are counted, the law at every difference of two edges and passes over the counts. For at most 32 classes
    /// only some values of the law.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::Error;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0])?;
    /// // One class of two is not counted yet.
    /// let missing = histogram.partition(&mut [0.0; 480]).unwrap_err();
    /// assert_eq!(missing, Error::Length { what: "histogram", expected: 2, actual: 1 });
    /// histogram.add(&[3.0])?;
    /// assert_eq!(histogram.partition(&mut [0.0; 480])?.room_len(2), 402);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Counts that are not those of all classes; scratch too short.
    #[inline(always)]
    pub fn partition(&self, scratch: &mut [F]) -> Result<Partition<N, F>> {
        self.blurred_partition(F::zero(), scratch)
    }

    /// The same where classes are up to `blur` units above where they were counted.
    #[inline(always)]
    pub(super) fn blurred_partition(&self, blur: F, scratch: &mut [F]) -> Result<Partition<N, F>> {
        let counted = self.total();
        if counted != self.problem.num_classes {
            return Err(Error::Length { what: "histogram", expected: self.problem.num_classes, actual: counted });
        }
        let scratch = check::scratch(scratch, self.scratch_len())?;
        if self.problem.is_small() {
            return Ok(Partition::of_few(self.problem));
        }
        let mut bounds = Bounds::new(self, scratch)?;
        let Window { low, high } = bounds.window(self.problem.run, self.problem.precision.outside);
        Ok(Partition::new(self, &mut bounds, Window { low, high: high + blur }, blur))
    }

    /// The lower edge of bin m.
    #[inline(always)]
    pub(super) fn edge(&self, m: usize) -> F {
        self.lowest + F::from_usize(m) * self.width
    }

    /// How many classes are in bins that lie between two positions, at most.
    #[inline(always)]
    pub(super) fn between(&self, low: F, high: F) -> usize {
        let bins = self.counts().iter().enumerate().map(|(b, &count)| (self.edge(b), self.edge(b + 1), count as usize));
        // The lowest bin takes in what is below it.
        let touching = bins.enumerate().filter(|&(b, (lower, upper, _))| lower < high && (upper > low || b == 0));
        touching.fold(0, |sum, (_, (.., count))| sum + count)
    }

    fn total(&self) -> usize {
        self.counts.iter().fold(0, |sum, &count| sum + count as usize)
    }
}
