//! What the exact form needs to know of a set of classes.

use super::chebyshev::{LANES, LaneTerms, Terms, add_moments};
use super::division::{Division, Place};
use super::precision::MAX_TERMS;
use super::quadrature::{self, Solution};
use super::ranks::Ranks;
use crate::{Error, Noise, Real, Result, check};

/// The candidates of a set of classes and the Chebyshev moments of the classes far below: the third round of a computation over
/// [shards](crate::sharded).
#[derive(Debug)]
pub struct Summary<'a, 'w, N, F> {
    pub(super) division: Division<'w, N, F>,
    sure: usize,
    bulk: usize,
    moments: Terms<F>,
    /// What rounding took from the moments so far (Kahan).
    lost: Terms<F>,
    candidates: &'a mut [F],
    len: usize,
}

/// A summary's contents, to be carried to another device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part<'a, F> {
    /// Classes above the window for certain.
    pub sure: usize,
    /// Classes that the moments stand for.
    pub bulk: usize,
    /// Σ w·T_d(x) over those classes, degree by degree.
    pub moments: &'a [F],
    /// (s − center)/ε of the classes that need individual care.
    pub candidates: &'a [F],
}

/// Classes whose moments are added among themselves first: short sums round less. The sums of blocks are added with compensation.
const BLOCK: usize = 16 * LANES;

impl<'a, 'w, N: Noise<F>, F: Real> Summary<'a, 'w, N, F> {
    pub(super) fn new(division: Division<'w, N, F>, candidates: &'a mut [F]) -> Self {
        Self { division, sure: 0, bulk: 0, moments: [F::zero(); MAX_TERMS], lost: [F::zero(); MAX_TERMS], candidates, len: 0 }
    }

    /// Adds the classes of a slice of scores.
    ///
    /// # Errors
    /// A NaN or infinite score; no room left for candidates, after which the summary is incomplete.
    pub fn add(&mut self, scores: &[F]) -> Result<()> {
        check::finite("scores", scores)?;
        let degree = self.division.problem.precision.degree;
        for scores in scores.chunks(BLOCK) {
            let mut block: LaneTerms<F> = [[F::zero(); LANES]; MAX_TERMS];
            let moments = block.get_mut(..=degree).unwrap_or_default();
            for scores in scores.chunks(LANES) {
                self.add_lanes(scores, moments)?;
            }
            let sums = block.map(|lanes| lanes.iter().fold(F::zero(), |sum, &moment| sum + moment));
            self.add_moments(&sums);
        }
        Ok(())
    }

    fn add_lanes(&mut self, scores: &[F], moments: &mut [[F; LANES]]) -> Result<()> {
        let (mut xs, mut weights) = ([F::zero(); LANES], [F::zero(); LANES]);
        let before = self.bulk;
        for ((&score, x), weight) in scores.iter().zip(&mut xs).zip(&mut weights) {
            let u = self.division.problem.unit(score);
            match self.division.place(u) {
                Place::Sure => self.sure += 1,
                Place::Candidate => self.push(u)?,
                Place::Bulk(far) => {
                    (*x, *weight) = (far.x, far.weight);
                    self.bulk += 1;
                }
                Place::Negligible => {}
            }
        }
        if self.bulk > before {
            add_moments(&xs, &weights, moments);
        }
        Ok(())
    }

    /// What it holds.
    #[must_use]
    pub fn part(&self) -> Part<'_, F> {
        let candidates = self.candidates.get(..self.len).unwrap_or_default();
        Part { sure: self.sure, bulk: self.bulk, moments: &self.moments, candidates }
    }

    /// Adds the classes of another summary of the same division and returns the position from which its candidates now stand.
    ///
    /// # Errors
    /// Moments of another number, or no room for the candidates; the summary is then as before.
    pub fn merge(&mut self, part: Part<'_, F>) -> Result<usize> {
        check::length("moments", part.moments, MAX_TERMS)?;
        let (start, actual) = (self.len, self.candidates.len());
        let total = start + part.candidates.len();
        let room = self.candidates.get_mut(start..total).ok_or(Error::Length { what: "candidates", expected: total, actual })?;
        room.copy_from_slice(part.candidates);
        self.len = total;
        self.sure += part.sure;
        self.bulk += part.bulk;
        self.add_moments(part.moments);
        Ok(start)
    }

    /// The scratch that [`solve`](Self::solve) needs with the candidates it has now.
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        quadrature::scratch_len(self.len, &self.division.problem.ranks)
    }

    /// The value, and what every class's gradient follows from.
    ///
    /// # Errors
    /// Scratch too short; a noise law that returns NaN.
    pub fn solve<'s>(&self, scratch: &'s mut [F]) -> Result<Solution<'s, 'w, N, F>> {
        quadrature::solve(self.division, self.part(), scratch)
    }

    /// The same for some of the ranks only.
    pub(crate) fn solve_for<'s>(&self, ranks: Ranks<'w, F>, scratch: &'s mut [F]) -> Result<Solution<'s, 'w, N, F>> {
        let mut division = self.division;
        division.problem.ranks = ranks;
        quadrature::solve(division, self.part(), scratch)
    }

    fn add_moments(&mut self, block: &[F]) {
        for ((moment, lost), &part) in self.moments.iter_mut().zip(&mut self.lost).zip(block) {
            let corrected = part - *lost;
            let sum = *moment + corrected;
            *lost = (sum - *moment) - corrected;
            *moment = sum;
        }
    }

    fn push(&mut self, u: F) -> Result<()> {
        let (expected, actual) = (self.len + 1, self.candidates.len());
        *self.candidates.get_mut(self.len).ok_or(Error::Length { what: "candidates", expected, actual })? = u;
        self.len += 1;
        Ok(())
    }
}
