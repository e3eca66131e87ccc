//! Class weights: a loss times the weight of its label's class.

use super::Loss;
use crate::{FoldIn, Real, Result, check};

/// w_y ℓ(s, y) for any [`Loss`] ℓ: classes count as much as their weight says.
///
/// [Inverse class frequencies](crate::imbalance::inverse_frequency_weights), or the inverse [effective
/// numbers](crate::imbalance::effective_number_weights) of the reference, make rare classes count more. A weight of 0 silences a class.
///
/// **Shapes.** One weight a class; scores, gradient and scratch as the loss's.
///
/// **Errors.** The loss's; weights that are not L; a weighted loss or gradient beyond the float's range.
///
/// **Ties and NaN.** The loss's.
///
/// **Cost.** The loss's and one pass.
///
/// ```
/// use topk_loss::loss::ClassWeighted;
/// use topk_loss::{CrossEntropy, Loss};
/// let loss = ClassWeighted::new(CrossEntropy, [1.0, 4.0])?;
/// let mut grad = [0.0; 2];
/// let value = loss.value_and_grad(&[0.0_f64, 0.0], 1, &mut grad, &mut [])?;
/// assert_eq!((value, grad), (4.0 * 2.0_f64.ln(), [2.0, -2.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Cui, Jia, Lin, Song, Belongie, "Class-balanced loss based on effective number of samples", CVPR 2019.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassWeighted<L, T> {
    loss: L,
    weights: T,
}

impl<L, T> ClassWeighted<L, T> {
    /// `loss` times the weight of the label's class.
    ///
    /// **Cost.** Two passes over the weights.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::ClassWeighted;
    /// assert_eq!(ClassWeighted::new(CrossEntropy, [1.0, 4.0])?.weights(), &[1.0, 4.0]);
    /// assert!(ClassWeighted::new(CrossEntropy, [1.0, -4.0]).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A weight that is negative or not finite.
    pub fn new<F: Real>(loss: L, weights: T) -> Result<Self>
    where
        T: AsRef<[F]>,
    {
        check::non_negative("weights", weights.as_ref())?;
        Ok(Self { loss, weights })
    }

    /// The loss that is weighted.
    ///
    /// ```
    /// use topk_loss::loss::ClassWeighted;
    /// use topk_loss::CrossEntropy;
    /// let loss = ClassWeighted::new(CrossEntropy, [1.0, 4.0])?;
    /// assert_eq!((loss.loss(), loss.weights()), (&CrossEntropy, &[1.0, 4.0]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn loss(&self) -> &L {
        &self.loss
    }

    /// The weights, one a class.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::loss::ClassWeighted;
    /// assert_eq!(ClassWeighted::new(CrossEntropy, vec![1.0, 4.0])?.weights()[1], 4.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn weights(&self) -> &T {
        &self.weights
    }

    fn weight<F: Real>(&self, label: usize, num_classes: usize) -> Result<F>
    where
        T: AsRef<[F]>,
    {
        let weights = self.weights.as_ref();
        check::length("weights", weights, num_classes)?;
        check::label(weights, label)
    }
}

impl<L: Loss<F>, T: AsRef<[F]>, F: Real> Loss<F> for ClassWeighted<L, T> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        self.loss.scratch_len(num_classes)
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
        let weight = self.weight(label, scores.len())?;
        check::in_range("loss", weight * self.loss.value(scores, label, scratch)?)
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        let weight = self.weight(label, scores.len())?;
        let value = check::in_range("loss", weight * self.loss.value_and_grad(scores, label, grad, scratch)?)?;
        grad.iter_mut().for_each(|entry| *entry *= weight);
        check::all_in_range("gradient", grad)?;
        Ok(value)
    }
}

impl<L: FoldIn, T: Clone> FoldIn for ClassWeighted<L, T> {
    fn fold_in(&self, data: u64) -> Self {
        Self { loss: self.loss.fold_in(data), weights: self.weights.clone() }
    }
}
