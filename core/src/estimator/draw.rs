//! What one draw contributes to an estimate, and the mean over all of them.

use super::estimate::{self, Estimate, Until};
use crate::perturbation::Perturbation;
use crate::{Oracle, Real, Result, Sampler, Translation, check};

/// An estimator, one draw at a time. Scratch is [`scratch_len`](Oracle::scratch_len) long throughout.
pub trait Draw<F: Real>: Oracle<F> {
    /// Where the points come from.
    type Sampler: Sampler<F>;

    /// What all draws at one θ share.
    type Start;

    /// The points.
    fn points(&self) -> &Perturbation<Self::Sampler, F>;

    /// Makes every check that needs θ, before a gradient is written.
    ///
    /// # Errors
    /// The oracle's and the sampler's.
    fn start(&self, theta: &[F], scratch: &mut [F]) -> Result<Self::Start>;

    /// The part of the estimate that no draw changes, f's share of the center for one: returns its value and adds its gradient.
    ///
    /// # Errors
    /// Those of an [`Oracle`]; the gradient is then as it was.
    fn constant(&self, theta: &[F], start: &Self::Start, weight: F, grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F>;

    /// The value of draw `index`; adds `weight` times its gradient.
    ///
    /// # Errors
    /// The oracle's, the sampler's and the law's.
    fn draw(&self, theta: &[F], start: &Self::Start, index: usize, weight: F, grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F>;

    /// The mean over the draws with its standard error; scratch is longer by 2L.
    ///
    /// # Errors
    /// Those of an [`Oracle`]; the gradient is then as it was.
    fn estimate(&self, theta: &[F], until: Option<Until<F>>, weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<Estimate<F>> {
        estimate::over_blocks(self, theta, until, weight, grad, scratch)
    }
}

/// The mean over the draws: what every estimator is as an oracle.
pub fn mean<F: Real>(draws: &impl Draw<F>, theta: &[F], weight: F, mut grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F> {
    if let Some(grad) = &grad {
        check::length("grad", grad, theta.len())?;
    }
    let scratch = check::scratch(scratch, draws.scratch_len(theta.len()))?;
    let start = draws.start(theta, scratch)?;
    let constant = draws.constant(theta, &start, weight, grad.as_deref_mut(), scratch)?;
    let num_samples = draws.points().sampler.num_samples();
    let count = F::from_usize(num_samples);
    let mut sum = F::zero();
    for index in 0..num_samples {
        sum += draws.draw(theta, &start, index, weight / count, grad.as_deref_mut(), scratch)?;
    }
    let mean = check::in_range("mean over the draws", sum / count + constant)?;
    grad.map_or(Ok(()), |grad| check::all_in_range("gradient", grad))?;
    Ok(mean)
}

/// f at a point, and its gradient where one is asked for.
pub fn evaluate<F: Real>(oracle: &impl Oracle<F>, theta: &[F], weight: F, grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F> {
    match grad {
        Some(grad) => oracle.value_and_add_grad(theta, weight, grad, scratch),
        None => oracle.value(theta, scratch),
    }
}

/// The oracle's translation, once the sampler can serve θ.
pub fn translation<F: Real>(oracle: &impl Oracle<F>, sampler: &impl Sampler<F>, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
    sampler.check_dim(theta.len())?;
    oracle.translation(theta, scratch)
}
