//! The distribution of an order statistic of few classes, at 16 t: what bounds say of many from a histogram is known of few.

use super::counts::{TOGETHER, add_trials, least, whole};
use super::nodes::{smaller_tails, tails_and_densities};
use super::problem::{Problem, Units};
use super::row::Competitors;
use crate::lanes::{LANES, Lanes, map, zip};
use crate::{Noise, Real, Result, check};

/// More classes or a deeper rank make a histogram cheaper.
const MOST_CLASSES: usize = 128;
const DEEPEST_RANK: usize = 16;

/// A few classes, to be asked for T, the order statistic of a rank.
pub(super) struct Few<'s, N, F> {
    law: N,
    /// Filled up with classes that are never above any t.
    positions: &'s [F],
    /// How many are above t, up to some beyond one less than the rank.
    counts: &'s mut [Lanes<F>],
}

impl<'s, N: Noise<F>, F: Real> Few<'s, N, F> {
    /// Nothing where they are not few.
    #[inline(always)]
    pub fn new(problem: &Problem<N, F>, row: Competitors<'_, F>, scratch: &'s mut [F]) -> Result<Option<Self>> {
        let Problem { law, run, num_classes, .. } = *problem;
        if num_classes > MOST_CLASSES || run.last > DEEPEST_RANK {
            return Ok(None);
        }
        let (positions, rest) = check::split(scratch, num_classes.next_multiple_of(TOGETHER))?;
        let (counts, _) = check::split(rest.as_chunks_mut::<LANES>().0, run.last + TOGETHER)?;
        positions.fill(Units::never());
        positions.iter_mut().zip(row.units(problem)).for_each(|(position, u)| *position = u);
        positions.iter_mut().for_each(|position| *position = law.position(*position));
        Ok(Some(Self { law, positions, counts }))
    }

    /// P(T ≤ t) and P(T > t) in units of the [whole], to as many digits as the floor of probabilities lets them have, and never less.
    #[inline(always)]
    pub fn at(&mut self, t: &Lanes<F>, floor: F) -> (Lanes<F>, Lanes<F>) {
        let (law, thresholds) = (self.law, map(*t, |t| self.law.threshold(t)));
        // Each class that the floor leaves out would change it by so much, at most.
        let mut above = [F::from_usize(self.positions.len()) * floor * whole(); LANES];
        self.counts.fill([least(); LANES]);
        if let Some(none) = self.counts.first_mut() {
            *none = [whole(); LANES];
        }
        let rank = self.counts.len() - TOGETHER.min(self.counts.len());
        for positions in self.positions.as_chunks::<TOGETHER>().0 {
            let trials = positions.map(|position| {
                let (tails, _) = tails_and_densities(&law, &thresholds, position, floor);
                smaller_tails(&law, &thresholds, position, &tails, floor)
            });
            add_trials::<F, true, TOGETHER>(self.counts, trials.each_ref());
            // What has reached the rank stays there.
            for count in self.counts.iter_mut().skip(rank) {
                above = zip(above, *count, |above, count| above + count);
                *count = [F::zero(); LANES];
            }
        }
        let below =
            self.counts.iter().take(rank).fold([F::zero(); LANES], |below, counts| zip(below, *counts, |below, count| below + count));
        (below, above)
    }
}
