//! The top-K margin cross-entropy: a softmax in which the K largest scores are lowered by a margin.

use super::Loss;
use super::softmax::Row;
use crate::compiled::{Evaluate, Example, values_by};
use crate::maximizer::SoftTopKMask;
use crate::{AsMargins, FoldIn, Margins, Real, Result, check, excess, select};

/// ℓ(s, y) = ln Σ exp(s − c·h) − s_y + c, h the [soft mask](SoftTopKMask) of the K largest scores, c wide: the cross-entropy with a top-K
/// margin.
///
/// With another scale than 1 it is the loss of scale · s, for scores that are cosines.
///
/// The Fenchel–Young loss of Ω(p) = Σ p ln p + c · (the sum of the K largest entries of p). Convex and smooth; c → 0 is the
/// [`CrossEntropy`](crate::CrossEntropy). A label that is among the K guesses by a margin of c costs what it costs in a softmax of scores
/// of which the guesses' are lowered by c, so those who lead already pull less. For class probabilities η the minimiser is ln η + c on the
/// K likeliest classes and ln η on the others: calibrated for every K, and the probabilities are the softmax of s − c·h.
///
/// **Margins.** c may differ from label to label, as c_y; the minimiser above is of one for all.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch L.
///
/// **Units.** Scores times scale are in nats, and c is.
///
/// **Errors.** K ≥ L, a label that is no class, per-class margins that are not L, NaN or infinite scores, K times the margin or a loss
/// beyond the float's range.
///
/// **Ties and NaN.** Smooth, so ties need no rule. NaN is an error. A common offset of the scores cancels before the margin can round.
///
/// **Accuracy.** The softmax's, and a rounding of the largest score's distance for each class within c of the K-th.
///
/// **Cost.** The soft mask's, and one exponential a class.
///
/// ```
/// use topk_loss::loss::TopKMarginCrossEntropy;
/// use topk_loss::{CrossEntropy, Loss};
/// let (loss, mut grad) = (TopKMarginCrossEntropy::new(1, 2.0)?, [0.0_f64; 3]);
/// // The largest leads by more than the margin, and is lowered by it; the others are equal to it then.
/// let value = loss.value_and_grad(&[4.0, 2.0, 2.0], 0, &mut grad, &mut [0.0; 3])?;
/// assert!((value - 3.0_f64.ln()).abs() < 1e-15 && (grad[1] - 1.0 / 3.0).abs() < 1e-15);
/// // A class that is no guess has the margin to make up.
/// assert!((loss.value(&[4.0, 2.0, 2.0], 1, &mut [0.0; 3])? - (3.0_f64.ln() + 2.0)).abs() < 1e-15);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", JMLR 2020, for the construction; the loss and its
/// closed form are, as far as we know, this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopKMarginCrossEntropy<F, M = Margins<'static, F>> {
    k: usize,
    margins: M,
    scale: F,
}

impl<F: Real> TopKMarginCrossEntropy<F> {
    /// A loss of `k` guesses with the margin c and scale 1.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::TopKMarginCrossEntropy;
    /// // The largest score is lowered by the margin, and then all are equal.
    /// let value = TopKMarginCrossEntropy::new(1, 2.0)?.value(&[4.0_f64, 2.0, 2.0], 0, &mut [0.0; 3])?;
    /// assert!((value - 3.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0, a margin that is not positive and finite.
    pub fn new(k: usize, margin: F) -> Result<Self> {
        check::at_least_one("k", k)?;
        Self { k, margins: Margins::Uniform(F::one()), scale: F::one() }.with_margins(Margins::Uniform(margin))
    }
}

impl<F: Real, M: AsMargins<F>> TopKMarginCrossEntropy<F, M> {
    /// The same with other margins: [`Margins`], or a list of one a class that the loss then has, borrows or shares.
    ///
    /// **Cost.** A few passes over margins that are listed.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::TopKMarginCrossEntropy;
    /// let loss = TopKMarginCrossEntropy::new(1, 1.0)?.with_margins([2.0, 1.0, 1.0])?;
    /// assert!((loss.value(&[4.0_f64, 2.0, 2.0], 0, &mut [0.0; 3])? - 3.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not positive and finite.
    pub fn with_margins<N: AsMargins<F>>(self, margins: N) -> Result<TopKMarginCrossEntropy<F, N>> {
        margins.as_margins().check_positive()?;
        Ok(TopKMarginCrossEntropy { k: self.k, margins, scale: self.scale })
    }

    /// The same with another scale of the scores.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::TopKMarginCrossEntropy;
    /// let loss = TopKMarginCrossEntropy::new(1, 2.0)?.with_scale(2.0)?;
    /// assert!((loss.value(&[2.0_f64, 1.0, 1.0], 0, &mut [0.0; 3])? - 3.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A scale that is not positive and finite.
    pub fn with_scale(self, scale: F) -> Result<Self> {
        Ok(Self { scale: check::positive("scale", scale)?, ..self })
    }

    /// The number of guesses K.
    ///
    /// ```
    /// assert_eq!(topk_loss::loss::TopKMarginCrossEntropy::new(3, 1.0)?.with_scale(2.0)?.k(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The margins c.
    ///
    /// ```
    /// use topk_loss::Margins;
    /// use topk_loss::loss::TopKMarginCrossEntropy;
    /// assert_eq!(TopKMarginCrossEntropy::new(3, 0.5)?.margins(), &Margins::Uniform(0.5));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn margins(&self) -> &M {
        &self.margins
    }

    /// The scale of the scores.
    ///
    /// ```
    /// assert_eq!(topk_loss::loss::TopKMarginCrossEntropy::new(3, 1.0)?.with_scale(2.0)?.scale(), 2.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn scale(&self) -> F {
        self.scale
    }

    /// The same loss, its margins borrowed: plain data to copy.
    ///
    /// ```
    /// use topk_loss::Margins;
    /// use topk_loss::loss::TopKMarginCrossEntropy;
    /// let owned = TopKMarginCrossEntropy::new(1, 1.0)?.with_margins(vec![1.0, 2.0])?;
    /// assert_eq!(owned.borrowed().margins(), &Margins::PerClass(&[1.0, 2.0]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> TopKMarginCrossEntropy<F, Margins<'_, F>> {
        TopKMarginCrossEntropy { k: self.k, margins: self.margins.as_margins(), scale: self.scale }
    }
}

impl<F: Real> Evaluate<F> for TopKMarginCrossEntropy<F, Margins<'_, F>> {
    #[inline(always)]
    fn evaluate(&self, example: Example<'_, F>, weight: F) -> Result<F> {
        let Example { scores, label, grad, scratch } = example;
        let (grad, scale) = (grad.unwrap_or_default(), self.scale);
        select::first_missed(self.k, scores.len())?;
        let leaders = excess::leaders(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.of(label, scores.len())?;
        let scratch = check::scratch(scratch, scores.len())?;
        // The mask of scaled scores is that of the scores by a ramp which is as much narrower.
        let mask = SoftTopKMask::new(self.k, check::positive("margin over scale", margin / scale)?)?;
        let ramp = mask.ramp(scores, leaders, scratch)?;
        let lowered = |score| scale * ramp.lowered(score);
        // What is lowered keeps its order.
        let row = Row::relative_to(lowered(leaders.0), scores, lowered, label, grad)?;
        check::in_range("gradient", scale * weight)?;
        row.write(label, scale, weight, grad);
        // Both parts are at least 0: the softmax of the lowered scores, and what the label lacks of being a guess.
        check::in_range("loss", row.softmax.surprise() + scale * ramp.lack(own))
    }
}

impl<F: Real, M: AsMargins<F>> Loss<F> for TopKMarginCrossEntropy<F, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes
    }

    values_by!(|loss: &Self, example| F::top_k_margin_cross_entropy(&loss.borrowed(), example));
}

impl<F: Copy, M: Clone> FoldIn for TopKMarginCrossEntropy<F, M> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}
