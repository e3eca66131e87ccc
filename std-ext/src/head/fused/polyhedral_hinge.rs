//! The polyhedral top-K hinge over strips: one product, and the columns of the classes that share.

use topk_loss::loss::{AsMargins, PolyhedralHinge, Sharing};
use topk_loss::{Error, Margins, excess};

use super::examples::Examples;
use super::kept::Kept;
use super::strips::Strips;
use super::stripwise::Stripwise;
use super::{HeadGrads, HeadLoss, ScoreGrad, sparse};
use crate::{BatchError, BatchReal, Result};

impl<F: BatchReal, M: AsMargins<F> + Sync> HeadLoss<F> for PolyhedralHinge<F, M> {}

impl<F: BatchReal, M: AsMargins<F> + Sync> Stripwise<F> for PolyhedralHinge<F, M> {
    fn objective(&self, strips: Strips<'_, F>, examples: Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F> {
        let (objective, entries) = objective_and_score_grads(&self.borrowed(), &strips, &examples)?;
        if let Some(grads) = grads {
            sparse::backward(&strips, &entries, grads)?;
        }
        Ok(objective)
    }
}

/// What is known of an example: what it may share, the margin, and the sharing in the end.
struct Row<F> {
    kept: Kept<F>,
    margin: F,
    total: F,
}

impl<F: BatchReal> Row<F> {
    fn sharing(&self, loss: &PolyhedralHinge<F, Margins<'_, F>>) -> Sharing<F> {
        loss.sharing(self.margin, &self.kept.relative(), self.kept.top(), -self.total)
    }
}

fn objective_and_score_grads<F: BatchReal>(
    loss: &PolyhedralHinge<F, Margins<'_, F>>,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
) -> Result<(F, Vec<ScoreGrad<F>>)> {
    let num_classes = strips.num_classes();
    examples.check_guesses(loss.k(), loss.margins(), num_classes)?;
    let mut rows = examples.states(|_, label| {
        let margin = loss.margins().of(label, num_classes).unwrap_or(F::one());
        Row { kept: Kept::new(label), margin, total: margin * F::from_usize(loss.k()) }
    });
    strips.read(&mut rows, |row, first, scores| {
        if !row.total.is_finite() {
            return Err(Error::Overflow { what: "margin of all guesses" });
        }
        let total = row.total;
        row.kept.take(first, scores, &mut vec![], |entries| excess::root(entries, total, -total).0);
        Ok(())
    })?;
    let sharings: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| (row.kept.own(), row.sharing(loss)))).collect();
    let objective = examples.objective(&sharings, |(own, sharing)| sharing.value(*own))?;
    let mut entries = vec![];
    for (example, (row, sharing)) in rows.iter().zip(&sharings).enumerate() {
        let (Some(row), Some((own, sharing))) = (row, sharing) else { continue };
        let within = |error| BatchError::Example { example, error };
        if sharing.value(*own).map_err(within)? > F::zero() {
            let slopes = slopes(loss.scale(), row, sharing);
            sparse::push(&mut entries, (example, examples.coefficient(example)), slopes).map_err(within)?;
        }
    }
    Ok((objective, entries))
}

/// The gradient of a positive loss, in the order of the classes.
fn slopes<F: BatchReal>(scale: F, row: &Row<F>, sharing: &Sharing<F>) -> impl Iterator<Item = (usize, F)> {
    let (top, label) = (row.kept.top(), row.kept.label());
    let leader = row.kept.ranked().iter().find(|ranked| ranked.value == top).map(|ranked| ranked.index);
    row.kept.ranked().iter().map(move |ranked| {
        let share = match sharing.share() {
            Some(share) if sharing.counts(ranked.value) => share,
            None if Some(ranked.index) == leader => scale,
            _ => F::zero(),
        };
        (ranked.index, if ranked.index == label { share - scale } else { share })
    })
}
