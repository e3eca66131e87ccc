//! Distributions of a number of successes among independent trials at 16 nodes at once, truncated; core's module of the same name
//! says why they are computed so.

use pulp::Simd;

use crate::elementary::Elementary;
use crate::vectors::{LANES, Lanes, Vectors, num_vectors};

/// The least probability that is told apart from 0, and what stands for all below it: subnormal numbers are a hundred times slower.
#[inline(always)]
pub fn vanishing<F: Elementary>() -> F {
    F::min_positive_value() / (F::epsilon() * F::epsilon())
}

/// How many trials are treated at once: each of them alone would wait for its own last step.
pub const TOGETHER: usize = 4;

/// Adds trials of success probabilities `p`. What lies beyond the slice is dropped.
#[inline(always)]
pub fn add_trials<S: Simd, F: Vectors, const N: usize>(simd: S, counts: &mut [Lanes<F>], p: [&Lanes<F>; N]) {
    let (zero, vanishing) = (F::splat(simd, F::zero()), F::splat(simd, vanishing()));
    for v in 0..num_vectors::<S, F>() {
        let (mut success, mut before) = ([zero; N], [zero; N]);
        for (success, p) in success.iter_mut().zip(p) {
            *success = F::vectors::<S>(p)[v];
        }
        for count in &mut *counts {
            let count = &mut F::vectors_mut::<S>(count)[v];
            let mut sum = *count;
            for (&p, before) in success.iter().zip(&mut before) {
                // Not q·count + p·before: the rounding of q = 1 − p is the same for tied classes, and a thousand of them add it up.
                let mixed = F::sum(simd, sum, F::product(simd, p, F::difference(simd, *before, sum)));
                *before = sum;
                sum = mixed;
            }
            *count = F::larger(simd, sum, vanishing);
        }
    }
}

/// The last entry of the distribution without one of the trials, for each of them: by forward division, which is stable for p ≤ ½.
#[inline(always)]
pub fn last_without_trials<S: Simd, F: Vectors, const N: usize>(simd: S, counts: &[Lanes<F>], p: [&Lanes<F>; N]) -> [Lanes<F>; N] {
    let (zero, vanishing) = (F::splat(simd, F::zero()), F::splat(simd, vanishing()));
    let (mut odds, mut last) = ([[F::zero(); LANES]; N], [[F::zero(); LANES]; N]);
    for (odds, p) in odds.iter_mut().zip(p) {
        over_failure(p, p, odds);
    }
    for v in 0..num_vectors::<S, F>() {
        let (mut ratio, mut rest) = ([zero; N], [zero; N]);
        for (ratio, odds) in ratio.iter_mut().zip(&odds) {
            *ratio = F::vectors::<S>(odds)[v];
        }
        for count in counts {
            let count = F::vectors::<S>(count)[v];
            for (rest, &ratio) in rest.iter_mut().zip(&ratio) {
                *rest = F::larger(simd, F::difference(simd, count, F::product(simd, ratio, *rest)), vanishing);
            }
        }
        for (last, &rest) in last.iter_mut().zip(&rest) {
            F::vectors_mut::<S>(last)[v] = rest;
        }
    }
    for (last, p) in last.iter_mut().zip(p) {
        let rest = *last;
        over_failure(&rest, p, last);
    }
    last
}

/// `quotient` ← x/(1 − p).
#[inline(always)]
fn over_failure<F: Elementary>(x: &Lanes<F>, p: &Lanes<F>, quotient: &mut Lanes<F>) {
    for lane in 0..LANES {
        quotient[lane] = x[lane] / (F::one() - p[lane]);
    }
}

/// The exponential of a power series, truncated to the slice: `counts` ← exp(s_0 + Σ_j s_j xʲ), given s_0 and the j·s_j from j = 1 on.
///
/// Half of s_0 is applied before the recurrence and half after it, so that neither end leaves the float's range.
#[inline(always)]
pub fn exp_series<S: Simd, F: Vectors>(simd: S, constant: &Lanes<F>, derivative: &[Lanes<F>], counts: &mut [Lanes<F>]) {
    let mut half = *constant;
    for half in &mut half {
        *half = (*half * F::from_f64(0.5)).fast_exp();
    }
    counts.fill([F::zero(); LANES]);
    counts[0] = half;
    let vanishing = F::splat(simd, vanishing());
    for v in 0..num_vectors::<S, F>() {
        for n in 0..counts.len() {
            let inverse = F::splat(simd, F::from_usize(n.max(1)).recip());
            let (known, sums) = counts[n..].split_at_mut(1);
            let known = &mut F::vectors_mut::<S>(&mut known[0])[v];
            let entry = F::product(simd, *known, inverse);
            *known = F::larger(simd, F::product(simd, entry, F::vectors::<S>(&half)[v]), vanishing);
            // n·f_n = Σ_j j·s_j·f_{n−j}, each f added to the sums that need it: those do not wait for each other.
            for (sum, s) in sums.iter_mut().zip(derivative) {
                let sum = &mut F::vectors_mut::<S>(sum)[v];
                *sum = F::sum(simd, *sum, F::product(simd, F::vectors::<S>(s)[v], entry));
            }
        }
    }
}
