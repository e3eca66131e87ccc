//! Which classes need individual care, and the Chebyshev moments of the others.

use super::chebyshev::{Chebyshev, clenshaw};
use super::counts::TOGETHER;
use super::window::{Tails, Window};
use super::{FAR, Units};
use crate::elementary::Elementary;
use crate::vectors::LANES;

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

/// The quantile of ¾: below that much under the window a class is above t with probability ¼ at most.
const UPPER_QUARTILE: f64 = 0.674_489_750_196_081_7;

/// How far above the window's lower end a class of the bulk aims, as a share of its width and at most.
const LIFT: f64 = 0.3;
const MAX_LIFT: f64 = 2.0;

impl<F: Elementary> Division<F> {
    pub fn new(window: Window<F>, tails: &Tails<F>) -> Self {
        let bulk_below = window.low - F::from_f64(UPPER_QUARTILE);
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
    /// The u of the candidates that are not likelier than not to be above any t, and their classes; filled up with what cannot matter.
    unlikely: Vec<F>,
    unlikely_classes: Vec<u32>,
    /// The others'.
    likely: Vec<F>,
    likely_classes: Vec<u32>,
    /// Σ w·T_d(x) over the bulk.
    moments: [F; TERMS],
    room: Box<Room<F>>,
}

/// Classes that are treated together: a few arrays of so many numbers stay in the nearest cache.
const BLOCK: usize = 512;

#[derive(Debug)]
struct Room<F> {
    twice_x: [F; BLOCK],
    before: [F; BLOCK],
    now: [F; BLOCK],
    /// 1 for a class above the bulk.
    above: [u8; BLOCK],
}

impl<F: Elementary, const TERMS: usize> Bulk<F, TERMS> {
    pub fn new() -> Self {
        let zeros = [F::zero(); BLOCK];
        let room = Box::new(Room { twice_x: zeros, before: zeros, now: zeros, above: [0; BLOCK] });
        Self {
            sure: 0,
            unlikely: vec![],
            unlikely_classes: vec![],
            likely: vec![],
            likely_classes: vec![],
            moments: [F::zero(); TERMS],
            room,
        }
    }

    /// The u of the classes that are treated one by one: those not likelier than not to be above any t, then the others.
    pub fn candidates(&self) -> (&[F], &[F]) {
        (&self.unlikely, &self.likely)
    }

    /// Where the candidates stand in the row, each with its entry of `shares`.
    pub fn placed<'s>(&'s self, shares: &'s [F]) -> impl Iterator<Item = (usize, F)> + 's {
        let (unlikely, likely) = shares.split_at(self.unlikely.len());
        let pairs = self.unlikely_classes.iter().zip(unlikely).chain(self.likely_classes.iter().zip(likely));
        pairs.map(|(&class, &share)| (class as usize, share))
    }

    pub fn moments(&self) -> &[F; TERMS] {
        &self.moments
    }

    /// Sorts the classes of a row. A gradient is lent as room for the weights of the bulk, 0 for every other class.
    #[inline(always)]
    pub fn summarise(&mut self, scores: &[F], units: &Units<F>, division: &Division<F>, mut weights: Option<&mut [F]>) {
        self.sure = 0;
        for list in [&mut self.unlikely, &mut self.likely] {
            list.clear();
        }
        for list in [&mut self.unlikely_classes, &mut self.likely_classes] {
            list.clear();
        }
        self.moments = [F::zero(); TERMS];
        let mut lost = [F::zero(); TERMS];
        for (start, scores) in (0..).step_by(BLOCK).zip(scores.chunks(BLOCK)) {
            let (in_bulk, above) = self.weigh(scores, units, division);
            if above > 0 {
                self.pick(start, scores, units, division);
            }
            if let Some(weights) = weights.as_deref_mut() {
                weights[start..][..scores.len()].copy_from_slice(&self.room.now[..scores.len()]);
            }
            if in_bulk > 0 {
                let sums = self.room.moments::<TERMS>(scores.len());
                // With compensation (Kahan): a row may have thousands of blocks.
                for ((moment, lost), part) in self.moments.iter_mut().zip(&mut lost).zip(sums) {
                    let corrected = part - *lost;
                    let sum = *moment + corrected;
                    *lost = (sum - *moment) - corrected;
                    *moment = sum;
                }
            }
        }
        let filled = self.unlikely.len().next_multiple_of(TOGETHER);
        self.unlikely.resize(filled, -F::from_f64(FAR));
    }

    /// The coordinates and weights of a block; how many of it are in the bulk and above it.
    #[inline(always)]
    fn weigh(&mut self, scores: &[F], units: &Units<F>, division: &Division<F>) -> (u32, u32) {
        let Room { twice_x, before, now, above } = &mut *self.room;
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
        // What fills up the lanes counts nothing.
        let filled = scores.len().next_multiple_of(LANES);
        before[scores.len()..filled].fill(F::zero());
        now[scores.len()..filled].fill(F::zero());
        twice_x[scores.len()..filled].fill(F::zero());
        (in_bulk, num_above)
    }

    /// Lists the classes of a block that are above the bulk.
    #[inline(always)]
    fn pick(&mut self, start: usize, scores: &[F], units: &Units<F>, division: &Division<F>) {
        // Without a branch for each class: which ones are above is anyone's guess.
        let (mut hits, mut len) = ([0_u16; BLOCK], 0);
        for (i, &above) in (0_u16..).zip(&self.room.above[..scores.len()]) {
            hits[len % BLOCK] = i;
            len += usize::from(above);
        }
        for &i in &hits[..len] {
            let (u, class) = (units.of(scores[usize::from(i)]), start as u32 + u32::from(i));
            if u > division.sure_above {
                self.sure += 1;
            } else if u > division.low {
                self.likely.push(u);
                self.likely_classes.push(class);
            } else {
                self.unlikely.push(u);
                self.unlikely_classes.push(class);
            }
        }
    }

    /// Turns the weights that [`summarise`](Self::summarise) left in `grad` into the bulk's gradient times `weight`.
    #[inline(always)]
    pub fn write_grad(&self, scores: &[F], units: &Units<F>, division: &Division<F>, coefficients: &[F; TERMS], weight: F, grad: &mut [F]) {
        let coefficients = coefficients.map(|c| c * weight);
        // A weight may be negative; the shares of a gradient are not.
        let sign = if weight < F::zero() { -F::one() } else { F::one() };
        for (entry, &score) in grad.iter_mut().zip(scores) {
            let share = *entry * clenshaw(&coefficients, division.coordinate(units.of(score)));
            *entry = if *entry > F::zero() && share * sign > F::zero() { share } else { F::zero() };
        }
    }
}

impl<F: Elementary> Room<F> {
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

/// The sum of all lanes, halves first.
#[inline(always)]
pub(super) fn sum<F: Elementary>(lanes: &[F; LANES]) -> F {
    let eight: [F; 8] = core::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    halves(&eight)
}

/// The sum of eight.
#[inline(always)]
pub(super) fn halves<F: Elementary>(eight: &[F; 8]) -> F {
    let four: [F; 4] = core::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// The Chebyshev points as classes of the bulk.
#[derive(Debug)]
pub(super) struct Points<F, const TERMS: usize> {
    pub positions: [F; TERMS],
    /// The weight of a class at each point.
    pub weights: [F; TERMS],
    /// How many classes each stands for.
    pub multiplicities: [F; TERMS],
}

impl<F: Elementary, const TERMS: usize> Points<F, TERMS> {
    #[inline(always)]
    pub fn new(moments: &[F; TERMS], division: &Division<F>, chebyshev: &Chebyshev<F, TERMS>) -> Self {
        let mut multiplicities = chebyshev.transform(moments);
        let (mut positions, mut weights) = ([F::zero(); TERMS], [F::zero(); TERMS]);
        for (n, (position, weight)) in positions.iter_mut().zip(&mut weights).enumerate() {
            (*position, *weight) = division.at(chebyshev.point(n));
            multiplicities[n] /= *weight;
        }
        Self { positions, weights, multiplicities }
    }
}
