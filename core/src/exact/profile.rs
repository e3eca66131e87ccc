//! Where the classes lie, coarsely: a histogram of the scores, from which a certified window follows.

use super::division::Division;
use super::problem::Problem;
use super::ranks::Run;
use crate::{Error, Noise, Real, Result, check};

/// Bins of the histogram.
pub(super) const BINS: usize = 192;

/// How many classes of a set lie in each of 192 equal intervals around the scores that decide: the second round of a computation over
/// [shards](crate::sharded).
#[derive(Debug, Clone, Copy)]
pub struct Profile<'w, N, F> {
    pub(super) problem: Problem<'w, N, F>,
    lowest: F,
    width: F,
    counts: [u32; BINS],
}

/// The interval of t, in units of ε about the center, outside which the wanted order statistics fall with negligible probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window<F> {
    pub low: F,
    pub high: F,
}

impl<'w, N: Noise<F>, F: Real> Profile<'w, N, F> {
    pub(crate) fn new(problem: Problem<'w, N, F>) -> Self {
        let law = problem.law;
        let negligible = problem.precision.outside / F::from_usize(problem.num_classes);
        let reach = tail(|z| law.survival(z), negligible) + tail(|z| law.cdf(-z), negligible);
        let (low, high) = problem.span;
        let width = (reach + reach + (high - low)) / F::from_usize(BINS);
        Self { problem, lowest: low - reach, width, counts: [0; BINS] }
    }

    /// Counts the classes of a slice of scores.
    ///
    /// # Errors
    /// A NaN or infinite score.
    pub fn add(&mut self, scores: &[F]) -> Result<()> {
        check::finite("scores", scores)?;
        let last = F::from_usize(BINS - 1);
        for &score in scores {
            let bin = ((self.problem.unit(score) - self.lowest) / self.width).max(F::zero()).min(last);
            if let Some(count) = bin.to_usize().and_then(|bin| self.counts.get_mut(bin)) {
                *count += 1;
            }
        }
        Ok(())
    }

    /// Moves the center up by whole bins, to less than one below `center`: where the deepest wanted score is known only when every class
    /// has been seen, the largest of those seen so far is a center that rises.
    ///
    /// Until the last rise, count only classes that are not above the center of the moment.
    ///
    /// # Errors
    /// A center that is not finite.
    pub fn raise(&mut self, center: F) -> Result<()> {
        check::finite("center", &[center])?;
        let bins = ((center - self.problem.center) / self.problem.scale / self.width).floor().max(F::zero());
        let shift = bins.min(F::from_usize(BINS)).to_usize().unwrap_or(0);
        if shift == BINS {
            self.problem.center = center;
        } else {
            self.problem.center += bins * self.width * self.problem.scale;
        }
        self.counts.rotate_left(shift);
        let below: u32 = self.counts.iter_mut().rev().take(shift).map(core::mem::take).sum();
        let [lowest, ..] = &mut self.counts;
        *lowest += below;
        Ok(())
    }

    /// The counts, to be carried to another device.
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Adds the counts of another set of classes of the same row.
    ///
    /// # Errors
    /// Another number of counts.
    pub fn merge(&mut self, counts: &[u32]) -> Result<()> {
        check::length("counts", counts, BINS)?;
        self.counts.iter_mut().zip(counts).for_each(|(a, b)| *a += b);
        Ok(())
    }

    /// The division of all classes, once those of every shard are counted.
    ///
    /// # Errors
    /// Counts that are not those of all classes.
    pub fn division(&self) -> Result<Division<'w, N, F>> {
        let counted = self.total();
        if counted != self.problem.num_classes {
            return Err(Error::Length { what: "profile", expected: self.problem.num_classes, actual: counted });
        }
        let ranks = self.problem.ranks;
        Ok(Division::new(*self, self.window(&self.tails(), Run { first: ranks.first(), last: ranks.last() })))
    }

    /// The window of a run of ranks. Every class is taken at the edge of its bin that makes the bound hold.
    pub(super) fn window(&self, tails: &Tails<F>, run: Run) -> Window<F> {
        let limit = self.problem.precision.outside.ln();
        let low = partition_point(|m| self.bound_below(tails, m, run.last) <= limit).saturating_sub(1);
        let high = partition_point(|m| self.bound_above(tails, m, run.first) > limit);
        Window { low: self.edge(low), high: self.edge(high.max(low + 1)) }
    }

    pub(super) fn tails(&self) -> Tails<F> {
        let mut tails = Tails { survival: [F::zero(); 2 * BINS + 1], cdf: [F::zero(); 2 * BINS + 1] };
        let (law, at) = (self.problem.law, |i: usize| (F::from_usize(i) - F::from_usize(BINS)) * self.width);
        tails.survival.iter_mut().enumerate().for_each(|(i, p)| *p = law.survival(at(i)));
        if law.is_symmetric() {
            tails.cdf.iter_mut().zip(tails.survival.iter().rev()).for_each(|(q, &p)| *q = p);
        } else {
            tails.cdf.iter_mut().enumerate().for_each(|(i, q)| *q = law.cdf(at(i)));
        }
        tails
    }

    /// The lower edge of bin m.
    pub(super) fn edge(&self, m: usize) -> F {
        self.lowest + F::from_usize(m) * self.width
    }

    fn total(&self) -> usize {
        self.counts.iter().map(|&c| c as usize).sum()
    }

    /// ln of a bound on P(fewer than `rank` noised scores are above edge m).
    pub(super) fn bound_below(&self, tails: &Tails<F>, m: usize, rank: usize) -> F {
        let mut top_left = rank;
        let (mut above, mut under, mut union) = (F::zero(), F::zero(), F::zero());
        for (b, &count) in self.counts.iter().enumerate().rev().filter(|&(_, &count)| count > 0) {
            let (p, q) = tails.at(m, b);
            let n = F::from_usize(count as usize);
            let top = top_left.min(count as usize);
            top_left -= top;
            above += n * p;
            under += n * q;
            union += F::from_usize(top) * q;
        }
        let few = at_most(rank - 1, above);
        let many = at_least(self.total() + 1 - rank, under);
        union.ln().min(few).min(many)
    }

    /// About how many of the classes from the `rank`-th down are above edge m.
    pub(super) fn mean_from(&self, tails: &Tails<F>, m: usize, rank: usize) -> F {
        self.sum_from(rank, |b| tails.at(m, b).0)
    }

    /// ln of what P(fewer than `rank` noised scores are above edge m) is at least: the classes from the `rank`-th down all stay below.
    pub(super) fn least_below(&self, tails: &Tails<F>, m: usize, rank: usize) -> F {
        self.sum_from(rank, |b| tails.at(m, b + 1).1.ln())
    }

    /// The sum of a function of the bin over the classes from the `rank`-th down.
    fn sum_from(&self, rank: usize, term: impl Fn(usize) -> F) -> F {
        let mut skipped = rank - 1;
        self.counts.iter().enumerate().rev().fold(F::zero(), |sum, (b, &count)| {
            let first = skipped.min(count as usize);
            skipped -= first;
            let counted = count as usize - first;
            if counted > 0 { sum + F::from_usize(counted) * term(b) } else { sum }
        })
    }

    /// ln of a bound on P(at least `rank` noised scores are above edge m).
    pub(super) fn bound_above(&self, tails: &Tails<F>, m: usize, rank: usize) -> F {
        let mut sure = rank - 1;
        let (mut above, mut under, mut union) = (F::zero(), F::zero(), F::zero());
        for (b, &count) in self.counts.iter().enumerate().rev().filter(|&(_, &count)| count > 0) {
            let (p, q) = tails.at(m, b + 1);
            let n = F::from_usize(count as usize);
            let skipped = sure.min(count as usize);
            sure -= skipped;
            above += n * p;
            under += n * q;
            union += F::from_usize(count as usize - skipped) * p;
        }
        let many = at_least(rank, above);
        let few = at_most(self.total() - rank, under);
        union.ln().min(few).min(many)
    }
}

/// The law's two tails at the multiples of the bin width.
pub(super) struct Tails<F> {
    survival: [F; 2 * BINS + 1],
    cdf: [F; 2 * BINS + 1],
}

impl<F: Real> Tails<F> {
    /// P(a class at edge b ends above edge m) and the complement.
    fn at(&self, m: usize, b: usize) -> (F, F) {
        let i = BINS + m - b;
        let get = |table: &[F]| table.get(i).copied().unwrap_or(F::zero());
        (get(&self.survival), get(&self.cdf))
    }
}

/// The first edge for which `holds` is false; it is true up to there.
pub(super) fn partition_point(holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, BINS);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// ln of Chernoff's bound on P(N ≥ k) for a Poisson-binomial count of mean μ.
fn at_least<F: Real>(k: usize, mean: F) -> F {
    let k = F::from_usize(k);
    if mean < k { k - mean - k * (k / mean).ln() } else { F::zero() }
}

/// ln of Chernoff's bound on P(N ≤ j).
fn at_most<F: Real>(j: usize, mean: F) -> F {
    let j = F::from_usize(j);
    if j == F::zero() {
        -mean
    } else if mean > j {
        j - mean - j * (j / mean).ln()
    } else {
        F::zero()
    }
}

/// The first multiple of ½ at which a tail has fallen to `level`; a law that never falls gets the largest that is tried.
pub(crate) fn tail<F: Real>(tail: impl Fn(F) -> F, level: F) -> F {
    const STEPS: usize = 400;
    let half = F::from_f64(0.5);
    let step = (1..STEPS).find(|&i| tail(F::from_usize(i) * half) <= level).unwrap_or(STEPS);
    F::from_usize(step) * half
}
