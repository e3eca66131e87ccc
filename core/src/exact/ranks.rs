//! Ranks: which order statistics are asked for, and with which weights.

use crate::{Real, lanes};

/// The order statistics an oracle is made of; ranks count from 1, the largest first.
///
/// ```
/// use topk_loss::oracle::Ranks;
/// // The two largest are the ranks 1 and 2, each with weight 1.
/// assert_eq!(Ranks::<f64>::Top(2).each().collect::<Vec<_>>(), [(1.0, 1), (1.0, 2)]);
/// ```
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

/// What has the weights of ranks: [`Ranks`], or a list of w_1, w_2, …, whoever owns it: `&[F]`, `[F; K]`, `Vec<F>`, `Arc<[F]>`.
///
/// ```
/// use topk_loss::oracle::{AsRanks, Ranks};
/// assert_eq!([0.5, 0.5].as_ranks(), Ranks::Weighted(&[0.5, 0.5]));
/// ```
pub trait AsRanks<F> {
    /// The ranks and their weights, as an oracle reads them.
    ///
    /// ```
    /// use topk_loss::oracle::{AsRanks, Ranks};
    /// assert_eq!(vec![0.5, 0.5].as_ranks(), Ranks::Weighted(&[0.5, 0.5]));
    /// ```
    fn as_ranks(&self) -> Ranks<'_, F>;
}

impl<F: Real> AsRanks<F> for Ranks<'_, F> {
    fn as_ranks(&self) -> Ranks<'_, F> {
        *self
    }
}

impl<F: Real, T: AsRef<[F]>> AsRanks<F> for T {
    fn as_ranks(&self) -> Ranks<'_, F> {
        Ranks::Weighted(self.as_ref())
    }
}

impl<F: Real> Ranks<'_, F> {
    /// The deepest rank that has a weight; 0 without one.
    ///
    /// **Cost.** At most one pass over weights that are listed.
    ///
    /// ```
    /// use topk_loss::oracle::Ranks;
    /// assert_eq!(Ranks::Weighted(&[0.0, 0.5, 0.5, 0.0]).last(), 3);
    /// ```
    #[must_use]
    pub fn last(&self) -> usize {
        match *self {
            Self::Single(k) | Self::Top(k) => k,
            Self::Weighted(weights) => weights.iter().rposition(|&w| w != F::zero()).map_or(0, |i| i + 1),
        }
    }

    /// The first rank that has a weight; 0 without one.
    ///
    /// **Cost.** At most one pass over weights that are listed.
    ///
    /// ```
    /// use topk_loss::oracle::Ranks;
    /// assert_eq!(Ranks::Weighted(&[0.0, 0.5, 0.5, 0.0]).first(), 2);
    /// ```
    #[must_use]
    pub fn first(&self) -> usize {
        match *self {
            Self::Single(k) => k,
            Self::Top(_) => 1,
            Self::Weighted(weights) => weights.iter().position(|&w| w != F::zero()).map_or(0, |i| i + 1),
        }
    }

    /// The weight w_r of a rank; 0 of one without.
    ///
    /// ```
    /// use topk_loss::oracle::Ranks;
    /// assert_eq!([1, 2, 9].map(|rank| Ranks::Weighted(&[0.25, 0.75]).weight(rank)), [0.25, 0.75, 0.0]);
    /// assert_eq!([1, 2, 9].map(|rank| Ranks::<f32>::Top(2).weight(rank)), [1.0, 1.0, 0.0]);
    /// assert_eq!([1, 2, 9].map(|rank| Ranks::<f32>::Single(2).weight(rank)), [0.0, 1.0, 0.0]);
    /// ```
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
    ///
    /// **Cost.** One pass over weights that are listed.
    ///
    /// ```
    /// use topk_loss::oracle::Ranks;
    /// assert_eq!((Ranks::Top(3).mass(), Ranks::Weighted(&[0.25, 0.5]).mass()), (3.0, 0.75));
    /// ```
    #[must_use]
    pub fn mass(&self) -> F {
        match *self {
            Self::Single(_) => F::one(),
            Self::Top(k) => F::from_usize(k),
            Self::Weighted(weights) => lanes::total(weights),
        }
    }

    /// The ranks in runs of one weight, of which the gradient is that weight times the indicator of the run.
    pub(crate) fn runs(self) -> impl Iterator<Item = (F, Run)> {
        let top = if let Self::Top(k) = self { Some((F::one(), Run { first: 1, last: k })) } else { None };
        let first = top.map_or(self.first(), |(_, run)| run.last + 1);
        let each = (first..=self.last()).map(move |rank| (self.weight(rank), Run { first: rank, last: rank }));
        top.into_iter().chain(each.filter(|&(weight, _)| weight != F::zero()))
    }

    /// The ranks that have a weight, one by one, each behind its weight.
    ///
    /// **Cost.** At most one pass over weights that are listed, or k ranks.
    ///
    /// ```
    /// use topk_loss::oracle::Ranks;
    /// assert_eq!(Ranks::Weighted(&[0.5, 0.0, 0.25]).each().collect::<Vec<_>>(), [(0.5, 1), (0.25, 3)]);
    /// ```
    pub fn each(self) -> impl Iterator<Item = (F, usize)> {
        (self.first()..=self.last()).map(move |rank| (self.weight(rank), rank)).filter(|&(weight, _)| weight != F::zero())
    }
}

/// Neighbouring ranks of weight 1, whose order statistics are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub first: usize,
    pub last: usize,
}

impl Run {
    pub fn len(self) -> usize {
        self.last - self.first + 1
    }
}
