//! The mask of the k largest entries.

use super::Maximizer;
use crate::{Real, Result, Translation, check, select};

/// y*(θ) = the 0/1 mask of the k largest entries, over C = {y ∈ {0, 1}ᴸ : Σy = k}; k = 1 is the one-hot of the largest.
///
/// Its [`SupportFunction`](crate::oracle::SupportFunction) is [`TopKSum`](crate::oracle::TopKSum).
///
/// **Shapes.** θ and y of L ≥ k entries; scratch L.
///
/// **Errors.** No entry, k > L, NaN or infinite entries, scratch too short; `y` is then as before.
///
/// **Ties and NaN.** Equal entries rank by index, lowest first; NaN is an error.
///
/// **Cost.** O(L); O(L ln k) at worst, as [`kth_largest`](crate::select::kth_largest) says.
///
/// ```
/// use topk_loss::maximizer::{Maximizer, TopKMask};
/// let mut y = [0.0; 4];
/// TopKMask::new(2)?.argmax(&[1.0, 4.0, 2.0, 2.0], &mut y, &mut [0.0; 4])?;
/// assert_eq!(y, [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopKMask {
    k: usize,
}

impl TopKMask {
    /// The mask of the k largest, k from 1.
    ///
    /// ```
    /// use topk_loss::maximizer::TopKMask;
    /// assert_eq!(TopKMask::new(2)?.k(), 2);
    /// assert!(TopKMask::new(0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0.
    pub fn new(k: usize) -> Result<Self> {
        Ok(Self { k: check::at_least_one("k", k)? })
    }

    /// The number of ones.
    ///
    /// ```
    /// assert_eq!(topk_loss::maximizer::TopKMask::new(2)?.k(), 2);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn k(self) -> usize {
        self.k
    }
}

impl<F: Real> Maximizer<F> for TopKMask {
    fn scratch_len(&self, dim: usize) -> usize {
        dim
    }

    fn argmax(&self, theta: &[F], y: &mut [F], scratch: &mut [F]) -> Result<()> {
        check::length("y", y, theta.len())?;
        let threshold = select::checked_kth_value(theta, self.k, scratch)?;
        y.fill(F::zero());
        for index in select::indices_of_top(theta, self.k, threshold) {
            if let Some(entry) = y.get_mut(index) {
                *entry = F::one();
            }
        }
        Ok(())
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        Ok(Translation { center: select::checked_kth_value(theta, self.k, scratch)?, mass: F::from_usize(self.k) })
    }
}
