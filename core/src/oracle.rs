//! First-order oracles: functions that return a value and a (sub)gradient. One file each.
//!
//! ```
//! use topk_loss::oracle::{Oracle, TopKSum};
//! // The gradient is added, here with a weight of 0.5.
//! let mut grad = [1.0, 0.0, 0.0];
//! let sum = TopKSum::new(2)?.value_and_add_grad(&[0.5, 2.0, 1.0], 0.5, &mut grad, &mut [0.0; 6])?;
//! assert_eq!((sum, grad), (3.0, [1.0, 0.5, 0.5]));
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod kth_largest;
mod max;
mod rank_sum;
mod support_function;
mod top_k_sum;

pub use crate::exact::{AsRanks, Ranks};
pub use kth_largest::KthLargest;
pub use max::Max;
pub use rank_sum::RankSum;
pub use support_function::SupportFunction;
pub use top_k_sum::TopKSum;

use crate::{Error, Real, Result, check};

/// A function f of a vector that can be evaluated and differentiated almost everywhere: an order statistic, the value of a
/// combinatorial argmax, or the smoothing of either.
///
/// Nothing is allocated: `scratch` is at least [`scratch_len`](Oracle::scratch_len) long, its contents are irrelevant before and
/// after. Implementations return an error for an empty, NaN or infinite θ, a gradient of another length, or a scratch that is too
/// short, and then leave the gradient as it was. Where only the computation itself can find the fault (a result beyond the float's range,
/// a noise law that returns NaN), the gradient is unspecified. Whatever is returned without an error is finite, each entry of the gradient
/// too.
///
/// The [crate's front page](crate) implements one.
///
/// ```
/// use topk_loss::oracle::{KthLargest, Oracle};
/// let mut grad = [0.0, 0.0, 1.0]; // what is there stays
/// let value = KthLargest::new(2)?.value_and_add_grad(&[0.5, 2.0, 1.0], 3.0, &mut grad, &mut [0.0; 3])?;
/// assert_eq!((value, grad), (1.0, [0.0, 0.0, 4.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait Oracle<F: Real> {
    /// How much scratch a θ of `dim` entries needs.
    ///
    /// ```
    /// use topk_loss::oracle::{KthLargest, Oracle};
    /// assert_eq!(Oracle::<f64>::scratch_len(&KthLargest::new(2)?, 5), 5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn scratch_len(&self, dim: usize) -> usize;

    /// f(θ), without its gradient.
    ///
    /// **Ties and NaN.** Each oracle says its rule for ties; NaN is an error.
    ///
    /// **Cost.** Each oracle says its own.
    ///
    /// ```
    /// use topk_loss::oracle::{KthLargest, Oracle};
    /// assert_eq!(KthLargest::new(2)?.value(&[0.5, 2.0, 1.0], &mut [0.0; 3])?, 1.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the trait's description; whatever makes f undefined at θ.
    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F>;

    /// Adds `weight`·∇f(θ) to `grad` and returns f(θ). Adding lets averages and sparse gradients do without a second buffer.
    ///
    /// **Ties and NaN.** Each oracle says its rule for ties; NaN is an error.
    ///
    /// **Cost.** Each oracle says its own.
    ///
    /// ```
    /// use topk_loss::oracle::{Max, Oracle};
    /// let mut grad = [1.0; 3];
    /// assert_eq!(Max.value_and_add_grad(&[0.5, 2.0, 1.0], 0.5, &mut grad, &mut [0.0; 3])?, 2.0);
    /// assert_eq!(grad, [1.0, 1.5, 1.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`value`](Oracle::value), and a `grad` that is not as long as θ.
    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F>;

    /// How f follows a common offset of all entries near θ. The default claims nothing.
    ///
    /// **Ties and NaN.** NaN is an error.
    ///
    /// **Cost.** One selection for a k-th largest entry or a sum of the largest.
    ///
    /// ```
    /// use topk_loss::oracle::{Oracle, TopKSum, Translation};
    /// let translation = TopKSum::new(2)?.translation(&[0.5, 2.0, 1.0], &mut [0.0; 3])?;
    /// assert_eq!(translation, Translation { center: 1.0, mass: 2.0 });
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`value`](Oracle::value).
    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        let _ = scratch;
        check::scores(theta)?;
        Ok(Translation { center: F::zero(), mass: F::zero() })
    }
}

/// Adds to every entry of a gradient, or to none where one would leave the float's range.
pub(crate) fn add<F: Real>(grad: &mut [F], added: &[F]) -> Result<()> {
    let in_range = grad.iter().zip(added).fold(true, |all, (&entry, &added)| all & (entry + added).is_finite());
    if !in_range {
        return Err(Error::Overflow { what: "gradient" });
    }
    grad.iter_mut().zip(added).for_each(|(entry, &added)| *entry += added);
    Ok(())
}

/// How a function follows a common offset: f(θ) = f(θ − center·1) + center·mass, with a center among the entries that decide f.
///
/// What adds noise of scale ε subtracts the center first: beside scores of 1e6 a noise of 0.01 is lost in `f32`. Only a function
/// with f(θ + c·1) = f(θ) + c·mass for every c may name a center other than 0.
///
/// ```
/// use topk_loss::oracle::{KthLargest, Oracle};
/// let (second, theta) = (KthLargest::new(2)?, [1e6_f32, 1e6 + 1.0, 1e6 + 2.0]);
/// let at = second.translation(&theta, &mut [0.0; 3])?;
/// let relative = second.value(&theta.map(|t| t - at.center), &mut [0.0; 3])?;
/// assert_eq!((relative, relative + at.center * at.mass), (0.0, 1e6 + 1.0));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Translation<F> {
    /// What to subtract from every entry.
    pub center: F,
    /// The sum of the entries of ∇f.
    pub mass: F,
}

/// An oracle that is a weighted sum of order statistics, which the [exact](crate::estimator::Exact) and the
/// [conditional](crate::estimator::Conditional) estimator can smooth.
///
/// ```
/// use topk_loss::oracle::{OrderStatistics, RankSum, Ranks};
/// assert_eq!(RankSum::new([0.5, 0.5])?.ranks(), Ranks::Weighted(&[0.5, 0.5]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait OrderStatistics<F: Real>: Oracle<F> {
    /// Which order statistics, and with which weights.
    ///
    /// ```
    /// use topk_loss::oracle::{KthLargest, OrderStatistics, Ranks};
    /// assert_eq!(OrderStatistics::<f64>::ranks(&KthLargest::new(2)?), Ranks::Single(2));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn ranks(&self) -> Ranks<'_, F>;
}

impl<F: Real, O: Oracle<F> + ?Sized> Oracle<F> for &O {
    fn scratch_len(&self, dim: usize) -> usize {
        (**self).scratch_len(dim)
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        (**self).value(theta, scratch)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        (**self).value_and_add_grad(theta, weight, grad, scratch)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        (**self).translation(theta, scratch)
    }
}

impl<F: Real, O: OrderStatistics<F> + ?Sized> OrderStatistics<F> for &O {
    fn ranks(&self) -> Ranks<'_, F> {
        (**self).ranks()
    }
}
