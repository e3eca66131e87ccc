//! A label against few others, by the distribution of their order statistic: bounds from a histogram would take longer and say less.

use super::super::bounds::Window;
use super::super::competitors::Competitors;
use super::super::counts::{TOGETHER, add_trials, least, rarest, times, whole};
use super::super::histogram::range;
use super::super::partition::FEW;
use super::super::problem::{Problem, never};
use super::super::tails::{smaller_tails, tails_and_densities, thresholds};
use super::{Event, Inclusion, Label, MEANT};
use crate::lanes::{LANES, Lanes, map, numbers, zip};
use crate::{Noise, Real, Result, check};

/// More classes or a deeper rank make a histogram cheaper.
const MOST_CLASSES: usize = 128;
const DEEPEST_RANK: usize = 16;

/// A few classes, to be asked for T, the order statistic of a rank.
pub(crate) struct Few<'s, N, F> {
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
        positions.fill(never());
        positions.iter_mut().zip(row.units(problem)).for_each(|(position, u)| *position = u);
        positions.iter_mut().for_each(|position| *position = law.position(*position));
        Ok(Some(Self { law, positions, counts }))
    }

    /// P(T ≤ t) and P(T > t) in units of the [whole], to as many digits as the floor of probabilities lets them have, and never less.
    #[inline(always)]
    pub fn at(&mut self, t: &Lanes<F>, floor: F) -> (Lanes<F>, Lanes<F>) {
        let (law, thresholds) = (self.law, thresholds(&self.law, t));
        // Each class that the floor leaves out would change it by so much, at most.
        let mut above = [F::from_usize(self.positions.len()) * floor * whole(); LANES];
        self.counts.fill([least(); LANES]);
        if let Some(none) = self.counts.first_mut() {
            *none = [whole(); LANES];
        }
        let rank = self.counts.len() - TOGETHER.min(self.counts.len());
        for positions in self.positions.as_chunks::<TOGETHER>().0 {
            // Not by `map`: a closure as long as this is not inlined.
            let mut trials = [[F::zero(); LANES]; TOGETHER];
            for (trial, &position) in trials.iter_mut().zip(positions) {
                let (tails, _) = tails_and_densities(&law, &thresholds, position, floor);
                *trial = smaller_tails(&law, &thresholds, position, &tails, floor);
            }
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

    /// How many classes that are not above the center are above t, on average.
    #[inline(always)]
    fn reaching(&self, t: F) -> F {
        let (threshold, center, mut sum) = (self.law.threshold(t), self.law.position(F::zero()), F::zero());
        for positions in self.positions.as_chunks::<TOGETHER>().0 {
            let mut tails = [F::zero(); TOGETHER];
            for (tail, &position) in tails.iter_mut().zip(positions) {
                *tail = if position > center { F::zero() } else { self.law.tail_and_density(threshold, position).0 };
            }
            tails.iter().for_each(|&tail| sum += tail);
        }
        sum
    }
}

impl<N: Noise<F>, F: Real> Inclusion<N, F> {
    /// The same among few classes. Nothing where the float cannot tell how likely the label is.
    #[inline(always)]
    pub fn of_few(problem: &Problem<N, F>, few: &mut Few<'_, N, F>, label: Label<F>) -> Option<Self> {
        const INNER: f64 = 1.0 / (LANES / 2 + 1) as f64;
        let Problem { law, num_classes, precision, .. } = *problem;
        // In units of the whole: beyond this a probability is what the float makes of it.
        let vague = F::from_usize(num_classes) * least() * F::from_f64(64.0);
        let (position, (lowest, width)) = (law.position(label.u), range(problem, false));
        let step = width / F::from_usize(LANES - 1);
        let (mut low, mut high, mut floor) = (F::neg_infinity(), F::infinity(), least());
        let mut t = map(numbers(), |n| lowest + n * step);
        let (mut known, mut limit) = (None, F::zero());
        for is_last in [false, true] {
            let (below, above) = few.at(&t, floor);
            let (mut y_above, mut y_below) = (t, t);
            for ((above, below), &t) in y_above.iter_mut().zip(&mut y_below).zip(&t) {
                let t = law.threshold(t);
                (*above, *below) = (law.tail_and_density(t, position).0, law.failure_and_density(t, position).0);
            }
            let (y_above_t, t_above_y) = (zip(y_above, below, times), zip(y_below, above, times));
            // P(Y > T) ≥ P(Y > c) P(T ≤ c) for every c; what the floor of probabilities has raised says nothing.
            let raised = F::from_usize(num_classes) * floor * whole::<F>() * F::from_f64(64.0);
            let greatest = |products: &Lanes<F>, of: &Lanes<F>| {
                let trusted = products.iter().zip(of).map(|(&product, &of)| if of > raised { product } else { F::zero() });
                trusted.fold(F::zero(), F::max)
            };
            let (least_above, least_below) = (greatest(&y_above_t, &below), greatest(&t_above_y, &above));
            let usual = (if least_below < least_above { Event::Below } else { Event::Above }, F::zero());
            let (rarer, likely) = known.unwrap_or(usual);
            let likely = likely.max(if rarer == Event::Below { least_below } else { least_above });
            known = Some((rarer, likely));
            let meant = if rarer == label.hit { likely } else { likely.max(F::from_f64(MEANT) * whole()) };
            if meant <= vague / precision.outside {
                return None;
            }
            limit = precision.outside * meant;
            let (before, after) =
                if rarer == Event::Above { (below, zip(y_above, above, times)) } else { (zip(y_below, below, times), above) };
            for ((&t, &before), &after) in t.iter().zip(&before).zip(&after) {
                low = if before <= limit { low.max(t) } else { low };
                high = if after <= limit { high.min(t) } else { high };
            }
            if !(low.is_finite() && high.is_finite()) {
                return None;
            }
            if low >= high {
                let inclusion = Self::within(Window { low, high: low + step }, *problem, label, rarer, (limit * least()).ln());
                return (rarer != label.hit).then_some(Self { is_decided: true, ..inclusion });
            }
            if !is_last {
                floor = if vague < limit * least() { floor } else { rarest() };
                // As many in the interval that the window begins in as in the one that it ends in.
                t = map(numbers(), |n| {
                    let share = (n + F::one()) * F::from_f64(INNER);
                    if share < F::one() { low + step * share } else { high - step * (share - F::from_f64(LANES as f64 / 2.0 * INNER)) }
                });
            }
        }
        let (rarer, _) = known?;
        let inclusion = Self::within(Window { low, high }, *problem, label, rarer, (limit * least()).ln());
        let reached = if num_classes > FEW { few.reaching(low) } else { F::one() };
        Some(Self { reached, ..inclusion })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gumbel;

    /// One class after the other, to all counts.
    fn naive<const L: usize>(scores: [f64; L], rank: usize, t: f64) -> [f64; 2] {
        let mut counts = [0.0; 16];
        counts[0] = 1.0;
        for u in scores {
            let p: f64 = Gumbel.survival(t - u);
            for j in (0..counts.len()).rev() {
                counts[j] = (1.0 - p) * counts[j] + if j > 0 { p * counts[j - 1] } else { 0.0 };
            }
        }
        [&counts[..rank], &counts[rank..]].map(|counts| counts.iter().sum())
    }

    #[test]
    fn both_tails_of_an_order_statistic_keep_their_digits() {
        let scores = [0.3, -2.0, 1.5, 0.0, 4.0, -0.7, 0.0];
        for rank in 1..=7 {
            let mut positions = [Gumbel.position(never::<f64>()); 8];
            positions.iter_mut().zip(scores).for_each(|(position, u)| *position = Gumbel.position(u));
            let mut counts = [[0.0; LANES]; 7 + TOGETHER];
            let mut few = Few { law: Gumbel, positions: &positions, counts: &mut counts[..rank + TOGETHER] };
            let t = map(numbers(), |n| n * 0.8 - 2.0);
            let (below, above) = few.at(&t, least());
            for ((below, above), t) in below.into_iter().zip(above).zip(t) {
                let [expected_below, expected_above] = naive(scores, rank, t);
                // 1 − p of the naive one has lost digits where p is nearly 1.
                assert!((below * least::<f64>() - expected_below).abs() < 1e-9 * expected_below + 1e-15, "{rank} {t}");
                assert!((above * least::<f64>() / expected_above - 1.0).abs() < 1e-9, "{rank} {t}");
            }
        }
    }
}
