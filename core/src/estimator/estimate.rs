//! Error control: an estimate with its standard error, and drawing until that is small enough.

use super::draw::Draw;
use crate::lanes::Compensated;
use crate::{Error, Oracle, Real, Result, Sampler, check, oracle};

/// A mean over draws, and how far it is likely to be from its limit.
///
/// The standard error of a mean of n independent terms x is √(Σ(x − mean)²/(n(n − 1))). Where draws depend on one another, as in
/// antithetic pairs, the terms are the means of the [blocks](Sampler::block_len). With a single term it is unknown and
/// given as infinite.
///
/// ```
/// use topk_loss::Key;
/// use topk_loss::estimator::{Estimator, Pathwise};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::GivenDraws;
/// let draws = GivenDraws::new(Normal, &[0.0, 0.0, 0.0, 0.0, 0.0, 2.0], 3)?;
/// let smoothed = Pathwise::new(KthLargest::new(1)?, draws, 0.5, Key::new(0))?;
/// let estimate = smoothed.estimate(&[1.0, 0.0, 0.5], 1.0, &mut [0.0; 3], &mut [0.0; 12])?;
/// // The draws have the values 1 and 1.5.
/// assert_eq!((estimate.value, estimate.standard_error), (1.25, 0.25));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate<F> {
    /// The estimate of f_ε(θ).
    pub value: F,
    /// The standard error of the value.
    pub standard_error: F,
    /// The root of the trace of the covariance of the estimate of ∇f_ε(θ): its root-mean-square Euclidean error.
    pub gradient_standard_error: F,
    /// How many draws were made.
    pub num_samples: usize,
}

/// When to stop drawing, if the sampler's draws do not end before.
///
/// Nothing stops before [`MIN_BLOCKS`](Until::MIN_BLOCKS) independent terms: the first few one-hot gradients are often the same,
/// with a standard error of 0. A stop that looks at the draws still makes the estimate slightly biased.
///
/// ```
/// use topk_loss::Key;
/// use topk_loss::estimator::{Estimator, Pathwise, Until};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::MonteCarlo;
/// let smoothed = Pathwise::new(KthLargest::new(1)?, MonteCarlo::new(Normal, 10_000)?, 0.5, Key::new(0))?;
/// let until = Until::Value(0.05);
/// let estimate = smoothed.estimate_until(&[1.0, 0.0, 0.5], until, 1.0, &mut [0.0; 3], &mut [0.0; 12])?;
/// assert!(estimate.standard_error <= 0.05 && estimate.num_samples >= 32 && estimate.num_samples < 10_000);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Until<F> {
    /// Until the standard error of the value is at most this.
    Value(F),
    /// Until the standard error of the gradient is at most this.
    Gradient(F),
}

impl<F: Real> Until<F> {
    /// The fewest independent terms after which to believe a standard error.
    ///
    /// ```
    /// assert_eq!(topk_loss::estimator::Until::<f64>::MIN_BLOCKS, 32);
    /// ```
    pub const MIN_BLOCKS: usize = 32;

    fn check(self) -> Result<Self> {
        let (Self::Value(tolerance) | Self::Gradient(tolerance)) = self;
        check::positive("tolerance", tolerance)?;
        Ok(self)
    }

    /// Whether `blocks` terms with these standard errors are enough.
    pub(super) fn is_met(self, blocks: usize, (value, gradient): (F, F)) -> bool {
        blocks >= Self::MIN_BLOCKS
            && match self {
                Self::Value(tolerance) => value <= tolerance,
                Self::Gradient(tolerance) => gradient <= tolerance,
            }
    }
}

/// An [`Oracle`] that averages draws and can say how well: [`Pathwise`](crate::estimator::Pathwise),
/// [`Conditional`](crate::estimator::Conditional), [`ScoreFunction`](crate::estimator::ScoreFunction),
/// [`ControlVariate`](crate::estimator::ControlVariate).
///
/// **Shapes.** θ and gradient of L entries; scratch [`estimate_scratch_len`](Estimator::estimate_scratch_len), for any number of draws.
///
/// **Errors.** The oracle's; a tolerance that is not positive and finite; a standard error beyond the float's range. After any error
/// the gradient is as it was.
///
/// **Cost.** The estimator's own and O(L) a draw, in one pass (Welford's recurrence, which loses no digits to a large mean). The value is
/// the estimator's own to the last bit, the gradient up to the order of summation.
///
/// ```
/// use topk_loss::estimator::{Estimator, Pathwise};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::Key;
/// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
/// let smoothed = Pathwise::new(KthLargest::new(1)?, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
/// let mut grad = [0.0; 3];
/// let estimate = smoothed.estimate(&[1.0, 0.0, 0.5], 1.0, &mut grad, &mut [0.0; 12])?;
/// // The draws have the values 1 and 1.5, and the gradients (1, 0, 0) and (0, 0, 1).
/// assert_eq!((estimate.value, estimate.standard_error, estimate.num_samples), (1.25, 0.25, 2));
/// assert_eq!((grad, estimate.gradient_standard_error), ([0.5, 0.0, 0.5], 0.5_f64.sqrt()));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4, 1962.
pub trait Estimator<F: Real>: Oracle<F> {
    /// How much scratch an estimate at a θ of `dim` entries needs.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::estimator::{Estimator, Pathwise};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::sampler::GivenDraws;
    /// let draws = GivenDraws::new(Normal, &[0.0, 0.0, 0.0, 0.0, 0.0, 2.0], 3)?;
    /// let smoothed = Pathwise::new(KthLargest::new(1)?, draws, 0.5, Key::new(0))?;
    /// // Two rows more than without an estimate of the error.
    /// assert_eq!(smoothed.estimate_scratch_len(3), 12);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn estimate_scratch_len(&self, dim: usize) -> usize;

    /// Adds `weight` times the gradient to `grad`, and returns the value with the standard errors (those of the unweighted gradient).
    ///
    /// **Ties and NaN.** The estimator's; NaN is an error.
    ///
    /// **Cost.** The estimator's own and O(L) a draw.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::estimator::{Estimator, Pathwise};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::sampler::GivenDraws;
    /// let draws = GivenDraws::new(Normal, &[0.0, 0.0, 0.0, 0.0, 0.0, 2.0], 3)?;
    /// let smoothed = Pathwise::new(KthLargest::new(1)?, draws, 0.5, Key::new(0))?;
    /// let mut grad = [0.0; 3];
    /// smoothed.estimate(&[1.0, 0.0, 0.5], 2.0, &mut grad, &mut [0.0; 12])?;
    /// assert_eq!(grad, [1.0, 0.0, 1.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the trait's description.
    fn estimate(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<Estimate<F>>;

    /// As [`estimate`](Estimator::estimate), with the sampler's first draws only: until the standard error is small enough, at most all.
    ///
    /// **Ties and NaN.** The estimator's; NaN is an error.
    ///
    /// **Cost.** The estimator's own and O(L) a draw, of as many draws as it takes.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::estimator::{Estimator, Pathwise, Until};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::sampler::MonteCarlo;
    /// let smoothed = Pathwise::new(KthLargest::new(1)?, MonteCarlo::new(Normal, 10_000)?, 0.5, Key::new(0))?;
    /// let until = Until::Value(0.05);
    /// let estimate = smoothed.estimate_until(&[1.0, 0.0, 0.5], until, 1.0, &mut [0.0; 3], &mut [0.0; 12])?;
    /// assert!(estimate.standard_error <= 0.05 && estimate.num_samples >= 32 && estimate.num_samples < 10_000);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the trait's description.
    fn estimate_until(&self, theta: &[F], until: Until<F>, weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<Estimate<F>>;
}

impl<F: Real, D: Draw<F>> Estimator<F> for D {
    fn estimate_scratch_len(&self, dim: usize) -> usize {
        dim.saturating_mul(2).saturating_add(self.scratch_len(dim))
    }

    fn estimate(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<Estimate<F>> {
        check::length("grad", grad, theta.len())?;
        let scratch = check::scratch(scratch, self.estimate_scratch_len(theta.len()))?;
        Draw::estimate(self, theta, None, weight, grad, scratch)
    }

    fn estimate_until(&self, theta: &[F], until: Until<F>, weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<Estimate<F>> {
        let until = until.check()?;
        check::length("grad", grad, theta.len())?;
        let scratch = check::scratch(scratch, self.estimate_scratch_len(theta.len()))?;
        Draw::estimate(self, theta, Some(until), weight, grad, scratch)
    }
}

/// The mean over the blocks of dependent draws, of equal size.
pub fn over_blocks<F: Real, D: Draw<F> + ?Sized>(
    draws: &D,
    theta: &[F],
    until: Option<Until<F>>,
    weight: F,
    grad: &mut [F],
    scratch: &mut [F],
) -> Result<Estimate<F>> {
    let (mean, scratch) = check::split(scratch, theta.len())?;
    let (block, scratch) = check::split(scratch, theta.len())?;
    let start = draws.start(theta, scratch)?;
    let sampler = &draws.points().sampler;
    let (most, block_len) = (sampler.num_samples(), sampler.block_len().max(1));
    let mut spread = Spread::default();
    let (mut num_samples, mut sum) = (0, F::zero());
    mean.fill(F::zero());
    while num_samples < most {
        let indices = num_samples..most.min(num_samples.saturating_add(block_len));
        let share = F::from_usize(indices.len()).recip();
        let mut block_sum = F::zero();
        num_samples = indices.end;
        block.fill(F::zero());
        for index in indices {
            let value = draws.draw(theta, &start, index, share, Some(block), scratch)?;
            sum += value;
            block_sum += value;
        }
        spread.add(share * block_sum, block, mean);
        if until.is_some_and(|until| until.is_met(spread.count, spread.standard_errors())) {
            break;
        }
    }
    let [standard_error, gradient_standard_error] = checked(spread.count, spread.standard_errors())?;
    check::in_range("mean over the draws", sum)?;
    block.fill(F::zero());
    let value = sum / F::from_usize(num_samples) + draws.constant(theta, &start, weight, Some(block), scratch)?;
    let value = check::in_range("mean over the draws", value)?;
    block.iter_mut().zip(mean).for_each(|(entry, &mut g)| *entry += weight * g);
    oracle::add(grad, block)?;
    Ok(Estimate { value, standard_error, gradient_standard_error, num_samples })
}

/// Standard errors of several terms must be finite; that of one is infinite and stays so.
pub fn checked<F: Real>(count: usize, (value, gradient): (F, F)) -> Result<[F; 2]> {
    if count > 1 && !(value.is_finite() && gradient.is_finite()) {
        return Err(Error::Overflow { what: "standard error" });
    }
    Ok([value, gradient])
}

/// Sums of squared deviations from the running means of a value and of a gradient.
#[derive(Debug)]
struct Spread<F> {
    count: usize,
    mean: F,
    squares: F,
    gradient_squares: F,
}

impl<F: Real> Default for Spread<F> {
    fn default() -> Self {
        Self { count: 0, mean: F::zero(), squares: F::zero(), gradient_squares: F::zero() }
    }
}

impl<F: Real> Spread<F> {
    fn add(&mut self, value: F, gradient: &[F], mean: &mut [F]) {
        self.count += 1;
        let count = F::from_usize(self.count);
        self.squares += update(&mut self.mean, value, count);
        self.gradient_squares += Compensated::of(mean.iter_mut().zip(gradient).map(|(mean, &g)| update(mean, g, count)));
    }

    /// Of the means of the value and of the gradient; infinite for less than two terms.
    fn standard_errors(&self) -> (F, F) {
        if self.count < 2 {
            return (F::infinity(), F::infinity());
        }
        let scale = (F::from_usize(self.count) * F::from_usize(self.count - 1)).recip();
        ((self.squares * scale).sqrt(), (self.gradient_squares * scale).sqrt())
    }
}

/// Moves a mean to include its `count`-th term; returns by how much that raises the sum of squared deviations.
pub fn update<F: Real>(mean: &mut F, x: F, count: F) -> F {
    let before = x - *mean;
    *mean += before / count;
    before * (x - *mean)
}
