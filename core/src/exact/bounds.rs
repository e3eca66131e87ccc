//! Certified bounds on where an order statistic can be, from the histogram.
//!
//! Every class is taken at the edge of its bin that makes the bound hold.

mod divisible;

use super::chernoff::{at_least, at_most, exceeds, least_mean, most_mean};
use super::counts::rarest;
use super::histogram::Histogram;
use super::ranks::Run;
use super::search::Search;
use crate::lanes::{LANES, Lanes, numbers, sum};
use crate::{Noise, Real, Result, check};

/// The interval of t, in units of ε about the center, outside which the wanted order statistics fall with negligible probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window<F> {
    pub low: F,
    pub high: F,
}

/// The law's tails at the multiples of the bin width, and the classes as bounds for one rank count them. Bins in descending order, so
/// that sums over a tail run forward.
pub(super) struct Bounds<'s, F> {
    pub bins: usize,
    lowest: F,
    width: F,
    survival: &'s mut [F],
    cdf: &'s mut [F],
    rank: usize,
    total: usize,
    /// All classes.
    all: &'s mut [F],
    /// The `rank` largest.
    leading: &'s mut [F],
    /// From the `rank`-th down.
    rest: &'s mut [F],
    /// Where the `rank`-th is, which belongs to both.
    own: usize,
}

/// One tail at every difference of two edges, and what fills up the lanes.
const fn tail_len(bins: usize) -> usize {
    2 * bins + LANES
}

impl<F> Bounds<'_, F> {
    /// The scratch for so many bins.
    pub const fn len(bins: usize) -> usize {
        2 * tail_len(bins) + 3 * bins
    }
}

impl<'s, F: Real> Bounds<'s, F> {
    #[inline(always)]
    pub fn new<N: Noise<F>>(histogram: &Histogram<N, F>, scratch: &'s mut [F]) -> Result<Self> {
        let (law, width, bins) = (histogram.problem.law, histogram.width, histogram.counts().len());
        let (survival, rest) = check::split(scratch, tail_len(bins))?;
        let (cdf, rest) = check::split(rest, survival.len())?;
        let (all, rest) = check::split(rest, bins)?;
        let (leading, rest) = check::split(rest, bins)?;
        let (rest, _) = check::split(rest, bins)?;
        let (center, is_symmetric) = (law.position(F::zero()), law.is_symmetric());
        let chunks = survival.as_chunks_mut::<LANES>().0.iter_mut().zip(cdf.as_chunks_mut::<LANES>().0);
        for (first, (survival, cdf)) in (0..).step_by(LANES).zip(chunks) {
            let (first, mut t) = (F::from_usize(first) - F::from_usize(bins), numbers());
            for t in &mut t {
                *t = law.threshold((first + *t) * width);
            }
            for (survival, &t) in survival.iter_mut().zip(&t) {
                *survival = law.tail_and_density(t, center).0;
            }
            if !is_symmetric {
                for (cdf, &t) in cdf.iter_mut().zip(&t) {
                    *cdf = law.failure_and_density(t, center).0;
                }
            }
        }
        if is_symmetric {
            for (m, q) in cdf.iter_mut().enumerate().take(2 * bins + 1) {
                *q = survival.get(2 * bins - m).copied().unwrap_or(F::zero());
            }
        }
        for (all, &count) in all.iter_mut().zip(histogram.counts().iter().rev()) {
            *all = F::from_usize(count as usize);
        }
        Ok(Self {
            bins,
            rank: 0,
            lowest: histogram.lowest,
            width,
            survival,
            cdf,
            total: histogram.problem.num_classes,
            all,
            leading,
            rest,
            own: 0,
        })
    }

    /// Sets the classes of a rank apart.
    #[inline(always)]
    pub fn set_rank(&mut self, rank: usize) {
        if rank == self.rank {
            return;
        }
        self.rank = rank;
        let (mut top_left, mut skipped) = (F::from_usize(rank), F::from_usize(rank.saturating_sub(1)));
        self.own = 0;
        for ((leading, rest), &count) in self.leading.iter_mut().zip(&mut *self.rest).zip(&*self.all) {
            let (top, first) = (top_left.min(count), skipped.min(count));
            top_left -= top;
            skipped -= first;
            self.own += usize::from(top_left > F::zero());
            (*leading, *rest) = (top, count - first);
        }
    }

    /// The lower edge of bin m.
    #[inline(always)]
    pub fn edge(&self, m: usize) -> F {
        self.lowest + F::from_usize(m) * self.width
    }

    /// A bound on the mean number of the `rank` largest that are not above edge m, and so on P(fewer than `rank` are above).
    #[inline(always)]
    fn leading_below(&self, m: usize) -> F {
        dot(self.leading, self.cdf, m + 1)
    }

    /// How many are above edge m on average, at least.
    #[inline(always)]
    fn least_above(&self, m: usize) -> F {
        dot(self.all, self.survival, m + 1)
    }

    /// How many from the `rank`-th down are above edge m on average, at most.
    #[inline(always)]
    fn rest_above(&self, m: usize) -> F {
        self.at_most_above(self.rest, m)
    }

    /// How many are above edge m on average, at most.
    #[inline(always)]
    fn most_above(&self, m: usize) -> F {
        self.at_most_above(self.all, m)
    }

    /// How many of some classes are above edge m on average, at most. The highest bin takes in what is above it, however far.
    #[inline(always)]
    fn at_most_above(&self, counts: &[F], m: usize) -> F {
        let (highest, tail) = highest(counts, self.survival, m);
        dot(counts, self.survival, m) + highest * (F::one() - tail)
    }

    /// How many of some classes are not above edge m on average, at least.
    #[inline(always)]
    fn at_least_below(&self, counts: &[F], m: usize) -> F {
        let (highest, tail) = highest(counts, self.cdf, m);
        dot(counts, self.cdf, m) - highest * tail
    }

    /// How many beyond the `rank`-th are above edge m on average, at least.
    #[inline(always)]
    fn beyond_above(&self, m: usize) -> F {
        self.rest_reaching(m) - self.survival.get(m + 1 + self.own).copied().unwrap_or(F::zero())
    }

    /// How many before the `rank`-th are not above edge m on average, at least.
    #[inline(always)]
    fn before_below(&self, m: usize) -> F {
        self.at_least_below(self.leading, m) - self.cdf.get(m + self.own).copied().unwrap_or(F::zero())
    }

    /// The window of a run of ranks, with the probability that may be left out at either end.
    #[inline(always)]
    pub fn window(&mut self, run: Run, outside: F) -> Window<F> {
        self.set_rank(run.last);
        let limit = outside.ln();
        let enough = least_mean(run.last.saturating_sub(1), limit);
        let mut search = Search { low: 0, high: self.bins };
        while let Some(m) = search.middle() {
            let below = self.leading_below(m);
            // Fewer than the rank are above where more before it are below than beyond it are above.
            search.go_on(m, below <= outside || self.least_above(m) >= enough || exceeds(below, self.beyond_above(m)) <= limit);
        }
        let low = search.low;
        self.set_rank(run.first);
        let high = self.first_above(run.first, outside, low);
        let low = low.saturating_sub(1);
        Window { low: self.edge(low), high: self.edge(high.max(low + 1)) }
    }

    /// The first edge from `start` on that the rank set before is above with at most this probability.
    #[inline(always)]
    fn first_above(&self, rank: usize, probability: F, start: usize) -> usize {
        let limit = probability.ln();
        let few = most_mean(rank, limit);
        let mut search = Search { low: start, high: self.bins };
        while let Some(m) = search.middle() {
            let above = self.rest_above(m);
            search.go_on(m, above > probability && self.most_above(m) > few && exceeds(above, self.before_below(m)) > limit);
        }
        search.low
    }

    /// A t that the order statistic of `rank`, set before, is above with at most this probability.
    #[inline(always)]
    pub fn above_with(&self, rank: usize, probability: F) -> F {
        self.edge(self.first_above(rank, probability, 0))
    }

    /// ln of a bound on P(fewer than `rank`, set before, are above edge m).
    #[inline(always)]
    pub fn ln_below<N: Noise<F>>(&self, law: &N, m: usize, rank: usize) -> F {
        let few = at_most(rank.saturating_sub(1), self.least_above(m));
        let many = at_least((self.total + 1).saturating_sub(rank), dot(self.all, self.cdf, m + 1).max(self.unseen()));
        self.ln_mean(self.leading, self.leading_below(m), |bin| law.ln_cdf(self.difference(m + 1, bin))).min(few).min(many)
    }

    /// ln of a bound on P(at least `rank`, set before, are above edge m).
    #[inline(always)]
    pub fn ln_above<N: Noise<F>>(&self, law: &N, m: usize, rank: usize) -> F {
        let few = at_most(self.total.saturating_sub(rank), self.at_least_below(self.all, m));
        let many = at_least(rank, self.most_above(m).max(self.unseen()));
        self.ln_mean(self.rest, self.rest_above(m), |bin| law.ln_survival(self.difference(m, bin))).min(many).min(few)
    }

    /// What tails that are too small to be told from 0 sum up to, at most.
    #[inline(always)]
    fn unseen(&self) -> F {
        F::from_usize(self.total) * rarest()
    }

    /// About how many of the classes from the rank set before down are above edge m.
    #[inline(always)]
    pub fn rest_reaching(&self, m: usize) -> F {
        dot(self.rest, self.survival, m + 1)
    }

    /// ln of what P(fewer than the rank set before are above edge m) is at least: the classes from that rank down all stay below.
    pub fn ln_least_below<N: Noise<F>>(&self, law: &N, m: usize) -> F {
        filled(self.rest).fold(F::zero(), |sum, (bin, count)| sum + count * law.ln_cdf(self.difference(m, bin)))
    }

    /// ln of what P(at least as many as the rank set before are above edge m) is at least: the classes down to that rank are.
    pub fn ln_least_above<N: Noise<F>>(&self, law: &N, m: usize) -> F {
        filled(self.leading).fold(F::zero(), |sum, (bin, count)| sum + count * law.ln_survival(self.difference(m + 1, bin)))
    }

    /// How far the entry `first` of a tail is from the center, `bin` entries on.
    fn difference(&self, first: usize, bin: usize) -> F {
        (F::from_usize(first + bin) - F::from_usize(self.bins)) * self.width
    }

    /// ln Σ counts · tail: that of the sum of the tails, which have a floor, or where it may count, of the logarithms.
    #[inline(always)]
    fn ln_mean(&self, counts: &[F], mean: F, ln_tail: impl Fn(usize) -> F) -> F {
        if mean > self.unseen() * F::epsilon().recip() { mean.ln() } else { ln_sum(counts, ln_tail) }
    }
}

/// The bins that are not empty, with how many they hold.
fn filled<F: Real>(counts: &[F]) -> impl Iterator<Item = (usize, F)> + '_ {
    counts.iter().copied().enumerate().filter(|&(_, count)| count > F::zero())
}

/// ln Σ counts · exp(ln tail).
#[cold]
#[inline(never)]
fn ln_sum<F: Real>(counts: &[F], ln_tail: impl Fn(usize) -> F) -> F {
    let largest = filled(counts).fold(F::neg_infinity(), |largest, (bin, _)| largest.max(ln_tail(bin)));
    if largest == F::neg_infinity() {
        return largest;
    }
    largest + filled(counts).fold(F::zero(), |sum, (bin, count)| sum + count * (ln_tail(bin) - largest).exp()).ln()
}

/// How many are in the highest bin, and its tail, which is the entry `first`.
#[inline(always)]
fn highest<F: Real>(counts: &[F], tail: &[F], first: usize) -> (F, F) {
    let entry = |numbers: &[F], place| numbers.get(place).copied().unwrap_or(F::zero());
    (entry(counts, 0), entry(tail, first))
}

/// Σ counts · tail, from the tail's entry `first` on.
#[inline(always)]
fn dot<F: Real>(counts: &[F], tail: &[F], first: usize) -> F {
    let mut lanes: Lanes<F> = [F::zero(); LANES];
    for (counts, tail) in counts.as_chunks::<LANES>().0.iter().zip(tail.get(first..).unwrap_or_default().as_chunks::<LANES>().0) {
        for ((lane, &count), &tail) in lanes.iter_mut().zip(counts).zip(tail) {
            *lane += count * tail;
        }
    }
    sum(&lanes)
}

#[cfg(test)]
mod tests;
