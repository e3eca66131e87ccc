//! A weighted sum of order statistics, as an oracle.

use super::{Oracle, OrderStatistics, Translation};
use crate::{Error, FoldIn, Ranks, Real, Result, check, select};

/// f(θ) = Σ_r w_r θ₍ᵣ₎, an ordered weighted average: several K at once, the mean of the k largest, a trimmed mean.
///
/// **Shapes.** Weights for the ranks 1, 2, …; θ of at least as many entries as there are ranks with a weight; scratch L.
///
/// **Errors.** A rank with a weight beyond L, NaN or infinite entries, scratch too short, a value or a gradient beyond the float's range.
///
/// **Ties and NaN.** Equal entries rank by index, lowest first; NaN is an error.
///
/// **Cost.** O(L) for each rank with a weight.
///
/// ```
/// use topk_loss::oracle::{Oracle, RankSum};
/// let mut grad = [0.0; 4];
/// let sum = RankSum::new([0.5, 0.0, 2.0])?;
/// assert_eq!(sum.value_and_add_grad(&[1.0, 4.0, 2.0, 2.0], 1.0, &mut grad, &mut [0.0; 4])?, 6.0);
/// assert_eq!(grad, [0.0, 0.5, 0.0, 2.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Yager, "On ordered weighted averaging aggregation operators in multicriteria decisionmaking", IEEE Transactions on
/// Systems, Man, and Cybernetics 18, 1988.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSum<T> {
    weights: T,
}

impl<T> RankSum<T> {
    /// The sum with weight w_r on rank r, w_1 first.
    ///
    /// **Cost.** A few passes over the weights.
    ///
    /// ```
    /// use topk_loss::oracle::{Oracle, RankSum};
    /// // The second largest and half of the third.
    /// assert_eq!(RankSum::new([0.0, 1.0, 0.5])?.value(&[4.0, 3.0, 2.0], &mut [0.0; 3])?, 4.0);
    /// assert!(RankSum::new([0.0, 0.0]).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// No non-zero weight, NaN or infinite weights, weights whose sum is beyond the float's range.
    pub fn new<F: Real>(weights: T) -> Result<Self>
    where
        T: AsRef<[F]>,
    {
        check::finite("weights", weights.as_ref())?;
        if weights.as_ref().iter().all(|&w| w == F::zero()) {
            return Err(Error::Parameter { name: "weights", must: "non-zero for at least one rank" });
        }
        check::in_range("sum of the weights", Ranks::Weighted(weights.as_ref()).mass())?;
        Ok(Self { weights })
    }

    fn sum<F: Real>(&self, theta: &[F], scratch: &mut [F], mut visit: impl FnMut(F, usize)) -> Result<F>
    where
        T: AsRef<[F]>,
    {
        check::scores(theta)?;
        check::rank(self.ranks().last(), theta.len())?;
        let scratch = check::scratch(scratch, theta.len())?;
        let mut sum = F::zero();
        for (k, &weight) in (1..).zip(self.weights.as_ref()).filter(|&(_, &weight)| weight != F::zero()) {
            let value = select::kth_value(theta, k, scratch);
            sum += weight * value;
            visit(weight, select::index_of_kth(theta, k, value));
        }
        check::in_range("sum over the ranks", sum)
    }
}

impl<F: Real, T: AsRef<[F]>> Oracle<F> for RankSum<T> {
    fn scratch_len(&self, dim: usize) -> usize {
        dim
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        self.sum(theta, scratch, |_, _| {})
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, theta.len())?;
        self.value(theta, scratch)?;
        let value = self.sum(theta, scratch, |share, index| {
            if let Some(entry) = grad.get_mut(index) {
                *entry += weight * share;
            }
        })?;
        check::all_in_range("gradient", grad)?;
        Ok(value)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        let center = select::checked_kth_value(theta, self.ranks().last(), scratch)?;
        Ok(Translation { center, mass: self.ranks().mass() })
    }
}

impl<F: Real, T: AsRef<[F]>> OrderStatistics<F> for RankSum<T> {
    fn ranks(&self) -> Ranks<'_, F> {
        Ranks::Weighted(self.weights.as_ref())
    }
}

impl<T: Clone> FoldIn for RankSum<T> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}
