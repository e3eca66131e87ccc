//! The same integrands class by class and node by node, by libm's functions and other recurrences: the slow reference of the fast nodes.
//!
//! Classes are counted by successes where they are unlikely and by failures where they are likely, so that every division is stable.

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
    /// Of the law: a class further below t is likelier not to be above it.
    median: F,
    /// How many of the unlikely classes are above t, up to the deepest rank.
    low: &'s mut [F],
    /// How many of the likely classes are *not* above t.
    failures: &'s mut [F],
    /// How many of all are above t, up to the deepest rank.
    all: &'s mut [F],
    /// For each candidate the smaller of its two tails: P(above t), or −P(not above t) for a likely one.
    tails: &'s mut [F],
    /// For each candidate the density of its noised score at t.
    densities: &'s mut [F],
    /// For each number of failures among the *other* likely classes, the probability that a wanted rank is free.
    free: &'s mut [F],
}

/// The scratch of the nodes.
pub(super) const fn scratch_len(candidates: usize, last_rank: usize) -> usize {
    2 * last_rank + 4 * candidates + 2
}

impl<'s, F: Real> PlainNodes<'s, F> {
    pub fn new<N: Noise<F>>(classes: &Classes<'_, N, F>, scratch: &'s mut [F]) -> Result<Self> {
        let (depth, candidates) = (classes.depth() + 1, classes.candidates.len());
        let (low, rest) = check::split(scratch, depth)?;
        let (all, rest) = check::split(rest, depth)?;
        let (tails, rest) = check::split(rest, candidates)?;
        let (densities, rest) = check::split(rest, candidates)?;
        let (failures, rest) = check::split(rest, candidates + 1)?;
        let (free, _) = check::split(rest, candidates + 1)?;
        Ok(Self { median: classes.law.quantile(F::from_f64(0.5)), low, failures, all, tails, densities, free })
    }

    /// Adds the candidates' trials and returns how many of them are likelier than not to be above t.
    fn add_candidates<N: Noise<F>>(&mut self, t: F, classes: &Classes<'_, N, F>) -> usize {
        delta(self.low);
        delta(self.failures);
        let mut likely = 0;
        for ((&u, tail), density) in classes.candidates.iter().zip(self.tails.iter_mut()).zip(self.densities.iter_mut()) {
            let z = t - u;
            if z >= self.median {
                (*tail, *density) = classes.law.survival_and_pdf(z);
                add_trial(self.low, *tail);
            } else {
                let (fails, at) = classes.law.cdf_and_pdf(z);
                (*tail, *density) = (-fails, at);
                likely += 1;
                let reached = self.failures.len().min(likely + 1);
                add_trial(self.failures.get_mut(..reached).unwrap_or_default(), fails);
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

    /// Σ_r P(r − 1 of the other classes above t) for the candidate with the given smaller tail.
    fn probability(&self, tail: F, likely: usize, run: Run, sure: usize) -> F {
        let mut sum = F::zero();
        if tail.is_sign_negative() {
            let whole = self.failures.get(..=likely).unwrap_or_default();
            without_trial(whole, -tail, |m, failures| sum += failures * self.free.get(m).copied().unwrap_or(F::zero()));
            return sum / (F::one() + tail);
        }
        let (ratio, mut rest) = (tail / (F::one() - tail), F::zero());
        for (rank, &count) in (sure + 1..).zip(&*self.all) {
            rest = (count - ratio * rest).max(F::zero());
            if rank >= run.first {
                sum += rest;
            }
        }
        sum / (F::one() - tail)
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
            for ((&tail, &density), sum) in self.tails.iter().zip(&*self.densities).zip(sums) {
                let share = density * self.probability(tail, likely, run, sure) * whole();
                *total += share;
                *sum += weight * share;
            }
            *survival = self.survival(run, sure);
        }
        sums
    }
}

/// Adds a trial of success probability `p` to the distribution of a count. What lies beyond the slice is dropped.
fn add_trial<F: Real>(counts: &mut [F], p: F) {
    // Not q·count + p·before: the rounding of q = 1 − p is the same for tied classes, and a thousand of them add it up.
    let mix = |count: F, before: F| {
        let sum = count + p * (before - count);
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

/// Calls `visit` with each entry of the distribution without one trial, **times 1 − p**, each to within a few units of its own last
/// place, however small it is: forwards while the entry is the larger part of the count it is divided out of, backwards from the last
/// entry beyond. `counts` is a whole distribution; its last entry has no counterpart and is not visited. The order of the visits is any.
fn without_trial<F: Real>(counts: &[F], p: F, mut visit: impl FnMut(usize, F)) {
    if p == F::zero() {
        let all_but_last = counts.len().saturating_sub(1);
        return counts.iter().enumerate().take(all_but_last).for_each(|(place, &count)| visit(place, count));
    }
    let ratio = p / (F::one() - p);
    let mut previous = F::zero();
    let mut forward = 0;
    for &count in counts.iter().take(counts.len().saturating_sub(1)) {
        let taken = ratio * previous;
        if taken > count - taken {
            break;
        }
        previous = count - taken;
        visit(forward, previous);
        forward += 1;
    }
    let mut next = F::zero();
    for (place, &count) in counts.iter().enumerate().skip(forward + 1).rev() {
        next = if count > vanishing() { (count - next).max(F::zero()) / ratio } else { F::zero() };
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
        let odds = [1e-3, 1e-9, 3e-9, 1e-12];
        let distribution = |left_out: usize| {
            let mut counts = [1.0_f64, 0.0, 0.0, 0.0, 0.0];
            odds.iter().enumerate().filter(|&(i, _)| i != left_out).for_each(|(_, r)| add_trial(&mut counts, r / (1.0 + r)));
            counts
        };
        let all = distribution(odds.len());
        for (i, r) in odds.into_iter().enumerate() {
            let expected = distribution(i);
            without_trial(&all, r / (1.0 + r), |m, c| {
                assert!((c * (1.0 + r) / expected[m] - 1.0).abs() < 1e-14, "{r}: P(N = {m}) = {c:e}, not {:e}", expected[m]);
            });
        }
    }
}
