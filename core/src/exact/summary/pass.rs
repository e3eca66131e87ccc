//! The pass over scores that makes a summary: block by block, whose moments are added and whose candidates are listed.

use super::{Summary, add_sums};
use crate::exact::chebyshev::{ROOM, add_moments};
use crate::exact::partition::Places;
use crate::exact::precision::{MAX_TERMS, terms};
use crate::lanes::{LANES, sum};
use crate::{Error, Noise, Real, Result};

/// Classes that are placed together: a few arrays of so many numbers.
const BLOCK: usize = 4 * LANES;

/// Classes whose moments are added among themselves first: short sums round less. The sums of runs are added with compensation.
const RUN: usize = 8 * BLOCK;

/// Some classes of a block: u, and 2x, weight·x and weight, weight 0 for whatever is not of the bulk.
struct Block<F> {
    units: [F; BLOCK],
    twice_x: [F; BLOCK],
    before: [F; BLOCK],
    now: [F; BLOCK],
}

impl<N: Noise<F>, F: Real> Summary<'_, N, F> {
    /// Adds scores that are known to be finite: those of a piece of a row, around the label if that is in it.
    #[inline(always)]
    pub(crate) fn add_finite(&mut self, piece: [&[F]; 2]) -> Result<()> {
        if self.partition.terms() == 0 {
            return self.add_candidates(piece);
        }
        match terms::<F>(self.partition.problem.law.regularity()) {
            8 => self.add_runs::<8>(piece),
            13 => self.add_runs::<13>(piece),
            16 => self.add_runs::<16>(piece),
            _ => self.add_runs::<MAX_TERMS>(piece),
        }
    }

    #[inline(always)]
    fn add_runs<const TERMS: usize>(&mut self, piece: [&[F]; 2]) -> Result<()> {
        let (mut moments, mut lost) = ([F::zero(); ROOM], [F::zero(); ROOM]);
        let (places, zeros) = (self.partition.places(), [F::zero(); BLOCK]);
        let mut block = Block { units: zeros, twice_x: zeros, before: zeros, now: zeros };
        for scores in piece {
            for run in scores.chunks(RUN) {
                let in_bulk = self.bulk;
                self.lanes.fill([F::zero(); LANES]);
                for scores in run.chunks(BLOCK) {
                    self.add_block::<TERMS>(&places, scores, &mut block)?;
                }
                if self.bulk > in_bulk {
                    let mut sums = [F::zero(); ROOM];
                    sums.iter_mut().zip(&*self.lanes).for_each(|(total, lanes)| *total = sum(lanes));
                    add_sums(&mut moments, &mut lost, &sums);
                }
            }
        }
        add_sums(&mut self.moments, &mut self.lost, &moments);
        Ok(())
    }

    #[inline(always)]
    fn add_block<const TERMS: usize>(&mut self, places: &Places<F>, scores: &[F], block: &mut Block<F>) -> Result<()> {
        if scores.len() < BLOCK {
            // What the block before left behind its last class.
            (block.before, block.now) = ([F::zero(); BLOCK], [F::zero(); BLOCK]);
        }
        let (mut in_bulk, mut above) = (0_u32, 0_u32);
        let room = block.units.iter_mut().zip(&mut block.twice_x).zip(&mut block.before).zip(&mut block.now);
        for (&score, (((unit, twice_x), before), now)) in scores.iter().zip(room) {
            let u = places.unit(score);
            *unit = u;
            let (x, weight) = places.bulk(u);
            above += u32::from(places.is_above(u));
            in_bulk += u32::from(weight > F::zero());
            (*twice_x, *before, *now) = (x + x, x * weight, weight);
        }
        if above > 0 {
            self.pick(places, block.units.get(..scores.len()).unwrap_or_default())?;
        }
        if in_bulk > 0 {
            self.bulk += in_bulk as usize;
            if let Some(moments) = self.lanes.first_chunk_mut::<TERMS>() {
                let [twice_x, before, now] = [&block.twice_x, &block.before, &block.now].map(|array| array.as_chunks::<LANES>().0);
                for ((twice_x, before), now) in twice_x.iter().zip(before).zip(now).take(scores.len().div_ceil(LANES)) {
                    add_moments(twice_x, before, now, moments);
                }
            }
        }
        Ok(())
    }

    /// The same where there is no bulk.
    #[inline(always)]
    pub(in crate::exact) fn add_candidates(&mut self, piece: [&[F]; 2]) -> Result<()> {
        let (places, mut units) = (self.partition.places(), [F::zero(); BLOCK]);
        for scores in piece.into_iter().flat_map(|scores| scores.chunks(BLOCK)) {
            let mut above = 0_u32;
            for (unit, &score) in units.iter_mut().zip(scores) {
                *unit = places.unit(score);
                above += u32::from(places.is_above(*unit));
            }
            if above > 0 {
                self.pick(&places, units.get(..scores.len()).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// Lists those above the bulk. Among lanes that hold one no branch depends on where it is: each is written, and the next one over it
    /// unless it is a candidate.
    #[inline(always)]
    fn pick(&mut self, places: &Places<F>, units: &[F]) -> Result<()> {
        let (mut len, mut sure) = (self.len, 0);
        for &u in units.chunks(LANES).filter(|units| places.is_any_above(units)).flatten() {
            if let Some(place) = self.candidates.get_mut(len) {
                *place = u;
            }
            let is_sure = places.is_sure(u);
            sure += usize::from(is_sure);
            len += usize::from(places.is_above(u) & !is_sure);
        }
        let actual = self.candidates.len();
        if len > actual {
            return Err(Error::Length { what: "candidates", expected: len, actual });
        }
        (self.len, self.sure) = (len, self.sure + sure);
        Ok(())
    }
}
