//! The Fenchel–Young loss of a convex function: learning from a target vector in place of a label.

use crate::lanes::{self, Compensated};
use crate::maximizer::dot;
use crate::{Error, FoldIn, Oracle, Real, Result, Translation, check};

/// L(θ; y) = f(θ) − ⟨θ, y⟩ for a convex oracle f and a target y in the hull of its gradients; ∇L = ∇f(θ) − y.
///
/// With f a perturbed optimum, [`Pathwise`](crate::estimator::Pathwise)`<`[`SupportFunction`](crate::oracle::SupportFunction)`<M>, …>` or a
/// smoothed [`TopKSum`](crate::oracle::TopKSum), it teaches θ whose expected argmax is y: L is convex in θ and its gradient is zero exactly
/// where ∇f(θ) = y. The textbook's loss has the constant f*(y) added, which makes its least value 0 and which no gradient needs; it is not
/// computed here, so L may be negative and only its differences mean something. A [`KthLargest`](crate::oracle::KthLargest) is not convex
/// for k > 1, and then neither is L.
///
/// **Shapes.** θ, y and gradient of L entries; scratch L plus the oracle's.
///
/// **Errors.** The oracle's; a target of another length, or NaN or infinite; where the oracle knows its
/// [mass](Translation::mass), a target that does not sum to it (up to rounding: L machine epsilons of Σ|y| + |mass|), since the loss then
/// has no lower bound.
///
/// **Ties and NaN.** The oracle's. A common offset of θ cancels before it can round: both terms are taken relative to the oracle's center.
///
/// **Accuracy.** ⟨θ, y⟩ rounds once a product and twice in all, however many there are.
///
/// **Cost.** The oracle's and three passes.
///
/// ```
/// use topk_loss::estimator::Pathwise;
/// use topk_loss::loss::FenchelYoung;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::Max;
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::Key;
/// // Two draws; the second lifts class 2 above class 0.
/// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
/// let loss = FenchelYoung::new(Pathwise::new(Max, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?);
/// let (theta, mut grad, mut scratch) = ([1.0, 0.0, 0.5], [0.0; 3], [0.0; 9]);
///
/// assert_eq!(loss.value_and_grad(&theta, &[1.0, 0.0, 0.0], &mut grad, &mut scratch)?, 0.25);
/// assert_eq!(grad, [-0.5, 0.0, 0.5]);
/// assert_eq!(loss.value_and_grad(&theta, &[0.5, 0.0, 0.5], &mut grad, &mut scratch)?, 0.5);
/// assert_eq!(grad, [0.0; 3]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Blondel, Martins, Niculae, "Learning with Fenchel–Young losses", JMLR 2020; Berthet, Blondel, Teboul, Cuturi, Vert,
/// Bach, "Learning with differentiable perturbed optimizers", NeurIPS 2020 (with a perturbed f).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FenchelYoung<O> {
    oracle: O,
}

impl<O> FenchelYoung<O> {
    /// The loss that the convex function `oracle` generates.
    ///
    /// ```
    /// use topk_loss::loss::FenchelYoung;
    /// use topk_loss::oracle::Max;
    /// assert_eq!(FenchelYoung::new(Max).scratch_len::<f64>(3), 6);
    /// ```
    #[must_use]
    pub const fn new(oracle: O) -> Self {
        Self { oracle }
    }

    /// How much scratch a θ of `dim` entries needs.
    ///
    /// ```
    /// use topk_loss::loss::FenchelYoung;
    /// use topk_loss::oracle::Max;
    /// // L of its own, and as many of the oracle.
    /// assert_eq!(FenchelYoung::new(Max).scratch_len::<f64>(10), 20);
    /// ```
    pub fn scratch_len<F: Real>(&self, dim: usize) -> usize
    where
        O: Oracle<F>,
    {
        dim.saturating_add(self.oracle.scratch_len(dim))
    }

    /// f(θ) − ⟨θ, y⟩.
    ///
    /// **Ties and NaN.** The oracle's; NaN is an error.
    ///
    /// **Cost.** The oracle's and three passes.
    ///
    /// ```
    /// use topk_loss::loss::FenchelYoung;
    /// use topk_loss::oracle::Max;
    /// // The largest entry is 3; that of class 1, the target, is 1.
    /// assert_eq!(FenchelYoung::new(Max).value(&[3.0, 1.0], &[0.0, 1.0], &mut [0.0; 4])?, 2.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the type's description.
    pub fn value<F: Real>(&self, theta: &[F], target: &[F], scratch: &mut [F]) -> Result<F>
    where
        O: Oracle<F>,
    {
        self.gap(theta, target, scratch, |centered, scratch| self.oracle.value(centered, scratch))
    }

    /// Overwrites `grad` with ∇f(θ) − y and returns f(θ) − ⟨θ, y⟩.
    ///
    /// **Ties and NaN.** The oracle's; NaN is an error.
    ///
    /// **Cost.** The oracle's and a few passes.
    ///
    /// ```
    /// use topk_loss::loss::FenchelYoung;
    /// use topk_loss::oracle::Max;
    /// let mut grad = [0.0; 2];
    /// assert_eq!(FenchelYoung::new(Max).value_and_grad(&[3.0, 1.0], &[0.0, 1.0], &mut grad, &mut [0.0; 4])?, 2.0);
    /// assert_eq!(grad, [1.0, -1.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the type's description; `grad` is then as before, unless only the oracle's computation could find the fault.
    pub fn value_and_grad<F: Real>(&self, theta: &[F], target: &[F], grad: &mut [F], scratch: &mut [F]) -> Result<F>
    where
        O: Oracle<F>,
    {
        check::length("grad", grad, theta.len())?;
        self.gap(theta, target, scratch, |centered, scratch| {
            grad.fill(F::zero());
            let value = self.oracle.value_and_add_grad(centered, F::one(), grad, scratch)?;
            grad.iter_mut().zip(target).for_each(|(entry, &y)| *entry -= y);
            Ok(value)
        })
    }

    /// f(θ − center) − ⟨θ − center, y⟩, with `evaluate` called on the centered θ.
    fn gap<F: Real>(&self, theta: &[F], target: &[F], scratch: &mut [F], evaluate: impl FnOnce(&[F], &mut [F]) -> Result<F>) -> Result<F>
    where
        O: Oracle<F>,
    {
        check::scores(theta)?;
        check::length("target", target, theta.len())?;
        check::finite("target", target)?;
        let scratch = check::scratch(scratch, self.scratch_len(theta.len()))?;
        let translation = self.oracle.translation(theta, scratch)?;
        check_mass(target, translation)?;
        let (centered, scratch) = scratch.split_at_mut(theta.len());
        centered.iter_mut().zip(theta).for_each(|(c, &t)| *c = t - translation.center);
        if centered.iter().any(|c| !c.is_finite()) {
            return Err(Error::Overflow { what: "range of the scores" });
        }
        let product = check::in_range("product with the target", dot(centered, target))?;
        check::in_range("loss", evaluate(centered, scratch)? - product)
    }
}

/// An oracle without a mass leaves both numbers of its translation at 0.
fn check_mass<F: Real>(target: &[F], Translation { center, mass }: Translation<F>) -> Result<()> {
    if center == F::zero() && mass == F::zero() {
        return Ok(());
    }
    let (sum, size) = (lanes::total(target), mass.abs() + Compensated::of(target.iter().map(|y| y.abs())));
    let slack = F::epsilon() * F::from_usize(target.len()) * size;
    let fits = (sum - mass).abs() <= slack;
    if fits { Ok(()) } else { Err(Error::Parameter { name: "target", must: "of entries that sum to the oracle's mass" }) }
}

impl<O: FoldIn> FoldIn for FenchelYoung<O> {
    fn fold_in(&self, data: u64) -> Self {
        Self { oracle: self.oracle.fold_in(data) }
    }
}
