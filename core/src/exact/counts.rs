//! Distributions of a number of successes among independent trials (Poisson-binomial), truncated.

use core::cell::Cell;

use super::chebyshev::LANES;
use crate::Real;

/// Adds a trial of success probability `p` to the distribution of a count. What lies beyond the slice is dropped.
pub(crate) fn add_trial<F: Real>(counts: &mut [F], p: F) {
    let vanishing = vanishing();
    // Not q·count + p·before: the rounding of q = 1 − p is the same for tied classes, and a thousand of them add it up.
    let mix = |count: F, before: F| {
        let sum = count + p * (before - count);
        if sum > vanishing { sum } else { F::zero() }
    };
    // From the end, so that every entry still finds the old one before it.
    let cells = Cell::from_mut(counts).as_slice_of_cells();
    for pair in cells.windows(2).rev() {
        if let [before, count] = pair {
            count.set(mix(count.get(), before.get()));
        }
    }
    if let Some(none) = cells.first() {
        none.set(mix(none.get(), F::zero()));
    }
}

/// The least probability that is told apart from 0: subnormal numbers are a hundred times slower.
pub(super) fn vanishing<F: Real>() -> F {
    F::min_positive_value() / (F::epsilon() * F::epsilon())
}

/// Calls `visit` with each entry of the distributions without one trial, for the trials of several lanes at once, each entry
/// **times 1 − p** of its lane.
///
/// Forward division: stable because p ≤ ½, which the caller sees to by counting failures where successes are likely.
#[inline]
pub(crate) fn without_trial<F: Real>(counts: &[F], p: &[F; LANES], mut visit: impl FnMut(&[F; LANES])) {
    let ratios = p.map(|p| p / (F::one() - p));
    let vanishing = vanishing();
    let mut previous = [F::zero(); LANES];
    for &count in counts {
        for (previous, ratio) in previous.iter_mut().zip(ratios) {
            let rest = count - ratio * *previous;
            *previous = if rest > vanishing { rest } else { F::zero() };
        }
        visit(&previous);
    }
}

/// As [`without_trial`], each entry to within a few units of its own last place, however small it is: forwards while the entry is the
/// larger part of the count it is divided out of, backwards from the last entry beyond. `counts` is a whole distribution; its last entry
/// has no counterpart and is not visited. The order of the visits is any.
#[inline]
pub(crate) fn without_trial_precisely<F: Real>(counts: &[F], p: F, mut visit: impl FnMut(usize, F)) {
    let ratio = p / (F::one() - p);
    let mut previous = F::zero();
    let mut forward = 0;
    for &count in counts.iter().take(counts.len().saturating_sub(1)) {
        let taken = ratio * previous;
        if taken > count - taken {
            break;
        }
        previous = count - taken;
        visit(forward, previous);
        forward += 1;
    }
    let mut next = F::zero();
    for (place, &count) in counts.iter().enumerate().skip(forward + 1).rev() {
        next = if count > vanishing() { (count - next).max(F::zero()) / ratio } else { F::zero() };
        visit(place - 1, next);
    }
}

/// The exponential of a power series, truncated to the slice: `counts` ← exp(s_0 + Σ_j s_j xʲ), given s_0 and the j·s_j from j = 1 on.
///
/// From f′ = s′f: n·f_n = Σ_j j·s_j·f_{n−j}. The recurrence starts from f_0 = 1 and is scaled down when it grows, so that neither exp(s_0)
/// underflows nor the terms overflow before they meet.
pub(crate) fn exp_series<F: Real>(constant: F, derivative: &[F], counts: &mut [F]) {
    let large = F::max_value().sqrt();
    let mut logarithm = constant;
    for n in 0..counts.len() {
        let (known, rest) = counts.split_at_mut_checked(n).unwrap_or_default();
        let sum = derivative.iter().zip(known.iter().rev()).fold(F::zero(), |sum, (&s, &f)| sum + s * f);
        let term = if n == 0 { F::one() } else { sum / F::from_usize(n) };
        if let Some(entry) = rest.first_mut() {
            *entry = term;
        }
        if term > large {
            let shrink = large.recip();
            counts.iter_mut().take(n + 1).for_each(|count| *count *= shrink);
            logarithm += large.ln();
        }
    }
    let scale = logarithm.exp();
    counts.iter_mut().for_each(|count| *count = (*count * scale).max(vanishing()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_coins() {
        let mut counts = [1.0_f64, 0.0, 0.0, 0.0];
        for p in [0.5, 0.25, 0.5] {
            add_trial(&mut counts, p);
        }
        assert_eq!(counts, [0.1875, 0.4375, 0.3125, 0.0625]);
        let mut rest = [0.0; 4];
        let mut places = rest.iter_mut();
        without_trial(&counts, &[0.25; LANES], |c| *places.next().unwrap() = c[0] / 0.75);
        assert!(rest.iter().zip([0.25, 0.5, 0.25, 0.0]).all(|(a, b)| (a - b).abs() < 1e-15), "{rest:?}");
    }

    #[test]
    fn a_dominant_trial_is_taken_out_precisely() {
        let odds = [1e-3, 1e-9, 3e-9, 1e-12];
        let distribution = |odds: &[f64]| {
            let mut counts = [1.0, 0.0, 0.0, 0.0, 0.0];
            odds.iter().for_each(|r| add_trial(&mut counts, r / (1.0 + r)));
            counts
        };
        let all = distribution(&odds);
        for (i, r) in odds.into_iter().enumerate() {
            let mut others = odds.to_vec();
            others.remove(i);
            let expected = distribution(&others);
            without_trial_precisely(&all, r / (1.0 + r), |m, c| {
                assert!((c * (1.0 + r) / expected[m] - 1.0).abs() < 1e-14, "{r}: P(N = {m}) = {c:e}, not {:e}", expected[m]);
            });
        }
    }

    #[test]
    fn the_exponential_of_a_line_is_poisson() {
        let mut counts = [0.0_f64; 4];
        exp_series(-2.0, &[2.0], &mut counts);
        for (n, (count, unscaled)) in counts.into_iter().zip([1.0, 2.0, 2.0, 8.0 / 6.0]).enumerate() {
            assert!((count - unscaled * (-2.0_f64).exp()).abs() < 1e-15, "P(N = {n})");
        }
    }
}
