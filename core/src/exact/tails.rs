//! A class at 16 nodes: how likely it is above each, and its density there.

use crate::lanes::{LANES, Lanes};
use crate::{Noise, Real};

/// What the law takes for 16 t. Not by a closure, as below.
#[inline(always)]
pub(super) fn thresholds<N: Noise<F>, F: Real>(law: &N, t: &Lanes<F>) -> Lanes<F> {
    let mut thresholds = *t;
    for t in &mut thresholds {
        *t = law.threshold(*t);
    }
    thresholds
}

/// A class's two functions of 16 t, the tail 0 where it would not be told apart from it.
///
/// Not by a closure: one that is as long as this is not inlined, and then takes no instruction set.
#[inline(always)]
pub(super) fn tails_and_densities<N: Noise<F>, F: Real>(law: &N, thresholds: &Lanes<F>, position: F, floor: F) -> (Lanes<F>, Lanes<F>) {
    let (mut tails, mut densities) = ([F::zero(); LANES], [F::zero(); LANES]);
    for ((tail, density), &t) in tails.iter_mut().zip(&mut densities).zip(thresholds) {
        let (p, at) = law.tail_and_density(t, position);
        *tail = if p > floor { p } else { F::zero() };
        *density = at;
    }
    (tails, densities)
}

/// P(above t) of 16 t, or −P(not above t) where that is the smaller.
#[inline(always)]
pub(super) fn smaller_tails<N: Noise<F>, F: Real>(law: &N, thresholds: &Lanes<F>, position: F, tails: &Lanes<F>, floor: F) -> Lanes<F> {
    let mut smaller = *tails;
    for (tail, &t) in smaller.iter_mut().zip(thresholds) {
        let q = law.failure_and_density(t, position).0;
        // Never 0, which has no sign.
        let q = if q > floor { q } else { floor };
        *tail = if *tail > F::from_f64(0.5) { -q } else { *tail };
    }
    smaller
}
