//! The label-distribution-aware margin loss: a cross-entropy that the label must win by its class's margin.

use super::Loss;
use super::softmax::{self, Row};
use crate::compiled::{Example, values_by};
use crate::{AsMargins, FoldIn, Margins, Real, Result, check};

/// ℓ(s, y) = the cross-entropy of scale · (s − m_y e_y): the label must win by its class's margin.
///
/// The margins are usually [`ldam_margins`](crate::imbalance::ldam_margins), larger for rarer classes, and the scores cosines, which a
/// scale of about 30 spreads; a scale of 1 suits ordinary scores. The gradient is with respect to s and carries the scale.
///
/// **Shapes.** L scores, L ≥ 2; scratch L.
///
/// **Errors.** Fewer than two classes, a label that is no class, per-class margins that are not L, NaN or infinite scores, scaled scores
/// beyond the float's range.
///
/// **Ties and NaN.** Smooth, so ties do not matter. NaN is an error. A common offset of the scores cancels before margin and scale can
/// round.
///
/// **Accuracy.** The sum over the classes is that of [`CrossEntropy`](crate::CrossEntropy), however many they are.
///
/// **Cost.** One exponential a class and one pass.
///
/// ```
/// use topk_loss::loss::Ldam;
/// use topk_loss::{Loss, Margins};
/// let mut grad = [0.0; 2];
/// let loss = Ldam::new(Margins::Uniform(0.5), 30.0)?;
/// let value = loss.value_and_grad(&[0.25, 0.75_f64], 1, &mut grad, &mut [0.0; 2])?;
/// assert_eq!((value, grad), (2.0_f64.ln(), [15.0, -15.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Cao, Wei, Gaidon, Arechiga, Ma, "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS 2019.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ldam<F, M = Margins<'static, F>> {
    margins: M,
    scale: F,
}

impl<F: Real, M: AsMargins<F>> Ldam<F, M> {
    /// The loss with the margins of the classes and the scale of the scores.
    ///
    /// **Cost.** One pass over margins that are listed.
    ///
    /// ```
    /// use topk_loss::loss::Ldam;
    /// assert_eq!(Ldam::new([0.1, 0.5], 30.0)?.scale(), 30.0);
    /// assert!(Ldam::new([0.1, 0.5], -30.0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not finite, a scale that is not positive and finite.
    pub fn new(margins: M, scale: F) -> Result<Self> {
        margins.as_margins().check()?;
        Ok(Self { margins, scale: check::positive("scale", scale)? })
    }

    /// The margins.
    ///
    /// ```
    /// use topk_loss::loss::Ldam;
    /// use topk_loss::Margins;
    /// let loss = Ldam::new(Margins::Uniform(0.5), 30.0)?;
    /// assert_eq!((loss.margins(), loss.scale()), (&Margins::Uniform(0.5), 30.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn margins(&self) -> &M {
        &self.margins
    }

    /// The same loss, its margins borrowed: plain data to copy.
    ///
    /// ```
    /// use topk_loss::loss::Ldam;
    /// use topk_loss::Margins;
    /// let owned = Ldam::new(vec![0.1, 0.5], 30.0)?;
    /// assert_eq!(owned.borrowed().margins(), &Margins::PerClass(&[0.1, 0.5]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> Ldam<F, Margins<'_, F>> {
        Ldam { margins: self.margins.as_margins(), scale: self.scale }
    }

    /// What multiplies the scores.
    ///
    /// ```
    /// assert_eq!(topk_loss::loss::Ldam::new([0.1, 0.5], 30.0)?.scale(), 30.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn scale(&self) -> F {
        self.scale
    }

    /// scale · (s − m_y e_y) up to a common offset, and the scratch that holds it.
    fn scaled<'s>(&self, scores: &[F], label: usize, scratch: &'s mut [F]) -> Result<&'s [F]> {
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.as_margins().of(label, scores.len())?;
        let scaled = check::scratch(scratch, scores.len())?;
        let largest = scores.iter().copied().fold(F::neg_infinity(), F::max);
        softmax::spread(scores, largest, self.scale, scaled);
        if let Some(z) = scaled.get_mut(label) {
            *z = softmax::spread_label(own, largest, margin, self.scale);
        }
        check::all_in_range("scaled scores", scaled)?;
        Ok(scaled)
    }

    #[inline(always)]
    pub(crate) fn evaluate(&self, example: Example<'_, F>) -> Result<F> {
        let Example { scores, label, grad, scratch } = example;
        let grad = grad.unwrap_or_default();
        let row = Row::new(self.scaled(scores, label, scratch)?, label, grad)?;
        row.differentiate(label, self.scale, grad);
        Ok(row.softmax.surprise())
    }
}

impl<F: Real, M: AsMargins<F>> Loss<F> for Ldam<F, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes
    }

    values_by!(|loss: &Self, example| F::ldam(&loss.borrowed(), example));
}

impl<F: Copy, M: Clone> FoldIn for Ldam<F, M> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}
