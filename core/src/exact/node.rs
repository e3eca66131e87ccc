//! The integrands at one t: the distribution of how many noised scores exceed t, and each class's share of the wanted ranks.

use super::chebyshev::{Chebyshev, Terms};
use super::counts::{add_trial, exp_series, without_trial};
use super::precision::MAX_TERMS;
use super::ranks::Ranks;
use crate::{Noise, Real, check};

/// The bulk as D+1 weighted classes.
#[derive(Debug)]
pub(crate) struct Bulk<F> {
    pub chebyshev: Chebyshev<F>,
    pub degree: usize,
    /// The sum of its classes' weights; 0: there is none.
    pub size: F,
    /// The u of the Chebyshev points.
    pub positions: Terms<F>,
    /// The weight of a class at each point.
    pub tails: Terms<F>,
    /// How many classes each point stands for.
    pub multiplicities: Terms<F>,
}

/// Powers of p/(1 − p) that are kept in the logarithm of the bulk's generating function.
const POWERS: usize = 18;

impl<F: Real> Bulk<F> {
    pub fn len(&self) -> usize {
        if self.size == F::zero() { 0 } else { self.degree + 1 }
    }

    /// Fills `counts` with the distribution of the bulk's count above t and returns a bound on its relative error.
    ///
    /// log ∏(1 − p_i + p_i x) = Σ_i [log(1 − p_i) + Σ_j (−1)^{j+1} (p_i/(1 − p_i))ʲ xʲ/j], each term a sum over the points.
    fn distribution(&self, survivals: &[F], counts: &mut [F]) -> F {
        let mut series = [F::zero(); POWERS + 1];
        let powers = POWERS.min(counts.len().saturating_sub(1));
        let mut logs = [F::zero(); MAX_TERMS];
        let mut dropped = F::zero();
        for (((&p, &weight), &tail), kept) in survivals.iter().zip(&self.multiplicities).zip(&self.tails).zip(&mut logs) {
            let log = (-p).ln_1p();
            *kept = log / tail;
            let ratio = p / (F::one() - p);
            let mut power = -F::one();
            if let Some((constant, terms)) = series.split_first_mut() {
                *constant += weight * log;
                for (j, term) in (1..).zip(terms.iter_mut().take(powers)) {
                    power *= -ratio;
                    *term += weight * power / F::from_usize(j);
                }
            }
            if counts.len() > powers + 1 {
                dropped = dropped.max((power * ratio).abs() / tail);
            }
        }
        exp_series(series.get(..=powers).unwrap_or_default(), counts);
        let kept = logs.get(..self.len()).unwrap_or_default();
        self.size * (self.chebyshev.truncation(kept) + dropped / F::from_usize(POWERS))
    }
}

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
    /// For each number of failures among the *other* likely classes, the probability that the wanted rank is free.
    free: &'s mut [F],
}

/// All classes as the nodes see them.
#[derive(Debug)]
pub(crate) struct Classes<'a, N, F> {
    pub law: N,
    /// Of the law: a class further below t is likelier not to be above it.
    pub median: F,
    pub ranks: Ranks<'a, F>,
    /// How many are above every t.
    pub sure: usize,
    /// The u of those treated by themselves.
    pub candidates: &'a [F],
    pub bulk: Bulk<F>,
}

/// Where the classes' shares are summed.
#[derive(Debug)]
pub(crate) struct Shares<'a, F> {
    pub candidates: &'a mut [F],
    /// One a Chebyshev point.
    pub bulk: &'a mut Terms<F>,
}

/// What a node adds beside the classes' shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeSums<F> {
    /// Σ_r w_r P(at least r noised scores above t).
    pub survival: F,
    /// A bound on the error of the shares that the compression of the bulk makes.
    pub bulk_error: F,
}

impl<'s, F: Real> Node<'s, F> {
    /// `depth`: the deepest rank below the sure classes.
    pub fn scratch_len(depth: usize, candidates: usize) -> usize {
        2 * depth + 3 * candidates + 2
    }

    /// `scratch` is at least [`scratch_len`](Self::scratch_len) long.
    pub fn new(depth: usize, candidates: usize, scratch: &'s mut [F]) -> Self {
        let (low, rest) = check::split(scratch, depth);
        let (all, rest) = check::split(rest, depth);
        let (tails, rest) = check::split(rest, candidates);
        let (failures, rest) = check::split(rest, candidates + 1);
        let (free, _) = check::split(rest, candidates + 1);
        Self { low, failures, all, tails, free }
    }

    /// Adds, for t, `weight` times each candidate's and each bulk point's share: f(t − u_i) Σ_r w_r P(r − 1 of the others above t).
    pub fn add<N: Noise<F>>(&mut self, t: F, weight: F, classes: &Classes<'_, N, F>, shares: Shares<'_, F>) -> NodeSums<F> {
        let Classes { law, ref ranks, sure, candidates, ref bulk, .. } = *classes;
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

        let mut rate = F::zero();
        for ((&u, &tail), share) in candidates.iter().zip(self.tails.iter()).zip(shares.candidates) {
            let density = law.pdf(t - u);
            if density == F::zero() {
                continue;
            }
            rate += density;
            *share += weight * density * self.probability_of_rank(tail, likely, ranks, sure);
        }
        for (((&u, &p), &points), share) in points.zip(survivals).zip(&bulk.multiplicities).zip(shares.bulk) {
            let density = law.pdf(t - u);
            rate += points * density;
            *share += weight * density * self.unlikely(p, ranks, sure);
        }
        let (survival, near) = self.survival(ranks, sure);
        NodeSums { survival: weight * survival, bulk_error: weight * bulk_error * rate.max(F::zero()) * near }
    }

    /// Adds the candidates' trials and returns how many of them are likelier than not to be above t.
    fn add_candidates<N: Noise<F>>(&mut self, t: F, classes: &Classes<'_, N, F>) -> usize {
        delta(self.failures);
        let mut likely = 0;
        for (&u, tail) in classes.candidates.iter().zip(self.tails.iter_mut()) {
            let z = t - u;
            if z >= classes.median {
                *tail = classes.law.survival(z);
                add_trial(self.low, *tail);
            } else {
                let fails = classes.law.cdf(z);
                *tail = -fails;
                likely += 1;
                let reached = self.failures.len().min(likely + 1);
                add_trial(self.failures.get_mut(..reached).unwrap_or_default(), fails);
            }
        }
        likely
    }

    /// all_j = Σ_m failures_m · low_{j − likely + m}.
    fn combine(&mut self, likely: usize) {
        for (j, all) in self.all.iter_mut().enumerate() {
            *all = aligned(self.failures, likely, self.low, j).fold(F::zero(), |sum, (f, l)| sum + f * l);
        }
    }

    /// free_m = Σ_j w_j · low_{j − (likely − 1) + m}, with j the number of others above t that makes rank j + 1.
    fn prepare_likely(&mut self, likely: usize, ranks: &Ranks<'_, F>, sure: usize) {
        if likely == 0 {
            return;
        }
        for (m, free) in self.free.iter_mut().enumerate() {
            let low_at = |j: usize| (j + m + 1).checked_sub(likely).and_then(|i| self.low.get(i)).copied().unwrap_or(F::zero());
            *free = match *ranks {
                Ranks::Single(k) => low_at(k - 1 - sure),
                _ => (0..self.low.len()).fold(F::zero(), |sum, j| sum + ranks.weight(j + 1 + sure) * low_at(j)),
            };
        }
    }

    /// Σ_r w_r P(r − 1 of the other classes above t) for a candidate with the given smaller tail.
    fn probability_of_rank(&self, tail: F, likely: usize, ranks: &Ranks<'_, F>, sure: usize) -> F {
        if tail.is_sign_positive() {
            return self.unlikely(tail, ranks, sure);
        }
        let reached = self.failures.len().min(likely + 1);
        let mut free = self.free.iter();
        let mut sum = F::zero();
        without_trial(self.failures.get(..reached).unwrap_or_default(), -tail, |failures| {
            sum += failures * free.next().copied().unwrap_or(F::zero());
        });
        sum.max(F::zero())
    }

    fn unlikely(&self, p: F, ranks: &Ranks<'_, F>, sure: usize) -> F {
        let mut result = F::zero();
        match *ranks {
            Ranks::Single(_) => without_trial(self.all, p, |count| result = count),
            _ => {
                let mut rank = sure;
                without_trial(self.all, p, |count| {
                    rank += 1;
                    result += ranks.weight(rank) * count;
                });
            }
        }
        result.max(F::zero())
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

/// The distribution of a count that is 0.
fn delta<F: Real>(counts: &mut [F]) {
    counts.fill(F::zero());
    if let Some(none) = counts.first_mut() {
        *none = F::one();
    }
}

/// The pairs (failures_m, low_{j − likely + m}) that exist.
fn aligned<'a, F: Real>(failures: &'a [F], likely: usize, low: &'a [F], j: usize) -> impl Iterator<Item = (F, F)> + 'a {
    let skipped_failures = likely.saturating_sub(j);
    let skipped_low = j.saturating_sub(likely);
    failures.iter().copied().skip(skipped_failures).zip(low.iter().copied().skip(skipped_low))
}
