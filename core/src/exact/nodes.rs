//! The integrands at 16 nodes: the distribution of how many noised scores exceed t, and each class's share of the wanted ranks.

use super::classes::{Bulk, Classes};
use super::counts::{Group, TOGETHER, add_trials, exp_series, least, ln_one_minus, multiply_by_last_without, times, whole};
use super::leave_one_out;
use super::problem::never;
use super::rule::{Batch, NodeSums, Nodes, Shares};
use super::tails::{smaller_tails, tails_and_densities, thresholds};
use crate::lanes::{LANES, Lanes, halves, map, zip, zip3};
use crate::{Noise, Real, Regularity, Result, check};

/// Powers of p/(1 − p) that are kept in the logarithm of the bulk's generating function.
pub(super) const POWERS: usize = 18;

/// Room for the distributions and the classes' functions at the nodes. Where `RARE` events count, their probabilities keep their digits.
#[derive(Debug)]
pub(crate) struct FastNodes<'s, F, const RARE: bool> {
    /// Positions of the candidates: first those that may be divided out of the counts, then the likely ones, either filled up with classes
    /// that are never above t.
    positions: &'s mut [F],
    /// How many of the first kind, filled up.
    unlikely: usize,
    /// P(above t), by candidate; of a likely one −P(not above t) where rare events count and that is the smaller.
    tails: &'s mut [Group<F>],
    /// The density of the noised score, then the share of the wanted rank.
    shares: &'s mut [Group<F>],
    /// How many of the bulk are above t, then of all, up to one less than the wanted rank.
    counts: &'s mut [Lanes<F>],
    /// A smaller probability is 0.
    floor: F,
    halvings: &'s mut [Lanes<F>],
    /// As for the candidates, by point of the bulk.
    point_tails: &'s mut [Lanes<F>],
    point_shares: &'s mut [Lanes<F>],
    /// p/(1 − p).
    point_odds: &'s mut [Lanes<F>],
    /// The terms of sums over the points.
    point_terms: &'s mut [Lanes<F>],
    derivative: &'s mut [Lanes<F>],
}

/// How many places so many candidates take, however they divide.
#[inline(always)]
pub(super) const fn places(candidates: usize) -> usize {
    if candidates == 0 { 0 } else { candidates.saturating_add(3 * (TOGETHER - 1)) / TOGETHER * TOGETHER }
}

/// The scratch of the nodes, at most.
pub(super) const fn scratch_len(candidates: usize, last_rank: usize, terms: usize) -> usize {
    let places = places(candidates);
    let halvings = leave_one_out::room_len(places / TOGETHER, last_rank);
    let powers = if terms == 0 {
        0
    } else if last_rank < POWERS {
        last_rank
    } else {
        POWERS
    };
    let lanes = places.saturating_mul(2).saturating_add(last_rank).saturating_add(halvings).saturating_add(4 * terms + powers);
    lanes.saturating_mul(LANES).saturating_add(places)
}

impl<'s, F: Real, const RARE: bool> FastNodes<'s, F, RARE> {
    #[inline(always)]
    pub fn new<N: Noise<F>>(classes: &Classes<'_, N, F>, floor: F, scratch: &'s mut [F]) -> Result<Self> {
        let num_likely = classes.candidates.iter().fold(0, |sum, &u| sum + usize::from(u > classes.likely_above));
        let unlikely = (classes.candidates.len() - num_likely).next_multiple_of(TOGETHER);
        let places = unlikely + num_likely.next_multiple_of(TOGETHER);
        let (positions, rest) = check::split(scratch, places)?;
        let (first, second) = check::split(positions, unlikely)?;
        let (mut first, mut second) = (first.iter_mut(), second.iter_mut());
        for &u in classes.candidates {
            if let Some(place) = if u > classes.likely_above { second.next() } else { first.next() } {
                *place = classes.law.position(u);
            }
        }
        first.chain(second).for_each(|place| *place = classes.law.position(never()));

        let lanes = rest.as_chunks_mut::<LANES>().0;
        let (tails, lanes) = check::split(lanes, places)?;
        let (shares, lanes) = check::split(lanes, places)?;
        let (counts, lanes) = check::split(lanes, classes.depth() + 1)?;
        let (halvings, lanes) = check::split(lanes, leave_one_out::room_len((places - unlikely) / TOGETHER, counts.len()))?;
        let (point_tails, lanes) = check::split(lanes, classes.bulk.terms)?;
        let (point_shares, lanes) = check::split(lanes, classes.bulk.terms)?;
        let (point_odds, lanes) = check::split(lanes, classes.bulk.terms)?;
        let (point_terms, lanes) = check::split(lanes, classes.bulk.terms)?;
        let (derivative, _) = check::split(lanes, if classes.bulk.terms > 0 { POWERS.min(counts.len() - 1) } else { 0 })?;
        Ok(Self {
            positions,
            unlikely,
            tails: tails.as_chunks_mut().0,
            shares: shares.as_chunks_mut().0,
            counts,
            floor,
            halvings,
            point_tails,
            point_shares,
            point_odds,
            point_terms,
            derivative,
        })
    }

    /// How many places the candidates take.
    pub fn places(&self) -> usize {
        self.positions.len()
    }

    /// Puts what stands in the candidates' places into the order of the classes.
    #[inline(always)]
    pub fn in_order<N>(&self, classes: &Classes<'_, N, F>, placed: &[F], ordered: &mut [F]) {
        let (first, second) = placed.split_at_checked(self.unlikely).unwrap_or_default();
        let (mut first, mut second) = (first.iter(), second.iter());
        for (&u, entry) in classes.candidates.iter().zip(ordered) {
            *entry = (if u > classes.likely_above { second.next() } else { first.next() }).copied().unwrap_or(F::zero());
        }
    }

    /// The distribution of the bulk's count above t; returns a bound on its relative error.
    ///
    /// log ∏(1 − p_i + p_i x) = Σ_i [log(1 − p_i) + Σ_j (−1)^{j+1} (p_i/(1 − p_i))ʲ xʲ/j], each term a sum over the points.
    #[inline(always)]
    fn distribute<N: Noise<F>>(&mut self, thresholds: &Lanes<F>, law: &N, bulk: &Bulk<F>, rate: &mut Lanes<F>) -> Lanes<F> {
        let is_truncated = self.counts.len() > POWERS + 1;
        let points = bulk.positions.iter().zip(&mut *self.point_tails).zip(&mut *self.point_shares);
        for ((&position, tails), densities) in points {
            (*tails, *densities) = tails_and_densities(law, thresholds, position, self.floor);
        }
        *rate = weighted_sum(*rate, self.point_shares, &bulk.multiplicities);
        for (odds, &p) in self.point_odds.as_flattened_mut().iter_mut().zip(self.point_tails.as_flattened()) {
            *odds = p / (F::one() - p);
        }
        let zeros = [F::zero(); LANES];
        ln_one_minus(self.point_tails.as_flattened(), self.point_terms.as_flattened_mut());
        let constant = weighted_sum(zeros, self.point_terms, &bulk.multiplicities);
        // No easier to interpolate than any term: under Gumbel noise the logarithm itself is linear in the coordinate.
        if law.regularity() == Regularity::ExponentialTail {
            ln_one_minus(self.point_odds.as_flattened(), self.point_terms.as_flattened_mut());
        }
        let [last_but_one, last] = &bulk.highest;
        let (last_but_one, last) = (weighted_sum(zeros, self.point_terms, last_but_one), weighted_sum(zeros, self.point_terms, last));

        let floor = self.floor;
        self.derivative.fill(zeros);
        for ((last_power, &odds), &multiplicity) in self.point_terms.iter_mut().zip(&*self.point_odds).zip(&bulk.multiplicities) {
            let mut power = [-multiplicity; LANES];
            for term in &mut *self.derivative {
                power = zip(power, odds, |power, odds| {
                    let next = power * -odds;
                    if next.abs() > floor { next } else { F::zero() }
                });
                *term = zip(*term, power, |term, power| term + power);
            }
            *last_power = power;
        }
        let mut dropped = zeros;
        if is_truncated {
            let scales = bulk.weights.iter().zip(&bulk.multiplicities).map(|(&weight, &multiplicity)| (weight * multiplicity).recip());
            for ((power, odds), scale) in self.point_terms.iter().zip(&*self.point_odds).zip(scales) {
                let left_out = zip(*power, *odds, |power, odds| (power * odds * scale).abs());
                dropped = zip(dropped, left_out, |dropped, left_out| if left_out > dropped { left_out } else { dropped });
            }
        }
        exp_series(&constant, self.derivative, self.counts, self.floor);
        zip3(last_but_one, last, dropped, |a, b, dropped| bulk.size * (a.abs() + b.abs() + dropped / F::from_usize(POWERS)))
    }

    /// Adds the candidates to the counts, and finds their shares.
    #[inline(always)]
    fn visit_candidates<N: Noise<F>>(&mut self, thresholds: &Lanes<F>, law: &N, rate: &mut Lanes<F>) {
        let positions = self.positions.as_chunks::<TOGETHER>().0;
        for ((positions, tails), densities) in positions.iter().zip(&mut *self.tails).zip(&mut *self.shares) {
            for ((&position, tail), density) in positions.iter().zip(tails).zip(densities) {
                (*tail, *density) = tails_and_densities(law, thresholds, position, self.floor);
            }
        }
        *rate = self.shares.as_flattened().iter().fold(*rate, |rate, densities| zip(rate, *densities, |rate, density| rate + density));
        let groups = self.unlikely / TOGETHER;
        let (unlikely, likely) = self.tails.split_at_mut_checked(groups).unwrap_or_default();
        let (unlikely_shares, likely_shares) = self.shares.split_at_mut_checked(groups).unwrap_or_default();
        for tails in &*unlikely {
            add_trials::<F, false, TOGETHER>(self.counts, tails.each_ref());
        }
        if RARE {
            let floor = self.floor;
            for (positions, tails) in positions.iter().skip(groups).zip(&mut *likely) {
                positions.iter().zip(tails).for_each(|(&position, tail)| *tail = smaller_tails(law, thresholds, position, tail, floor));
            }
        }
        leave_one_out::multiply_by_last_without::<F, RARE>(self.counts, &*likely, likely_shares, self.halvings);
        for tails in &*likely {
            add_trials::<F, RARE, TOGETHER>(self.counts, tails.each_ref());
        }
        for (tails, shares) in unlikely.iter().zip(unlikely_shares) {
            multiply_by_last_without(self.counts, tails, shares);
        }
    }

    /// The points' shares.
    #[inline(always)]
    fn divide_points(&mut self) {
        let (groups, rest) = self.point_tails.as_chunks::<TOGETHER>();
        let (shares, rest_shares) = self.point_shares.as_chunks_mut::<TOGETHER>();
        for (tails, shares) in groups.iter().zip(shares) {
            multiply_by_last_without(self.counts, tails, shares);
        }
        for (tail, share) in rest.iter().zip(rest_shares) {
            multiply_by_last_without(self.counts, core::array::from_ref(tail), core::array::from_mut(share));
        }
    }
}

impl<N: Noise<F>, F: Real, const RARE: bool> Nodes<N, F> for FastNodes<'_, F, RARE> {
    #[inline(always)]
    fn visit(&mut self, nodes: &Batch<F>, weights: &Lanes<F>, classes: &Classes<'_, N, F>, shares: &mut Shares<'_, F>) -> NodeSums<F> {
        let Classes { law, run, bulk, .. } = *classes;
        let is_cumulative = run.len() > 1;
        let thresholds = thresholds(&law, &nodes.t);
        let (mut bulk_error, mut rate) = ([F::zero(); LANES], [F::zero(); LANES]);
        if bulk.terms > 0 {
            bulk_error = self.distribute(&thresholds, &law, bulk, &mut rate);
            if is_cumulative {
                accumulate(self.counts);
            }
        } else {
            self.counts.fill([if is_cumulative { whole() } else { F::zero() }; LANES]);
            if let Some(none) = self.counts.first_mut() {
                *none = [whole(); LANES];
            }
        }
        self.visit_candidates(&thresholds, &law, &mut rate);
        self.divide_points();

        let (weights, mut density) = (*weights, [F::zero(); LANES]);
        for (i, share) in self.shares.as_flattened().iter().enumerate() {
            let share = map(*share, |share| if share > least() { share } else { F::zero() });
            density = zip(density, share, |density, share| density + share);
            let (lower, upper) = halves(&zip(weights, share, times));
            if let (Some(coarse), Some(finer)) = (shares.coarse.get_mut(i), shares.finer.get_mut(i)) {
                if nodes.has_coarse { (*coarse, *finer) = (lower, upper) } else { *finer += lower + upper }
            }
        }
        let points = shares.coarse_points.iter_mut().zip(&mut shares.finer_points).zip(&bulk.multiplicities);
        for (((coarse, finer), &multiplicity), share) in points.zip(&*self.point_shares) {
            density = zip(density, *share, |density, share| density + multiplicity * share);
            let (lower, upper) = halves(&zip(weights, *share, times));
            if nodes.has_coarse { (*coarse, *finer) = (lower, upper) } else { *finer += lower + upper }
        }

        let mut survival = [F::zero(); LANES];
        for counts in &*self.counts {
            survival = if is_cumulative {
                zip(survival, *counts, |survival, count| survival + (F::one() - count * least()).max(F::zero()))
            } else {
                zip(survival, *counts, |fewer, count| fewer + count)
            };
        }
        let sure = F::from_usize(classes.sure);
        survival = if is_cumulative {
            map(survival, |survival| survival + sure)
        } else {
            map(survival, |fewer| (F::one() - fewer * least()).max(F::zero()))
        };
        let zeros = [F::zero(); LANES];
        let (last, previous) = match &*self.counts {
            [.., previous, last] => (last, previous),
            [last] => (last, &zeros),
            [] => (&zeros, &zeros),
        };
        let near = zip(*last, *previous, |last, previous| last + previous);
        bulk_error = zip3(bulk_error, rate, near, |error, rate, near| error * (rate.max(F::zero()) * near));
        NodeSums { survival, density, bulk_error }
    }
}

/// A distribution becomes cumulative.
#[inline(always)]
fn accumulate<F: Real>(counts: &mut [Lanes<F>]) {
    let mut below = [F::zero(); LANES];
    for counts in counts {
        *counts = zip(*counts, below, |count, below| count + below);
        below = *counts;
    }
}

/// `sum` and the rows times their weights.
#[inline(always)]
fn weighted_sum<F: Real>(mut sum: Lanes<F>, rows: &[Lanes<F>], weights: &[F]) -> Lanes<F> {
    // Not by `fold`, which is not inlined.
    for (row, &weight) in rows.iter().zip(weights) {
        sum = zip(sum, *row, |sum, x| sum + weight * x);
    }
    sum
}
