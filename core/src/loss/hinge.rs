//! The hinge over any oracle: of an order statistic, smoothed or not, it is the top-K hinge.

use super::Loss;
use crate::{AsMargins, FoldIn, Margins, Oracle, Real, Result, Translation, check};

/// ℓ(s, y) = scale · (m_y + f(s) − s_y)₊ for an oracle f.
///
/// One type for the hard loss and its smoothed forms: with f = s₍K+1₎ it is the calibrated top-K hinge, with a smoothed order
/// statistic the noised loss (*hinge of the mean*, the paper's composition), with f = max a multi-class hinge that
/// keeps the label among the scores and so is never below m_y; without the label, as Crammer and Singer have it, it is a
/// [`TopKSvm`](crate::loss::TopKSvm) of one guess.
/// [`TopKHinge`](crate::TopKHinge) is the same in plain data.
///
/// **Shapes.** Scores and gradient of L entries; scratch L plus the oracle's.
///
/// **Errors.** The oracle's; a label that is no class; per-class margins that are not L.
///
/// **Ties and NaN.** At the kink, m_y + f(s) = s_y, the gradient is zero. NaN is an error.
///
/// **Cost.** The oracle's and one pass.
///
/// ```
/// use topk_loss::loss::Hinge;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::{Loss, Margins};
/// let hinge = Hinge::new(KthLargest::new(2)?, Margins::Uniform(1.0), 1.0)?;
/// let mut grad = [0.0; 3];
/// let loss = hinge.value_and_grad(&[0.5, 2.0, 1.0], 0, &mut grad, &mut [0.0; 6])?;
/// assert_eq!((loss, grad), (1.5, [-1.0, 0.0, 1.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Crammer, Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", JMLR 2001;
/// Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hinge<O, F, M = Margins<'static, F>> {
    oracle: O,
    margins: M,
    scale: F,
}

impl<O, F: Real, M: AsMargins<F>> Hinge<O, F, M> {
    /// The hinge over `oracle`.
    ///
    /// **Cost.** One pass over margins that are listed.
    ///
    /// ```
    /// use topk_loss::loss::Hinge;
    /// use topk_loss::oracle::Max;
    /// use topk_loss::{Loss, Margins};
    /// // 2 · (1 + 3 − 0.5).
    /// assert_eq!(Hinge::new(Max, Margins::Uniform(1.0), 2.0)?.value(&[0.5, 3.0], 0, &mut [0.0; 4])?, 7.0);
    /// assert!(Hinge::new(Max, Margins::Uniform(1.0), 0.0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not finite, a scale that is not positive and finite.
    pub fn new(oracle: O, margins: M, scale: F) -> Result<Self> {
        margins.as_margins().check()?;
        Ok(Self { oracle, margins, scale: check::positive("scale", scale)? })
    }
}

impl<O: Clone, F: Real, M: AsMargins<F>> Hinge<O, F, M> {
    /// The same loss, its margins borrowed.
    ///
    /// ```
    /// use topk_loss::loss::Hinge;
    /// use topk_loss::oracle::Max;
    /// use topk_loss::Loss;
    /// let owned = Hinge::new(Max, vec![1.0, 2.0], 1.0)?;
    /// assert_eq!(owned.borrowed().value(&[0.5, 3.0], 0, &mut [0.0; 4])?, 3.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> Hinge<O, F, Margins<'_, F>> {
        Hinge { oracle: self.oracle.clone(), margins: self.margins.as_margins(), scale: self.scale }
    }
}

/// scale · x₊ of an x that `in_units` gives over a unit of its choice: 1, and where a part of x is beyond the float's range a larger one.
/// So a loss that is zero is found to be, and only one that is itself beyond the range is refused.
#[inline(always)]
pub(crate) fn positive_part<F: Real>(scale: F, in_units: impl Fn(F) -> F) -> Result<F> {
    let mut x = in_units(F::one());
    if !x.is_finite() {
        let per_unit = F::epsilon();
        x = in_units(per_unit) / per_unit;
    }
    if x <= F::zero() { Ok(F::zero()) } else { check::in_range("loss", x * scale) }
}

impl<O: Oracle<F>, F: Real, M: AsMargins<F>> Hinge<O, F, M> {
    /// scale · (m_y + f(s) − s_y)₊, with `evaluate` called on the centered scores.
    ///
    /// Both f(s) and s_y are taken relative to the oracle's center, so that a large common offset cancels before it can round. Scores too
    /// far apart for that have none.
    fn evaluate(&self, scores: &[F], label: usize, scratch: &mut [F], evaluate: impl FnOnce(&[F], &mut [F]) -> Result<F>) -> Result<F> {
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.as_margins().of(label, scores.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        let Translation { mut center, mass } = self.oracle.translation(scores, scratch)?;
        let (centered, scratch) = check::split(scratch, scores.len())?;
        centered.iter_mut().zip(scores).for_each(|(c, &s)| *c = s - center);
        if centered.iter().any(|c| !c.is_finite()) {
            centered.copy_from_slice(scores);
            center = F::zero();
        }
        let value = evaluate(centered, scratch)?;
        positive_part(self.scale, |unit| margin * unit + (value * unit - (own * unit - center * unit * mass)))
    }
}

impl<O: Oracle<F>, F: Real, M: AsMargins<F>> Loss<F> for Hinge<O, F, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_add(self.oracle.scratch_len(num_classes))
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
        self.evaluate(scores, label, scratch, |centered, scratch| self.oracle.value(centered, scratch))
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, scores.len())?;
        let loss = self.evaluate(scores, label, scratch, |centered, scratch| {
            grad.fill(F::zero());
            self.oracle.value_and_add_grad(centered, self.scale, grad, scratch)
        })?;
        if loss == F::zero() {
            grad.fill(F::zero());
        } else if let Some(own) = grad.get_mut(label) {
            *own = check::in_range("gradient", *own - self.scale)?;
        }
        Ok(loss)
    }
}

impl<O: FoldIn, F: Real, M: Clone> FoldIn for Hinge<O, F, M> {
    fn fold_in(&self, data: u64) -> Self {
        Self { oracle: self.oracle.fold_in(data), margins: self.margins.clone(), scale: self.scale }
    }
}
