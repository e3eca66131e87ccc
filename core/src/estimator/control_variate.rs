//! The control variate: the pathwise estimator, corrected by a function whose smoothing is known.

use super::draw::{self, Draw};
use crate::perturbation::Perturbation;
use crate::{Error, FoldIn, Key, Oracle, Real, Result, Sampler, Translation, check};

/// f_ε(θ) ≈ (1/B) Σ_b [f(θ + εz_b) − β·h(θ + εz_b)] + β·h_ε(θ) for a control h whose smoothing h_ε another oracle knows.
///
/// Value and gradient are unbiased for every β whenever the [pathwise](crate::estimator::Pathwise) ones of f and of h are and `expectation`
/// is the smoothing of `control` by the same law and ε, which nothing checks. The variance is that of f − β·h: small where h
/// resembles f. [`Exact`](crate::estimator::Exact) is such an expectation for an order statistic.
///
/// **Shapes.** θ of L entries; scratch the larger of the expectation's and L plus the larger of the oracle's and the control's.
///
/// **Errors.** Those of the three oracles; a sampler or law that fails or returns NaN, after which `grad` is unspecified.
///
/// **Ties and NaN.** The oracles'. A common offset of all scores does not drown the noise: each function sees the scores relative to
/// its own [center](Translation).
///
/// **Cost.** B draws of L numbers, B calls of the oracle and of the control, one of the expectation; memory independent of B.
///
/// ```
/// use topk_loss::estimator::{ControlVariate, Exact};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::{KthLargest, Max, Oracle};
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::Key;
/// // Here the control is the function itself: whatever the draws, nothing is left to chance.
/// let (first, draws) = (KthLargest::new(1)?, GivenDraws::new(Normal, &[2.0, -1.0], 2)?);
/// let smoothed = ControlVariate::new(Max, first, Exact::new(first, Normal, 1.0)?, draws, 1.0, Key::new(0))?;
/// let (mut grad, mut scratch) = ([0.0; 2], [0.0; 10_000]);
/// let value = smoothed.value_and_add_grad(&[0.0, 0.0], 1.0, &mut grad, &mut scratch)?;
/// let expected = core::f64::consts::FRAC_2_SQRT_PI / 2.0; // E max of two standard normal numbers is 1/√π.
/// assert!((value - expected).abs() < 1e-9);
/// assert!(grad.iter().all(|g| (g - 0.5).abs() < 1e-9));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Glasserman, "Monte Carlo Methods in Financial Engineering", Springer, 2003, section 4.1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlVariate<O, C, E, S, F> {
    oracle: O,
    control: C,
    expectation: E,
    coefficient: F,
    points: Perturbation<S, F>,
}

impl<O, C, E, S: Sampler<F>, F: Real> ControlVariate<O, C, E, S, F> {
    /// The smoothing of `oracle` by `epsilon` times the sampler's noise, with β = 1; `expectation` is that of `control`.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::estimator::{ControlVariate, Exact};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::{KthLargest, Max, Oracle};
    /// use topk_loss::sampler::GivenDraws;
    /// let (largest, draws) = (KthLargest::new(1)?, GivenDraws::new(Normal, &[0.0, 2.0], 2)?);
    /// let known = Exact::new(largest, Normal, 0.5)?;
    /// let smoothed = ControlVariate::new(Max, largest, known, draws, 0.5, Key::new(0))?;
    /// // Function and control are the same: what is left is what is known.
    /// let value: f64 = smoothed.value(&[0.5, 0.0], &mut [0.0; 2000])?;
    /// let exact = known.value(&[0.5, 0.0], &mut [0.0; 2000])?;
    /// assert!((value - exact).abs() < 1e-12);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite, a sampler without draws.
    pub fn new(oracle: O, control: C, expectation: E, sampler: S, epsilon: F, key: Key) -> Result<Self> {
        Ok(Self { oracle, control, expectation, coefficient: F::one(), points: Perturbation::new(sampler, epsilon, key)? })
    }

    /// The same with another coefficient β; the best is Cov(f, h)/Var(h), and must not come from the same draws.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::estimator::{ControlVariate, Exact};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::{KthLargest, Max, Oracle};
    /// use topk_loss::sampler::GivenDraws;
    /// let (largest, draws) = (KthLargest::new(1)?, GivenDraws::new(Normal, &[0.0, 2.0], 2)?);
    /// let known = Exact::new(largest, Normal, 0.5)?;
    /// let smoothed = ControlVariate::new(Max, largest, known, draws, 0.5, Key::new(0))?;
    /// // Without the control, the pathwise mean: the noised scores are 0.5 and 1.
    /// assert_eq!(smoothed.with_coefficient(0.0)?.value(&[0.5, 0.0], &mut [0.0; 2000])?, 1.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A β that is NaN or infinite.
    pub fn with_coefficient(self, coefficient: F) -> Result<Self> {
        if !coefficient.is_finite() {
            return Err(Error::Parameter { name: "coefficient", must: "finite" });
        }
        Ok(Self { coefficient, ..self })
    }
}

/// The centers of the oracle and of the control.
#[derive(Debug)]
pub struct Centers<F> {
    oracle: Translation<F>,
    control: Translation<F>,
}

impl<O: Oracle<F>, C: Oracle<F>, E: Oracle<F>, S: Sampler<F>, F: Real> Draw<F> for ControlVariate<O, C, E, S, F> {
    type Sampler = S;
    type Start = Centers<F>;

    fn points(&self) -> &Perturbation<S, F> {
        &self.points
    }

    fn start(&self, theta: &[F], scratch: &mut [F]) -> Result<Centers<F>> {
        let control = self.control.translation(theta, scratch)?;
        Ok(Centers { oracle: self.translation(theta, scratch)?, control })
    }

    fn constant(&self, theta: &[F], start: &Centers<F>, weight: F, grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F> {
        let Centers { oracle, control } = start;
        let expectation = draw::evaluate(&self.expectation, theta, weight * self.coefficient, grad, scratch)?;
        Ok(oracle.center * oracle.mass + self.coefficient * (expectation - control.center * control.mass))
    }

    fn draw(&self, theta: &[F], start: &Centers<F>, index: usize, weight: F, mut grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F> {
        let (z, scratch) = check::split(scratch, theta.len())?;
        self.points.perturb(theta, start.oracle.center, index, z)?;
        let value = draw::evaluate(&self.oracle, z, weight, grad.as_deref_mut(), scratch)?;
        let shift = start.oracle.center - start.control.center;
        if shift != F::zero() {
            z.iter_mut().for_each(|z| *z += shift);
            check::all_in_range("perturbed scores", z)?;
        }
        let control = draw::evaluate(&self.control, z, -weight * self.coefficient, grad, scratch)?;
        Ok(value - self.coefficient * control)
    }
}

impl<O: Oracle<F>, C: Oracle<F>, E: Oracle<F>, S: Sampler<F>, F: Real> Oracle<F> for ControlVariate<O, C, E, S, F> {
    fn scratch_len(&self, dim: usize) -> usize {
        let draw = dim.saturating_add(self.oracle.scratch_len(dim).max(self.control.scratch_len(dim)));
        draw.max(self.expectation.scratch_len(dim))
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        draw::mean(self, theta, F::one(), None, scratch)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        draw::mean(self, theta, weight, Some(grad), scratch)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        draw::translation(&self.oracle, &self.points.sampler, theta, scratch)
    }
}

impl<O: Copy, C: Copy, E: FoldIn, S: Copy, F: Real> FoldIn for ControlVariate<O, C, E, S, F> {
    fn fold_in(&self, data: u64) -> Self {
        Self { expectation: self.expectation.fold_in(data), points: self.points.fold_in(data), ..*self }
    }
}
