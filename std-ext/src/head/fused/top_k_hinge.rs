//! The top-K hinge in the head that stores no scores: picks the way to compute it by its smoothing.

use topk_loss::loss::AsMargins;
use topk_loss::{Error, Margins, Smoothing, TopKHinge};

use super::examples::Examples;
use super::pathwise::Pathwise;
use super::selection::{Hard, objective_and_score_grads};
use super::strips::Strips;
use super::stripwise::Stripwise;
use super::word_bounds::WordBounds;
use super::{HeadGrads, HeadLoss, ScoreGrad, exact, sparse};
use crate::{BatchError, BatchReal, Result};

impl<F: BatchReal, M: AsMargins<F> + Sync> HeadLoss<F> for TopKHinge<F, M> {}

impl<F: BatchReal, M: AsMargins<F> + Sync> Stripwise<F> for TopKHinge<F, M> {
    fn objective(&self, strips: Strips<'_, F>, examples: Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F> {
        let loss = self.borrowed();
        if let Smoothing::Exact { epsilon } = loss.smoothing() {
            examples.check_guesses(loss.k(), loss.margins(), strips.num_classes())?;
            return exact::objective(&loss, epsilon, &strips, &examples, grads);
        }
        let (objective, entries) = sparse(&loss, &strips, &examples)?;
        if let Some(grads) = grads {
            sparse::backward(&strips, &entries, grads)?;
        }
        Ok(objective)
    }
}

/// The objective and the entries of its gradient, for a smoothing that has few.
pub(super) fn sparse<F: BatchReal>(
    loss: &TopKHinge<F, Margins<'_, F>>,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
) -> Result<(F, Vec<ScoreGrad<F>>)> {
    examples.check_guesses(loss.k(), loss.margins(), strips.num_classes())?;
    let rank = loss.first_missed();
    match loss.smoothing() {
        Smoothing::None => objective_and_score_grads(loss, strips, examples, |_, label| Hard::new(rank, label)),
        Smoothing::Pathwise { epsilon, num_samples, key } => {
            let word_bounds = WordBounds::new();
            objective_and_score_grads(loss, strips, examples, |example, label| {
                Pathwise::new(rank, label, num_samples, epsilon, key.fold_in(examples.number(example)), &word_bounds)
            })
        }
        Smoothing::Exact { .. } => Err(BatchError::Parameter { name: "smoothing", must: "none or pathwise for a sparse gradient" }),
        Smoothing::Conditional { .. } => {
            Err(BatchError::Parameter { name: "smoothing", must: "none, exact or pathwise where scores are not stored" })
        }
    }
}

/// scale · (m_y + excess)₊, the excess being how far the order statistic is above the label's score.
pub(super) fn hinge<F: BatchReal>(
    loss: &TopKHinge<F, Margins<'_, F>>,
    label: usize,
    num_classes: usize,
    excess: F,
) -> topk_loss::Result<F> {
    let value = loss.scale() * (loss.margins().of(label, num_classes)? + excess);
    if value <= F::zero() {
        Ok(F::zero())
    } else if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::Overflow { what: "loss" })
    }
}
