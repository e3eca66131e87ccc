//! The rates of a row, which classes need individual care, and the Chebyshev moments of the others.

use pulp::{Simd, WithSimd};

use super::FAR;
use super::clock::Clock;
use super::contest::Contest;
use super::rivals::Rivals;
use crate::elementary::Elementary;
use crate::kernel::quadrature::candidates::Candidates;
use crate::kernel::quadrature::chebyshev::Polynomial;
use crate::kernel::quadrature::counts::vanishing;
use crate::kernel::quadrature::lanes::total;
use crate::kernel::quadrature::moments::{BLOCK, Block};
use crate::kernel::quadrature::summary::{self, Room};
use crate::kernel::workers::{Piece, Workers};
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

/// The scores around the label, each run of them with its place.
fn around<F>(scores: &[F], label: Option<usize>) -> [(usize, &[F]); 2] {
    match label {
        Some(label) if label < scores.len() => [(0, &scores[..label]), (label + 1, &scores[label + 1..])],
        _ => [(0, scores), (scores.len(), &[])],
    }
}

/// The sum of the rates of all rivals but the k fastest. A gradient is lent as room for the rates.
pub(super) fn rest<F: Vectors, const TERMS: usize>(
    workers: Workers,
    (scores, label): (&[F], usize),
    k: usize,
    rates: &Rates<F>,
    rooms: &mut Vec<Room<F, TERMS>>,
    grad: Option<&mut [F]>,
) -> F {
    let of_pieces = workers.map_with(scores, grad, rooms, |piece| workers.dispatch(Rest { piece, label, rates }));
    let (slower, num_leaders) = of_pieces.fold((F::zero(), 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    // The k-th and what ties with it have rate 1.
    slower + F::from_usize(num_leaders.saturating_sub(k))
}

struct Rest<'a, F, const TERMS: usize> {
    piece: Piece<'a, F, Room<F, TERMS>>,
    label: usize,
    rates: &'a Rates<F>,
}

impl<F: Vectors, const TERMS: usize> WithSimd for Rest<'_, F, TERMS> {
    type Output = (F, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (F, usize) {
        let Self { piece: Piece { first, scores, out: mut grad, room: Room { block, .. } }, label, rates } = self;
        // Of its own: what is stored meanwhile could change them otherwise, as far as the compiler knows.
        let rates = *rates;
        let (mut slower, mut num_leaders) = (F::zero(), 0_u32);
        for (place, run) in around(scores, label.checked_sub(first)) {
            for (start, scores) in (place..).step_by(BLOCK).zip(run.chunks(BLOCK)) {
                let Block { before, now, .. } = &mut **block;
                for ((now, before), &score) in now.iter_mut().zip(before).zip(scores) {
                    *now = rates.of(score);
                    let is_leader = score >= rates.center;
                    *before = if is_leader { F::zero() } else { *now };
                    num_leaders += u32::from(is_leader);
                }
                if let Some(grad) = grad.as_deref_mut() {
                    grad[start..][..scores.len()].copy_from_slice(&block.now[..scores.len()]);
                }
                slower += total(&block.before[..scores.len()]);
            }
        }
        (slower, num_leaders as usize)
    }
}

/// Sorts the rivals, piece by piece. Their rates are in `grad` if there is one.
pub(super) fn summarise<F: Vectors, const TERMS: usize>(
    workers: Workers,
    (scores, label): (&[F], usize),
    rates: &Rates<F>,
    division: &Division<F>,
    rooms: &mut Vec<Room<F, TERMS>>,
    grad: Option<&[F]>,
) {
    workers.map_with(scores, None, rooms, |piece| workers.dispatch(Summarise { piece, label, rates, division, grad }));
    summary::merge(rooms, F::zero());
}

struct Summarise<'a, F, const TERMS: usize> {
    piece: Piece<'a, F, Room<F, TERMS>>,
    label: usize,
    rates: &'a Rates<F>,
    division: &'a Division<F>,
    /// Of the whole row.
    grad: Option<&'a [F]>,
}

impl<F: Vectors, const TERMS: usize> WithSimd for Summarise<'_, F, TERMS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { piece: Piece { first, scores, room: Room { summary, block }, .. }, label, rates, division, grad } = self;
        let (rates, division) = (&{ *rates }, &{ *division });
        summary.clear();
        for (place, run) in around(scores, label.checked_sub(first)) {
            for (start, scores) in (first + place..).step_by(BLOCK).zip(run.chunks(BLOCK)) {
                let now = &mut block.now[..scores.len()];
                match grad {
                    Some(grad) => now.copy_from_slice(&grad[start..][..scores.len()]),
                    None => {
                        for (now, &score) in now.iter_mut().zip(scores) {
                            *now = rates.of(score);
                        }
                    }
                }
                if weigh(block, scores.len(), division) > 0 {
                    pick(block, start, scores, rates, division, &mut summary.candidates);
                }
                summary.moments.add(simd, block, scores.len());
            }
        }
    }
}

/// Turns a block's rates into coordinates and weights; how many of it are above the bulk.
#[inline(always)]
fn weigh<F: Elementary>(block: &mut Block<F>, len: usize, division: &Division<F>) -> u32 {
    let Block { twice_x, before, now, above } = block;
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
    block.fill_up(len);
    num_above
}

/// Lists the classes of a block that are above the bulk.
#[inline(always)]
fn pick<F: Elementary>(
    block: &Block<F>,
    start: usize,
    scores: &[F],
    rates: &Rates<F>,
    division: &Division<F>,
    candidates: &mut Candidates<F>,
) {
    let mut room = [0; BLOCK];
    for &i in block.list_above(scores.len(), &mut room) {
        let rate = rates.of(scores[usize::from(i)]);
        candidates.push(rate, start as u32 + u32::from(i), rate > division.likely_above);
    }
}

/// Turns the rates in `grad` into the bulk's gradient times `factor`, 0 for the candidates.
pub(super) fn write_grad<F: Elementary, const TERMS: usize>(
    workers: Workers,
    division: &Division<F>,
    coefficients: &[F; TERMS],
    factor: F,
    grad: &mut [F],
) {
    let polynomial = &Polynomial::new(*coefficients);
    workers.overwrite(grad, |grad| workers.dispatch(WriteGrad { division, polynomial, factor, grad }));
}

struct WriteGrad<'a, F, const TERMS: usize> {
    division: &'a Division<F>,
    polynomial: &'a Polynomial<F, TERMS>,
    factor: F,
    grad: &'a mut [F],
}

impl<F: Elementary, const TERMS: usize> WithSimd for WriteGrad<'_, F, TERMS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { division, polynomial, factor, grad } = self;
        let (division, polynomial) = (*division, *polynomial);
        for entry in grad {
            let weight = division.weight(*entry);
            let share = weight * polynomial.at(Division::<F>::coordinate(weight));
            // The polynomial may be negative, shares are not.
            *entry = if share > F::zero() { share * factor } else { F::zero() };
        }
    }
}

/// The sum of the entries of a gradient.
pub(super) fn sum<F: Elementary>(workers: Workers, grad: &[F]) -> F {
    let of_pieces = workers.map(grad, None, |Piece { scores: terms, .. }| workers.dispatch(Sum { terms }));
    of_pieces.fold(F::zero(), |sum, part| sum + part)
}

struct Sum<'a, F> {
    terms: &'a [F],
}

impl<F: Elementary> WithSimd for Sum<'_, F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> F {
        total(self.terms)
    }
}
