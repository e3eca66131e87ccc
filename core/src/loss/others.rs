//! The classes that a label competes with.

use crate::exact::{Division, Problem, Profile, Solution, Summary};
use crate::{Noise, Real, Result, check, select};

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

    pub fn profile<'w, N: Noise<F>>(&self, problem: Problem<'w, N, F>) -> Result<Profile<'w, N, F>> {
        let mut profile = Profile::new(problem);
        self.pieces().into_iter().try_for_each(|scores| profile.add(scores))?;
        Ok(profile)
    }

    /// Their summary, and the position from which the second piece's candidates stand.
    pub fn summary<'a, 'w, N: Noise<F>>(
        &self,
        division: Division<'w, N, F>,
        candidates: &'a mut [F],
    ) -> Result<(Summary<'a, 'w, N, F>, usize)> {
        let mut summary = division.summary(candidates);
        let [before, after] = self.pieces();
        summary.add(before)?;
        let second = summary.part().candidates.len();
        summary.add(after)?;
        Ok((summary, second))
    }

    /// Adds `weight` times their gradient, given where the second piece's candidates stand, to the entries of a whole gradient.
    pub fn add_grad<N: Noise<F>>(&self, solution: &Solution<'_, '_, N, F>, second: usize, weight: F, grad: &mut [F]) -> Result<()> {
        let (before, rest) = check::split(grad, self.label)?;
        let (_, after) = check::split(rest, 1)?;
        for ((scores, first), grad) in self.pieces().into_iter().zip([0, second]).zip([before, after]) {
            solution.add_grad(scores, first, weight, grad)?;
        }
        Ok(())
    }

    /// Makes the gradient sum to zero by the label's entry, which is 0 until then.
    pub fn balance(&self, grad: &mut [F]) {
        let (mut sum, mut lost) = (F::zero(), F::zero());
        for &entry in &*grad {
            let corrected = entry - lost;
            let next = sum + corrected;
            (sum, lost) = (next, (next - sum) - corrected);
        }
        if let Some(entry) = grad.get_mut(self.label) {
            *entry = -sum;
        }
    }

    fn pieces(&self) -> [&'s [F]; 2] {
        let (before, rest) = self.scores.split_at_checked(self.label).unwrap_or_default();
        [before, rest.split_first().map_or(&[], |(_, after)| after)]
    }
}
