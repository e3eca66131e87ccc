//! The rates of a row, which classes need individual care, and the Chebyshev moments of the others.

use pulp::Simd;

use super::FAR;
use super::clock::Clock;
use super::contest::Contest;
use super::rivals::Rivals;
use crate::elementary::Elementary;
use crate::kernel::quadrature::candidates::Candidates;
use crate::kernel::quadrature::chebyshev::Polynomial;
use crate::kernel::quadrature::counts::vanishing;
use crate::kernel::quadrature::lanes::total;
use crate::kernel::quadrature::moments::{BLOCK, Block, Moments};
use crate::vectors::Vectors;

/// What turns scores into rates: exp((s − center)/ε).
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates<F> {
    pub center: F,
    pub inverse_epsilon: F,
}

impl<F: Elementary> Rates<F> {
    #[inline(always)]
    pub fn of(&self, score: F) -> F {
        let (u, far) = ((score - self.center) * self.inverse_epsilon, F::from_f64(FAR));
        (if u > far { far } else { u }).fast_exp()
    }
}

/// The rates that need individual care: those above `top`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Division<F> {
    top: F,
    inverse_top: F,
    likely_above: F,
}

impl<F: Elementary> Division<F> {
    pub fn new(contest: &Contest<F>, rivals: &Rivals<F>) -> Self {
        let v = (-contest.low).fast_exp();
        // Leaving a class out of the count must not change it by more than it is.
        let at_most = F::from_f64(0.5) * rivals.reaching(contest.low);
        let top = F::from_f64(Clock::BULK_RATE).min(at_most) / v;
        Self { top, inverse_top: top.recip(), likely_above: F::from_f64(Clock::UNLIKELY_RATE) / v }
    }

    /// The rate at a coordinate from −1 to 1, and the weight of the class there.
    pub fn at(&self, x: F) -> (F, F) {
        let share = (x + F::one()) * F::from_f64(0.5);
        (share * self.top, share)
    }

    /// A class of the bulk has its rate over `top` as weight; one that is vanishingly slow counts as none.
    #[inline(always)]
    fn weight(&self, rate: F) -> F {
        let share = rate * self.inverse_top;
        if rate <= self.top && share > vanishing() { share } else { F::zero() }
    }

    #[inline(always)]
    fn coordinate(weight: F) -> F {
        weight + weight - F::one()
    }
}

/// What the integral needs to know of the rivals.
#[derive(Debug)]
pub(super) struct Bulk<F, const TERMS: usize> {
    pub candidates: Candidates<F>,
    moments: Moments<F, TERMS>,
    block: Box<Block<F>>,
}

/// The scores around the label, each piece with its place.
fn pieces<F>(scores: &[F], label: usize) -> [(usize, &[F]); 2] {
    [(0, &scores[..label]), (label + 1, &scores[label + 1..])]
}

impl<F: Vectors, const TERMS: usize> Bulk<F, TERMS> {
    pub fn new() -> Self {
        Self { candidates: Candidates::new(), moments: Moments::zero(), block: Box::new(Block::new()) }
    }

    pub fn moments(&self) -> &[F; TERMS] {
        self.moments.sums()
    }

    /// The sum of the rates of all rivals but the k fastest. A gradient is lent as room for the rates.
    #[inline(always)]
    pub fn rest(&mut self, scores: &[F], label: usize, k: usize, rates: &Rates<F>, mut room: Option<&mut [F]>) -> F {
        let (mut slower, mut num_leaders) = (F::zero(), 0_u32);
        for (place, piece) in pieces(scores, label) {
            for (start, scores) in (place..).step_by(BLOCK).zip(piece.chunks(BLOCK)) {
                let Block { before, now, .. } = &mut *self.block;
                for ((now, before), &score) in now.iter_mut().zip(before).zip(scores) {
                    *now = rates.of(score);
                    let is_leader = score >= rates.center;
                    *before = if is_leader { F::zero() } else { *now };
                    num_leaders += u32::from(is_leader);
                }
                if let Some(room) = room.as_deref_mut() {
                    room[start..][..scores.len()].copy_from_slice(&self.block.now[..scores.len()]);
                }
                slower += total(&self.block.before[..scores.len()]);
            }
        }
        // The k-th and what ties with it have rate 1.
        slower + F::from_usize((num_leaders as usize).saturating_sub(k))
    }

    /// Sorts the rivals, whose rates are in `room` if there is one.
    #[inline(always)]
    pub fn summarise<S: Simd>(
        &mut self,
        simd: S,
        scores: &[F],
        label: usize,
        rates: &Rates<F>,
        division: &Division<F>,
        room: Option<&[F]>,
    ) {
        self.candidates.clear();
        self.moments = Moments::zero();
        for (place, piece) in pieces(scores, label) {
            for (start, scores) in (place..).step_by(BLOCK).zip(piece.chunks(BLOCK)) {
                let now = &mut self.block.now[..scores.len()];
                match room {
                    Some(room) => now.copy_from_slice(&room[start..][..scores.len()]),
                    None => {
                        for (now, &score) in now.iter_mut().zip(scores) {
                            *now = rates.of(score);
                        }
                    }
                }
                if self.weigh(scores.len(), division) > 0 {
                    self.pick(start, scores, rates, division);
                }
                self.moments.add(simd, &self.block, scores.len());
            }
        }
        self.candidates.fill_up(F::zero());
    }

    /// Turns a block's rates into coordinates and weights; how many of it are above the bulk.
    #[inline(always)]
    fn weigh(&mut self, len: usize, division: &Division<F>) -> u32 {
        let Block { twice_x, before, now, above } = &mut *self.block;
        let mut num_above = 0;
        let room = twice_x.iter_mut().zip(before.iter_mut()).zip(above.iter_mut());
        for (now, ((twice_x, before), above)) in now[..len].iter_mut().zip(room) {
            *above = u8::from(*now > division.top);
            num_above += u32::from(*now > division.top);
            let weight = division.weight(*now);
            let x = Division::coordinate(weight);
            *twice_x = x + x;
            *before = x * weight;
            *now = weight;
        }
        self.block.fill_up(len);
        num_above
    }

    /// Lists the classes of a block that are above the bulk.
    #[inline(always)]
    fn pick(&mut self, start: usize, scores: &[F], rates: &Rates<F>, division: &Division<F>) {
        let mut room = [0; BLOCK];
        for &i in self.block.list_above(scores.len(), &mut room) {
            let rate = rates.of(scores[usize::from(i)]);
            self.candidates.push(rate, start as u32 + u32::from(i), rate > division.likely_above);
        }
    }

    /// Turns the rates in `grad` into the bulk's gradient times `factor`, 0 for the candidates.
    #[inline(always)]
    pub fn write_grad(division: &Division<F>, coefficients: &[F; TERMS], factor: F, grad: &mut [F]) {
        let polynomial = Polynomial::new(*coefficients);
        for entry in grad {
            let weight = division.weight(*entry);
            let share = weight * polynomial.at(Division::coordinate(weight));
            // The polynomial may be negative, shares are not.
            *entry = if share > F::zero() { share * factor } else { F::zero() };
        }
    }
}
