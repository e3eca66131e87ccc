//! The pathwise estimator, which is the paper's: the mean over draws of the oracle's own gradient.

use super::draw::{self, Draw};
use crate::perturbation::Perturbation;
use crate::{FoldIn, Key, Oracle, Real, Result, Sampler, Translation, check};

/// f_ε(θ) ≈ (1/B) Σ_b f(θ + εz_b), with the mean of the oracle's gradients as gradient (Danskin's theorem).
///
/// Value and gradient are unbiased for f_ε and ∇f_ε whenever f is convex or an order statistic, and for fixed draws the gradient
/// is exactly that of the B-draw value. With [`KthLargest`](crate::oracle::KthLargest) the gradient has at most B non-zero entries.
///
/// **Shapes.** θ of L entries; scratch L plus the oracle's.
///
/// **Errors.** The oracle's; a sampler or law that fails or returns NaN, after which `grad` is unspecified.
///
/// **Ties and NaN.** The oracle's. A common offset of all scores does not drown the noise: the oracle's
/// [center](Translation) is subtracted first.
///
/// **Cost.** B draws of L numbers and B calls of the oracle; memory independent of B.
///
/// ```
/// use topk_loss::estimator::Pathwise;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::{KthLargest, Oracle};
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::Key;
/// // Two draws; the second lifts class 2 above class 0.
/// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
/// let smoothed = Pathwise::new(KthLargest::new(1)?, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
/// let mut grad = [0.0; 3];
/// let value = smoothed.value_and_add_grad(&[1.0, 0.0, 0.5], 1.0, &mut grad, &mut [0.0; 6])?;
/// assert_eq!((value, grad), (1.25, [0.5, 0.0, 0.5]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Berthet, Blondel, Teboul, Cuturi, Vert, Bach, "Learning with differentiable perturbed optimizers", NeurIPS 2020;
/// Garcin, Servajean, Joly, Salmon, "Stochastic smoothing of the top-K calibrated hinge loss for deep imbalanced classification",
/// ICML 2022.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pathwise<O, S, F> {
    oracle: O,
    points: Perturbation<S, F>,
}

impl<O, S: Sampler<F>, F: Real> Pathwise<O, S, F> {
    /// The smoothing of `oracle` by `epsilon` times the sampler's noise.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::estimator::Pathwise;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::{KthLargest, Oracle};
    /// use topk_loss::sampler::GivenDraws;
    /// let (largest, draws) = (KthLargest::new(1)?, GivenDraws::new(Normal, &[0.0, 2.0], 2)?);
    /// let smoothed = Pathwise::new(largest, draws, 0.5, Key::new(0))?;
    /// // The noised scores are 0.5 and 1.
    /// assert_eq!(smoothed.value(&[0.5, 0.0], &mut [0.0; 4])?, 1.0);
    /// assert!(Pathwise::new(largest, draws, 0.0, Key::new(0)).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite, a sampler without draws.
    pub fn new(oracle: O, sampler: S, epsilon: F, key: Key) -> Result<Self> {
        Ok(Self { oracle, points: Perturbation::new(sampler, epsilon, key)? })
    }
}

impl<O: Oracle<F>, S: Sampler<F>, F: Real> Draw<F> for Pathwise<O, S, F> {
    type Sampler = S;
    type Start = Translation<F>;

    fn points(&self) -> &Perturbation<S, F> {
        &self.points
    }

    fn start(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        self.translation(theta, scratch)
    }

    fn constant(&self, _: &[F], start: &Translation<F>, _: F, _: Option<&mut [F]>, _: &mut [F]) -> Result<F> {
        Ok(start.center * start.mass)
    }

    fn draw(&self, theta: &[F], start: &Translation<F>, index: usize, weight: F, grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F> {
        let (z, scratch) = check::split(scratch, theta.len())?;
        self.points.perturb(theta, start.center, index, z)?;
        draw::evaluate(&self.oracle, z, weight, grad, scratch)
    }
}

impl<O: Oracle<F>, S: Sampler<F>, F: Real> Oracle<F> for Pathwise<O, S, F> {
    fn scratch_len(&self, dim: usize) -> usize {
        dim.saturating_add(self.oracle.scratch_len(dim))
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

impl<O: Copy, S: Copy, F: Real> FoldIn for Pathwise<O, S, F> {
    fn fold_in(&self, data: u64) -> Self {
        Self { points: self.points.fold_in(data), ..*self }
    }
}
