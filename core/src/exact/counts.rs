//! Distributions of a number of successes among independent trials (Poisson-binomial) at 16 nodes at once, truncated.

use super::precision::is_double;
use crate::Real;
use crate::lanes::{LANES, Lanes, map, zip, zip3};

/// The least number that is told apart from 0: a power of two whose square is a normal number. A product that is not normal takes a hundred
/// times as long on some processors.
#[inline(always)]
pub(super) fn least<F: Real>() -> F {
    const SINGLE: f64 = 1.0 / (1_u64 << 63) as f64;
    const DOUBLE: f64 = f64::from_bits((1023 - 511) << 52);
    F::from_f64(if is_double::<F>() { DOUBLE } else { SINGLE })
}

/// What stands for a probability of 1 in a distribution of counts, so that those down to the square of the least number are told apart.
#[inline(always)]
pub(super) fn whole<F: Real>() -> F {
    least::<F>().recip()
}

/// How many trials are treated at once: each of them alone would wait for its own last step.
pub(super) const TOGETHER: usize = 4;

/// Functions of 16 nodes for as many trials as are treated at once.
pub(super) type Group<F> = [Lanes<F>; TOGETHER];

/// Adds trials of success probabilities to the distribution of a count. What lies beyond the slice is dropped.
///
/// A probability above ½ is given as −P(failure) if trials are `SIGNED`: then a count that is likely to be exceeded keeps its digits.
/// Linear in the distribution and blind to where it starts: what begins as a cumulative distribution stays one.
#[inline(always)]
pub(super) fn add_trials<F: Real, const SIGNED: bool, const N: usize>(counts: &mut [Lanes<F>], trials: [&Lanes<F>; N]) {
    let least = least::<F>();
    let (trials, mut before) = (trials.map(|p| *p), [[F::zero(); LANES]; N]);
    for count in counts {
        let mut sum = *count;
        for (p, before) in trials.iter().zip(&mut before) {
            let mixed = mix::<F, SIGNED>(sum, *p, *before);
            (*before, sum) = (sum, mixed);
        }
        *count = map(sum, |sum| if sum > least { sum } else { least });
    }
}

/// An entry of the distribution with a trial more, of it and the entry before.
#[inline(always)]
fn mix<F: Real, const SIGNED: bool>(sum: Lanes<F>, p: Lanes<F>, before: Lanes<F>) -> Lanes<F> {
    // Not q·sum + p·before: the rounding of q = 1 − p is the same for tied classes, and a thousand of them add it up.
    zip3(sum, p, before, |sum, p, before| {
        let from = if SIGNED & (p < F::zero()) { before } else { sum };
        from + p * (before - sum)
    })
}

/// The last entry of a distribution, whose last four are given, with all but one of four trials, for each of them.
#[inline(always)]
pub(super) fn last_with_all_but_one<F: Real, const SIGNED: bool>(entries: &Group<F>, [a, b, c, d]: &Group<F>) -> Group<F> {
    let (first, second) = (last_two::<F, SIGNED>(entries, a, b), last_two::<F, SIGNED>(entries, c, d));
    [last::<F, SIGNED>(&second, b), last::<F, SIGNED>(&second, a), last::<F, SIGNED>(&first, d), last::<F, SIGNED>(&first, c)]
}

/// The last two entries with two trials more, of the last four.
#[inline(always)]
fn last_two<F: Real, const SIGNED: bool>([w, x, y, z]: &Group<F>, a: &Lanes<F>, b: &Lanes<F>) -> [Lanes<F>; 2] {
    let [x, y, z] = [mix::<F, SIGNED>(*x, *a, *w), mix::<F, SIGNED>(*y, *a, *x), mix::<F, SIGNED>(*z, *a, *y)];
    [mix::<F, SIGNED>(y, *b, x), mix::<F, SIGNED>(z, *b, y)]
}

/// The last entry with a trial more, of the last two.
#[inline(always)]
fn last<F: Real, const SIGNED: bool>([y, z]: &[Lanes<F>; 2], p: &Lanes<F>) -> Lanes<F> {
    map(mix::<F, SIGNED>(*z, *p, *y), |last| if last > least() { last } else { least() })
}

/// Multiplies `factors` by the last entry of the distribution without one of the trials, for each of them: by forward division, which is
/// stable for p ≤ ½.
///
/// Over the lanes of all trials at once, as one loop that is too long to be unrolled: lanes one by one are put together again by chance.
#[inline(always)]
pub(super) fn multiply_by_last_without<F: Real, const N: usize>(counts: &[Lanes<F>], trials: &[Lanes<F>; N], factors: &mut [Lanes<F>; N]) {
    let least = least::<F>();
    let (mut odds, mut rest) = ([[F::zero(); LANES]; N], [[F::zero(); LANES]; N]);
    for (odds, &p) in odds.as_flattened_mut().iter_mut().zip(trials.as_flattened()) {
        *odds = p / (F::one() - p);
    }
    for count in counts {
        let count = [*count; N];
        for ((rest, &odds), &count) in rest.as_flattened_mut().iter_mut().zip(odds.as_flattened()).zip(count.as_flattened()) {
            let without = count - odds * *rest;
            *rest = if without > least { without } else { least };
        }
    }
    let factors = factors.as_flattened_mut().iter_mut();
    for ((factor, &rest), &p) in factors.zip(rest.as_flattened()).zip(trials.as_flattened()) {
        *factor = times(*factor, rest / (F::one() - p));
    }
}

/// A normal number times one in units of the [whole], 0 where both are so small that the product would not be normal.
#[inline(always)]
pub(super) fn times<F: Real>(factor: F, scaled: F) -> F {
    if (factor > least()) | (scaled > F::one()) { factor * scaled } else { F::zero() }
}

/// The least probability that is told apart from 0: the least count, in units of the whole.
#[inline(always)]
pub(super) fn rarest<F: Real>() -> F {
    least::<F>() * least()
}

/// The exponential of a power series, truncated to the slice: `counts` ← exp(s_0 + Σ_j s_j xʲ) times the [whole], given s_0 and the j·s_j
/// from j = 1 on.
///
/// From f′ = s′f: n·f_n = Σ_j j·s_j·f_{n−j}. Half of s_0 is applied before the recurrence and half after it, so that neither end leaves
/// the float's range. A coefficient that is smaller than the first by the least number counts only where the `floor` of
/// probabilities is lower than that.
#[inline(always)]
pub(super) fn exp_series<F: Real>(constant: &Lanes<F>, derivative: &[Lanes<F>], counts: &mut [Lanes<F>], floor: F) {
    // Here the halves are no normal numbers any more, or nearly.
    let farthest = F::min_positive_value().ln() * F::from_f64(1.8);
    if constant.iter().any(|&s| s < farthest) {
        return far_exp_series(constant, derivative, counts, floor);
    }
    let least = least::<F>();
    let half = map(*constant, |s| (s * F::from_f64(0.5)).fast_exp());
    counts.fill([F::zero(); LANES]);
    if let Some(first) = counts.first_mut() {
        *first = half;
    }
    let mut rest = counts;
    let mut n = 0;
    while let Some((known, sums)) = rest.split_first_mut() {
        let inverse = F::from_usize(n.max(1)).recip();
        let lowest = if floor < least { [floor; LANES] } else { map(half, |half| half * least) };
        let entry = zip(map(*known, |known| known * inverse), lowest, |entry, lowest| if entry > lowest { entry } else { F::zero() });
        let scaled = zip(entry, half, |entry, half| entry * half * whole::<F>());
        *known = map(scaled, |scaled| if scaled > least { scaled } else { least });
        // Each f is added to the sums that need it: those do not wait for each other.
        for (sum, s) in sums.iter_mut().zip(derivative) {
            *sum = zip3(*sum, *s, entry, |sum, s, entry| sum + s * entry);
        }
        rest = sums;
        n += 1;
    }
}

/// The same where f_0 is beyond the float's range, as where hundreds of classes are above t on average: in units that grow with the
/// coefficients, from exp(s_0) on.
#[cold]
#[inline(never)]
fn far_exp_series<F: Real>(constant: &Lanes<F>, derivative: &[Lanes<F>], counts: &mut [Lanes<F>], floor: F) {
    let (least, lowest) = (least::<F>(), floor.min(least()));
    let mut ln_unit = *constant;
    counts.fill([F::zero(); LANES]);
    if let Some(first) = counts.first_mut() {
        *first = [F::one(); LANES];
    }
    let mut rest = counts;
    let mut n = 0;
    while let Some((known, sums)) = rest.split_first_mut() {
        let inverse = F::from_usize(n.max(1)).recip();
        let entry = map(*known, |known| known * inverse);
        // Nothing that is still to be added to is left in the smaller unit.
        let change = map(entry, |entry| if entry > whole() { least } else { F::one() });
        ln_unit = zip(ln_unit, change, |ln_unit, change| if change < F::one() { ln_unit - least.ln() } else { ln_unit });
        let entry = zip(entry, change, |entry, change| if entry > lowest { entry * change } else { F::zero() });
        let half = map(ln_unit, |ln_unit| (ln_unit * F::from_f64(0.5)).fast_exp());
        let scaled = zip(entry, half, |entry, half| entry * half * half * whole::<F>());
        *known = map(scaled, |scaled| if scaled > least { scaled } else { least });
        for (sum, s) in sums.iter_mut().zip(derivative) {
            *sum = zip(zip(*sum, change, |sum, change| sum * change), zip(*s, entry, |s, entry| s * entry), |sum, next| sum + next);
        }
        rest = sums;
        n += 1;
    }
}

/// ln(1 − p) for each p up to ½: −2 artanh(p/(2 − p)) by its series, whose terms fall by 9, and where it counts by 25 and more.
#[inline(always)]
pub(super) fn ln_one_minus<F: Real>(probabilities: &[F], logs: &mut [F]) {
    for (log, &p) in logs.iter_mut().zip(probabilities) {
        let x = p / (F::from_f64(2.0) - p);
        // Of what is far smaller than the rounding of 1 the square would not be normal.
        let square = if x > F::from_f64(16.0) * least() { x * x } else { F::zero() };
        let mut sum = F::zero();
        if is_double::<F>() {
            for denominator in [19.0, 17.0, 15.0, 13.0, 11.0] {
                sum = sum * square + F::from_f64(1.0 / denominator);
            }
        }
        for denominator in [9.0, 7.0, 5.0, 3.0, 1.0] {
            sum = sum * square + F::from_f64(1.0 / denominator);
        }
        *log = -(x + x) * sum;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;

    use super::*;

    #[test]
    fn three_coins() {
        let mut counts = [[0.0_f64; LANES]; 4];
        counts[0] = [1.0; LANES];
        add_trials::<_, false, 3>(&mut counts, [&[0.5; LANES], &[0.25; LANES], &[0.5; LANES]]);
        assert_eq!(counts.map(|lanes| lanes[3]), [0.1875, 0.4375, 0.3125, 0.0625]);
        let mut factors = [[1.0; LANES]];
        multiply_by_last_without(&counts[..3], &[[0.25; LANES]], &mut factors);
        assert!(factors[0].iter().all(|f| (f - 0.25).abs() < 1e-15), "{factors:?}");
    }

    #[test]
    fn the_exponential_of_a_line_is_poisson() {
        let mut counts = [[0.0_f64; LANES]; 4];
        exp_series(&[-2.0; LANES], &[[2.0; LANES]], &mut counts, least());
        for (n, (count, unscaled)) in counts.into_iter().zip([1.0, 2.0, 2.0, 8.0 / 6.0]).enumerate() {
            assert!((count[5] * least::<f64>() - unscaled * (-2.0_f64).exp()).abs() < 1e-15, "P(N = {n})");
        }
    }

    /// Poisson counts near their mean, by Stirling's series.
    fn is_poisson<F: Real>(mean: usize, tolerance: f64) {
        let (mut counts, rate) = (vec![[F::zero(); LANES]; mean + 40], F::from_usize(mean));
        // Beside a lane that is no longer than usual.
        let (mut constant, mut derivative) = ([-rate; LANES], [rate; LANES]);
        (constant[7], derivative[7]) = (-F::from_f64(2.0), F::from_f64(2.0));
        exp_series(&constant, &[derivative], &mut counts, least());
        for (n, count) in counts.iter().enumerate().skip(mean - 40) {
            let (n, rate) = (n as f64, mean as f64);
            let ln_factorial = n * n.ln() - n + 0.5 * (n * core::f64::consts::TAU).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n * n * n);
            let expected = (n * rate.ln() - rate - ln_factorial).exp();
            let found = (count[5] * least::<F>()).to_f64().unwrap();
            assert!((found / expected - 1.0).abs() < tolerance, "P(N = {n}) of {mean}: {found} is {expected}");
        }
        let usual = (counts[1][7] * least::<F>()).to_f64().unwrap();
        let expected = 2.0 * (-2.0_f64).exp();
        assert!((usual - expected).abs() < tolerance, "{usual}");
    }

    #[test]
    fn a_first_coefficient_beyond_the_range_does_no_harm() {
        is_poisson::<f32>(100, 3e-5);
        is_poisson::<f32>(300, 1e-4);
        is_poisson::<f32>(5000, 1e-3);
        // Of what is expected the exponent is a difference of numbers up to 40 000, as is the recurrence's of mean and rank.
        is_poisson::<f64>(1000, 1e-11);
        is_poisson::<f64>(5000, 1e-10);
    }
}
