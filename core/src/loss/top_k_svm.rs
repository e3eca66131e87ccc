//! The top-K SVMs: hinges over the classes other than the label, in four forms.

use super::Loss;
use super::hinge::positive_part;
use crate::compiled::{Example, values_by};
use crate::lanes::Compensated;
use crate::{AsMargins, FoldIn, Margins, Real, Result, check, select};

/// Which of the other classes' violations a [`TopKSvm`] counts.
///
/// ```
/// use topk_loss::Loss;
/// use topk_loss::loss::{TopKSvm, TopKSvmForm};
/// let value = |form| TopKSvm::new(2, form)?.value(&[3.0, 2.5, 1.0, 0.0], 0, &mut [0.0; 8]);
/// // The others violate the margin by 0.5, −1 and −2.
/// assert_eq!((value(TopKSvmForm::KthOther)?, value(TopKSvmForm::MeanInside)?), (0.0, 0.0));
/// assert_eq!((value(TopKSvmForm::MeanWithLabel)?, value(TopKSvmForm::MeanOutside)?), (0.25, 0.25));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum TopKSvmForm {
    /// (m_y + (s∖y)₍K₎ − s_y)₊: the K-th largest of the others alone. Not convex for K ≥ 2. The hinge that
    /// Berrada et al. start from.
    KthOther,
    /// (m_y + (1/K) Σₖ (s∖y)₍ₖ₎ − s_y)₊: the hinge of the mean of the K largest others. Convex.
    MeanInside,
    /// ((1/K) Σₖ (s + m_y(1 − e_y))₍ₖ₎ − s_y)₊: as `MeanInside`, but the label's own score, without the margin, competes for a place among
    /// the K. Convex. The top-K hinge α of Lapin et al.
    MeanWithLabel,
    /// (1/K) Σₖ (m_y + (s∖y)₍ₖ₎ − s_y)₊: the mean of the hinges of the K largest others. Convex. The top-K hinge β of Lapin et al.
    MeanOutside,
}

/// scale · ℓ(s, y) for one of the four [forms](TopKSvmForm) of top-K hinge that came before the calibrated one.
///
/// With x_j = m_y + s_j − s_y, by how much class j violates the label's margin, every form is a share of the sum of some of the K largest
/// x_j over j ≠ y, and in this order each is at least as large as the one before: the calibrated hinge
/// ([`TopKHinge`](crate::TopKHinge)), `KthOther`,
/// `MeanInside`, `MeanWithLabel`, `MeanOutside`. For K = 1 the four are one, the hinge of Crammer and Singer. From K + 2 classes on
/// none of the four is top-K calibrated (Yang and Koyejo; this library's law kit finds the witnesses): where no class is likely enough,
/// scores that do not rank the K likeliest classes first can be as good as any. With K + 1 classes and K ≥ 2, `KthOther` and `MeanInside`
/// are.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch 2L.
///
/// **Errors.** K ≥ L, a label that is no class, per-class margins that are not L, NaN or infinite scores, a loss beyond the float's range.
///
/// **Ties and NaN.** Equal scores rank by index, lowest first, and so do the label and the K-th other where they compete. At a kink the
/// gradient is zero. NaN is an error. A common offset of the scores cancels before margin and scale can round.
///
/// **Accuracy.** The sum rounds twice, however large K is; violations round twice each.
///
/// **Cost.** O(L): one selection and a few passes.
///
/// ```
/// use topk_loss::loss::{TopKSvm, TopKSvmForm};
/// use topk_loss::Loss;
/// let scores = [0.5, 2.0, 1.0, -3.5];
/// let mut grad = [0.0; 4];
/// let mut evaluate = |form| TopKSvm::new(2, form)?.value_and_grad(&scores, 0, &mut grad, &mut [0.0; 8]);
/// assert_eq!(evaluate(TopKSvmForm::KthOther)?, 1.5);
/// assert_eq!(evaluate(TopKSvmForm::MeanInside)?, 2.0);
/// assert_eq!(grad, [-1.0, 0.5, 0.5, 0.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Crammer, Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", JMLR 2001; Lapin, Hein,
/// Schiele, "Top-k multiclass SVM", NIPS 2015; Berrada, Zisserman, Kumar, "Smooth loss functions for deep top-k classification", ICLR 2018;
/// Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopKSvm<F, M = Margins<'static, F>> {
    k: usize,
    form: TopKSvmForm,
    margins: M,
    scale: F,
}

/// What the loss is made of, once the scores have been looked at.
struct Violations<'s, F> {
    /// The scores without the label's.
    others: &'s [F],
    /// The K-th largest of them, and its position.
    threshold: F,
    last: usize,
    label: usize,
    own: F,
    margin: F,
}

impl<F: Real> Violations<'_, F> {
    /// By how much a class violates the margin, over `unit`.
    fn of(&self, score: F, unit: F) -> F {
        self.margin * unit + (score * unit - self.own * unit)
    }

    /// Whether the label's own entry, a violation of 0, ranks above the K-th other.
    fn label_ranks_higher(&self) -> bool {
        let last = self.of(self.threshold, F::one());
        last < F::zero() || (last == F::zero() && self.label <= self.last)
    }

    /// The classes that count, and their scores.
    fn counted(&self, k: usize, form: TopKSvmForm) -> impl Iterator<Item = (usize, F)> {
        let without_last = self.label_ranks_higher();
        let top = select::indices_of_top(self.others, k, self.threshold);
        top.filter_map(move |i| {
            let score = *self.others.get(i)?;
            let counts = match form {
                TopKSvmForm::KthOther => i == self.last,
                TopKSvmForm::MeanInside => true,
                TopKSvmForm::MeanWithLabel => i != self.last || !without_last,
                TopKSvmForm::MeanOutside => self.of(score, F::one()) > F::zero(),
            };
            let class = if i < self.label { i } else { i + 1 };
            counts.then_some((class, score))
        })
    }
}

impl<F: Real> TopKSvm<F> {
    /// A loss of `k` guesses with margin 1 and scale 1.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::{TopKSvm, TopKSvmForm};
    /// let loss = TopKSvm::new(2, TopKSvmForm::KthOther)?;
    /// // 1 + 1 − 0.5, by the second largest of the others.
    /// assert_eq!(loss.value(&[0.5, 2.0, 1.0, -3.5], 0, &mut [0.0; 8])?, 1.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0.
    pub fn new(k: usize, form: TopKSvmForm) -> Result<Self> {
        check::at_least_one("k", k)?;
        Ok(Self { k, form, margins: Margins::Uniform(F::one()), scale: F::one() })
    }
}

impl<F: Real, M: AsMargins<F>> TopKSvm<F, M> {
    /// The same with other margins: [`Margins`], or a list of one a class that the loss then has, borrows or shares.
    ///
    /// **Cost.** One pass over margins that are listed.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::{TopKSvm, TopKSvmForm};
    /// let loss = TopKSvm::new(2, TopKSvmForm::KthOther)?;
    /// assert_eq!(loss.with_margins([2.0, 1.0, 1.0, 1.0])?.value(&[0.5, 2.0, 1.0, -3.5], 0, &mut [0.0; 8])?, 2.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not finite.
    pub fn with_margins<N: AsMargins<F>>(self, margins: N) -> Result<TopKSvm<F, N>> {
        margins.as_margins().check()?;
        let Self { k, form, scale, .. } = self;
        Ok(TopKSvm { margins, k, form, scale })
    }

    /// The same with another scale.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::{TopKSvm, TopKSvmForm};
    /// let loss = TopKSvm::new(2, TopKSvmForm::KthOther)?;
    /// assert_eq!(loss.with_scale(2.0)?.value(&[0.5, 2.0, 1.0, -3.5], 0, &mut [0.0; 8])?, 3.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A scale that is not positive and finite.
    pub fn with_scale(self, scale: F) -> Result<Self> {
        Ok(Self { scale: check::positive("scale", scale)?, ..self })
    }

    /// The same loss, its margins borrowed: plain data to copy.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::{TopKSvm, TopKSvmForm};
    /// let loss = TopKSvm::new(2, TopKSvmForm::KthOther)?;
    /// let owned = loss.with_margins(vec![2.0, 1.0, 1.0, 1.0])?;
    /// assert_eq!(owned.borrowed().value(&[0.5, 2.0, 1.0, -3.5], 0, &mut [0.0; 8])?, 2.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> TopKSvm<F, Margins<'_, F>> {
        let Self { k, form, scale, .. } = *self;
        TopKSvm { k, form, margins: self.margins.as_margins(), scale }
    }

    /// All checks, and the selection among the others.
    fn violations<'s>(&self, scores: &[F], label: usize, scratch: &'s mut [F]) -> Result<Violations<'s, F>> {
        select::first_missed(self.k, scores.len())?;
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.as_margins().of(label, scores.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        let (others, scratch) = check::split(scratch, scores.len() - 1)?;
        let without_label = scores.iter().enumerate().filter(|&(i, _)| i != label);
        others.iter_mut().zip(without_label).for_each(|(other, (_, &score))| *other = score);
        let threshold = select::kth_value(others, self.k, scratch);
        let last = select::index_of_kth(others, self.k, threshold);
        Ok(Violations { others, threshold, last, label, own, margin })
    }

    /// The loss, and the weight of a violation in it.
    fn loss(&self, violations: &Violations<'_, F>) -> Result<(F, F)> {
        let places = if self.form == TopKSvmForm::KthOther { 1 } else { self.k };
        let weight = self.scale / F::from_usize(places);
        let counted = || violations.counted(self.k, self.form);
        let loss = positive_part(weight, |unit| Compensated::of(counted().map(|(_, score)| violations.of(score, unit))))?;
        Ok((loss, weight))
    }
}

impl<F: Real, M: AsMargins<F>> Loss<F> for TopKSvm<F, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes.saturating_mul(2)
    }

    values_by!(|loss: &Self, example| F::top_k_svm(&loss.borrowed(), example));
}

impl<F: Real> TopKSvm<F, Margins<'_, F>> {
    #[inline(always)]
    pub(crate) fn evaluate(&self, example: Example<'_, F>) -> Result<F> {
        let Example { scores, label, grad, scratch } = example;
        let violations = self.violations(scores, label, scratch)?;
        let (loss, weight) = self.loss(&violations)?;
        let Some(grad) = grad else { return Ok(loss) };
        grad.fill(F::zero());
        if loss == F::zero() {
            return Ok(loss);
        }
        let mut count = 0;
        for (class, _) in violations.counted(self.k, self.form) {
            count += 1;
            if let Some(entry) = grad.get_mut(class) {
                *entry = weight;
            }
        }
        if let Some(entry) = grad.get_mut(label) {
            *entry = -(weight * F::from_usize(count));
        }
        Ok(loss)
    }
}

impl<F: Copy, M: Clone> FoldIn for TopKSvm<F, M> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}
