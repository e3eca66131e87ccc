//! Chebyshev moments of the classes far below, block by block.

use super::lanes::sum;
use crate::elementary::Elementary;
use crate::vectors::LANES;

/// Classes that are treated together: a few arrays of so many numbers stay in the nearest cache.
pub const BLOCK: usize = 512;

/// A block of classes.
#[derive(Debug)]
pub struct Block<F> {
    /// 2x, x the coordinate.
    pub twice_x: [F; BLOCK],
    /// w·x, w the weight; 0 for a class that is not of the bulk.
    pub before: [F; BLOCK],
    /// w, likewise.
    pub now: [F; BLOCK],
    /// 1 for a class above the bulk.
    pub above: [u8; BLOCK],
}

impl<F: Elementary> Block<F> {
    pub fn new() -> Self {
        let zeros = [F::zero(); BLOCK];
        Self { twice_x: zeros, before: zeros, now: zeros, above: [0; BLOCK] }
    }

    /// What fills up the lanes beyond so many classes counts nothing.
    #[inline(always)]
    pub fn fill_up(&mut self, len: usize) {
        let filled = len.next_multiple_of(LANES);
        self.twice_x[len..filled].fill(F::zero());
        self.before[len..filled].fill(F::zero());
        self.now[len..filled].fill(F::zero());
    }

    /// Which of the first `len` classes are above the bulk.
    #[inline(always)]
    pub fn list_above<'r>(&self, len: usize, room: &'r mut [u16; BLOCK]) -> &'r [u16] {
        let mut found = 0;
        for (first, group) in (0_u16..).step_by(LANES).zip(self.above[..len].chunks(LANES)) {
            if group.iter().all(|&above| above == 0) {
                continue;
            }
            // Without a branch for each class: which ones are above is anyone's guess.
            for (i, &above) in (first..).zip(group) {
                room[found % BLOCK] = i;
                found += usize::from(above);
            }
        }
        &room[..found]
    }

    /// Σ w·T_d(x) over a block of so many classes.
    ///
    /// Two degrees a sweep, each by the recurrence T_{d+1} = 2x·T_d − T_{d−1}, so that half of the loads and stores are saved.
    #[inline(always)]
    fn moments<const TERMS: usize>(&mut self, len: usize) -> [F; TERMS] {
        let filled = len.next_multiple_of(LANES);
        let twice_x = &self.twice_x[..filled];
        let (before, now) = (&mut self.before[..filled], &mut self.now[..filled]);
        let mut moments = [F::zero(); TERMS];
        for pair in moments.chunks_mut(2) {
            let (mut even, mut odd) = ([F::zero(); LANES], [F::zero(); LANES]);
            let lanes = twice_x.chunks_exact(LANES).zip(before.chunks_exact_mut(LANES)).zip(now.chunks_exact_mut(LANES));
            for ((twice_x, before), now) in lanes {
                for lane in 0..LANES {
                    let next = twice_x[lane] * now[lane] - before[lane];
                    even[lane] += now[lane];
                    odd[lane] += next;
                    now[lane] = twice_x[lane] * next - now[lane];
                    before[lane] = next;
                }
            }
            for (moment, lanes) in pair.iter_mut().zip([even, odd]) {
                *moment = sum(&lanes);
            }
        }
        moments
    }
}

/// Σ w·T_d(x) over the bulk.
#[derive(Debug)]
pub struct Moments<F, const TERMS: usize> {
    sums: [F; TERMS],
    /// What rounding took from the sums so far (Kahan): a row may have thousands of blocks.
    lost: [F; TERMS],
}

impl<F: Elementary, const TERMS: usize> Moments<F, TERMS> {
    pub fn zero() -> Self {
        Self { sums: [F::zero(); TERMS], lost: [F::zero(); TERMS] }
    }

    pub fn sums(&self) -> &[F; TERMS] {
        &self.sums
    }

    /// Adds the first `len` classes of a block, which is used up.
    #[inline(always)]
    pub fn add(&mut self, block: &mut Block<F>, len: usize) {
        for ((sum, lost), part) in self.sums.iter_mut().zip(&mut self.lost).zip(block.moments::<TERMS>(len)) {
            let corrected = part - *lost;
            let next = *sum + corrected;
            *lost = (next - *sum) - corrected;
            *sum = next;
        }
    }
}
