//! The largest entry of a vector, as an oracle.

use super::{Oracle, OrderStatistics, Translation};
use crate::{FoldIn, KthLargest, Ranks, Real, Result};

/// f(θ) = max θ, the support function of the simplex; its gradient is 1 at the first largest entry.
///
/// Inside a [`Hinge`](crate::loss::Hinge) it makes Crammer and Singer's multi-class hinge with the label kept among the scores.
///
/// **Shapes.** θ of L entries; scratch L.
///
/// **Errors.** Those of [`KthLargest`] with k = 1.
///
/// **Ties and NaN.** Of equal entries the first has the gradient; NaN is an error.
///
/// **Cost.** O(L).
///
/// ```
/// use topk_loss::oracle::{Max, Oracle};
/// let mut grad = [0.0; 3];
/// assert_eq!(Max.value_and_add_grad(&[2.0, 5.0, 5.0], 1.0, &mut grad, &mut [0.0; 3])?, 5.0);
/// assert_eq!(grad, [0.0, 1.0, 0.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Max;

impl Max {
    fn first(self) -> Result<KthLargest> {
        KthLargest::new(1)
    }
}

impl<F: Real> Oracle<F> for Max {
    fn scratch_len(&self, dim: usize) -> usize {
        dim
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        self.first()?.value(theta, scratch)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        self.first()?.value_and_add_grad(theta, weight, grad, scratch)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        self.first()?.translation(theta, scratch)
    }
}

impl<F: Real> OrderStatistics<F> for Max {
    fn ranks(&self) -> Ranks<'_, F> {
        Ranks::Single(1)
    }
}

impl FoldIn for Max {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
