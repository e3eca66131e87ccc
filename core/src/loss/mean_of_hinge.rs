//! The mean over noise of the hinge, in place of the hinge of a mean.

use super::Loss;
use super::hinge::positive_part;
use crate::perturbation::Perturbation;
use crate::{AsMargins, FoldIn, Key, Margins, Oracle, Real, Result, Sampler, Translation, check};

/// ℓ(s, y) = E[scale · (m_y + f(s + εZ) − s_y)₊], estimated by B draws: the *mean of the hinge*, not the hinge of the mean.
///
/// The hinge is taken inside the expectation, so the mean over any number of draws is unbiased for ℓ, and so is its gradient, which is that
/// of the B-draw value. It is a loss of its own: by Jensen's inequality it is above the paper's composition, the
/// [`Hinge`](crate::loss::Hinge) over a smoothed oracle, and a little above zero beyond the kink. Only the oracle sees the noise; the
/// label's own −s_y does not. [`compositions`](crate::compositions) compares the two in numbers.
///
/// **Shapes.** Scores and gradient of L entries; scratch 2L plus the oracle's.
///
/// **Errors.** The oracle's; a label that is no class; per-class margins that are not L; draws that do not fit. The gradient is then as
/// before. A law that returns NaN, or a result beyond the float's range: it is unspecified.
///
/// **Ties and NaN.** The oracle's. A draw at the kink adds nothing. NaN is an error. A common offset of all scores does not drown the
/// noise: the oracle's [center](Translation) is subtracted first.
///
/// **Cost.** B draws of L numbers, B calls of the oracle and B passes; memory independent of B.
///
/// ```
/// use topk_loss::loss::MeanOfHinge;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::{Key, Loss};
/// // Two draws; the second lifts class 2 above class 1, and the hinge of the first is 0.
/// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
/// let sampler = GivenDraws::new(Normal, &draws, 3)?;
/// let loss = MeanOfHinge::new(KthLargest::new(2)?, sampler, 0.5, Key::new(0))?;
/// let mut grad = [0.0; 3];
/// let value = loss.value_and_grad(&[2.0, 1.0, 0.5], 0, &mut grad, &mut [0.0; 9])?;
/// assert_eq!((value, grad), (0.25, [-0.5, 0.0, 0.5]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Garcin, Servajean, Joly, Salmon, "Stochastic smoothing of the top-K calibrated hinge loss for deep imbalanced
/// classification", ICML 2022, for the other composition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanOfHinge<O, S, F, M = Margins<'static, F>> {
    oracle: O,
    noise: Perturbation<S, F>,
    margins: M,
    scale: F,
}

impl<O, S: Sampler<F>, F: Real> MeanOfHinge<O, S, F> {
    /// The mean over the draws of the hinge over `oracle` under `epsilon` times the sampler's noise: margin 1, scale 1.
    ///
    /// ```
    /// use topk_loss::loss::MeanOfHinge;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::{Key, Loss};
    /// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
    /// let loss = MeanOfHinge::new(KthLargest::new(2)?, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
    /// // The second largest of the noised scores is 1 in the first draw and 1.5 in the second: hinges of 0 and 0.5.
    /// assert_eq!(loss.value(&[2.0, 1.0, 0.5], 0, &mut [0.0; 9])?, 0.25);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite.
    pub fn new(oracle: O, sampler: S, epsilon: F, key: Key) -> Result<Self> {
        let noise = Perturbation::new(sampler, epsilon, key)?;
        Ok(Self { oracle, noise, margins: Margins::Uniform(F::one()), scale: F::one() })
    }
}

impl<O, S: Sampler<F>, F: Real, M: AsMargins<F>> MeanOfHinge<O, S, F, M> {
    /// The same with other margins: [`Margins`], or a list of one a class that the loss then has, borrows or shares.
    ///
    /// **Cost.** One pass over margins that are listed.
    ///
    /// ```
    /// use topk_loss::loss::MeanOfHinge;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::{Key, Loss};
    /// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
    /// let loss = MeanOfHinge::new(KthLargest::new(2)?, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
    /// // Hinges of 1 and 1.5.
    /// assert_eq!(loss.with_margins([2.0, 1.0, 1.0])?.value(&[2.0, 1.0, 0.5], 0, &mut [0.0; 9])?, 1.25);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not finite.
    pub fn with_margins<N: AsMargins<F>>(self, margins: N) -> Result<MeanOfHinge<O, S, F, N>> {
        margins.as_margins().check()?;
        let Self { oracle, noise, scale, .. } = self;
        Ok(MeanOfHinge { margins, oracle, noise, scale })
    }

    /// The same with another scale.
    ///
    /// ```
    /// use topk_loss::loss::MeanOfHinge;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::{Key, Loss};
    /// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
    /// let loss = MeanOfHinge::new(KthLargest::new(2)?, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
    /// assert_eq!(loss.with_scale(4.0)?.value(&[2.0, 1.0, 0.5], 0, &mut [0.0; 9])?, 1.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A scale that is not positive and finite.
    pub fn with_scale(self, scale: F) -> Result<Self> {
        Ok(Self { scale: check::positive("scale", scale)?, ..self })
    }
}

impl<O: Clone, S: Copy, F: Real, M: AsMargins<F>> MeanOfHinge<O, S, F, M> {
    /// The same loss, its margins borrowed.
    ///
    /// ```
    /// use topk_loss::loss::MeanOfHinge;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::{Key, Loss};
    /// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
    /// let loss = MeanOfHinge::new(KthLargest::new(2)?, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
    /// let owned = loss.with_margins(vec![2.0, 1.0, 1.0])?;
    /// assert_eq!(owned.borrowed().value(&[2.0, 1.0, 0.5], 0, &mut [0.0; 9])?, 1.25);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> MeanOfHinge<O, S, F, Margins<'_, F>> {
        MeanOfHinge { oracle: self.oracle.clone(), noise: self.noise, margins: self.margins.as_margins(), scale: self.scale }
    }
}

/// One perturbed, centered vector of scores.
struct Draw<'s, F> {
    index: usize,
    perturbed: &'s [F],
    /// (m_y + f − s_y)₊, given f of it.
    hinge: &'s dyn Fn(F) -> Result<F>,
}

impl<O: Oracle<F>, S: Sampler<F>, F: Real, M: AsMargins<F>> MeanOfHinge<O, S, F, M> {
    /// The mean over the draws of what `evaluate` makes of them, all checks before the first.
    fn mean(
        &self,
        scores: &[F],
        label: usize,
        scratch: &mut [F],
        mut evaluate: impl FnMut(Draw<'_, F>, &mut [F]) -> Result<F>,
    ) -> Result<F> {
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.as_margins().of(label, scores.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        self.noise.check_dim(scores.len())?;
        let Translation { center, mass } = self.oracle.translation(scores, scratch)?;
        let hinge = |value: F| positive_part(F::one(), |unit| value * unit - ((own * unit - center * unit * mass) - margin * unit));
        let (perturbed, scratch) = check::split(scratch, scores.len())?;
        let mut sum = F::zero();
        for index in self.noise.indices() {
            self.noise.perturb(scores, center, index, perturbed)?;
            sum += evaluate(Draw { index, perturbed, hinge: &hinge }, scratch)?;
        }
        check::in_range("loss", sum * self.share())
    }

    /// What a draw counts.
    fn share(&self) -> F {
        self.scale / self.noise.num_samples()
    }
}

impl<O: Oracle<F>, S: Sampler<F>, F: Real, M: AsMargins<F>> Loss<F> for MeanOfHinge<O, S, F, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_mul(2).saturating_add(self.oracle.scratch_len(num_classes))
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
        self.mean(scores, label, scratch, |draw, scratch| (draw.hinge)(self.oracle.value(draw.perturbed, scratch)?))
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let mut active = 0;
        let value = self.mean(scores, label, scratch, |draw, scratch| {
            // Whether the draw counts is known only after the oracle has answered, so its gradient waits in a buffer.
            let (part, scratch) = check::split(scratch, scores.len())?;
            part.fill(F::zero());
            let hinge = (draw.hinge)(self.oracle.value_and_add_grad(draw.perturbed, F::one(), part, scratch)?)?;
            if draw.index == 0 {
                grad.fill(F::zero());
            }
            if hinge > F::zero() {
                active += 1;
                grad.iter_mut().zip(part.iter()).for_each(|(sum, &g)| *sum += g);
            }
            Ok(hinge)
        })?;
        if let Some(own) = grad.get_mut(label) {
            *own -= F::from_usize(active);
        }
        grad.iter_mut().for_each(|entry| *entry *= self.share());
        check::all_in_range("gradient", grad)?;
        Ok(value)
    }
}

impl<O: FoldIn, S: Copy, F: Real, M: Clone> FoldIn for MeanOfHinge<O, S, F, M> {
    fn fold_in(&self, data: u64) -> Self {
        Self { oracle: self.oracle.fold_in(data), noise: self.noise.fold_in(data), margins: self.margins.clone(), scale: self.scale }
    }
}
