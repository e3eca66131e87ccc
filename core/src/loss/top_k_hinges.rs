//! The calibrated top-K hinge for several K at once.

use super::Loss;
use super::hinge::positive_part;
use crate::compiled::{Example, Integrated, Integrator, values_by};
use crate::{AsMargins, Exact, FoldIn, KthLargest, Margins, Normal, Real, Result, check, exact, select};

/// ℓ(s, y) = Σ_k π_k · scale · (m_y + top₍k+1₎(s) − s_y)₊: the [`TopKHinge`](crate::TopKHinge) averaged over the number of guesses.
///
/// For a model that is judged by several top-K accuracies at once. Each hinge is active or not by itself, so the classes that the label
/// must still overtake pull on it one by one.
///
/// **Shapes.** Shares π_1, π_2, … with the largest K below L; scratch 2K + 2, smoothed as much more than
/// [`Exact`] with K + 1 for its deepest rank.
///
/// **Errors.** K ≥ L for a K with a share, a label that is no class, per-class margins that are not L, NaN or infinite scores.
///
/// **Ties and NaN.** Equal scores rank by index, lowest first. At a kink that hinge's gradient is zero. NaN is an error.
///
/// **Cost.** Hard: one pass that keeps the largest scores, and one for the gradient. Smoothed: [`Exact`] once for
/// each K with a share.
///
/// ```
/// use topk_loss::loss::TopKHinges;
/// use topk_loss::Loss;
/// let mut grad = [0.0; 4];
/// let half_and_half = TopKHinges::new([0.5, 0.5])?;
/// let value = half_and_half.value_and_grad(&[1.0, 3.0, 1.5, 0.0], 0, &mut grad, &mut [0.0; 10])?;
/// // Half of 1 + 1.5 − 1 for one guess, half of 1 + 1 − 1 for two.
/// assert_eq!((value, grad), (1.25, [-0.5, 0.0, 0.5, 0.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020, for the hinge of one K; its average over K is
/// this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopKHinges<F, T, M = Margins<'static, F>> {
    shares: T,
    margins: M,
    scale: F,
    epsilon: Option<F>,
}

impl<F: Real, T: AsRef<[F]>> TopKHinges<F, T> {
    /// The hinges of 1, 2, … guesses with shares π_1, π_2, …: margin 1, scale 1, no smoothing.
    ///
    /// **Cost.** A few passes over the shares.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::TopKHinges;
    /// let loss = TopKHinges::new([0.5, 0.5])?;
    /// // Half of 1 + 1.5 − 1 for one guess, half of 1 + 1 − 1 for two.
    /// assert_eq!(loss.value(&[1.0, 3.0, 1.5, 0.0], 0, &mut [0.0; 10])?, 1.25);
    /// assert!(TopKHinges::new([0.5, 0.25]).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Shares that are negative, NaN or do not sum to 1.
    pub fn new(shares: T) -> Result<Self> {
        check::distribution("shares", shares.as_ref())?;
        Ok(Self { shares, margins: Margins::Uniform(F::one()), scale: F::one(), epsilon: None })
    }
}

impl<F: Real, T: AsRef<[F]>, M: AsMargins<F>> TopKHinges<F, T, M> {
    /// The same with other margins: [`Margins`], or a list of one a class that the loss then has, borrows or shares.
    ///
    /// **Cost.** One pass over margins that are listed.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::TopKHinges;
    /// let loss = TopKHinges::new([0.5, 0.5])?;
    /// assert_eq!(loss.with_margins([2.0, 1.0, 1.0, 1.0])?.value(&[1.0, 3.0, 1.5, 0.0], 0, &mut [0.0; 10])?, 2.25);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not finite.
    pub fn with_margins<N: AsMargins<F>>(self, margins: N) -> Result<TopKHinges<F, T, N>> {
        margins.as_margins().check()?;
        let Self { shares, scale, epsilon, .. } = self;
        Ok(TopKHinges { margins, shares, scale, epsilon })
    }

    /// The same with another scale.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::TopKHinges;
    /// let loss = TopKHinges::new([0.5, 0.5])?;
    /// assert_eq!(loss.with_scale(2.0)?.value(&[1.0, 3.0, 1.5, 0.0], 0, &mut [0.0; 10])?, 2.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A scale that is not positive and finite.
    pub fn with_scale(self, scale: F) -> Result<Self> {
        Ok(Self { scale: check::positive("scale", scale)?, ..self })
    }

    /// The same, smoothed exactly by normal noise of this scale, or not at all.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::TopKHinges;
    /// // The second largest of two tied scores is ε/√π below them.
    /// let value = TopKHinges::new([1.0])?.with_epsilon(Some(0.1))?.value(&[0.0_f64, 0.0], 0, &mut [0.0; 2000])?;
    /// assert!((value - (1.0 - 0.1 / std::f64::consts::PI.sqrt())).abs() < 1e-9);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite.
    pub fn with_epsilon(self, epsilon: Option<F>) -> Result<Self> {
        epsilon.map_or(Ok(F::one()), |epsilon| check::positive("epsilon", epsilon))?;
        Ok(Self { epsilon, ..self })
    }

    /// The shares of 1, 2, … guesses.
    ///
    /// ```
    /// use topk_loss::loss::TopKHinges;
    /// use topk_loss::Margins;
    /// let loss = TopKHinges::new([0.5, 0.5])?.with_scale(2.0)?;
    /// assert_eq!((loss.shares(), loss.margins(), loss.scale(), loss.epsilon()), (&[0.5, 0.5], &Margins::Uniform(1.0), 2.0, None));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn shares(&self) -> &T {
        &self.shares
    }

    /// The margins.
    ///
    /// ```
    /// use topk_loss::Margins;
    /// use topk_loss::loss::TopKHinges;
    /// assert_eq!(TopKHinges::new([0.5, 0.5])?.margins(), &Margins::Uniform(1.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn margins(&self) -> &M {
        &self.margins
    }

    /// The same loss, its lists borrowed: plain data to copy.
    ///
    /// ```
    /// use topk_loss::loss::TopKHinges;
    /// let owned = TopKHinges::new(vec![0.25, 0.75])?;
    /// assert_eq!(owned.borrowed().shares(), &[0.25, 0.75]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> TopKHinges<F, &[F], Margins<'_, F>> {
        let Self { scale, epsilon, .. } = *self;
        TopKHinges { shares: self.shares.as_ref(), margins: self.margins.as_margins(), scale, epsilon }
    }

    /// What multiplies the hinges.
    ///
    /// ```
    /// assert_eq!(topk_loss::loss::TopKHinges::new([0.5, 0.5])?.with_scale(2.0)?.scale(), 2.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn scale(&self) -> F {
        self.scale
    }

    /// The scale of the noise, if it is smoothed.
    ///
    /// ```
    /// assert_eq!(topk_loss::loss::TopKHinges::new([0.5, 0.5])?.with_epsilon(Some(0.1))?.epsilon(), Some(0.1));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn epsilon(&self) -> Option<F> {
        self.epsilon
    }

    /// The largest number of guesses that has a share.
    fn depth(&self) -> usize {
        self.shares.as_ref().iter().rposition(|&share| share > F::zero()).map_or(0, |i| i + 1)
    }

    /// Evaluates all hinges and leaves in the first entries of the scratch, rank by rank, the weights of those that are active. Overwrites
    /// `grad` with what a smoothing adds for them.
    fn hinges<'s>(
        &self,
        scores: &[F],
        label: usize,
        mut grad: Option<&mut [F]>,
        scratch: &'s mut [F],
        by: &impl Integrator<F>,
    ) -> Result<Hinges<'s, F>> {
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.as_margins().of(label, scores.len())?;
        let missed = select::first_missed(self.depth(), scores.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        let (weights, scratch) = check::split(scratch, missed)?;
        let (values, scratch) = check::split(scratch, missed)?;
        select::largest(scores, values);
        weights.fill(F::zero());
        weights.iter_mut().skip(1).zip(self.shares.as_ref()).for_each(|(weight, &share)| *weight = share);
        if let Some(grad) = &mut grad {
            grad.fill(F::zero());
        }
        let mut loss = F::zero();
        for (rank, (weight, &value)) in (1..).zip(weights.iter_mut().zip(values.iter())).filter(|(_, (weight, _))| **weight > F::zero()) {
            let (share, full) = (*weight, self.scale * *weight);
            let hinge =
                |smoothed: F| positive_part(self.scale, |unit| share * (margin * unit + (smoothed * unit - (own * unit - value * unit))));
            // Each rank about its own score: no offset of the others drowns the noise.
            let smoothed = match self.epsilon {
                None => F::zero(),
                Some(epsilon) => {
                    let output = grad.as_deref_mut().map(|grad| (full, grad));
                    let is_active = |smoothed: F| !hinge(smoothed).is_ok_and(|hinge| hinge == F::zero());
                    let exact = Exact::new(KthLargest::new(rank)?, Normal, epsilon)?;
                    exact.about_center(scores, (rank, value), (output, &is_active), scratch, by)?
                }
            };
            let hinge = hinge(smoothed)?;
            *weight = if hinge > F::zero() { full } else { F::zero() };
            loss += hinge;
        }
        Ok(Hinges { loss: check::in_range("loss", loss)?, weights, values })
    }
}

/// What the hinges of one row come to; rank by rank from the largest score.
struct Hinges<'s, F> {
    loss: F,
    /// scale · π of the active ones.
    weights: &'s mut [F],
    /// The order statistics.
    values: &'s mut [F],
}

impl<F: Real> Hinges<'_, F> {
    /// Adds each rank's weight to the class that has it, the first of tied classes the highest.
    fn add_hard_grad(&mut self, scores: &[F], grad: &mut [F]) {
        let deepest = self.values.last().copied().unwrap_or(F::infinity());
        let mut vacant = self.values.len();
        for (entry, &score) in grad.iter_mut().zip(scores).filter(|&(_, &score)| score >= deepest) {
            let Some((value, &mut weight)) = self.values.iter_mut().zip(self.weights.iter_mut()).find(|(value, _)| **value == score) else {
                continue;
            };
            // Taken: equal to nothing.
            *value = F::nan();
            *entry += weight;
            vacant -= 1;
            if vacant == 0 {
                return;
            }
        }
    }
}

impl<F: Real, T: AsRef<[F]>, M: AsMargins<F>> Loss<F> for TopKHinges<F, T, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        // The ranks are one deeper than the guesses; deeper than the row they are refused.
        let missed = (self.depth() + 1).min(num_classes);
        let smoothed = if self.epsilon.is_some() { exact::scratch_len::<F>(num_classes, missed, false) } else { 0 };
        smoothed.saturating_add(missed.saturating_mul(2))
    }

    values_by!(|loss: &Self, example| F::top_k_hinges(&loss.borrowed(), example));
}

impl<F: Real> Integrated<F> for TopKHinges<F, &[F], Margins<'_, F>> {
    #[inline(always)]
    fn evaluate(&self, example: Example<'_, F>, by: &impl Integrator<F>) -> Result<F> {
        let Example { scores, label, mut grad, scratch } = example;
        let mut hinges = self.hinges(scores, label, grad.as_deref_mut(), scratch, by)?;
        let Some(grad) = grad else { return Ok(hinges.loss) };
        if let Some(own) = grad.get_mut(label) {
            *own -= hinges.weights.iter().fold(F::zero(), |sum, &weight| sum + weight);
        }
        if self.epsilon.is_none() {
            hinges.add_hard_grad(scores, grad);
        }
        check::all_in_range("gradient", grad)?;
        Ok(hinges.loss)
    }
}

impl<F: Copy, T: Clone, M: Clone> FoldIn for TopKHinges<F, T, M> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}
