//! Any loss under noise: its mean over draws that perturb all scores.

use super::Loss;
use crate::perturbation::Perturbation;
use crate::{FoldIn, Key, Real, Result, Sampler, check};

/// ℓ_ε(s, y) = E ℓ(s + εZ, y) for any [`Loss`] ℓ, estimated by B draws; its gradient is the mean of ℓ's.
///
/// Every score is perturbed, the label's too. Value and gradient are unbiased for every B wherever ℓ is locally Lipschitz, which hinges and
/// the cross-entropy are, and for fixed draws the gradient is that of the B-draw value. A loss that draws numbers itself needs a key
/// other than this one, or both would draw the same noise.
///
/// **Shapes.** Scores and gradient of L entries; scratch 2L plus the loss's.
///
/// **Errors.** The loss's; draws that do not fit. The gradient is then as before. A law that returns NaN, or a result beyond the
/// float's range: it is unspecified.
///
/// **Ties and NaN.** The loss's; NaN is an error. Noise of 0.01 is lost beside scores of 1e6 in `f32`. A general loss gives no way round
/// that; for one with ℓ(s + c·1, y) = ℓ(s, y), say so by [`shift_invariant`](Self::shift_invariant).
///
/// **Cost.** B draws of L numbers, B calls of the loss and B passes; memory independent of B.
///
/// ```
/// use topk_loss::loss::{Hinge, SmoothedLoss};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::{Key, Loss, Margins};
/// let hinge = Hinge::new(KthLargest::new(2)?, Margins::Uniform(1.0), 1.0)?;
/// // Two draws; the second lifts the label, class 0, by 1 and class 2 above class 1.
/// let draws = [0.0, 0.0, 0.0, 2.0, 0.0, 2.0];
/// let loss = SmoothedLoss::new(hinge, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
/// let mut grad = [0.0; 3];
/// let value = loss.value_and_grad(&[1.0, 1.0, 0.5], 0, &mut grad, &mut [0.0; 12])?;
/// assert_eq!((value, grad), (0.75, [-1.0, 0.5, 0.5]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Duchi, Bartlett, Wainwright, "Randomized smoothing for stochastic optimization", SIAM Journal on Optimization 22, 2012.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothedLoss<L, S, F> {
    loss: L,
    noise: Perturbation<S, F>,
    shift_invariant: bool,
}

impl<L, S: Sampler<F>, F: Real> SmoothedLoss<L, S, F> {
    /// The smoothing of `loss` by `epsilon` times the sampler's noise.
    ///
    /// ```
    /// use topk_loss::loss::SmoothedLoss;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::{CrossEntropy, Key, Loss};
    /// // One draw, which ties the scores.
    /// let loss = SmoothedLoss::new(CrossEntropy, GivenDraws::new(Normal, &[2.0, 0.0], 2)?, 0.5, Key::new(0))?;
    /// assert_eq!(loss.value(&[0.0, 1.0], 0, &mut [0.0; 4])?, 2.0_f64.ln());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite.
    pub fn new(loss: L, sampler: S, epsilon: F, key: Key) -> Result<Self> {
        Ok(Self { loss, noise: Perturbation::new(sampler, epsilon, key)?, shift_invariant: false })
    }

    /// The same, with the largest score subtracted from all before the noise is added: right for a loss that depends on differences
    /// of scores only, as hinges and the cross-entropy do, and wrong for any other.
    ///
    /// ```
    /// use topk_loss::loss::SmoothedLoss;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::{CrossEntropy, Key, Loss};
    /// let loss = SmoothedLoss::new(CrossEntropy, GivenDraws::new(Normal, &[1.0_f32, 0.0], 2)?, 0.5, Key::new(0))?;
    /// // Beside 1e8 a noise of 0.5 is lost in `f32`.
    /// let value = |loss: SmoothedLoss<_, _, _>| loss.value(&[1e8, 1e8], 1, &mut [0.0; 4]);
    /// assert!((value(loss)? - 0.693).abs() < 1e-3);
    /// assert!((value(loss.shift_invariant())? - 0.974).abs() < 1e-3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn shift_invariant(self) -> Self {
        Self { shift_invariant: true, ..self }
    }
}

impl<L: Loss<F>, S: Sampler<F>, F: Real> SmoothedLoss<L, S, F> {
    /// The mean over the draws of what `evaluate` makes of each draw's index and scores.
    fn mean(
        &self,
        scores: &[F],
        label: usize,
        scratch: &mut [F],
        mut evaluate: impl FnMut(usize, &[F], &mut [F]) -> Result<F>,
    ) -> Result<F> {
        check::scores(scores)?;
        check::label(scores, label)?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        self.noise.check_dim(scores.len())?;
        let (perturbed, scratch) = check::split(scratch, scores.len())?;
        let largest = scores.iter().copied().fold(F::neg_infinity(), F::max);
        let center = if self.shift_invariant { largest } else { F::zero() };
        let mut sum = F::zero();
        for index in self.noise.indices() {
            self.noise.perturb(scores, center, index, perturbed)?;
            sum += evaluate(index, perturbed, scratch)?;
        }
        check::in_range("loss", sum / self.noise.num_samples())
    }
}

impl<L: Loss<F>, S: Sampler<F>, F: Real> Loss<F> for SmoothedLoss<L, S, F> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_mul(2).saturating_add(self.loss.scratch_len(num_classes))
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
        self.mean(scores, label, scratch, |_, perturbed, scratch| self.loss.value(perturbed, label, scratch))
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let share = self.noise.num_samples().recip();
        let value = self.mean(scores, label, scratch, |index, perturbed, scratch| {
            let (part, scratch) = check::split(scratch, scores.len())?;
            let value = self.loss.value_and_grad(perturbed, label, part, scratch)?;
            // What the loss refuses, it refuses at the first draw: until then the caller's gradient is left alone.
            if index == 0 {
                grad.fill(F::zero());
            }
            grad.iter_mut().zip(part.iter()).for_each(|(sum, &g)| *sum += share * g);
            Ok(value)
        })?;
        check::all_in_range("gradient", grad)?;
        Ok(value)
    }
}

impl<L: FoldIn, S: Copy, F: Real> FoldIn for SmoothedLoss<L, S, F> {
    fn fold_in(&self, data: u64) -> Self {
        Self { loss: self.loss.fold_in(data), noise: self.noise.fold_in(data), ..*self }
    }
}
