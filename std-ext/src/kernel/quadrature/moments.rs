//! Chebyshev moments of the classes far below, block by block.

use pulp::Simd;

use super::lanes::sum;
use crate::elementary::Elementary;
use crate::vectors::{LANES, Vectors, num_vectors};

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
        self.above[len..filled].fill(0);
    }

    /// Which of the first `len` classes are above the bulk.
    #[inline(always)]
    pub fn list_above<'r>(&self, len: usize, room: &'r mut [u16; BLOCK]) -> &'r [u16] {
        let mut found = 0;
        let groups = self.above[..len.next_multiple_of(LANES)].as_chunks::<LANES>().0;
        for (first, group) in (0_u16..).step_by(LANES).zip(groups) {
            if group.iter().fold(0, |any, &above| any | above) == 0 {
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
}

/// Σ w·T_d(x) over the bulk.
#[derive(Debug)]
pub struct Moments<F, const TERMS: usize> {
    sums: [F; TERMS],
    /// What rounding took from the sums so far (Kahan): a row may have thousands of blocks.
    lost: [F; TERMS],
}

impl<F: Vectors, const TERMS: usize> Moments<F, TERMS> {
    pub fn zero() -> Self {
        Self { sums: [F::zero(); TERMS], lost: [F::zero(); TERMS] }
    }

    pub fn sums(&self) -> &[F; TERMS] {
        &self.sums
    }

    /// Adds the first `len` classes of a block.
    #[inline(always)]
    pub fn add<S: Simd>(&mut self, simd: S, block: &Block<F>, len: usize) {
        let mut moments = [[F::zero(); LANES]; TERMS];
        let filled = len.next_multiple_of(LANES);
        let [twice_x, before, now] = [&block.twice_x, &block.before, &block.now].map(|array| array[..filled].as_chunks::<LANES>().0);
        for v in 0..num_vectors::<S, F>() {
            let mut sums = [F::splat(simd, F::zero()); TERMS];
            for ((twice_x, before), now) in twice_x.iter().zip(before).zip(now) {
                let [twice_x, mut before, mut now] = [twice_x, before, now].map(|lanes| F::vectors::<S>(lanes)[v]);
                for sum in &mut sums {
                    *sum = F::sum(simd, *sum, now);
                    // T_{d+1} = 2x·T_d − T_{d−1}
                    let next = F::difference(simd, F::product(simd, twice_x, now), before);
                    (before, now) = (now, next);
                }
            }
            for (moment, sum) in moments.iter_mut().zip(sums) {
                F::vectors_mut::<S>(moment)[v] = sum;
            }
        }
        // Not by `map`: closures are compiled without the instruction set.
        let mut sums = [F::zero(); TERMS];
        for (sum_of_lanes, moment) in sums.iter_mut().zip(&moments) {
            *sum_of_lanes = sum(moment);
        }
        self.add_sums(&sums);
    }

    /// Adds the sums over other classes.
    #[inline(always)]
    pub fn add_sums(&mut self, sums: &[F; TERMS]) {
        for ((total, lost), &part) in self.sums.iter_mut().zip(&mut self.lost).zip(sums) {
            let corrected = part - *lost;
            let next = *total + corrected;
            *lost = (next - *total) - corrected;
            *total = next;
        }
    }
}
