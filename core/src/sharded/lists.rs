//! The lists that shards tell: the largest scores of each, in a slot of its own.

use super::shard::Shard;
use crate::{Real, Result, select};

/// Slots of one length, each of how many classes the shard has, its largest scores in descending order, and whatever else there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lists<'m, F> {
    slots: &'m [F],
    shards: usize,
    list_len: usize,
}

/// A shard's list.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'m, F> {
    /// As many as there is room for, or classes.
    pub largest: &'m [F],
    /// Whether the shard has more classes.
    pub is_cut: bool,
    /// What follows.
    pub rest: &'m [F],
}

/// The numbers of a slot.
pub(super) const fn slot_len(list_len: usize) -> usize {
    list_len.saturating_add(1)
}

/// Writes a shard's count and its list, and returns the list and what follows it.
pub(super) fn write<'m, F: Real>(slot: &'m mut [F], list_len: usize, scores: &[F]) -> (&'m [F], &'m mut [F]) {
    let Some((count, rest)) = slot.split_first_mut() else { return Default::default() };
    *count = F::from_usize(scores.len());
    let (list, rest) = rest.split_at_mut_checked(list_len).unwrap_or_default();
    select::largest(scores, list);
    list.iter_mut().skip(scores.len()).for_each(|missing| *missing = F::zero());
    (list.get(..scores.len().min(list_len)).unwrap_or_default(), rest)
}

impl<'m, F: Real> Lists<'m, F> {
    /// Those that were heard.
    ///
    /// # Errors
    /// Shards that do not have all classes.
    pub fn new(slots: &'m [F], shard: &Shard, list_len: usize) -> Result<Self> {
        let lists = Self { slots, shards: shard.count(), list_len };
        shard.check_count(lists.slots().fold(F::zero(), |sum, (count, _)| sum + count))?;
        Ok(lists)
    }

    /// How many classes each shard has, and the rest of its slot.
    fn slots(self) -> impl Iterator<Item = (F, &'m [F])> + Clone {
        // No chunks, whose length the compiler would not know to be above 0.
        let len = self.slots.len() / self.shards.max(1);
        (0..self.shards).filter_map(move |index| {
            let (&count, rest) = self.slots.get(index * len..(index + 1) * len)?.split_first()?;
            Some((count, rest))
        })
    }

    /// In the order of the shards.
    pub fn iter(self) -> impl Iterator<Item = List<'m, F>> + Clone {
        self.slots().filter_map(move |(count, rest)| {
            let (list, rest) = rest.split_at_checked(self.list_len)?;
            let count = count.to_usize()?;
            Some(List { largest: list.get(..count.min(self.list_len))?, is_cut: count > self.list_len, rest })
        })
    }

    /// All that is listed, in the order of the shards.
    pub fn entries(self) -> impl Iterator<Item = F> {
        self.iter().flat_map(|list| list.largest).copied()
    }

    /// The k-th largest of all scores, k as long as a list at most and the scratch at least.
    pub fn kth_value(self, k: usize, scratch: &mut [F]) -> F {
        let best = scratch.get_mut(..k).unwrap_or_default();
        best.fill(F::neg_infinity());
        self.entries().for_each(|score| select::insert(score, best));
        best.last().copied().unwrap_or(F::neg_infinity())
    }

    /// The shard that has the k-th largest score, whose value is given, and how many of its equal ones rank above: by shard, then by class.
    pub fn home_of_kth(self, k: usize, value: F) -> (usize, usize) {
        let above = self.entries().filter(|&score| score > value).count();
        let mut left = k.saturating_sub(1 + above);
        for (index, list) in self.iter().enumerate() {
            let ties = list.largest.iter().filter(|&&score| score == value).count();
            if left < ties {
                return (index, left);
            }
            left -= ties;
        }
        (usize::MAX, 0)
    }
}
