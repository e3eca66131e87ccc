//! The polyhedral top-K hinge: convex, calibrated, and without noise.

use super::Loss;
use super::hinge::positive_part;
use crate::compiled::{Evaluate, Example, values_by};
use crate::{AsMargins, FoldIn, Margins, Real, Result, check, excess, lanes, select};

/// ℓ(s, y) = scale · m · (max{s₍₁₎, max_{j>K} 1 + (s₍₁₎ + … + s₍ⱼ₎ − K)/j} − s_y) on s/m, s₍₁₎ ≥ s₍₂₎ ≥ … the sorted scores: the polyhedral
/// top-K hinge.
///
/// The Fenchel–Young loss f(s) − s_y + Ω(e_y), f(s) = max over the simplex of ⟨p, s⟩ − Ω(p), of Ω(p) = the sum of the K largest entries of
/// p. Convex, piecewise linear, and as cheap as the [hard hinge](crate::TopKHinge), which is neither convex nor good to train with: there a
/// few classes' scores run away. Its gradient is 1/j on the j largest scores, the label's less 1.
///
/// **Calibration.** For class probabilities η the risk is f(s) − ⟨η, s⟩ + const, and s is a minimiser just where η is a maximiser of
/// ⟨p, s⟩ − Ω(p). Let class a be among the K likeliest and b not. Moving a little probability δ from a to b lowers Ω by δ, so at a
/// minimiser δ(s_b − s_a) + δm ≤ 0: s_a ≥ s_b + m. Every minimiser ranks the K likeliest classes first, by a margin. (If some tie for
/// the last places, the same holds of those above and below the tie.) All is polyhedral, so the least risk of scores that rank otherwise is
/// attained, and is above the least of all: the loss is top-K calibrated. The law kit's certificate agrees for every K < L from 3 to 7, and
/// finds that the risk rises by at least 1/max{K + 1, L − K + 1} margins for each likely class that is missed.
///
/// **Margins.** m may differ from label to label, as m_y; the proof is of one for all.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch L.
///
/// **Errors.** K ≥ L, a label that is no class, per-class margins that are not L, NaN or infinite scores, K times the margin or a loss
/// beyond the float's range.
///
/// **Ties and NaN.** Of equal scores all share or none; where the largest alone counts, it is the first of them. Where the loss is 0 its
/// gradient is 0. NaN is an error. A common offset of the scores cancels before the margin can round.
///
/// **Accuracy.** Sums are compensated: a few roundings of the margin and the range of the scores that count.
///
/// **Cost.** O(L), whatever K: two passes over the row, then a few over the classes that may share.
///
/// ```
/// use topk_loss::Loss;
/// use topk_loss::loss::PolyhedralHinge;
/// let (loss, mut grad) = (PolyhedralHinge::new(1)?, [0.0; 3]);
/// // The two largest share: 1 + (2 + 1.5 − 1)/2 − 1.5.
/// let value = loss.value_and_grad(&[2.0, 1.5, -1.0], 1, &mut grad, &mut [0.0; 3])?;
/// assert_eq!((value, grad), (0.75, [0.5, -0.5, 0.0]));
/// // A lead of the margin is enough.
/// assert_eq!(loss.value(&[2.5, 1.5, -1.0], 0, &mut [0.0; 3])?, 0.0);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Thilagar, Frongillo, Finocchiaro, Goodwill, "Consistent polyhedral surrogates for top-k classification and variants",
/// ICML 2022; Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", JMLR 2020. The closed form by conjugacy and its search are
/// this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolyhedralHinge<F, M = Margins<'static, F>> {
    k: usize,
    margins: M,
    scale: F,
}

impl<F: Real> PolyhedralHinge<F> {
    /// A loss of `k` guesses with margin 1 and scale 1.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::PolyhedralHinge;
    /// assert_eq!(PolyhedralHinge::new(1)?.value(&[2.0, 1.5, -1.0], 1, &mut [0.0; 3])?, 0.75);
    /// assert!(PolyhedralHinge::<f64>::new(0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0.
    pub fn new(k: usize) -> Result<Self> {
        check::at_least_one("k", k)?;
        Ok(Self { k, margins: Margins::Uniform(F::one()), scale: F::one() })
    }
}

impl<F: Real, M: AsMargins<F>> PolyhedralHinge<F, M> {
    /// The same with other margins: [`Margins`], or a list of one a class that the loss then has, borrows or shares.
    ///
    /// **Cost.** A few passes over margins that are listed.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::PolyhedralHinge;
    /// let loss = PolyhedralHinge::new(1)?.with_margins([1.0, 2.0, 1.0])?;
    /// // Scores and margin twice as large: twice the loss.
    /// assert_eq!(loss.value(&[4.0, 3.0, -2.0], 1, &mut [0.0; 3])?, 1.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not positive and finite.
    pub fn with_margins<N: AsMargins<F>>(self, margins: N) -> Result<PolyhedralHinge<F, N>> {
        margins.as_margins().check_positive()?;
        Ok(PolyhedralHinge { k: self.k, margins, scale: self.scale })
    }

    /// The same with another scale.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::PolyhedralHinge;
    /// assert_eq!(PolyhedralHinge::new(1)?.with_scale(2.0)?.value(&[2.0, 1.5, -1.0], 1, &mut [0.0; 3])?, 1.5);
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
    /// assert_eq!(topk_loss::loss::PolyhedralHinge::new(3)?.with_scale(2.0)?.k(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The margins.
    ///
    /// ```
    /// use topk_loss::Margins;
    /// use topk_loss::loss::PolyhedralHinge;
    /// assert_eq!(PolyhedralHinge::new(3)?.margins(), &Margins::Uniform(1.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn margins(&self) -> &M {
        &self.margins
    }

    /// What multiplies the loss.
    ///
    /// ```
    /// assert_eq!(topk_loss::loss::PolyhedralHinge::new(3)?.with_scale(2.0)?.scale(), 2.0);
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
    /// use topk_loss::loss::PolyhedralHinge;
    /// let owned = PolyhedralHinge::new(1)?.with_margins(vec![1.0, 2.0])?;
    /// assert_eq!(owned.borrowed().margins(), &Margins::PerClass(&[1.0, 2.0]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> PolyhedralHinge<F, Margins<'_, F>> {
        PolyhedralHinge { k: self.k, margins: self.margins.as_margins(), scale: self.scale }
    }
}

/// Which classes share, and what the loss is but for the label.
#[derive(Debug, Clone, Copy)]
pub struct Sharing<F> {
    /// The largest score.
    top: F,
    /// What the sharing scores are above, relative to it.
    threshold: F,
    /// How many they are; nothing if the largest alone counts.
    count: Option<F>,
    level: F,
    scale: F,
}

impl<F: Real> PolyhedralHinge<F, Margins<'_, F>> {
    /// Given the margin, `entries` relative to the largest score `top`, all that are above `floor`, and that the excess over `floor` is K
    /// margins at least.
    ///
    /// (s₍₁₎ + … + s₍ⱼ₎ − Km)/j rises with j as long as s₍ⱼ₊₁₎ is above it, and falls from there on: it is largest at the j classes that
    /// are above the t where Σ (s − t)₊ = Km, and is that t. Those are more than K if t is above s₍₁₎ − m; if it is not, s₍₁₎ is what
    /// counts.
    #[doc(hidden)]
    #[inline(always)]
    pub fn sharing(&self, margin: F, entries: &[F], top: F, floor: F) -> Sharing<F> {
        self.shared(margin, top, excess::root(entries, margin * F::from_usize(self.k), floor))
    }

    /// Given that t, relative to the largest score, and how many classes are above it.
    #[inline(always)]
    pub(crate) fn shared(&self, margin: F, top: F, (threshold, count): (F, F)) -> Sharing<F> {
        let k = F::from_usize(self.k);
        let level = margin + threshold;
        // The second says the same as the first but for rounding.
        let is_shared = level > F::zero() && count > k;
        let level = if is_shared { level } else { F::zero() };
        Sharing { top, threshold, count: is_shared.then_some(count), level, scale: self.scale }
    }
}

impl<F: Real> Sharing<F> {
    /// The loss, given the label's score.
    ///
    /// # Errors
    /// One beyond the float's range.
    #[inline(always)]
    pub fn value(&self, own: F) -> Result<F> {
        positive_part(self.scale, |unit| self.level * unit + (self.top * unit - own * unit))
    }

    /// What each sharing class has in the gradient; nothing if the largest score alone counts.
    #[inline(always)]
    pub fn share(&self) -> Option<F> {
        Some(self.scale / self.count?)
    }

    /// Whether a class of this score shares.
    #[inline(always)]
    pub fn counts(&self, score: F) -> bool {
        score - self.top > self.threshold
    }
}

impl<F: Real> Evaluate<F> for PolyhedralHinge<F, Margins<'_, F>> {
    #[inline(always)]
    fn evaluate(&self, example: Example<'_, F>, weight: F) -> Result<F> {
        let Example { scores, label, grad, scratch } = example;
        select::first_missed(self.k, scores.len())?;
        let (top, parts) = excess::leaders(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.of(label, scores.len())?;
        let scratch = check::scratch(scratch, scores.len())?;
        let total = check::in_range("margin of all guesses", margin * F::from_usize(self.k))?;
        let floor = excess::bound(&parts, total, -total);
        let sharing = self.sharing(margin, excess::gather(scores, top, floor, scratch), top, floor);
        let loss = sharing.value(own)?;
        let Some(grad) = grad else { return Ok(loss) };
        if loss == F::zero() {
            grad.fill(F::zero());
            return Ok(loss);
        }
        check::in_range("gradient", self.scale * weight)?;
        if let Some(share) = sharing.share() {
            let entry_of_each = share * weight;
            for (entry, &score) in grad.iter_mut().zip(scores) {
                *entry = if sharing.counts(score) { entry_of_each } else { F::zero() };
            }
        } else {
            grad.fill(F::zero());
            if let Some(entry) = grad.get_mut(lanes::position(scores, top)) {
                *entry = self.scale * weight;
            }
        }
        if let Some(entry) = grad.get_mut(label) {
            let share = sharing.share().filter(|_| sharing.counts(own)).unwrap_or(F::zero());
            *entry = (share - self.scale) * weight;
        }
        Ok(loss)
    }
}

impl<F: Real, M: AsMargins<F>> Loss<F> for PolyhedralHinge<F, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes
    }

    values_by!(|loss: &Self, example| F::polyhedral_hinge(&loss.borrowed(), example));
}

impl<F: Copy, M: Clone> FoldIn for PolyhedralHinge<F, M> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}
