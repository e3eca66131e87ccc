//! The cross-entropy with a top-K margin over strips: a softmax of scores that are lowered where they may be guesses.

use pulp::Arch;
use topk_loss::loss::{AsMargins, TopKMarginCrossEntropy};
use topk_loss::maximizer::Ramp;
use topk_loss::softmax::{Part, Softmax};
use topk_loss::{Error, Margins};

use super::cross_entropy::{Differentiate, PartOf, PartsOfStrips};
use super::examples::Examples;
use super::filter::Mass;
use super::kept::Kept;
use super::strips::Strips;
use super::stripwise::Stripwise;
use super::{HeadGrads, HeadLoss};
use crate::instruction_sets::best;
use crate::{BatchReal, Result};

impl<F: BatchReal, M: AsMargins<F> + Sync> HeadLoss<F> for TopKMarginCrossEntropy<F, M> {}

impl<F: BatchReal, M: AsMargins<F> + Sync> Stripwise<F> for TopKMarginCrossEntropy<F, M> {
    fn objective(&self, strips: Strips<'_, F>, examples: Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F> {
        let (loss, num_classes, arch) = (self.borrowed(), strips.num_classes(), best());
        examples.check_guesses(loss.k(), loss.margins(), num_classes)?;
        let mut rows = examples.states(|example, label| Row::new(&loss, label, num_classes, examples.coefficient(example)));
        strips.read(&mut rows, |row, first, scores| row.read(arch, first, scores))?;
        let mut rows: Vec<_> = rows.iter().map(|row| row.as_ref().map(Row::lowered)).collect();
        let objective = examples.objective(&rows, |row| row.as_ref().map_err(|error| *error)?.value())?;
        if let Some(grads) = grads {
            let filter = strips.filter(&rows, |row| Some(row.as_ref().ok()?.mass.clone()));
            strips.backward(&mut rows, &filter, grads, |row, first, scores| {
                row.as_ref().map_err(|error| *error)?.differentiate(arch, first, scores)
            })?;
        }
        Ok(objective)
    }
}

/// What is known of an example's row so far, its scores times the scale.
struct Row<F> {
    k: usize,
    width: F,
    scale: F,
    weight: F,
    kept: Kept<F>,
    /// The softmax's part of those that are not kept.
    others: Part<F>,
    /// What the strips would be if nothing were lowered.
    parts: PartsOfStrips<F>,
}

impl<F: BatchReal> Row<F> {
    fn new(loss: &TopKMarginCrossEntropy<F, Margins<'_, F>>, label: usize, num_classes: usize, weight: F) -> Self {
        let width = loss.margins().of(label, num_classes).unwrap_or(F::one());
        Self {
            k: loss.k(),
            width,
            scale: loss.scale(),
            weight,
            kept: Kept::new(label),
            others: Part::default(),
            parts: PartsOfStrips::default(),
        }
    }

    fn read(&mut self, arch: Arch, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        let Self { k, width, scale, .. } = *self;
        if !(width * F::from_usize(k)).is_finite() {
            return Err(Error::Overflow { what: "width of all guesses" });
        }
        scores.iter_mut().for_each(|score| *score *= scale);
        let part = |scores: &[F]| arch.dispatch(PartOf { scores, label: None }).ok_or(Error::Overflow { what: "scores" });
        let whole = part(scores)?;
        self.parts.push(whole, (first..first + scores.len()).contains(&self.kept.label()));
        let mut dropped = vec![];
        let none = F::neg_infinity();
        let left = self.kept.take(first, scores, &mut dropped, |entries| {
            if entries.len() > k { Ramp::new(entries, F::zero(), k, width, none).start() } else { none }
        });
        let others = if left == scores.len() { whole } else { part(&scores[..left])? };
        self.others = self.others.merge(others).merge(part(&dropped)?);
        Ok(())
    }

    fn lowered(&self) -> topk_loss::Result<Lowered<F>> {
        let Self { k, width, scale, weight, ref kept, others, .. } = *self;
        let (top, own, label) = (kept.top(), kept.own(), kept.label());
        let ramp = Ramp::new(&kept.relative(), top, k, width, F::neg_infinity());
        let lowered: Vec<_> = kept.ranked().iter().map(|ranked| ramp.lowered(ranked.value)).collect();
        let place = kept.ranked().iter().position(|ranked| ranked.index == label);
        let part = Part::of(&lowered, place, &mut []).ok_or(Error::Overflow { what: "range of the scores" })?;
        let softmax = Softmax::new(others.relative_to(top).merge(part), ramp.lowered(own))?;
        let mass = self.parts.mass(top, &softmax, scale * weight);
        Ok(Lowered { ramp, softmax, mass, lack: ramp.lack(own), label, scale, weight })
    }
}

/// The softmax of the lowered scores.
struct Lowered<F> {
    ramp: Ramp<F>,
    softmax: Softmax<F>,
    /// Of the gradient, or more.
    mass: Mass<F>,
    lack: F,
    label: usize,
    scale: F,
    weight: F,
}

impl<F: BatchReal> Lowered<F> {
    fn value(&self) -> topk_loss::Result<F> {
        topk_loss::check::in_range("loss", self.softmax.surprise() + self.lack)
    }

    fn differentiate(&self, arch: Arch, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        let Self { ramp, softmax, scale, weight, .. } = *self;
        scores.iter_mut().for_each(|score| *score = ramp.lowered(scale * *score));
        arch.dispatch(Differentiate { softmax, slope: scale, weight, scores: &mut *scores });
        if let Some(entry) = self.label.checked_sub(first).and_then(|place| scores.get_mut(place)) {
            *entry = softmax.own_entry(scale) * weight;
        }
        Ok(())
    }
}
