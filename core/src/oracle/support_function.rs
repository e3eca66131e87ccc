//! The optimum of a linear function over a set, as an oracle.

use super::{Oracle, Translation, add};
use crate::{FoldIn, Maximizer, Real, Result, check, maximizer};

/// f(θ) = max_{y∈C} ⟨y, θ⟩ = ⟨y*(θ), θ⟩ for the set C of a [`Maximizer`]; its gradient is y*(θ).
///
/// Smoothed by [`Pathwise`](crate::estimator::Pathwise) it is the perturbed optimum E max_y ⟨y, θ + εZ⟩, whose gradient is the expected
/// argmax.
///
/// **Shapes.** θ of L entries; scratch L plus the maximizer's.
///
/// **Errors.** The maximizer's; no entry, NaN or infinite entries; a maximizer that leaves an entry of y out, or makes it NaN or
/// infinite ([`NotFinite`](crate::Error::NotFinite) "argmax"). The gradient is then as before.
///
/// **Ties and NaN.** The maximizer's: where several y are optimal it picks one, and that is the subgradient.
///
/// **Cost.** One call of the maximizer and two passes.
///
/// ```
/// use topk_loss::estimator::Pathwise;
/// use topk_loss::maximizer::Ranking;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::{Oracle, SupportFunction};
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::Key;
/// let (places, mut grad) = (SupportFunction::new(Ranking), [0.0; 3]);
/// assert_eq!(places.value_and_add_grad(&[1.0, 0.0, 0.5], 1.0, &mut grad, &mut [0.0; 9])?, 4.0);
/// assert_eq!(grad, [3.0, 1.0, 2.0]);
///
/// // Two draws; the second lifts the last entry to the top.
/// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
/// let soft = Pathwise::new(places, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
/// grad.fill(0.0);
/// assert_eq!(soft.value_and_add_grad(&[1.0, 0.0, 0.5], 1.0, &mut grad, &mut [0.0; 12])?, 5.25);
/// assert_eq!(grad, [2.5, 1.0, 2.5]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Berthet, Blondel, Teboul, Cuturi, Vert, Bach, "Learning with differentiable perturbed optimizers", NeurIPS 2020.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SupportFunction<M> {
    maximizer: M,
}

impl<M> SupportFunction<M> {
    /// The optimum that `maximizer` attains.
    ///
    /// ```
    /// use topk_loss::maximizer::TopKMask;
    /// use topk_loss::oracle::{Oracle, SupportFunction};
    /// // The largest sum of two entries.
    /// assert_eq!(SupportFunction::new(TopKMask::new(2)?).value(&[4.0, 1.0, 3.0], &mut [0.0; 6])?, 7.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn new(maximizer: M) -> Self {
        Self { maximizer }
    }

    /// y*(θ), in scratch, and f(θ), after all checks.
    fn solve<'s, F: Real>(&self, theta: &[F], scratch: &'s mut [F]) -> Result<(F, &'s mut [F])>
    where
        M: Maximizer<F>,
    {
        check::scores(theta)?;
        let (y, scratch) = check::scratch(scratch, self.scratch_len(theta.len()))?.split_at_mut(theta.len());
        maximizer::argmax(&self.maximizer, theta, y, scratch)?;
        Ok((check::in_range("optimum", maximizer::dot(y, theta))?, y))
    }
}

impl<F: Real, M: Maximizer<F>> Oracle<F> for SupportFunction<M> {
    fn scratch_len(&self, dim: usize) -> usize {
        dim.saturating_add(self.maximizer.scratch_len(dim))
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        Ok(self.solve(theta, scratch)?.0)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, theta.len())?;
        let (value, y) = self.solve(theta, scratch)?;
        y.iter_mut().for_each(|y| *y *= weight);
        add(grad, y)?;
        Ok(value)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        check::scores(theta)?;
        self.maximizer.translation(theta, check::scratch(scratch, self.scratch_len(theta.len()))?)
    }
}

impl<M: Copy> FoldIn for SupportFunction<M> {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
