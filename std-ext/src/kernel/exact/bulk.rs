//! Which classes need individual care, and the Chebyshev moments of the others.

use pulp::Simd;

use super::window::{Tails, Window};
use super::{FAR, Units};
use crate::elementary::Elementary;
use crate::kernel::quadrature::candidates::Candidates;
use crate::kernel::quadrature::chebyshev::Polynomial;
use crate::kernel::quadrature::moments::{BLOCK, Block, Moments};
use crate::vectors::Vectors;

/// Classes by u = (s − center)/ε: sure above `sure_above`, candidates down to `bulk_below`, likely ones down to the window's lower end,
/// the bulk down to `negligible_below`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Division<F> {
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

/// What the integral needs to know of the classes.
#[derive(Debug)]
pub(super) struct Bulk<F, const TERMS: usize> {
    /// How many are above every t.
    pub sure: usize,
    pub candidates: Candidates<F>,
    moments: Moments<F, TERMS>,
    block: Box<Block<F>>,
}

impl<F: Vectors, const TERMS: usize> Bulk<F, TERMS> {
    pub fn new() -> Self {
        Self { sure: 0, candidates: Candidates::new(), moments: Moments::zero(), block: Box::new(Block::new()) }
    }

    pub fn moments(&self) -> &[F; TERMS] {
        self.moments.sums()
    }

    /// Sorts the classes of a row. A gradient is lent as room for the weights of the bulk, 0 for every other class.
    #[inline(always)]
    pub fn summarise<S: Simd>(&mut self, simd: S, scores: &[F], units: &Units<F>, division: &Division<F>, mut weights: Option<&mut [F]>) {
        self.sure = 0;
        self.candidates.clear();
        self.moments = Moments::zero();
        for (start, scores) in (0..).step_by(BLOCK).zip(scores.chunks(BLOCK)) {
            let (in_bulk, above) = self.weigh(scores, units, division);
            if above > 0 {
                self.pick(start, scores, units, division);
            }
            if let Some(weights) = weights.as_deref_mut() {
                weights[start..][..scores.len()].copy_from_slice(&self.block.now[..scores.len()]);
            }
            if in_bulk > 0 {
                self.moments.add(simd, &self.block, scores.len());
            }
        }
        self.candidates.fill_up(-F::from_f64(FAR));
    }

    /// The coordinates and weights of a block; how many of it are in the bulk and above it.
    #[inline(always)]
    fn weigh(&mut self, scores: &[F], units: &Units<F>, division: &Division<F>) -> (u32, u32) {
        let Block { twice_x, before, now, above } = &mut *self.block;
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
        self.block.fill_up(scores.len());
        (in_bulk, num_above)
    }

    /// Lists the classes of a block that are above the bulk.
    #[inline(always)]
    fn pick(&mut self, start: usize, scores: &[F], units: &Units<F>, division: &Division<F>) {
        let mut room = [0; BLOCK];
        for &i in self.block.list_above(scores.len(), &mut room) {
            let (u, class) = (units.of(scores[usize::from(i)]), start as u32 + u32::from(i));
            if u > division.sure_above {
                self.sure += 1;
            } else {
                self.candidates.push(u, class, u > division.low);
            }
        }
    }

    /// Turns the weights that [`summarise`](Self::summarise) left in `grad` into the bulk's gradient times `weight`.
    #[inline(always)]
    pub fn write_grad(&self, scores: &[F], units: &Units<F>, division: &Division<F>, coefficients: &[F; TERMS], weight: F, grad: &mut [F]) {
        let polynomial = Polynomial::new(coefficients.map(|c| c * weight));
        // A weight may be negative; the shares of a gradient are not.
        let sign = if weight < F::zero() { -F::one() } else { F::one() };
        for (entry, &score) in grad.iter_mut().zip(scores) {
            let share = *entry * polynomial.at(division.coordinate(units.of(score)));
            *entry = if *entry > F::zero() && share * sign > F::zero() { share } else { F::zero() };
        }
    }
}
