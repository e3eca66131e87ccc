//! Which order statistics are asked for.

use crate::{Error, Real, Result, check};

/// One rank, or a weighted sum of ranks; ranks count from 1, the largest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ranks<'a, F> {
    /// The k-th largest.
    Single(usize),
    /// Σ_r w_r · (r-th largest), w_1 first.
    Weighted(&'a [F]),
    /// The k largest, each with weight 1.
    Top(usize),
}

impl<F: Real> Ranks<'_, F> {
    /// The deepest rank that has a weight.
    pub fn last(&self) -> usize {
        match *self {
            Self::Single(k) | Self::Top(k) => k,
            Self::Weighted(weights) => weights.iter().rposition(|&w| w != F::zero()).map_or(0, |i| i + 1),
        }
    }

    /// The first rank that has a weight.
    pub fn first(&self) -> usize {
        match *self {
            Self::Single(k) => k,
            Self::Top(_) => 1,
            Self::Weighted(weights) => weights.iter().position(|&w| w != F::zero()).map_or(0, |i| i + 1),
        }
    }

    pub fn weight(&self, rank: usize) -> F {
        match *self {
            Self::Single(k) if rank == k => F::one(),
            Self::Top(k) if rank <= k => F::one(),
            Self::Weighted(weights) => rank.checked_sub(1).and_then(|i| weights.get(i)).copied().unwrap_or(F::zero()),
            _ => F::zero(),
        }
    }

    /// Σ_r w_r, the sum of the gradient.
    pub fn mass(&self) -> F {
        match *self {
            Self::Single(_) => F::one(),
            Self::Top(k) => F::from_usize(k),
            Self::Weighted(weights) => weights.iter().fold(F::zero(), |sum, &w| sum + w),
        }
    }

    pub fn check(&self, len: usize) -> Result<()> {
        if let Self::Weighted(weights) = self {
            check::finite("weights", weights)?;
            if self.last() == 0 {
                return Err(Error::Parameter { name: "weights", must: "non-zero for at least one rank" });
            }
        }
        check::rank(self.last(), len)
    }
}
