//! Which of the classes need individual care, and which are summed together.

mod places;

use super::bounds::{Bounds, Window};
use super::histogram::Histogram;
use super::nodes::POWERS;
use super::precision::{Precision, is_double, terms};
use super::problem::Problem;
use super::summary::Summary;
use crate::noise::{Side, reach};
use crate::{Noise, Real, Regularity};
pub(super) use places::Places;

/// Where the order statistics can be, and which classes that leaves to treat one by one.
///
/// By u = (s − center)/ε from above: classes that are sure to be above the window only shift the ranks; candidates are treated by
/// themselves; the bulk, far below, is summed by its moments; what is negligible cannot matter.
///
/// ```
/// use topk_loss::estimator::Exact;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// // A thousand scores, a hundredth apart, and noise of half a unit: of the 5th largest.
/// let scores: Vec<f64> = (0..1000).map(|class| -0.01 * f64::from(class)).collect();
/// let mut histogram = Exact::new(KthLargest::new(5)?, Normal, 0.5)?.histogram(scores[4], 1000)?;
/// histogram.add(&scores)?;
/// let partition = histogram.partition(&mut vec![0.0; histogram.scratch_len()])?;
/// let mut room = vec![0.0; partition.room_len(1000)];
/// let mut summary = partition.summary(&mut room)?;
/// summary.add(&scores)?;
/// // 78 classes are near the window, 333 below it are summed; the others are negligible.
/// let part = summary.part();
/// assert_eq!((part.sure, part.candidates.len(), part.bulk), (0, 78, 333));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// The [module](crate::sharded) has an example of all steps.
#[derive(Debug, Clone, Copy)]
pub struct Partition<N, F> {
    pub(super) problem: Problem<N, F>,
    pub(super) window: Window<F>,
    /// Classes above may be so likely to be above t that dividing them out of a count would not be stable.
    pub(super) likely_above: F,
    sure_above: F,
    bulk_below: F,
    negligible_below: F,
    has_bulk: bool,
    /// 2/(bulk_below − negligible_below).
    gain: F,
    /// The t that the weight of a class of the bulk is about, less `bulk_below`.
    target: F,
}

/// The survival probability below which a class may join the bulk: p/(1 − p) is then at most ⅓ (in a double ¼), and for nearly all of the
/// bulk far less, so that its powers converge fast.
#[inline(always)]
pub(super) fn bulk_probability<F: Real>() -> F {
    F::from_f64(if is_double::<F>() { 0.2 } else { 0.25 })
}

/// The same for order statistics: that probability is where their window begins, where they hardly ever are, and a single has few digits.
#[inline(always)]
fn bulk_probability_of_ranks<N: Noise<F>, F: Real>(Problem { law, run, num_classes, .. }: &Problem<N, F>) -> F {
    if is_double::<F>() || law.regularity() != Regularity::GaussianTail {
        return bulk_probability();
    }
    if run.last <= POWERS {
        // No power is left out.
        F::from_f64(0.5)
    } else if run.len() == 1 && run.last <= num_classes / 16 {
        F::from_f64(0.4)
    } else {
        bulk_probability()
    }
}

/// Fewer classes than this are cheaper one by one than as the points of a bulk.
pub(super) const FEW: usize = 20;

/// How far above the window's lower end a class of the bulk aims, as a share of its width and at most: a window of several ranks is
/// wider than the noise.
const LIFT: f64 = 0.3;
const MAX_LIFT: f64 = 2.0;

impl<N: Noise<F>, F: Real> Partition<N, F> {
    #[inline(always)]
    pub(super) fn new(histogram: &Histogram<N, F>, bounds: &mut Bounds<'_, F>, window: Window<F>, blur: F) -> Self {
        let problem = &histogram.problem;
        let sure_above = Self::sure_above(problem, bounds, window) + blur;
        let at_most = bulk_probability_of_ranks(problem);
        let partition = Self::with_bulk_probability(*problem, window, sure_above, (at_most, problem.precision.outside), |low, high| {
            histogram.between(low, high)
        });
        bounds.set_rank(problem.run.last);
        Self { likely_above: bounds.divisible(window.low), ..partition }
    }

    /// The partition of so few classes that finding a narrower window would take longer than a few nodes more: the one of which an order
    /// statistic can only be outside if one of the classes down to it falls below, or one of those from it down rises above.
    #[inline(always)]
    pub(super) fn of_few(problem: Problem<N, F>) -> Self {
        let Problem { law, run, num_classes, precision: Precision { outside, .. }, span: (low, high), .. } = problem;
        let (down_to, from) = (F::from_usize(run.last), F::from_usize(num_classes + 1 - run.first));
        let window =
            Window { low: low - reach(&law, Side::Lower, outside / down_to), high: high + reach(&law, Side::Upper, outside / from) };
        Self::alone(problem, window, window.high + reach(&law, Side::Lower, outside / down_to))
    }

    /// The partition that treats every class by itself.
    #[inline(always)]
    pub(super) fn alone(problem: Problem<N, F>, window: Window<F>, sure_above: F) -> Self {
        let none = F::neg_infinity();
        Self {
            problem,
            window,
            likely_above: window.low,
            sure_above,
            bulk_below: none,
            negligible_below: none,
            has_bulk: false,
            gain: F::zero(),
            target: F::zero(),
        }
    }

    /// The partition for a window so high that few classes reach it: those join the bulk whose survival probability is below
    /// `at_most`, and those are left out that are all together below `outside`. Leaving a class out of the count must not change it by more
    /// than it is.
    #[inline(always)]
    pub(super) fn with_bulk_probability(
        problem: Problem<N, F>,
        window: Window<F>,
        sure_above: F,
        (at_most, outside): (F, F),
        between: impl Fn(F, F) -> usize,
    ) -> Self {
        let Problem { law, num_classes, .. } = problem;
        let top = if at_most < bulk_probability() { reach(&law, Side::Upper, at_most) } else { law.quantile(F::one() - at_most) };
        let negligible = outside * F::from_f64(0.01);
        let none = F::neg_infinity();
        let (bulk_below, negligible_below) = match law.regularity() {
            Regularity::GaussianTail => (window.low - top, window.low - reach(&law, Side::Upper, negligible)),
            // Its coordinate exp(u − top) takes in everything down to −∞.
            Regularity::ExponentialTail => (window.low - top, none),
            Regularity::Smooth | Regularity::Kinked => (none, none),
        };
        let alone = window.low - reach(&law, Side::Upper, negligible / F::from_usize(num_classes));
        let has_bulk = terms::<F>(law.regularity()) > 0 && between(alone, bulk_below) > FEW;
        let (bulk_below, negligible_below) = if has_bulk { (bulk_below, negligible_below) } else { (none, alone) };
        let lift = ((window.high - window.low) * F::from_f64(LIFT)).min(F::from_f64(MAX_LIFT));
        Self {
            problem,
            window,
            likely_above: window.low,
            sure_above,
            bulk_below,
            negligible_below,
            has_bulk,
            gain: F::from_f64(2.0) / (bulk_below - negligible_below),
            target: window.low + lift - bulk_below,
        }
    }

    /// Where a class that is taken to be above every t changes all shares together by little enough.
    ///
    /// With c a t that T, the order statistic, is above with a small probability q: P(u + Z < T) is at most P(u + Z < c), plus q times
    /// P(u + Z < high), plus what lies outside the window. At most as many classes as there are ranks are above the window.
    #[inline(always)]
    pub(super) fn sure_above(problem: &Problem<N, F>, bounds: &mut Bounds<'_, F>, window: Window<F>) -> F {
        let Problem { law, run, precision, .. } = *problem;
        let per_class = precision.outside / F::from_usize(run.last);
        let q = precision.outside.sqrt();
        bounds.set_rank(run.first);
        let usual = bounds.above_with(run.first, q) + reach(&law, Side::Lower, per_class);
        usual.max(window.high + reach(&law, Side::Lower, per_class / q))
    }

    /// The same under another law, or the same by another type.
    pub(super) fn under<M>(self, law: M) -> Partition<M, F> {
        let Self { problem, window, likely_above, sure_above, bulk_below, negligible_below, has_bulk, gain, target } = self;
        Partition { problem: problem.under(law), window, likely_above, sure_above, bulk_below, negligible_below, has_bulk, gain, target }
    }

    /// The same window with every class that can matter treated by itself: the plain form.
    ///
    /// **Cost.** Some values of the law.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let scores: Vec<f64> = (0..1000).map(|class| -0.01 * f64::from(class)).collect();
    /// let mut histogram = Exact::new(KthLargest::new(5)?, Normal, 0.5)?.histogram(scores[4], 1000)?;
    /// histogram.add(&scores)?;
    /// let plain = histogram.partition(&mut vec![0.0; histogram.scratch_len()])?.plain();
    /// let mut room = vec![0.0; plain.room_len(1000)];
    /// let mut summary = plain.summary(&mut room)?;
    /// summary.add(&scores)?;
    /// assert_eq!((summary.part().candidates.len(), summary.part().bulk), (461, 0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn plain(self) -> Self {
        let Problem { law, num_classes, precision, .. } = self.problem;
        let per_class = precision.outside * F::from_f64(0.01) / F::from_usize(num_classes);
        Self {
            sure_above: self.window.high + reach(&law, Side::Lower, per_class),
            bulk_below: F::neg_infinity(),
            negligible_below: self.window.low - reach(&law, Side::Upper, per_class),
            has_bulk: false,
            ..self
        }
    }

    /// The room of a [`summary`](Self::summary) of so many classes. A summary that holds fewer candidates than it has classes may do with
    /// less.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// assert_eq!(partition.room_len(2), 402);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn room_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_add(Summary::<N, F>::ROOM_BESIDE)
    }

    /// An empty summary, with [`room`](Self::room_len) for at most one candidate a class, usually few.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// assert_eq!(partition.summary(&mut [0.0; 402])?.part().candidates.len(), 0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Less room than a summary without candidates takes.
    pub fn summary<'a>(self, room: &'a mut [F]) -> crate::Result<Summary<'a, N, F>> {
        Summary::new(self, room)
    }
}
