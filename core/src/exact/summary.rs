//! What the exact form needs to know of a set of classes.

use super::chebyshev::{Terms, add_moments};
use super::division::{Division, Place};
use super::precision::MAX_TERMS;
use crate::{Error, Real, Result};

/// The candidates of a set of classes and the Chebyshev moments of its bulk; disjoint sets merge.
#[derive(Debug)]
pub(crate) struct Summary<'a, F> {
    /// Classes above the window.
    pub sure: usize,
    /// Classes in the bulk.
    pub bulk: usize,
    pub moments: Terms<F>,
    candidates: &'a mut [F],
    len: usize,
}

/// Classes whose moments are added among themselves first: short sums round less.
const BLOCK: usize = 256;

impl<'a, F: Real> Summary<'a, F> {
    /// Nothing yet. `candidates` is room for the scores that need individual care, at most one a class.
    pub fn new(candidates: &'a mut [F]) -> Self {
        Self { sure: 0, bulk: 0, moments: [F::zero(); MAX_TERMS], candidates, len: 0 }
    }

    /// The candidates' u, in the order they were added.
    pub fn candidates(&self) -> &[F] {
        self.candidates.get(..self.len).unwrap_or_default()
    }

    /// Adds the classes of a slice of scores.
    pub fn add(&mut self, division: &Division<F>, degree: usize, units: impl Iterator<Item = F>) -> Result<()> {
        let mut block = [F::zero(); MAX_TERMS];
        let mut in_block = 0;
        for u in units {
            match division.place(u) {
                Place::Sure => self.sure += 1,
                Place::Candidate => self.push(u)?,
                Place::Bulk(x) => {
                    add_moments(x, block.get_mut(..=degree).unwrap_or_default());
                    self.bulk += 1;
                    in_block += 1;
                }
                Place::Negligible => {}
            }
            if in_block == BLOCK {
                self.flush(&mut block);
                in_block = 0;
            }
        }
        self.flush(&mut block);
        Ok(())
    }

    /// Adds the classes of another summary; its candidates now start at the position returned.
    pub fn merge(&mut self, other: &Summary<'_, F>) -> Result<usize> {
        let start = self.len;
        let total = start + other.len;
        let actual = self.candidates.len();
        let room = self.candidates.get_mut(start..total).ok_or(Error::Length { what: "candidates", expected: total, actual })?;
        room.copy_from_slice(other.candidates());
        self.len = total;
        self.sure += other.sure;
        self.bulk += other.bulk;
        self.moments.iter_mut().zip(other.moments).for_each(|(a, b)| *a += b);
        Ok(start)
    }

    fn push(&mut self, u: F) -> Result<()> {
        let (expected, actual) = (self.len + 1, self.candidates.len());
        *self.candidates.get_mut(self.len).ok_or(Error::Length { what: "candidates", expected, actual })? = u;
        self.len += 1;
        Ok(())
    }

    fn flush(&mut self, block: &mut Terms<F>) {
        for (moment, part) in self.moments.iter_mut().zip(block) {
            *moment += *part;
            *part = F::zero();
        }
    }
}
