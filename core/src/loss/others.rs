//! The scores without the label's, which the losses over the other classes rank.

use crate::exact::Competitors;
use crate::{Real, Result, check, lanes, select};

/// A label's own score and, in two pieces, those of the other classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Others<'s, F> {
    scores: &'s [F],
    label: usize,
    pub own: F,
}

impl<'s, F: Real> Others<'s, F> {
    pub fn new(scores: &'s [F], label: usize) -> Result<Self> {
        check::scores(scores)?;
        Ok(Self { scores, label, own: check::label(scores, label)? })
    }

    pub fn len(&self) -> usize {
        self.scores.len() - 1
    }

    pub fn iter(&self) -> impl Iterator<Item = F> {
        self.pieces().into_iter().flatten().copied()
    }

    /// The k-th largest of the others; `scratch` has room for all scores.
    pub fn kth_value(&self, k: usize, scratch: &mut [F]) -> F {
        let scratch = scratch.get_mut(..self.scores.len()).unwrap_or_default();
        let of_all = select::kth_value(self.scores, k, scratch);
        // Without a score that is at least the k-th, the next one moves up.
        if self.own >= of_all { select::kth_value(self.scores, k + 1, scratch) } else { of_all }
    }

    /// They as competitors of the label.
    pub fn competitors(&self) -> Competitors<'s, F> {
        Competitors { scores: self.scores, label: Some(self.label) }
    }

    /// Makes the gradient sum to zero by the label's entry, which is 0 until then.
    pub fn balance(&self, grad: &mut [F]) {
        let sum = lanes::total(grad);
        if let Some(entry) = grad.get_mut(self.label) {
            *entry = -sum;
        }
    }

    fn pieces(&self) -> [&'s [F]; 2] {
        let (before, rest) = self.scores.split_at_checked(self.label).unwrap_or_default();
        [before, rest.split_first().map_or(&[], |(_, after)| after)]
    }
}
