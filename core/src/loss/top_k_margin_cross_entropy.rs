//! The cross-entropy with a margin for the K likeliest.

use super::Loss;
use super::softmax::Row;
use crate::compiled::{Example, values_by};
use crate::maximizer::SoftTopKMask;
use crate::{FoldIn, Real, Result, check, select};

/// ℓ(s, y) = ln Σ exp(s − c·h) − s_y + c, h the [soft mask](SoftTopKMask) of the K largest scores, c wide: the cross-entropy with a top-K margin.
///
/// The Fenchel–Young loss of Ω(p) = Σ p ln p + c · (the sum of the K largest entries of p). Convex and smooth; c → 0 is the
/// [`CrossEntropy`](crate::CrossEntropy). A label that is among the K guesses by a margin of c costs what it costs in a softmax of scores of
/// which the guesses' are lowered by c, so those who lead already pull less. For class probabilities η the minimiser is ln η + c on the
/// K likeliest classes and ln η on the others: calibrated for every K, and the probabilities are the softmax of s − c·h.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch L.
///
/// **Units.** The scores', in nats; c in the same.
///
/// **Errors.** K ≥ L, a label that is no class, NaN or infinite scores, a loss beyond the float's range.
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
/// **References.** Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", JMLR 2020, for the construction; the loss and its closed form are,
/// as far as we know, this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopKMarginCrossEntropy<F> {
    /// Of K entries, c wide.
    mask: SoftTopKMask<F>,
}

impl<F: Real> TopKMarginCrossEntropy<F> {
    /// A loss of `k` guesses with the margin c.
    ///
    /// # Errors
    /// k = 0, a margin that is not positive and finite.
    pub fn new(k: usize, margin: F) -> Result<Self> {
        check::at_least_one("k", k)?;
        check::positive("margin", margin)?;
        Ok(Self { mask: SoftTopKMask::new(k, margin)? })
    }

    /// The number of guesses K.
    #[must_use]
    pub const fn k(&self) -> usize {
        self.mask.k()
    }

    /// The margin c.
    #[must_use]
    pub const fn margin(&self) -> F {
        self.mask.width()
    }

    #[inline(always)]
    pub(crate) fn evaluate(&self, example: Example<'_, F>) -> Result<F> {
        let Example { scores, label, grad, scratch } = example;
        let grad = grad.unwrap_or_default();
        select::first_missed(self.k(), scores.len())?;
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let lowered = check::scratch(scratch, scores.len())?;
        let (ramp, margin) = (self.mask.ramp(scores, lowered), self.margin());
        for (lowered, &score) in lowered.iter_mut().zip(scores) {
            *lowered = ramp.relative(score) - margin * ramp.at(score);
        }
        check::all_in_range("range of the scores", lowered)?;
        let row = Row::new(lowered, label, grad)?;
        row.differentiate(label, F::one(), grad);
        // Both parts are at least 0: the softmax of the lowered scores, and what the label lacks of being a guess.
        check::in_range("loss", row.softmax.surprise() + margin * (F::one() - ramp.at(own)))
    }
}

impl<F: Real> Loss<F> for TopKMarginCrossEntropy<F> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes
    }

    values_by!(F::top_k_margin_cross_entropy);
}

impl<F: Real> FoldIn for TopKMarginCrossEntropy<F> {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
