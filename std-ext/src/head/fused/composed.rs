//! Losses around another loss, in the head that stores no scores: adjusted scores, and weights of the classes.

use topk_loss::check;
use topk_loss::loss::{ClassWeighted, LogitAdjusted};

use super::examples::Examples;
use super::strips::Strips;
use super::stripwise::Stripwise;
use super::{HeadGrads, HeadLoss};
use crate::{BatchReal, Result};

impl<F: BatchReal, L: HeadLoss<F>, T: AsRef<[F]> + Sync> HeadLoss<F> for LogitAdjusted<L, T> {}

impl<F: BatchReal, L: HeadLoss<F>, T: AsRef<[F]> + Sync> Stripwise<F> for LogitAdjusted<L, T> {
    fn objective(&self, strips: Strips<'_, F>, examples: Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F> {
        let adjustments = self.adjustments().as_ref();
        examples.check(check::length("adjustments", adjustments, strips.num_classes()))?;
        self.loss().objective(strips.adjusted(adjustments), examples, grads)
    }

    fn label_weight(&self, label: usize) -> F {
        self.loss().label_weight(label)
    }
}

impl<F: BatchReal, L: HeadLoss<F>, T: AsRef<[F]> + Sync> HeadLoss<F> for ClassWeighted<L, T> {}

impl<F: BatchReal, L: HeadLoss<F>, T: AsRef<[F]> + Sync> Stripwise<F> for ClassWeighted<L, T> {
    fn objective(&self, strips: Strips<'_, F>, examples: Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F> {
        let weights = self.weights().as_ref();
        examples.check(check::length("weights", weights, strips.num_classes()))?;
        self.loss().objective(strips, examples.weighted(|label| check::label(weights, label))?, grads)
    }

    fn label_weight(&self, label: usize) -> F {
        // One that there is not is found when the examples are weighted.
        self.weights().as_ref().get(label).map_or(F::one(), |&weight| weight * self.loss().label_weight(label))
    }
}
