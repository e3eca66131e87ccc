//! The solution: values and gradients as integrals over t.

mod gradient;

use super::bounds::Window;
use super::chebyshev::{ROOM, Terms};
use super::classes::{Bulk, Classes};
use super::nodes::{self, FastNodes};
use super::partition::Partition;
use super::plain::{self, PlainNodes};
use super::rule::{Integral, Integrand, Shares, integrate};
use super::summary::Part;
use crate::noise::Erased;
use crate::{Noise, Real, Result, check};

/// The smoothed order statistic of all classes, and what each class's gradient follows from.
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
/// let mut grad = [0.0_f64; 2];
/// solution.add_grad(&[3.0, 3.0], 0, 1.0, &mut grad)?;
/// assert!((solution.value() - 3.2820947917738784).abs() < 1e-9 && (grad[0] - 0.5).abs() < 1e-9 && grad[0] == grad[1]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// The [module](crate::sharded) has an example of all steps.
#[derive(Debug)]
pub struct Solution<'s, N, F> {
    partition: Partition<N, F>,
    value: F,
    error_bound: F,
    /// The candidates' gradient, in their order.
    candidates: &'s [F],
    /// The gradient over the weight, as a polynomial of the bulk's coordinate.
    coefficients: Terms<F>,
}

/// By which nodes it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Fast,
    Plain,
}

/// What the integrals over the classes' shares are for: the mean of an order statistic, the chance of a label.
pub(crate) trait Functional<F>: Integrand<F> {
    /// Whether what is sought may be the probability of a rare event, to as many digits as any.
    const IS_RARE: bool;
    /// The same functional, whatever the law.
    type Erased<'a>: Functional<F>
    where
        F: 'a;
    /// It, under the law that it is already of.
    fn erased(self, law: Erased<'_, F>) -> Self::Erased<'_>;
    /// The least probability of a class to be above or below t that may matter.
    fn floor(&self) -> F;
    /// What the integral comes to.
    fn contribution(&self, integral: &Integral<F>) -> Result<Contribution<F>>;
}

/// What an integral comes to.
pub(crate) struct Contribution<F> {
    pub value: F,
    /// What the sum over the nodes of a class's shares counts in its gradient.
    pub gain: F,
    /// On the L1 error of the gradient.
    pub error_bound: F,
}

/// The scratch of a solution by fast nodes with so many candidates.
pub(super) const fn fast_scratch_len(candidates: usize, last_rank: usize, terms: usize) -> usize {
    let shares = nodes::places(candidates).saturating_mul(2).saturating_add(candidates);
    nodes::scratch_len(candidates, last_rank, terms).saturating_add(shares)
}

/// The scratch of one by plain nodes.
pub(super) const fn plain_scratch_len(candidates: usize, last_rank: usize) -> usize {
    plain::scratch_len(candidates, last_rank).saturating_add(candidates.saturating_mul(2))
}

/// What rounding does to a sum over the classes: every trial rounds once, and tied ones alike; a tenth of a unit each was seen.
#[inline(always)]
pub(super) fn rounding<F: Real>(candidates: usize) -> F {
    (F::from_f64(32.0) + F::from_f64(0.25) * F::from_usize(candidates)) * F::epsilon()
}

/// The integral by fast nodes and the sums of the points' shares; the candidates' go to `candidates`.
#[inline(always)]
fn integrate_fast<const RARE: bool, N: Noise<F>, F: Real>(
    functional: &impl Functional<F>,
    window: Window<F>,
    classes: &Classes<'_, N, F>,
    quadrature: F,
    candidates: &mut [F],
    scratch: &mut [F],
) -> Result<(Integral<F>, Terms<F>)> {
    let (coarse, rest) = check::split(scratch, nodes::places(candidates.len()))?;
    let (finer, rest) = check::split(rest, coarse.len())?;
    let mut nodes = FastNodes::<F, RARE>::new(classes, functional.floor(), rest)?;
    let (coarse, finer) = (coarse.get_mut(..nodes.places()).unwrap_or_default(), finer.get_mut(..nodes.places()).unwrap_or_default());
    let mut shares = Shares { coarse, finer, coarse_points: [F::zero(); ROOM], finer_points: [F::zero(); ROOM] };
    let integral = integrate(functional, &mut nodes, window, classes, quadrature, &mut shares);
    nodes.in_order(classes, shares.coarse, candidates);
    Ok((integral, shares.coarse_points))
}

impl<'s, N: Noise<F>, F: Real> Solution<'s, N, F> {
    #[inline(always)]
    pub(crate) fn new<S: Functional<F>>(
        functional: &S,
        partition: &Partition<N, F>,
        part: Part<'_, F>,
        form: Form,
        scratch: &'s mut [F],
    ) -> Result<Self> {
        let (window, run) = (partition.window, partition.problem.run);
        let quadrature = partition.problem.precision.quadrature;
        let bulk = Bulk::new(&part, partition);
        let (law, likely_above) = (partition.problem.law, partition.likely_above);
        let classes = Classes { law, run, sure: part.sure, likely_above, candidates: part.candidates, bulk: &bulk };
        let (candidates, rest) = check::split(scratch, part.candidates.len())?;
        let zeros = [F::zero(); ROOM];
        let (integral, points) = match form {
            // A branch that a constant decides, since a constant of a type is no argument.
            Form::Fast if S::IS_RARE => integrate_fast::<true, N, F>(functional, window, &classes, quadrature, candidates, rest)?,
            Form::Fast => integrate_fast::<false, N, F>(functional, window, &classes, quadrature, candidates, rest)?,
            Form::Plain => {
                let (finer, rest) = check::split(rest, candidates.len())?;
                let mut nodes = PlainNodes::new(&classes, window.low, rest)?;
                candidates.fill(F::zero());
                finer.fill(F::zero());
                let mut shares = Shares { coarse: candidates, finer, coarse_points: zeros, finer_points: zeros };
                let integral = integrate(functional, &mut nodes, window, &classes, quadrature, &mut shares);
                (integral, zeros)
            }
        };
        let Contribution { value, gain, error_bound } = functional.contribution(&integral)?;
        candidates.iter_mut().for_each(|share| *share *= gain);
        let mut points = points;
        points.iter_mut().for_each(|share| *share *= gain);
        let (coefficients, interpolation) = bulk.interpolation(&points);
        Ok(Self { partition: *partition, value, error_bound: error_bound + interpolation, candidates, coefficients })
    }

    /// The same in other room, a number a candidate, so that the scratch is free for the next row.
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
    /// let (mut scratch, mut shares) = ([0.0; 1000], [0.0; 2]);
    /// let solution = summary.solve(&mut scratch)?.in_room(&mut shares)?;
    /// scratch.fill(f64::NAN);
    /// let mut grad = [0.0_f64; 2];
    /// solution.add_grad(&[3.0, 3.0], 0, 1.0, &mut grad)?;
    /// assert!((grad[0] - 0.5).abs() < 1e-9 && grad[0] == grad[1]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Less room than the summary has candidates.
    pub fn in_room(self, room: &mut [F]) -> Result<Solution<'_, N, F>> {
        let Self { partition, value, error_bound, candidates, coefficients } = self;
        let (room, _) = check::split(room, candidates.len())?;
        room.iter_mut().zip(candidates).for_each(|(kept, &share)| *kept = share);
        Ok(Solution { partition, value, error_bound, candidates: room, coefficients })
    }

    /// E (θ + εZ)₍ₖ₎, or the sum over several neighbouring ranks.
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
    #[must_use]
    pub fn value(&self) -> F {
        let problem = &self.partition.problem;
        problem.center * F::from_usize(problem.run.len()) + self.value
    }

    /// The same for scores relative to the center; for a label, what it loses.
    pub(crate) fn centered_value(&self) -> F {
        self.value
    }

    /// A bound on Σ_i |error of ∇_i|, all classes together.
    ///
    /// The quadrature's part is extrapolated from the last halving, the bulk's from the last Chebyshev coefficients; tests hold
    /// it against independent references.
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
    /// assert!(solution.error_bound() < 1e-7);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn error_bound(&self) -> F {
        self.error_bound
    }

    /// Whether that bound is within the tolerance that was asked for. Where it is not, a summary of the [plain](Partition::plain)
    /// partition is.
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
    /// assert!(solution.is_within_tolerance() && solution.error_bound() < 1e-7);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn is_within_tolerance(&self) -> bool {
        let problem = &self.partition.problem;
        self.error_bound <= problem.precision.tolerance * F::from_usize(problem.run.len())
    }

    /// No class with a score of at most this one has a larger entry in the gradient, up to its error: the chance that the noised score
    /// reaches the window, which is where the order statistic is looked for.
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
    /// // A class at the center may have all of the gradient, one 16 ε below it next to nothing.
    /// assert!(solution.share_at_most(3.0) > 0.99 && solution.share_at_most(-5.0) < 1e-18);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn share_at_most(&self, score: F) -> F {
        let Partition { problem, window, .. } = &self.partition;
        let reached = window.low - problem.units().of(score);
        let share = if problem.is_mirrored() { F::one() } else { problem.law.survival(reached) };
        share * F::from_usize(problem.run.len())
    }
}
