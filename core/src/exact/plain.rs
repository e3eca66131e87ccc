//! The slow reference of the fast nodes: the same integrands class by class, by libm's functions and other recurrences.
//!
//! Classes that are unlikely to be above any t are counted by successes, so that they may be divided out again, all others by failures. A
//! trial has both of its tails, each to its own last digit, so that rare counts keep theirs.

use core::cell::Cell;

use super::classes::Classes;
use super::counts::whole;
use super::ranks::Run;
use super::rule::{Batch, NodeSums, Nodes, Shares};
use crate::lanes::{LANES, Lanes};
use crate::{Noise, Real, Result, check};

/// Room for the distributions at one node. There is no bulk.
#[derive(Debug)]
pub(crate) struct PlainNodes<'s, F> {
    /// A class that is not above it is at most as likely as not to be above any t.
    likely_above: F,
    /// How many of the unlikely classes are above t, up to the deepest rank.
    low: &'s mut [F],
    /// How many of the likely classes are *not* above t.
    failures: &'s mut [F],
    /// How many of all are above t, up to the deepest rank.
    all: &'s mut [F],
    /// For each candidate P(above t), then P(not above t).
    tails: &'s mut [[F; 2]],
    /// For each candidate the density of its noised score at t.
    densities: &'s mut [F],
    /// For each number of failures among the *other* likely classes, the probability that a wanted rank is free.
    free: &'s mut [F],
}

/// The scratch of the nodes.
pub(super) const fn scratch_len(candidates: usize, last_rank: usize) -> usize {
    last_rank.saturating_mul(2).saturating_add(candidates.saturating_mul(5)).saturating_add(2)
}

impl<'s, F: Real> PlainNodes<'s, F> {
    pub fn new<N: Noise<F>>(classes: &Classes<'_, N, F>, low: F, scratch: &'s mut [F]) -> Result<Self> {
        let (depth, candidates) = (classes.depth() + 1, classes.candidates.len());
        let likely_above = low - classes.law.quantile(F::from_f64(0.5));
        let (low, rest) = check::split(scratch, depth)?;
        let (all, rest) = check::split(rest, depth)?;
        let (tails, rest) = check::split(rest, 2 * candidates)?;
        let (densities, rest) = check::split(rest, candidates)?;
        let (failures, rest) = check::split(rest, candidates + 1)?;
        let (free, _) = check::split(rest, candidates + 1)?;
        Ok(Self { likely_above, low, failures, all, tails: tails.as_chunks_mut().0, densities, free })
    }

    /// Adds the candidates' trials and returns how many of them are likely.
    fn add_candidates<N: Noise<F>>(&mut self, t: F, classes: &Classes<'_, N, F>) -> usize {
        delta(self.low);
        delta(self.failures);
        let mut likely = 0;
        for ((&u, tails), density) in classes.candidates.iter().zip(self.tails.iter_mut()).zip(self.densities.iter_mut()) {
            let z = t - u;
            let above;
            (above, *density) = classes.law.survival_and_pdf(z);
            *tails = [above, classes.law.cdf(z)];
            if u > self.likely_above {
                likely += 1;
                let reached = self.failures.len().min(likely + 1);
                let [above, below] = *tails;
                add_trial(self.failures.get_mut(..reached).unwrap_or_default(), [below, above]);
            } else {
                add_trial(self.low, *tails);
            }
        }
        likely
    }

    /// all_j = Σ_m failures_m · low_{j − likely + m}.
    fn combine(&mut self, likely: usize) {
        let reached = self.failures.get(..=likely).unwrap_or_default();
        for (j, all) in self.all.iter_mut().enumerate() {
            *all = aligned(reached, likely, self.low, j).fold(F::zero(), |sum, (&f, &l)| sum + f * l);
        }
    }

    /// free_m = Σ_j low_{j − (likely − 1) + m}, with j the number of others above t that makes a rank of the run.
    fn prepare_likely(&mut self, likely: usize, run: Run, sure: usize) {
        for (m, free) in self.free.iter_mut().enumerate().take(likely) {
            let low_at = |j: usize| (j + m + 1).checked_sub(likely).and_then(|i| self.low.get(i)).copied();
            let places = (run.first..=run.last).filter_map(|rank| (rank - 1).checked_sub(sure).and_then(low_at));
            *free = places.fold(F::zero(), |sum, low| sum + low);
        }
    }

    /// Σ_r P(r − 1 of the other classes above t) for the candidate at u with the given tails.
    fn probability(&self, u: F, [above, below]: [F; 2], likely: usize, run: Run, sure: usize) -> F {
        let mut sum = F::zero();
        if u > self.likely_above {
            let whole = self.failures.get(..=likely).unwrap_or_default();
            without_trial(whole, [below, above], |m, failures| sum += failures * self.free.get(m).copied().unwrap_or(F::zero()));
            return sum;
        }
        let mut rest = F::zero();
        for (rank, &count) in (sure + 1..).zip(&*self.all) {
            rest = ((count - above * rest) / below).max(F::zero());
            if rank >= run.first {
                sum += rest;
            }
        }
        sum
    }

    /// Σ_r P(at least r above t).
    fn survival(&self, run: Run, sure: usize) -> F {
        let (mut fewer, mut survival) = (F::zero(), F::from_usize((sure + 1).saturating_sub(run.first)));
        for (rank, &count) in (sure + 1..).zip(&*self.all) {
            fewer += count;
            if rank >= run.first {
                survival += (F::one() - fewer).max(F::zero());
            }
        }
        survival
    }
}

impl<N: Noise<F>, F: Real> Nodes<N, F> for PlainNodes<'_, F> {
    fn visit(&mut self, nodes: &Batch<F>, weights: &Lanes<F>, classes: &Classes<'_, N, F>, shares: &mut Shares<'_, F>) -> NodeSums<F> {
        let Classes { run, sure, .. } = *classes;
        let zeros = [F::zero(); LANES];
        let mut sums = NodeSums { survival: zeros, density: zeros, bulk_error: zeros };
        let lanes = nodes.t.iter().zip(weights).zip(&mut sums.survival).zip(&mut sums.density);
        for (lane, (((&t, &weight), survival), total)) in lanes.enumerate() {
            let likely = self.add_candidates(t, classes);
            self.combine(likely);
            self.prepare_likely(likely, run, sure);
            let is_coarse = nodes.has_coarse && lane < LANES / 2;
            let sums = if is_coarse { &mut *shares.coarse } else { &mut *shares.finer };
            for (((&u, &tails), &density), sum) in classes.candidates.iter().zip(&*self.tails).zip(&*self.densities).zip(sums) {
                let share = density * self.probability(u, tails, likely, run, sure) * whole();
                *total += share;
                *sum += weight * share;
            }
            *survival = self.survival(run, sure);
        }
        sums
    }
}

/// Adds a trial of probabilities of success and failure to the distribution of a count. What lies beyond the slice is dropped.
fn add_trial<F: Real>(counts: &mut [F], [p, q]: [F; 2]) {
    // Not q·count + p·before: the rounding of the two is the same for tied classes, and a thousand of them add it up.
    let mix = |count: F, before: F| {
        let sum = if p < q { count + p * (before - count) } else { before - q * (before - count) };
        if sum > vanishing() { sum } else { F::zero() }
    };
    // From the end, so that every entry still finds the old one before it.
    let cells = Cell::from_mut(counts).as_slice_of_cells();
    for pair in cells.windows(2).rev() {
        if let [before, count] = pair {
            count.set(mix(count.get(), before.get()));
        }
    }
    if let Some(none) = cells.first() {
        none.set(mix(none.get(), F::zero()));
    }
}

/// The least probability that is told apart from 0.
fn vanishing<F: Real>() -> F {
    F::min_positive_value() / (F::epsilon() * F::epsilon())
}

/// Calls `visit` with each entry of the distribution without one trial, given its probabilities of success and failure, each to within a
/// few units of its own last place, however small it is: from the end where the trial changes least, as long as the entry is the larger
/// part of the count it is divided out of, then from the other end. `counts` is a whole distribution; its last entry has no counterpart
/// and is not visited. The order of the visits is any.
fn without_trial<F: Real>(counts: &[F], [p, q]: [F; 2], mut visit: impl FnMut(usize, F)) {
    let Some(last) = counts.len().checked_sub(1) else { return };
    // The failures of a likely trial are the successes of an unlikely one.
    let is_reversed = p > q;
    let (p, q) = if is_reversed { (q, p) } else { (p, q) };
    let count_at = |place: usize| counts.get(if is_reversed { last - place } else { place }).copied().unwrap_or(F::zero());
    let mut visit = |place: usize, rest| visit(if is_reversed { last - 1 - place } else { place }, rest);
    let (mut previous, mut forward) = (F::zero(), 0);
    while forward < last {
        let (count, taken) = (count_at(forward), p * previous);
        if taken > count - taken {
            break;
        }
        previous = (count - taken) / q;
        visit(forward, previous);
        forward += 1;
    }
    let mut next = F::zero();
    for place in (forward + 1..=last).rev() {
        let count = count_at(place);
        next = if count > vanishing() { (count - q * next).max(F::zero()) / p } else { F::zero() };
        visit(place - 1, next);
    }
}

/// The distribution of a count that is 0.
fn delta<F: Real>(counts: &mut [F]) {
    counts.fill(F::zero());
    if let Some(none) = counts.first_mut() {
        *none = F::one();
    }
}

/// The pairs (failures_m, low_{j − likely + m}) that exist.
fn aligned<'a, F: Real>(failures: &'a [F], likely: usize, low: &'a [F], j: usize) -> impl Iterator<Item = (&'a F, &'a F)> {
    let failures = failures.get(likely.saturating_sub(j)..).unwrap_or_default();
    let low = low.get(j.saturating_sub(likely)..).unwrap_or_default();
    failures.iter().zip(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dominant_trial_is_taken_out_precisely() {
        let odds = [1e-3, 1e-9, 3e-9, 1e-12, 30.0, 1e7];
        let tails = |r: f64| [r / (1.0 + r), 1.0 / (1.0 + r)];
        let distribution = |left_out: usize| {
            let mut counts = [1.0_f64, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
            odds.iter().enumerate().filter(|&(i, _)| i != left_out).for_each(|(_, r)| add_trial(&mut counts, tails(*r)));
            counts
        };
        let all = distribution(odds.len());
        for (i, r) in odds.into_iter().enumerate() {
            let expected = distribution(i);
            without_trial(&all, tails(r), |m, c| {
                assert!((c / expected[m] - 1.0).abs() < 1e-13, "{r}: P(N = {m}) = {c:e}, not {:e}", expected[m]);
            });
        }
    }
}
