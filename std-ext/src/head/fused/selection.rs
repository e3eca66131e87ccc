//! Hinges whose gradient is at a few classes, in the head that stores no scores: hard, and under pathwise smoothing.

use topk_loss::{Margins, Real, TopKHinge};

use super::examples::Examples;
use super::strips::Strips;
use super::top_k_hinge::hinge;
use super::top_n::TopN;
use super::{ScoreGrad, sparse};
use crate::{BatchError, BatchReal, Result};

/// An order statistic that is the mean of some scores, each that of one class.
pub(super) trait Selection<F>: Send {
    /// Takes the next strip's scores in, and may overwrite them.
    fn add(&mut self, first: usize, scores: &mut [F]) -> topk_loss::Result<()>;

    /// By how much it is above the label's score.
    fn excess(&self) -> F;

    /// The classes, one a draw.
    fn classes(&self) -> impl ExactSizeIterator<Item = usize>;
}

/// The hard order statistic: one class.
pub(super) struct Hard<F> {
    largest: TopN<F>,
    label: usize,
    own: F,
}

impl<F: BatchReal> Hard<F> {
    pub fn new(rank: usize, label: usize) -> Self {
        Self { largest: TopN::new(rank), label, own: F::zero() }
    }
}

impl<F: BatchReal> Selection<F> for Hard<F> {
    fn add(&mut self, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        const CHUNK: usize = 32;
        for (chunk, start) in scores.chunks(CHUNK).zip((first..).step_by(CHUNK)) {
            let last = self.largest.last().value;
            if chunk.iter().fold(false, |any, &score| any | (score > last)) {
                for (&score, class) in chunk.iter().zip(start..) {
                    self.largest.offer(class, score);
                }
            }
        }
        if let Some(&own) = self.label.checked_sub(first).and_then(|place| scores.get(place)) {
            self.own = own;
        }
        Ok(())
    }

    fn excess(&self) -> F {
        self.largest.last().value - self.own
    }

    fn classes(&self) -> impl ExactSizeIterator<Item = usize> {
        core::iter::once(self.largest.last().index)
    }
}

/// The objective of a hinge over a selection, and the entries of its gradient.
pub(super) fn objective_and_score_grads<F: BatchReal, S: Selection<F>>(
    loss: &TopKHinge<F, Margins<'_, F>>,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
    new: impl Fn(usize, usize) -> S,
) -> Result<(F, Vec<ScoreGrad<F>>)> {
    let mut states = examples.states(|example, label| (label, new(example, label)));
    strips.read(&mut states, |(_, selection), first, scores| selection.add(first, scores))?;
    let value = |label: usize, selection: &S| hinge(loss, label, strips.num_classes(), selection.excess());
    let objective = examples.objective(&states, |(label, selection)| value(*label, selection))?;
    let mut entries = Vec::new();
    for (example, state) in states.iter().enumerate() {
        let Some((label, selection)) = state else { continue };
        let within = |error| BatchError::Example { example, error };
        if value(*label, selection).map_err(within)? > F::zero() {
            let slopes = slopes(loss.scale(), selection.classes(), *label);
            sparse::push(&mut entries, (example, examples.coefficient(example)), slopes).map_err(within)?;
        }
    }
    Ok((objective, entries))
}

/// The gradient of a positive hinge by class: shares of the scale for what is selected, summed where draws agree, and what the label
/// takes.
fn slopes<F: Real>(scale: F, selected: impl ExactSizeIterator<Item = usize>, label: usize) -> Vec<(usize, F)> {
    let share = scale / F::from_usize(selected.len());
    let mut slopes: Vec<(usize, F)> = Vec::with_capacity(selected.len() + 1);
    for (class, value) in selected.map(|class| (class, share)).chain([(label, -scale)]) {
        match slopes.iter_mut().find(|slope| slope.0 == class) {
            Some((_, sum)) => *sum += value,
            None => slopes.push((class, value)),
        }
    }
    slopes.sort_unstable_by_key(|&(class, _)| class);
    slopes
}
