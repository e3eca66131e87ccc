//! The integrands at one t: the distribution of how many noised scores exceed t, and each class's share of the wanted ranks.

use super::chebyshev::{LANES, Terms};
use super::classes::Classes;
use super::counts::{add_trial, without_trial, without_trial_precisely};
use super::precision::MAX_TERMS;
use super::ranks::Ranks;
use crate::{Noise, Real, Result, check};

/// Room for the distributions at one node, and the sums over the nodes of one level.
#[derive(Debug)]
pub(crate) struct Node<'s, F> {
    /// How many of the unlikely classes and of the bulk are above t, up to the deepest rank.
    low: &'s mut [F],
    /// How many of the likely classes are *not* above t.
    failures: &'s mut [F],
    /// How many of all are above t, up to the deepest rank.
    all: &'s mut [F],
    /// For each candidate the smaller of its two tails: P(above t), or −P(not above t) for a likely one.
    tails: &'s mut [F],
    /// For each candidate the density of its noised score at t.
    densities: &'s mut [F],
    /// For each number of failures among the *other* likely classes, the probability that the wanted rank is free.
    free: &'s mut [F],
    /// Whether shares keep their digits where the likely classes have to fail against all odds.
    precise: bool,
}

/// Where the classes' shares are summed.
#[derive(Debug)]
pub(crate) struct Shares<'a, F> {
    pub candidates: &'a mut [F],
    /// One a Chebyshev point.
    pub bulk: &'a mut Terms<F>,
}

/// What a node knows beside the classes' shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeSums<F> {
    /// Σ_r w_r P(at least r noised scores above t).
    pub survival: F,
    /// The sum of the shares: Σ_r w_r times the density of the r-th largest at t.
    pub density: F,
    /// A bound on the error of the shares, all together, that the compression of the bulk makes.
    pub bulk_error: F,
}

impl<'s, F: Real> Node<'s, F> {
    /// `depth`: the deepest rank below the sure classes.
    pub fn scratch_len(depth: usize, candidates: usize) -> usize {
        2 * depth + 4 * candidates + 2
    }

    /// `scratch` is at least [`scratch_len`](Self::scratch_len) long.
    pub fn new(depth: usize, candidates: usize, scratch: &'s mut [F]) -> Result<Self> {
        let (low, rest) = check::split(scratch, depth)?;
        let (all, rest) = check::split(rest, depth)?;
        let (tails, rest) = check::split(rest, candidates)?;
        let (densities, rest) = check::split(rest, candidates)?;
        let (failures, rest) = check::split(rest, candidates + 1)?;
        let (free, _) = check::split(rest, candidates + 1)?;
        Ok(Self { low, failures, all, tails, densities, free, precise: false })
    }

    /// The same for a t far below the wanted rank's score.
    pub fn precise(self, precise: bool) -> Self {
        Self { precise, ..self }
    }

    /// Adds, for t, `weight` times each candidate's and each bulk point's share: f(t − u_i) Σ_r w_r P(r − 1 of the others above t).
    pub fn add<N: Noise<F>>(&mut self, t: F, weight: F, classes: &Classes<'_, N, F>, shares: Shares<'_, F>) -> NodeSums<F> {
        let Classes { law, ref ranks, sure, ref bulk, .. } = *classes;
        let mut survivals = [F::zero(); MAX_TERMS];
        let points = bulk.positions.iter().take(bulk.len());
        survivals.iter_mut().zip(points.clone()).for_each(|(p, &u)| *p = law.survival(t - u));
        let survivals = survivals.get(..bulk.len()).unwrap_or_default();

        let mut bulk_error = F::zero();
        if bulk.len() > 0 {
            bulk_error = bulk.distribution(survivals, self.low);
        } else {
            delta(self.low);
        }
        let likely = self.add_candidates(t, classes);
        self.combine(likely);
        self.prepare_likely(likely, ranks, sure);

        let (mut rate, mut total) = (F::zero(), F::zero());
        let lanes = self.tails.chunks(LANES).zip(self.densities.chunks(LANES)).zip(shares.candidates.chunks_mut(LANES));
        for ((tails, densities), shares) in lanes {
            let probabilities = self.probabilities(tails, likely, ranks, sure);
            for ((&density, share), probability) in densities.iter().zip(shares).zip(probabilities) {
                rate += density;
                total += density * probability;
                *share += weight * density * probability;
            }
        }
        let points = bulk.positions.chunks(LANES).zip(bulk.multiplicities.chunks(LANES)).zip(shares.bulk.chunks_mut(LANES));
        for (((positions, multiplicities), shares), survivals) in points.zip(survivals.chunks(LANES)) {
            let probabilities = self.unlikely(&lanes_of(survivals), ranks, sure);
            let lanes = positions.iter().zip(multiplicities).zip(shares).zip(probabilities).take(survivals.len());
            for (((&u, &multiplicity), share), probability) in lanes {
                let density = law.pdf(t - u);
                rate += multiplicity * density;
                total += multiplicity * density * probability;
                *share += weight * density * probability;
            }
        }
        let (survival, near) = self.survival(ranks, sure);
        NodeSums { survival, density: total, bulk_error: bulk_error * rate.max(F::zero()) * near }
    }

    /// Adds the candidates' trials and returns how many of them are likelier than not to be above t.
    fn add_candidates<N: Noise<F>>(&mut self, t: F, classes: &Classes<'_, N, F>) -> usize {
        delta(self.failures);
        let mut likely = 0;
        for ((&u, tail), density) in classes.candidates.iter().zip(self.tails.iter_mut()).zip(self.densities.iter_mut()) {
            let z = t - u;
            if z >= classes.median {
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

    /// free_m = Σ_j w_j · low_{j − (likely − 1) + m}, with j the number of others above t that makes rank j + 1.
    fn prepare_likely(&mut self, likely: usize, ranks: &Ranks<'_, F>, sure: usize) {
        if likely == 0 {
            return;
        }
        for (m, free) in self.free.iter_mut().enumerate().take(likely) {
            let low_at = |j: usize| (j + m + 1).checked_sub(likely).and_then(|i| self.low.get(i)).copied().unwrap_or(F::zero());
            *free = match *ranks {
                Ranks::Single(k) => (k - 1).checked_sub(sure).map_or(F::zero(), low_at),
                _ => ranks
                    .each()
                    .fold(F::zero(), |sum, (weight, rank)| sum + weight * (rank - 1).checked_sub(sure).map_or(F::zero(), low_at)),
            };
        }
    }

    /// Σ_r w_r P(r − 1 of the other classes above t) for the candidates with the given smaller tails.
    fn probabilities(&self, tails: &[F], likely: usize, ranks: &Ranks<'_, F>, sure: usize) -> [F; LANES] {
        let mut probabilities = [F::zero(); LANES];
        let tails = lanes_of(tails);
        if tails.iter().any(|tail| tail.is_sign_positive()) {
            probabilities = self.unlikely(&tails.map(|tail| tail.max(F::zero())), ranks, sure);
        }
        if tails.iter().any(|tail| tail.is_sign_negative()) {
            let failing = tails.map(|tail| (-tail).max(F::zero()));
            let likely = self.likely(&failing, likely);
            let lanes = probabilities.iter_mut().zip(likely).zip(tails);
            lanes.filter(|(_, tail)| tail.is_sign_negative()).for_each(|((probability, likely), _)| *probability = likely);
        }
        probabilities
    }

    fn likely(&self, failing: &[F; LANES], likely: usize) -> [F; LANES] {
        // Without one of them, at most likely − 1 can fail.
        let reached = self.failures.get(..likely).unwrap_or_default();
        let mut sums = [F::zero(); LANES];
        if self.precise {
            let whole = self.failures.get(..=likely).unwrap_or_default();
            for (sum, &q) in sums.iter_mut().zip(failing).filter(|&(_, &q)| q > F::zero()) {
                without_trial_precisely(whole, q, |m, failures| *sum += failures * self.free.get(m).copied().unwrap_or(F::zero()));
                *sum /= F::one() - q;
            }
            return sums;
        }
        let mut free = self.free.iter();
        without_trial(reached, failing, |failures| {
            let free = free.next().copied().unwrap_or(F::zero());
            sums.iter_mut().zip(failures).for_each(|(sum, &failures)| *sum += failures * free);
        });
        sums.iter_mut().zip(failing).for_each(|(sum, &q)| *sum /= F::one() - q);
        sums
    }

    fn unlikely(&self, p: &[F; LANES], ranks: &Ranks<'_, F>, sure: usize) -> [F; LANES] {
        let mut result = [F::zero(); LANES];
        match *ranks {
            Ranks::Single(_) => without_trial(self.all, p, |counts| result = *counts),
            _ => {
                let mut rank = sure;
                without_trial(self.all, p, |counts| {
                    rank += 1;
                    let weight = ranks.weight(rank);
                    if weight == F::zero() {
                        return;
                    }
                    result.iter_mut().zip(counts).for_each(|(result, &count)| *result += weight * count);
                });
            }
        }
        result.iter_mut().zip(p).for_each(|(result, &p)| *result /= F::one() - p);
        result
    }

    /// Σ_r w_r P(at least r above t), and Σ_r |w_r| P(r − 1 or r − 2 above t).
    fn survival(&self, ranks: &Ranks<'_, F>, sure: usize) -> (F, F) {
        let (mut fewer, mut survival, mut near, mut previous) = (F::zero(), F::zero(), F::zero(), F::zero());
        for (rank, &count) in (sure + 1..).zip(self.all.iter()) {
            let weight = ranks.weight(rank);
            fewer += count;
            survival += weight * (F::one() - fewer).max(F::zero());
            near += weight.abs() * (count + previous);
            previous = count;
        }
        (survival, near)
    }
}

/// A chunk as full lanes, the missing ones 0.
fn lanes_of<F: Real>(chunk: &[F]) -> [F; LANES] {
    let mut lanes = [F::zero(); LANES];
    lanes.iter_mut().zip(chunk).for_each(|(lane, &value)| *lane = value);
    lanes
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
