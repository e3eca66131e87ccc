//! A convex, calibrated hinge of K guesses without noise.

use super::Loss;
use crate::compiled::{Example, values_by};
use crate::lanes::Compensated;
use crate::{FoldIn, Real, Result, check, select};

/// ℓ(s, y) = m · (max{s₍₁₎, max_{j>K} 1 + (s₍₁₎ + … + s₍ⱼ₎ − K)/j} − s_y) on s/m, s₍₁₎ ≥ s₍₂₎ ≥ … the sorted scores: the polyhedral top-K hinge.
///
/// The Fenchel–Young loss f(s) − s_y + Ω(e_y), f(s) = max over the simplex of ⟨p, s⟩ − Ω(p), of Ω(p) = the sum of the K largest entries of p. Convex,
/// piecewise linear, and as cheap as the [hard hinge](crate::TopKHinge), which is neither convex nor good to train with: there a few classes'
/// scores run away. Its gradient is 1/j on the j largest scores, the label's less 1.
///
/// **Calibration.** For class probabilities η the risk is f(s) − ⟨η, s⟩ + const, and s is a minimiser just where η is a maximiser of
/// ⟨p, s⟩ − Ω(p). Let class a be among the K likeliest and b not. Moving a little probability δ from a to b lowers Ω by δ, so at a minimiser
/// δ(s_b − s_a) + δm ≤ 0: s_a ≥ s_b + m. Every minimiser ranks the K likeliest classes first, by a margin. (If some tie for
/// the last places, the same holds of those above and below the tie.) All is polyhedral, so the least risk of scores that rank otherwise is
/// attained, and is above the least of all: the loss is top-K calibrated.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch L.
///
/// **Errors.** K ≥ L, a label that is no class, NaN or infinite scores, a loss beyond the float's range.
///
/// **Ties and NaN.** Equal scores rank by index, lowest first. Where the loss is 0 its gradient is 0. NaN is an error. A common offset of the
/// scores cancels before the margin can round.
///
/// **Accuracy.** Sums are compensated: a few roundings of the margin and the range of the scores that count.
///
/// **Cost.** O(L): a selection, and a pass for each step of a search that ends after a few.
///
/// ```
/// use topk_loss::Loss;
/// use topk_loss::loss::PolyhedralHinge;
/// let (loss, mut grad) = (PolyhedralHinge::new(1, 1.0)?, [0.0; 3]);
/// // The two largest share: 1 + (2 + 1.5 − 1)/2 − 1.5.
/// let value = loss.value_and_grad(&[2.0, 1.5, -1.0], 1, &mut grad, &mut [0.0; 3])?;
/// assert_eq!((value, grad), (0.75, [0.5, -0.5, 0.0]));
/// // A lead of the margin is enough.
/// assert_eq!(loss.value(&[2.5, 1.5, -1.0], 0, &mut [0.0; 3])?, 0.0);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Thilagar, Frongillo, Finocchiaro, Goodwill, "Consistent polyhedral surrogates for top-k classification and variants", ICML 2022;
/// Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", JMLR 2020. The closed form by conjugacy and its search are this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolyhedralHinge<F> {
    k: usize,
    margin: F,
}

/// The classes that share, and what the loss is without the label.
struct Sharing<F> {
    /// The largest score, which all is relative to.
    top: F,
    /// max{0, m + the mean excess} relative to it.
    level: F,
    who: Who<F>,
}

/// Whose scores count, each alike.
enum Who<F> {
    /// The largest alone.
    Largest,
    /// The K + 1 largest, the last of which has this score.
    Missed(F),
    /// So many, that are above this score relative to the largest.
    Above(F, usize),
}

impl<F: Real> PolyhedralHinge<F> {
    /// A loss of `k` guesses with a margin.
    ///
    /// # Errors
    /// k = 0, a margin that is not positive and finite.
    pub fn new(k: usize, margin: F) -> Result<Self> {
        check::at_least_one("k", k)?;
        Ok(Self { k, margin: check::positive("margin", margin)? })
    }

    /// The number of guesses K.
    #[must_use]
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The margin.
    #[must_use]
    pub const fn margin(&self) -> F {
        self.margin
    }

    /// The scores' best sharing; the scratch is as long as they are.
    ///
    /// (Σ_{i≤j} x₍ᵢ₎ − Km)/j rises with j as long as x₍ⱼ₊₁₎ is above it, and falls from there on: it is largest where it solves
    /// Σ (x − t)₊ = Km, or at j = K + 1 if that counts no more than K classes. Newton's method on that equation, from below.
    fn sharing(&self, scores: &[F], scratch: &mut [F]) -> Sharing<F> {
        let top = scores.iter().copied().fold(F::neg_infinity(), F::max);
        let missed = select::kth_value(scores, self.k + 1, scratch);
        let weight = self.margin * F::from_usize(self.k);
        let relative = || scores.iter().map(|&score| score - top);
        let above = |t: F| {
            let (mut count, mut sum) = (0_usize, Compensated::zero());
            relative().filter(|&x| x > t).for_each(|x| {
                count += 1;
                sum.add(x);
            });
            (count, sum.sum())
        };
        let (count, sum) = above(missed - top);
        let ties = F::from_usize((self.k + 1).saturating_sub(count));
        let mut mean = (sum + ties * (missed - top) - weight) / F::from_usize(self.k + 1);
        let (mut who, mut before) = (Who::Missed(missed), usize::MAX);
        loop {
            let (count, sum) = above(mean);
            // So few are those of K + 1 that are above their mean; as many as before is where the search ends.
            if count <= self.k + 1 || count >= before {
                break;
            }
            (who, before) = (Who::Above(mean, count), count);
            mean = (sum - weight) / F::from_usize(count);
        }
        let level = self.margin + mean;
        if level > F::zero() { Sharing { top, level, who } } else { Sharing { top, level: F::zero(), who: Who::Largest } }
    }

    #[inline(always)]
    pub(crate) fn evaluate(&self, example: Example<'_, F>) -> Result<F> {
        let Example { scores, label, grad, scratch } = example;
        select::first_missed(self.k, scores.len())?;
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let scratch = check::scratch(scratch, scores.len())?;
        let sharing = self.sharing(scores, scratch);
        let loss = sharing.level + (sharing.top - own);
        let loss = check::in_range("loss", if loss > F::zero() { loss } else { F::zero() })?;
        let Some(grad) = grad else { return Ok(loss) };
        grad.fill(F::zero());
        if loss == F::zero() {
            return Ok(loss);
        }
        match sharing.who {
            Who::Largest => {
                if let Some(entry) = grad.get_mut(select::index_of_kth(scores, 1, sharing.top)) {
                    *entry = F::one();
                }
            }
            Who::Missed(missed) => {
                let share = F::from_usize(self.k + 1).recip();
                for class in select::indices_of_top(scores, self.k + 1, missed) {
                    if let Some(entry) = grad.get_mut(class) {
                        *entry = share;
                    }
                }
            }
            Who::Above(cut, count) => {
                let share = F::from_usize(count).recip();
                let counted = grad.iter_mut().zip(scores).filter(|&(_, &score)| score - sharing.top > cut);
                counted.for_each(|(entry, _)| *entry = share);
            }
        }
        if let Some(entry) = grad.get_mut(label) {
            *entry -= F::one();
        }
        Ok(loss)
    }
}

impl<F: Real> Loss<F> for PolyhedralHinge<F> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        num_classes
    }

    values_by!(F::polyhedral_hinge);
}

impl<F: Real> FoldIn for PolyhedralHinge<F> {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
