//! Sums of smooth functions over many classes by Chebyshev moments.
//!
//! If φ is smooth on an interval, Σ_i φ(x_i) = Σ_n a_n φ(x_n) with the points x_n = cos(π(n + ½)/T), and weights a_n that depend on the
//! moments Σ_i T_d(x_i), d < T, alone: the classes act as T weighted ones.
//!
//! One recurrence serves three ends: moments of the classes, coefficients of a polynomial from its values at the points (moments of the
//! points that weigh what the values are), and, read backwards, the polynomial at a point.

use super::precision::MAX_TERMS;
use crate::Real;
use crate::lanes::{LANES, Lanes, sum, zip, zip3};

/// Values at the Chebyshev points, weights of them, moments, or coefficients.
pub(crate) type Terms<F> = [F; ROOM];

/// Room for them, in whole lanes.
pub(crate) const ROOM: usize = MAX_TERMS.next_multiple_of(LANES);

/// cos x for 0 ≤ x ≤ π/2, by its series.
const fn cosine(x: f64) -> f64 {
    let (mut sum, mut n) = (1.0, 26);
    while n > 0 {
        sum = 1.0 - sum * x * x / ((n * (n - 1)) as f64);
        n -= 2;
    }
    sum
}

/// The points of so many terms, in descending order.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn points(terms: usize) -> [f64; MAX_TERMS] {
    let (mut points, mut n) = ([0.0; MAX_TERMS], 0);
    while n < terms {
        let mirrored = if 2 * n < terms { n } else { terms - 1 - n };
        let cosine = cosine(core::f64::consts::PI * (mirrored as f64 + 0.5) / terms as f64);
        points[n] = if 2 * n + 1 == terms {
            0.0
        } else if 2 * n < terms {
            cosine
        } else {
            -cosine
        };
        n += 1;
    }
    points
}

const POINTS_8: [f64; MAX_TERMS] = points(8);
const POINTS_13: [f64; MAX_TERMS] = points(13);
const POINTS_16: [f64; MAX_TERMS] = points(16);
const POINTS_25: [f64; MAX_TERMS] = points(25);

/// The points of one of the numbers of terms that are in use.
pub(crate) fn points_of(terms: usize) -> &'static [f64] {
    let points = match terms {
        8 => &POINTS_8,
        13 => &POINTS_13,
        16 => &POINTS_16,
        _ => &POINTS_25,
    };
    points.get(..terms).unwrap_or_default()
}

/// The last two coefficients of the polynomial through values at the points are sums of the values times these: T_d(x_n)·2/T for
/// d = T − 2 and T − 1, which are sines of the points' angles, with alternating signs.
#[inline(always)]
pub(crate) fn highest<F: Real>(n: usize, x: F, terms: usize) -> [F; 2] {
    let sine = ((F::one() - x) * (F::one() + x)).sqrt() * (F::from_f64(2.0) / F::from_usize(terms));
    let last = if n.is_multiple_of(2) { sine } else { -sine };
    [(x + x) * last, last]
}

/// Adds weight·T_d(x) to the moments of each lane: `twice_x` is 2x, `before` weight·x and `now` the weight.
#[inline(always)]
pub(crate) fn add_moments<F: Real>(twice_x: &Lanes<F>, before: &Lanes<F>, now: &Lanes<F>, moments: &mut [Lanes<F>]) {
    let (twice_x, mut before, mut now) = (*twice_x, *before, *now);
    for moment in moments {
        *moment = zip(*moment, now, |moment, now| moment + now);
        let next = zip3(twice_x, now, before, |twice_x, now, before| twice_x * now - before);
        (before, now) = (now, next);
    }
}

/// The coefficients of the polynomial that takes the given values at the points.
#[inline(always)]
pub(crate) fn coefficients<F: Real>(values: &Terms<F>, terms: usize) -> Terms<F> {
    let mut sums = [F::zero(); ROOM];
    for (&x, &value) in points_in_lanes(terms).as_chunks::<LANES>().0.iter().zip(values.as_chunks::<LANES>().0) {
        let (mut before, mut now) = (zip(x, value, |x, value| x * value), value);
        for total in sums.iter_mut().take(terms) {
            *total += sum(&now);
            let next = zip3(x, now, before, |x, now, before| (x + x) * now - before);
            (before, now) = (now, next);
        }
    }
    normalise(&mut sums, terms);
    sums
}

/// The weights a_n of the points that have the given moments.
#[inline(always)]
pub(crate) fn weights<F: Real>(moments: &Terms<F>, terms: usize) -> Terms<F> {
    let (mut series, mut weights) = (*moments, [F::zero(); ROOM]);
    normalise(&mut series, terms);
    let (&constant, higher) = series.split_first().unwrap_or((&series[0], &[]));
    for (&x, weights) in points_in_lanes(terms).as_chunks::<LANES>().0.iter().zip(weights.as_chunks_mut::<LANES>().0) {
        let (mut b1, mut b2) = ([F::zero(); LANES], [F::zero(); LANES]);
        for &c in higher.iter().take(terms.saturating_sub(1)).rev() {
            (b1, b2) = (zip3(x, b1, b2, |x, b1, b2| c + (x + x) * b1 - b2), b1);
        }
        *weights = zip3(x, b1, b2, |x, b1, b2| constant + x * b1 - b2);
    }
    weights.iter_mut().skip(terms).for_each(|weight| *weight = F::zero());
    weights
}

/// The points, filled up with zeros.
#[inline(always)]
fn points_in_lanes<F: Real>(terms: usize) -> Terms<F> {
    let mut points = [F::zero(); ROOM];
    for (point, &x) in points.iter_mut().zip(points_of(terms)) {
        *point = F::from_f64(x);
    }
    points
}

/// T_0 counts 1/T, the others 2/T.
#[inline(always)]
fn normalise<F: Real>(sums: &mut Terms<F>, terms: usize) {
    let per_term = F::from_usize(terms).recip();
    for (d, sum) in sums.iter_mut().enumerate() {
        *sum *= if d == 0 { per_term } else { per_term + per_term };
    }
}

/// Terms that are added up at a time.
const STRIDE: usize = 4;

/// A polynomial of degree below `TERMS`, to be evaluated often: Σ_m T_m(y)·Σ_{j < 4} q_mj T_j(x) with y = T_4(x), whose inner sums do not
/// wait for each other and take half of the additions of Clenshaw's recurrence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Polynomial<F, const TERMS: usize> {
    /// By m; what is beyond the degree is 0.
    rows: [[F; STRIDE]; MAX_TERMS.div_ceil(STRIDE)],
}

impl<F: Real, const TERMS: usize> Polynomial<F, TERMS> {
    /// That of Chebyshev coefficients.
    #[inline(always)]
    pub fn new(coefficients: &[F]) -> Self {
        let mut rows = [[F::zero(); STRIDE]; MAX_TERMS.div_ceil(STRIDE)];
        let entries = rows.as_flattened_mut();
        entries.iter_mut().zip(coefficients).for_each(|(a, &b)| *a = b);
        // T_{n+j} = 2 T_n T_j − T_{n−j}
        for m in (1..TERMS.div_ceil(STRIDE)).rev() {
            if let Some([below, row]) = rows.get_mut(m - 1..=m) {
                let ([_, b1, b2, b3], [_, r1, r2, r3]) = (below, row);
                (*b3, *b2, *b1) = (*b3 - *r1, *b2 - *r2, *b1 - *r3);
                (*r1, *r2, *r3) = (*r1 + *r1, *r2 + *r2, *r3 + *r3);
            }
        }
        Self { rows }
    }

    #[inline(always)]
    pub fn at(&self, x: F) -> F {
        let (one, two_x) = (F::one(), x + x);
        let t2 = two_x * x - one;
        let t3 = two_x * t2 - x;
        let y = (t2 + t2) * t2 - one;
        let (two_y, mut b1, mut b2) = (y + y, F::zero(), F::zero());
        let inner = |&[q0, q1, q2, q3]: &[F; STRIDE]| ((q0 + q1 * x) + q2 * t2) + q3 * t3;
        let [first, higher @ ..] = &self.rows;
        for row in higher.iter().take(TERMS.div_ceil(STRIDE) - 1).rev() {
            (b1, b2) = ((inner(row) - b2) + two_y * b1, b1);
        }
        (inner(first) - b2) + y * b1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_cosines() {
        for terms in [8, 13, 16, 25] {
            for (n, x) in points_of(terms).iter().enumerate() {
                let angle = core::f64::consts::PI * (n as f64 + 0.5) / terms as f64;
                assert!((x - libm::cos(angle)).abs() < 1e-15, "{n} of {terms}: {x} is {}", libm::cos(angle));
                let expected = [terms - 2, terms - 1].map(|d| libm::cos(angle * d as f64) * 2.0 / terms as f64);
                let highest = highest(n, *x, terms);
                assert!(highest.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{highest:?} {expected:?}");
            }
        }
    }

    #[test]
    fn a_polynomial_is_summed_and_interpolated_exactly() {
        let cubic = |x: f64| 1.0 - x + 4.0 * x * x * x;
        let xs: [f64; LANES] = core::array::from_fn(|i| (i as f64 * 0.618).sin());
        let mut lanes = [[0.0; LANES]; 8];
        add_moments(&xs.map(|x| x + x), &xs, &[1.0; LANES], &mut lanes);
        let mut moments = [0.0; ROOM];
        moments.iter_mut().zip(&lanes).for_each(|(moment, lanes)| *moment = lanes.iter().sum());
        let weights = weights(&moments, 8);
        let sum: f64 = points_of(8).iter().zip(weights).map(|(&x, w)| w * cubic(x)).sum();
        assert!((sum - xs.iter().map(|&x| cubic(x)).sum::<f64>()).abs() < 1e-13);

        let mut values = [0.0; ROOM];
        values.iter_mut().zip(points_of(8)).for_each(|(value, &x)| *value = cubic(x));
        let polynomial = Polynomial::<f64, 8>::new(&coefficients(&values, 8)[..8]);
        assert!(xs.iter().all(|&x| (polynomial.at(x) - cubic(x)).abs() < 1e-14));
    }

    /// Clenshaw's recurrence.
    fn clenshaw(coefficients: &[f64], x: f64) -> f64 {
        let (mut b1, mut b2) = (0.0, 0.0);
        for &c in coefficients[1..].iter().rev() {
            (b1, b2) = (c + 2.0 * x * b1 - b2, b1);
        }
        coefficients[0] + x * b1 - b2
    }

    /// No coefficient is larger than 1, and each is rounded a few times.
    fn is_clenshaw<const TERMS: usize>() {
        let coefficients: [f64; TERMS] = core::array::from_fn(|d| (1.0 + 7.0 * d as f64).sin());
        let polynomial = Polynomial::<f64, TERMS>::new(&coefficients);
        for i in -1000..=1000 {
            let x = f64::from(i) / 1000.0;
            let (value, expected) = (polynomial.at(x), clenshaw(&coefficients, x));
            assert!((value - expected).abs() < 8.0 * f64::EPSILON * (TERMS * TERMS) as f64, "{TERMS} terms at {x}: {value} is {expected}");
        }
    }

    #[test]
    fn polynomials_are_what_clenshaw_makes_of_them() {
        is_clenshaw::<8>();
        is_clenshaw::<13>();
        is_clenshaw::<16>();
        is_clenshaw::<25>();
    }
}
