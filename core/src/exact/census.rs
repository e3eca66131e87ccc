//! The census of a shard: where its classes lie, coarsely, told before anyone knows the center.
//!
//! Every score is counted in the bin of a grid that all shards share, whose bin m is about m widths from 0. A shard tells of those near its
//! own center, the last of its largest scores, which is not above the center of all: so whoever hears all shards knows of every class near
//! that one, and makes the same partition of it however the classes are spread.

use super::histogram::{Histogram, range};
use super::partition::Partition;
use super::problem::Problem;
use super::reproducible::Grid;
use crate::{Error, Noise, Real, Result};

/// Bins that a shard tells of, from its center down; the last of them has whatever is below, too.
pub(crate) const BINS: usize = 32;

/// What a shard tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Census<'m, F> {
    /// Its largest scores in descending order, as many as there are ranks down to the wanted one, or classes.
    pub largest: &'m [F],
    /// How many of the others are in each of its bins.
    pub counts: &'m [F],
}

/// The bins that all shards share.
#[derive(Debug, Clone, Copy)]
struct Bins<F> {
    /// Of a bin, in units of the noise and in those of the scores.
    width: F,
    step: F,
    per_step: F,
}

impl<F: Real> Bins<F> {
    /// What may matter below a center is as wide as all bins of a shard.
    fn new<N: Noise<F>>(problem: &Problem<N, F>) -> Result<Self> {
        let (lowest, _) = range(problem, true);
        let width = -lowest / F::from_usize(BINS);
        let step = width * problem.scale;
        let bins = Self { width, step, per_step: step.recip() };
        let is_fine = step >= F::min_positive_value() && bins.per_step >= F::min_positive_value();
        if is_fine { Ok(bins) } else { Err(Error::Overflow { what: "range of the bins of epsilon" }) }
    }

    /// The bins that can be told from their neighbours by far.
    fn farthest() -> F {
        (F::epsilon() * F::epsilon()).recip()
    }

    /// The bin of a score: the nearest whole number.
    #[inline(always)]
    fn of(&self, score: F) -> F {
        let (farthest, shift) = (Self::farthest(), F::from_f64(1.5) / F::epsilon());
        let place = score * self.per_step;
        let place = if place < farthest { place } else { farthest };
        let place = if place > -farthest { place } else { -farthest };
        (place + shift) - shift
    }
}

/// Counts the scores of a shard that are not listed.
#[inline(always)]
pub(crate) fn count<N: Noise<F>, F: Real>(problem: &Problem<N, F>, scores: &[F], largest: &[F], counts: &mut [F]) -> Result<()> {
    let bins = Bins::new(problem)?;
    let Some(&last) = largest.last() else { return Ok(()) };
    let (highest, lowest) = (bins.of(last), F::from_usize(BINS - 1));
    let mut counted = [0_u32; BINS];
    for &score in scores {
        let below = highest - bins.of(score);
        let below = if below > F::zero() { below } else { F::zero() };
        let bin = (if below < lowest { below } else { lowest }).nearest_byte();
        if let Some(count) = counted.get_mut(usize::from(bin) % BINS) {
            *count += 1;
        }
    }
    for (count, &counted) in counts.iter_mut().zip(&counted) {
        *count = F::from_usize(counted as usize);
    }
    // Those that are listed are in the highest.
    if let Some(count) = counts.first_mut() {
        *count -= F::from_usize(largest.len());
    }
    Ok(())
}

/// All censuses of a row, and where their bins are about the center of all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Censuses<N, F> {
    problem: Problem<N, F>,
    bins: Bins<F>,
    center: F,
    /// Where the bin of the center begins, and by how much classes may be above where a bin begins.
    start: F,
    blur: F,
}

impl<N: Noise<F>, F: Real> Censuses<N, F> {
    pub fn new(problem: Problem<N, F>) -> Result<Self> {
        let bins = Bins::new(&problem)?;
        let center = bins.of(problem.center);
        if center.abs() >= Bins::<F>::farthest() {
            return Err(Error::Accuracy { what: "exact smoothing over shards" });
        }
        // Far from 0, places and bins are rounded by more than a part of a bin.
        let rounding = F::from_f64(8.0) * F::epsilon() * (center.abs() + F::from_usize(2 * BINS)) * bins.width;
        let offset = (center * bins.step - problem.center) / problem.scale;
        let half = F::from_f64(0.5) * bins.width + rounding;
        Ok(Self { problem, bins, center, start: offset - half, blur: half + half })
    }

    /// Where a bin begins.
    fn edge(&self, bin: F) -> F {
        self.start + (bin - self.center) * self.bins.width
    }

    /// Where a shard's bins begin, and how many classes are in each.
    fn counted<'m>(&self, census: Census<'m, F>) -> impl Iterator<Item = (F, F)> + use<'m, '_, N, F> {
        let highest = census.largest.last().map_or(F::zero(), |&last| self.bins.of(last));
        let counts = census.counts.iter().enumerate().filter(|&(_, &count)| count > F::zero());
        counts.map(move |(bin, &count)| (self.edge(highest - F::from_usize(bin)), count))
    }

    /// The partition: of the wanted ranks' scores, and of all others where their bins begin. So order statistics are as far above as
    /// classes, at most. Scratch as a histogram says.
    pub fn partition<'m>(&self, censuses: impl Iterator<Item = Census<'m, F>> + Clone, scratch: &mut [F]) -> Result<Partition<N, F>> {
        let Self { problem, bins, .. } = self;
        let (mut histogram, units) = (Histogram::new(*problem), problem.units());
        let listed = || censuses.clone().flat_map(|census| census.largest).copied();
        let above = listed().filter(|&score| score > problem.center).count();
        let mut level = problem.run.last.saturating_sub(above);
        histogram.add_at(F::zero(), level);
        for score in listed() {
            if score > problem.center {
                histogram.add_at(units.of(score), 1);
            } else if score == problem.center && level > 0 {
                level -= 1;
            } else {
                histogram.add_at(self.edge(bins.of(score)), 1);
            }
        }
        for (edge, count) in censuses.clone().flat_map(|census| self.counted(census)) {
            histogram.add_at(edge, count.to_usize().unwrap_or(0));
        }
        histogram.blurred_partition(self.blur, scratch)
    }

    /// How many classes of a shard a partition treats by themselves, at most.
    pub fn candidates(&self, census: Census<'_, F>, partition: &Partition<N, F>) -> usize {
        let places = partition.places();
        let is_one = |u: F| places.is_above(u) & !places.is_sure(u);
        let listed = census.largest.iter().filter(|&&score| is_one(places.unit(score))).count();
        let others = self.counted(census).filter(|&(edge, _)| places.is_above(edge + self.blur));
        listed + others.fold(F::zero(), |sum, (_, count)| sum + count).to_usize().unwrap_or(usize::MAX)
    }

    /// The grid on which the moments of the shards' bulks are rounded: their weights sum up to what those of all bins come to, at most.
    pub fn grid<'m>(&self, censuses: impl Iterator<Item = Census<'m, F>>, partition: &Partition<N, F>, shards: usize) -> Grid<F> {
        let places = partition.places();
        let weight = censuses.fold(F::zero(), |sum, census| {
            let listed = census.largest.iter().fold(sum, |sum, &score| sum + places.bulk(places.unit(score)).1);
            self.counted(census).fold(listed, |sum, (edge, count)| sum + count * places.most_weight(edge + self.blur))
        });
        Grid::new(weight, shards)
    }
}
