//! Which classes need individual care, and the Chebyshev moments of the others.

use pulp::{Simd, WithSimd};

use super::window::{Tails, Window};
use super::{FAR, Units};
use crate::elementary::Elementary;
use crate::kernel::quadrature::candidates::Candidates;
use crate::kernel::quadrature::chebyshev::Polynomial;
use crate::kernel::quadrature::moments::{BLOCK, Block};
use crate::kernel::quadrature::summary::{self, Room, Summary};
use crate::kernel::workers::{Piece, Workers};
use crate::vectors::Vectors;

/// Classes by u = (s − center)/ε: sure above `sure_above`, candidates down to `bulk_below`, likely ones down to the window's lower end,
/// the bulk down to `negligible_below`.
#[derive(Debug, Clone, Copy)]
pub struct Division<F> {
    sure_above: F,
    low: F,
    bulk_below: F,
    negligible_below: F,
    /// 2/(bulk_below − negligible_below).
    gain: F,
    /// The t that the weight of a class of the bulk is about, less `bulk_below`.
    target: F,
}

/// The quantile of ⅔: below that much under the window a class is above t with probability ⅓ at most.
const UPPER_TERTILE: f64 = 0.430_727_299_295_457_6;

/// How far above the window's lower end a class of the bulk aims, as a share of its width and at most.
const LIFT: f64 = 0.3;
const MAX_LIFT: f64 = 2.0;

impl<F: Elementary> Division<F> {
    pub fn new(window: Window<F>, tails: &Tails<F>) -> Self {
        let bulk_below = window.low - F::from_f64(UPPER_TERTILE);
        let negligible_below = window.low - tails.negligible;
        let lift = ((window.high - window.low) * F::from_f64(LIFT)).min(F::from_f64(MAX_LIFT));
        let gain = F::from_f64(2.0) / (bulk_below - negligible_below);
        Self {
            sure_above: window.high + tails.sure,
            low: window.low,
            bulk_below,
            negligible_below,
            gain,
            target: window.low + lift - bulk_below,
        }
    }

    #[inline(always)]
    fn in_bulk(&self, u: F) -> bool {
        u <= self.bulk_below && u > self.negligible_below
    }

    /// In [−1, 1] for the bulk.
    #[inline(always)]
    fn coordinate(&self, u: F) -> F {
        (u - self.negligible_below) * self.gain - F::one()
    }

    /// exp(−(r − u)²/2), scaled to 1 at the top of the bulk, with r in the lower half of the window: what every integrand of a class of
    /// the bulk falls like.
    #[inline(always)]
    fn weight(&self, u: F) -> F {
        let below_top = self.bulk_below - u;
        (-(below_top * (self.target + below_top * F::from_f64(0.5)))).fast_exp()
    }

    /// The class at a coordinate, and its weight.
    pub fn at(&self, x: F) -> (F, F) {
        let u = self.negligible_below + (x + F::one()) / self.gain;
        (u, self.weight(u))
    }
}

/// Sorts the classes of a row, piece by piece. A gradient is lent as room for the weights of the bulk, 0 for every other class.
pub fn summarise<F: Vectors, const TERMS: usize>(
    workers: Workers,
    scores: &[F],
    units: &Units<F>,
    division: &Division<F>,
    rooms: &mut Vec<Room<F, TERMS>>,
    weights: Option<&mut [F]>,
) {
    workers.map_with(scores, weights, rooms, |Piece { first, scores, out: weights, room: Room { summary, block } }| {
        summary.clear();
        workers.dispatch(Summarise { first, scores, units, division, summary, block, weights });
    });
    summary::merge(rooms, never_above());
}

/// A position that is never above any t.
pub fn never_above<F: Elementary>() -> F {
    -F::from_f64(FAR)
}

/// Adds some classes to a summary.
pub struct Summarise<'a, F, const TERMS: usize> {
    pub first: usize,
    pub scores: &'a [F],
    pub units: &'a Units<F>,
    pub division: &'a Division<F>,
    pub summary: &'a mut Summary<F, TERMS>,
    pub block: &'a mut Block<F>,
    pub weights: Option<&'a mut [F]>,
}

impl<F: Vectors, const TERMS: usize> WithSimd for Summarise<'_, F, TERMS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { first, scores, units, division, summary, block, mut weights } = self;
        // Of its own: what is stored meanwhile could change them otherwise, as far as the compiler knows.
        let (units, division) = (&{ *units }, &{ *division });
        for (start, scores) in (0..).step_by(BLOCK).zip(scores.chunks(BLOCK)) {
            let (in_bulk, above) = weigh(block, scores, units, division);
            if above > 0 {
                pick(block, first + start, scores, units, division, &mut summary.candidates);
            }
            if let Some(weights) = weights.as_deref_mut() {
                weights[start..][..scores.len()].copy_from_slice(&block.now[..scores.len()]);
            }
            if in_bulk > 0 {
                summary.moments.add(simd, block, scores.len());
            }
        }
    }
}

/// The coordinates and weights of a block; how many of it are in the bulk and above it.
#[inline(always)]
fn weigh<F: Elementary>(block: &mut Block<F>, scores: &[F], units: &Units<F>, division: &Division<F>) -> (u32, u32) {
    let Block { twice_x, before, now, above } = block;
    let (mut in_bulk, mut num_above) = (0, 0);
    let room = twice_x.iter_mut().zip(before.iter_mut()).zip(now.iter_mut()).zip(above.iter_mut());
    for (&score, (((twice_x, before), now), above)) in scores.iter().zip(room) {
        let u = units.of(score);
        let is_bulk = division.in_bulk(u);
        *above = u8::from(u > division.bulk_below);
        num_above += u32::from(u > division.bulk_below);
        in_bulk += u32::from(is_bulk);
        let x = if is_bulk { division.coordinate(u) } else { F::zero() };
        let weight = division.weight(u);
        let weight = if is_bulk { weight } else { F::zero() };
        *twice_x = x + x;
        *before = x * weight;
        *now = weight;
    }
    block.fill_up(scores.len());
    (in_bulk, num_above)
}

/// Lists the classes of a block that are above the bulk.
#[inline(always)]
fn pick<F: Elementary>(
    block: &Block<F>,
    start: usize,
    scores: &[F],
    units: &Units<F>,
    division: &Division<F>,
    candidates: &mut Candidates<F>,
) {
    let mut room = [0; BLOCK];
    for &i in block.list_above(scores.len(), &mut room) {
        let (u, class) = (units.of(scores[usize::from(i)]), start as u32 + u32::from(i));
        if u > division.sure_above {
            candidates.sure += 1;
        } else {
            candidates.push(u, class, u > division.low);
        }
    }
}

/// Turns the weights that [`summarise`] left in `grad` into the bulk's gradient times `weight`.
pub fn write_grad<F: Elementary, const TERMS: usize>(
    workers: Workers,
    scores: &[F],
    units: &Units<F>,
    division: &Division<F>,
    coefficients: &[F; TERMS],
    weight: F,
    grad: &mut [F],
) {
    let polynomial = &Polynomial::new(coefficients.map(|c| c * weight));
    // A weight may be negative; the shares of a gradient are not.
    let sign = if weight < F::zero() { -F::one() } else { F::one() };
    workers.map(scores, Some(grad), |Piece { scores, out, .. }| {
        workers.dispatch(WriteGrad { scores, units, division, polynomial, sign, grad: out.unwrap_or_default() });
    });
}

struct WriteGrad<'a, F, const TERMS: usize> {
    scores: &'a [F],
    units: &'a Units<F>,
    division: &'a Division<F>,
    polynomial: &'a Polynomial<F, TERMS>,
    sign: F,
    grad: &'a mut [F],
}

impl<F: Elementary, const TERMS: usize> WithSimd for WriteGrad<'_, F, TERMS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { scores, units, division, polynomial, sign, grad } = self;
        let (units, division, polynomial) = (*units, *division, *polynomial);
        for (entry, &score) in grad.iter_mut().zip(scores) {
            let share = *entry * polynomial.at(division.coordinate(units.of(score)));
            *entry = if *entry > F::zero() && share * sign > F::zero() { share } else { F::zero() };
        }
    }
}

/// Puts the bulk's gradient in the place of the scores.
pub struct Differentiate<'a, F, const TERMS: usize> {
    pub entries: &'a mut [F],
    pub units: &'a Units<F>,
    pub division: &'a Division<F>,
    pub polynomial: &'a Polynomial<F, TERMS>,
}

impl<F: Elementary, const TERMS: usize> WithSimd for Differentiate<'_, F, TERMS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { entries, units, division, polynomial } = self;
        let (units, division, polynomial) = (*units, *division, *polynomial);
        for entry in entries {
            let u = units.of(*entry);
            let share = division.weight(u) * polynomial.at(division.coordinate(u));
            // The polynomial may be negative, shares are not.
            *entry = if division.in_bulk(u) && share > F::zero() { share } else { F::zero() };
        }
    }
}
