//! The sum of the k largest entries of a vector, as an oracle.

use super::{Oracle, OrderStatistics, Translation};
use crate::lanes::Compensated;
use crate::{FoldIn, Ranks, Real, Result, check, select};

/// f(θ) = θ₍₁₎ + … + θ₍ₖ₎, the support function of the k-subsets; its gradient is the 0/1 mask of the k largest entries.
///
/// **Shapes.** θ of L ≥ k entries; scratch L.
///
/// **Errors.** No entry, k > L, NaN or infinite entries, scratch too short, a sum or a gradient beyond the float's range.
///
/// **Ties and NaN.** Equal entries rank by index, lowest first; NaN is an error.
///
/// **Cost.** O(L); O(L ln k) at worst, as [`kth_largest`](crate::select::kth_largest) says.
///
/// ```
/// use topk_loss::oracle::{Oracle, TopKSum};
/// let mut grad = [0.0; 4];
/// assert_eq!(TopKSum::new(2)?.value_and_add_grad(&[1.0, 4.0, 2.0, 2.0], 1.0, &mut grad, &mut [0.0; 4])?, 6.0);
/// assert_eq!(grad, [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Boyd, Vandenberghe, "Convex Optimization", Cambridge University Press, 2004 (the sum of the largest entries is convex).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopKSum {
    k: usize,
}

impl TopKSum {
    /// The sum of the k largest, k from 1.
    ///
    /// ```
    /// use topk_loss::oracle::TopKSum;
    /// assert_eq!(TopKSum::new(2)?.k(), 2);
    /// assert!(TopKSum::new(0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0.
    pub fn new(k: usize) -> Result<Self> {
        Ok(Self { k: check::at_least_one("k", k)? })
    }

    /// How many entries are summed.
    ///
    /// ```
    /// assert_eq!(topk_loss::oracle::TopKSum::new(2)?.k(), 2);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn k(self) -> usize {
        self.k
    }

    fn sum<F: Real>(self, theta: &[F], threshold: F) -> Result<F> {
        let above = theta.iter().filter(|&&t| t > threshold);
        let excess = Compensated::of(above.map(|&t| t - threshold));
        check::in_range("sum of the k largest", excess + threshold * F::from_usize(self.k))
    }
}

impl<F: Real> Oracle<F> for TopKSum {
    fn scratch_len(&self, dim: usize) -> usize {
        dim
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        let threshold = select::checked_kth_value(theta, self.k, scratch)?;
        self.sum(theta, threshold)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, theta.len())?;
        let threshold = select::checked_kth_value(theta, self.k, scratch)?;
        let value = self.sum(theta, threshold)?;
        for index in select::indices_of_top(theta, self.k, threshold) {
            if let Some(entry) = grad.get_mut(index) {
                *entry += weight;
            }
        }
        check::all_in_range("gradient", grad)?;
        Ok(value)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        Ok(Translation { center: select::checked_kth_value(theta, self.k, scratch)?, mass: F::from_usize(self.k) })
    }
}

impl<F: Real> OrderStatistics<F> for TopKSum {
    fn ranks(&self) -> Ranks<'_, F> {
        Ranks::Top(self.k)
    }
}

impl FoldIn for TopKSum {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
