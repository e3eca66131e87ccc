//! The cross-entropy in the head that stores no scores: the softmax of scores that come in strips.

use pulp::NullaryFnOnce;
use topk_loss::softmax::{Part, Softmax};
use topk_loss::{CrossEntropy, Error};

use super::examples::Examples;
use super::filter::Mass;
use super::strips::Strips;
use super::stripwise::Stripwise;
use super::{HeadGrads, HeadLoss};
use crate::elementary::Elementary;
use crate::instruction_sets::best;
use crate::{BatchReal, Result};

impl<F: BatchReal> HeadLoss<F> for CrossEntropy {}

impl<F: BatchReal> Stripwise<F> for CrossEntropy {
    fn objective(&self, strips: Strips<'_, F>, examples: Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F> {
        let enough = if strips.num_classes() < 2 { Err(Error::Length { what: "scores", expected: 2, actual: 1 }) } else { Ok(()) };
        examples.check(enough)?;
        let arch = best();
        let mut rows = examples.states(|example, label| Row::new(label, examples.coefficient(example)));
        strips.read(&mut rows, |row, first, scores| {
            let label = row.label.checked_sub(first).filter(|&place| place < scores.len());
            row.own = label.map_or(row.own, |place| scores[place]);
            let part = arch.dispatch(PartOf { scores, label }).ok_or(Error::Overflow { what: "scores" })?;
            row.take(part, label.is_some());
            Ok(())
        })?;
        let objective = examples.objective(&rows, |row| Ok(row.softmax()?.surprise()))?;
        if let Some(grads) = grads {
            let filter = strips.filter(&rows, |row| Some(row.parts.mass(F::zero(), &row.softmax().ok()?, row.weight)));
            strips.backward(&mut rows, &filter, grads, |row, first, scores| {
                let softmax = row.softmax()?;
                arch.dispatch(Differentiate { softmax, slope: F::one(), weight: row.weight, scores: &mut *scores });
                if let Some(entry) = row.label.checked_sub(first).and_then(|place| scores.get_mut(place)) {
                    *entry = softmax.own_entry(F::one()) * row.weight;
                }
                Ok(())
            })?;
        }
        Ok(objective)
    }
}

/// What is known of an example's row so far.
struct Row<F> {
    label: usize,
    /// The label's score.
    own: F,
    part: Part<F>,
    parts: PartsOfStrips<F>,
    weight: F,
}

impl<F: Elementary> Row<F> {
    fn new(label: usize, weight: F) -> Self {
        Self { label, own: F::neg_infinity(), part: Part::default(), parts: PartsOfStrips::default(), weight }
    }

    fn take(&mut self, part: Part<F>, has_label: bool) {
        self.part = self.part.merge(part);
        self.parts.push(part, has_label);
    }

    fn softmax(&self) -> topk_loss::Result<Softmax<F>> {
        Softmax::new(self.part, self.own)
    }
}

/// The parts that the strips are of a row, and which of them has the label.
#[derive(Debug)]
pub(super) struct PartsOfStrips<F> {
    parts: Vec<Part<F>>,
    home: usize,
}

impl<F> Default for PartsOfStrips<F> {
    /// Of no strip.
    fn default() -> Self {
        Self { parts: vec![], home: 0 }
    }
}

impl<F: Elementary> PartsOfStrips<F> {
    pub fn push(&mut self, part: Part<F>, has_label: bool) {
        if has_label {
            self.home = self.parts.len();
        }
        self.parts.push(part);
    }

    /// Of a gradient of the softmax, whose scores are these less an offset: shares, and as much taken from the label.
    pub fn mass(&self, offset: F, softmax: &Softmax<F>, weight: F) -> Mass<F> {
        let weight = weight.abs();
        let own = softmax.own_entry(weight).abs();
        let mut of_strips: Vec<_> = self.parts.iter().map(|&part| softmax.share(part.relative_to(offset)) * weight).collect();
        of_strips.iter_mut().skip(self.home).take(1).for_each(|mass| *mass += own);
        Mass { total: own + own, of_strips }
    }
}

/// A part of a row. Unlike a closure it is compiled for every instruction set.
pub(super) struct PartOf<'a, F> {
    pub scores: &'a [F],
    pub label: Option<usize>,
}

impl<F: Elementary> NullaryFnOnce for PartOf<'_, F> {
    type Output = Option<Part<F>>;

    #[inline(always)]
    fn call(self) -> Option<Part<F>> {
        Part::of(self.scores, self.label, &mut [])
    }
}

/// Puts the gradient in the place of a strip's scores, the label's aside.
pub(super) struct Differentiate<'a, F> {
    pub softmax: Softmax<F>,
    pub slope: F,
    pub weight: F,
    pub scores: &'a mut [F],
}

impl<F: Elementary> NullaryFnOnce for Differentiate<'_, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.softmax.differentiate(self.slope, self.weight, self.scores);
    }
}
