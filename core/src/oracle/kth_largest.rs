//! The k-th largest entry of a vector, as an oracle.

use super::{Oracle, OrderStatistics, Translation};
use crate::{FoldIn, Ranks, Real, Result, check, select};

/// f(θ) = θ₍ₖ₎, the k-th largest entry; its gradient is 1 at the position of that entry and 0 elsewhere.
///
/// **Shapes.** θ of L ≥ k entries; scratch L.
///
/// **Errors.** No entry, k > L, NaN or infinite entries, scratch too short, a gradient beyond the float's range.
///
/// **Ties and NaN.** Equal entries rank by index, lowest first; NaN is an error.
///
/// **Cost.** O(L); O(L ln k) at worst, as [`kth_largest`](crate::select::kth_largest) says.
///
/// ```
/// use topk_loss::oracle::{KthLargest, Oracle};
/// let (theta, mut grad) = ([0.1, 0.7, 0.4], [0.0; 3]);
/// let value = KthLargest::new(2)?.value_and_add_grad(&theta, 1.0, &mut grad, &mut [0.0; 3])?;
/// assert_eq!((value, grad), (0.4, [0.0, 0.0, 1.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** David, Nagaraja, "Order Statistics", 3rd ed., Wiley, 2003.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KthLargest {
    k: usize,
}

impl KthLargest {
    /// The k-th largest, k from 1.
    ///
    /// ```
    /// use topk_loss::oracle::KthLargest;
    /// assert_eq!(KthLargest::new(2)?.k(), 2);
    /// assert!(KthLargest::new(0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0.
    pub fn new(k: usize) -> Result<Self> {
        Ok(Self { k: check::at_least_one("k", k)? })
    }

    /// The rank k.
    ///
    /// ```
    /// assert_eq!(topk_loss::oracle::KthLargest::new(2)?.k(), 2);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn k(self) -> usize {
        self.k
    }
}

impl<F: Real> Oracle<F> for KthLargest {
    fn scratch_len(&self, dim: usize) -> usize {
        dim
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        select::checked_kth_value(theta, self.k, scratch)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, theta.len())?;
        let value = self.value(theta, scratch)?;
        let index = select::index_of_kth(theta, self.k, value);
        if let Some(entry) = grad.get_mut(index) {
            *entry = check::in_range("gradient", *entry + weight)?;
        }
        Ok(value)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        Ok(Translation { center: self.value(theta, scratch)?, mass: F::one() })
    }
}

impl<F: Real> OrderStatistics<F> for KthLargest {
    fn ranks(&self) -> Ranks<'_, F> {
        Ranks::Single(self.k)
    }
}

impl FoldIn for KthLargest {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
