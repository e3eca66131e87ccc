//! Which order statistics are asked for.

use core::ops::RangeInclusive;

use crate::Real;

/// The order statistics an oracle is made of; ranks count from 1, the largest first.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Ranks<'a, F> {
    /// The k-th largest.
    Single(usize),
    /// The k largest, each with weight 1.
    Top(usize),
    /// Σ_r w_r · (r-th largest), w_1 first.
    Weighted(&'a [F]),
}

impl<F: Real> Ranks<'_, F> {
    /// The deepest rank that has a weight; 0 without one.
    #[must_use]
    pub fn last(&self) -> usize {
        match *self {
            Self::Single(k) | Self::Top(k) => k,
            Self::Weighted(weights) => weights.iter().rposition(|&w| w != F::zero()).map_or(0, |i| i + 1),
        }
    }

    /// The first rank that has a weight; 0 without one.
    #[must_use]
    pub fn first(&self) -> usize {
        match *self {
            Self::Single(k) => k,
            Self::Top(_) => 1,
            Self::Weighted(weights) => weights.iter().position(|&w| w != F::zero()).map_or(0, |i| i + 1),
        }
    }

    /// w_r.
    #[must_use]
    pub fn weight(&self, rank: usize) -> F {
        match *self {
            Self::Single(k) if rank == k => F::one(),
            Self::Top(k) if rank <= k => F::one(),
            Self::Weighted(weights) => rank.checked_sub(1).and_then(|i| weights.get(i)).copied().unwrap_or(F::zero()),
            _ => F::zero(),
        }
    }

    /// Σ_r w_r, the sum of the gradient.
    #[must_use]
    pub fn mass(&self) -> F {
        (self.first()..=self.last()).fold(F::zero(), |sum, rank| sum + self.weight(rank))
    }

    /// The ranks in runs of one weight, of which the gradient is that weight times the indicator of the run.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (F, RangeInclusive<usize>)> {
        let (top, first) = match *self {
            Self::Top(k) => (Some((F::one(), 1..=k)), k + 1),
            _ => (None, self.first()),
        };
        let singles = (first..=self.last()).map(|rank| (self.weight(rank), rank..=rank)).filter(|&(weight, _)| weight != F::zero());
        top.into_iter().chain(singles)
    }

    /// The ranks that have a weight, one by one.
    pub(crate) fn each(self) -> impl Iterator<Item = (F, usize)> {
        (self.first()..=self.last()).map(move |rank| (self.weight(rank), rank)).filter(|&(weight, _)| weight != F::zero())
    }

    /// Σ_r |w_r|.
    pub(crate) fn size(&self) -> F {
        (self.first()..=self.last()).fold(F::zero(), |sum, rank| sum + self.weight(rank).abs())
    }
}
