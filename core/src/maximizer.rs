//! Maximizers of a linear function over a set: the combinatorial problem inside a perturbed optimizer. One file each.
//!
//! ```
//! use topk_loss::maximizer::{Maximizer, TopKMask};
//! // The set is the masks of two classes.
//! let mut mask = [0.0; 4];
//! TopKMask::new(2)?.argmax(&[0.5, 2.0, -1.0, 1.0], &mut mask, &mut [0.0; 4])?;
//! assert_eq!(mask, [0.0, 1.0, 0.0, 1.0]);
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod perturbed_argmax;
mod ranking;
mod soft_top_k_mask;
mod top_k_mask;

pub use perturbed_argmax::PerturbedArgmax;
pub use ranking::Ranking;
#[doc(hidden)]
pub use soft_top_k_mask::Ramp;
pub use soft_top_k_mask::SoftTopKMask;
pub use top_k_mask::TopKMask;

use crate::lanes::Compensated;
use crate::{Real, Result, Translation, check};

/// y*(θ), a point of a set C at which ⟨y, θ⟩ is largest: a shortest path, a ranking, a matching, a subset.
///
/// A problem of your own is one `impl`; for a *least* cost, θ is minus the cost. [`SupportFunction`](crate::oracle::SupportFunction) makes
/// it an [`Oracle`](crate::oracle::Oracle), [`Pathwise`](crate::estimator::Pathwise) smooths that, [`PerturbedArgmax`] differentiates the
/// expected y*, [`FenchelYoung`](crate::loss::FenchelYoung) learns from a target y.
///
/// Nothing is allocated: `scratch` is at least [`scratch_len`](Maximizer::scratch_len) long; its contents are irrelevant before and
/// after. The callers in this crate never pass an empty, NaN or infinite θ.
///
/// ```
/// use topk_loss::maximizer::Maximizer;
/// use topk_loss::oracle::{Oracle, SupportFunction};
/// use topk_loss::{Real, Result};
///
/// /// C = {0, 1}ᴸ: every item of positive worth is taken.
/// #[derive(Clone, Copy)]
/// struct Knapsack;
///
/// impl<F: Real> Maximizer<F> for Knapsack {
///     fn scratch_len(&self, _: usize) -> usize {
///         0
///     }
///     fn argmax(&self, theta: &[F], y: &mut [F], _: &mut [F]) -> Result<()> {
///         y.iter_mut().zip(theta).for_each(|(y, &worth)| *y = if worth > F::zero() { F::one() } else { F::zero() });
///         Ok(())
///     }
/// }
///
/// assert_eq!(SupportFunction::new(Knapsack).value(&[2.0, -1.0, 0.5], &mut [0.0; 3])?, 2.5);
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait Maximizer<F: Real> {
    /// How much scratch a θ of `dim` entries needs.
    ///
    /// ```
    /// use topk_loss::maximizer::{Maximizer, Ranking};
    /// assert_eq!(Maximizer::<f64>::scratch_len(&Ranking, 5), 10);
    /// ```
    fn scratch_len(&self, dim: usize) -> usize;

    /// Overwrites every entry of `y`, which is as long as θ, with y*(θ).
    ///
    /// **Ties and NaN.** Each maximizer says which of several optima it picks.
    ///
    /// **Cost.** Each maximizer says its own.
    ///
    /// ```
    /// use topk_loss::maximizer::{Maximizer, TopKMask};
    /// let mut y = [7.0; 3];
    /// TopKMask::new(1)?.argmax(&[0.5, 2.0, 1.0], &mut y, &mut [0.0; 3])?;
    /// assert_eq!(y, [0.0, 1.0, 0.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever makes the problem unsolvable: a dimension it is not for, a scratch that is too short.
    fn argmax(&self, theta: &[F], y: &mut [F], scratch: &mut [F]) -> Result<()>;

    /// How the optimum follows a common offset of all entries, as [`Oracle::translation`](crate::oracle::Oracle::translation). Where all y
    /// in C have the same sum, that sum is the mass, and the center is an entry of θ near those that compete. The default claims nothing.
    ///
    /// ```
    /// use topk_loss::maximizer::{Maximizer, TopKMask};
    /// use topk_loss::oracle::Translation;
    /// // Two ones; the second largest entry decides.
    /// let translation = TopKMask::new(2)?.translation(&[0.5, 2.0, 1.0], &mut [0.0; 3])?;
    /// assert_eq!(translation, Translation { center: 1.0, mass: 2.0 });
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`argmax`](Maximizer::argmax).
    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        let _ = (theta, scratch);
        Ok(Translation { center: F::zero(), mass: F::zero() })
    }
}

impl<F: Real, M: Maximizer<F> + ?Sized> Maximizer<F> for &M {
    fn scratch_len(&self, dim: usize) -> usize {
        (**self).scratch_len(dim)
    }

    fn argmax(&self, theta: &[F], y: &mut [F], scratch: &mut [F]) -> Result<()> {
        (**self).argmax(theta, y, scratch)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        (**self).translation(theta, scratch)
    }
}

/// y*(θ) of a maximizer that somebody else wrote: an entry that it forgets, or makes NaN or infinite, is an error.
pub(crate) fn argmax<F: Real>(maximizer: &impl Maximizer<F>, theta: &[F], y: &mut [F], scratch: &mut [F]) -> Result<()> {
    y.fill(F::nan());
    maximizer.argmax(theta, y, scratch)?;
    check::finite("argmax", y)
}

pub(crate) fn dot<F: Real>(a: &[F], b: &[F]) -> F {
    Compensated::of(a.iter().zip(b).map(|(&a, &b)| a * b))
}
