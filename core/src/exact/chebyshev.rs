//! Sums of smooth functions over many classes by Chebyshev moments.
//!
//! If φ is smooth on an interval, Σ_i φ(x_i) = Σ_n a_n φ(x_n) with the D+1 Chebyshev points x_n, and weights a_n that depend on the
//! moments Σ_i T_d(x_i) alone: the classes act as D+1 weighted ones.

use super::precision::MAX_TERMS;
use crate::Real;

/// Values at the Chebyshev points, weights of them, moments, or coefficients: D+1 numbers.
pub(crate) type Terms<F> = [F; MAX_TERMS];

/// The expansions of one degree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chebyshev<F> {
    degree: usize,
    /// cos(π·j/(2D + 2)) over one period, 4D + 4 of them.
    cosines: [F; 4 * MAX_TERMS],
}

/// Classes that are treated together, so that the recurrences over the degree overlap.
pub(crate) const LANES: usize = 8;

/// Moments lane by lane.
pub(crate) type LaneTerms<F> = [[F; LANES]; MAX_TERMS];

/// Adds weight·T_d(x) for d ≤ D to the moments of each lane.
#[inline]
pub(crate) fn add_moments<F: Real>(x: &[F; LANES], weight: &[F; LANES], moments: &mut [[F; LANES]]) {
    let (mut before, mut now) = (*x, *weight);
    before.iter_mut().zip(weight).for_each(|(b, &w)| *b *= w);
    for moments in moments {
        for (((moment, &x), before), now) in moments.iter_mut().zip(x).zip(&mut before).zip(&mut now) {
            *moment += *now;
            (*before, *now) = (*now, (x + x) * *now - *before);
        }
    }
}

impl<F: Real> Chebyshev<F> {
    /// Expansions of the given degree, below [`MAX_TERMS`].
    pub fn new(degree: usize) -> Self {
        let mut cosines = [F::zero(); 4 * MAX_TERMS];
        for (j, cosine) in cosines.iter_mut().enumerate().take(4 * (degree + 1)) {
            *cosine = F::from_f64(libm::cos(core::f64::consts::FRAC_PI_2 * j as f64 / (degree as f64 + 1.0)));
        }
        Self { degree, cosines }
    }

    /// The point x_n = cos(π(n + ½)/(D + 1)).
    pub fn point(&self, n: usize) -> F {
        self.basis(1, n)
    }

    /// T_d(x_n) = cos(π·d(2n + 1)/(2D + 2)), the angle reduced in integers.
    fn basis(&self, d: usize, n: usize) -> F {
        let turn = (d * (2 * n + 1)).checked_rem(4 * (self.degree + 1));
        turn.and_then(|turn| self.cosines.get(turn)).copied().unwrap_or(F::zero())
    }

    /// The weights a_n of the points that have the given moments.
    pub fn weights(&self, moments: &Terms<F>) -> Terms<F> {
        self.transform(moments, |n, d| self.basis(d, n) * self.normalisation(d))
    }

    /// The coefficients of the polynomial that takes the given values at the points.
    pub fn coefficients(&self, values: &Terms<F>) -> Terms<F> {
        self.transform(values, |d, n| self.basis(d, n) * self.normalisation(d))
    }

    /// The two last coefficients of [`coefficients`](Self::coefficients), summed in absolute value: about what truncation leaves out.
    pub fn truncation(&self, values: &[F]) -> F {
        let last = [self.degree - 1, self.degree].map(|d| {
            let products = values.iter().enumerate().map(|(n, &v)| self.basis(d, n) * v);
            self.normalisation(d) * products.fold(F::zero(), |sum, v| sum + v)
        });
        last.into_iter().fold(F::zero(), |sum, c| sum + c.abs())
    }

    fn normalisation(&self, d: usize) -> F {
        F::from_f64(if d == 0 { 1.0 } else { 2.0 }) / F::from_usize(self.degree + 1)
    }

    fn transform(&self, from: &Terms<F>, matrix: impl Fn(usize, usize) -> F) -> Terms<F> {
        let mut to = [F::zero(); MAX_TERMS];
        for (row, entry) in to.iter_mut().enumerate().take(self.degree + 1) {
            let columns = from.iter().enumerate().take(self.degree + 1);
            *entry = columns.fold(F::zero(), |sum, (column, &v)| sum + matrix(row, column) * v);
        }
        to
    }
}

/// The polynomial at the x of each lane (Clenshaw).
#[inline]
pub(crate) fn evaluate<F: Real>(coefficients: &[F], x: &[F; LANES]) -> [F; LANES] {
    let (mut b1, mut b2) = ([F::zero(); LANES], [F::zero(); LANES]);
    let (constant, higher) = coefficients.split_first().map_or((F::zero(), coefficients), |(&constant, higher)| (constant, higher));
    for &c in higher.iter().rev() {
        for ((&x, b1), b2) in x.iter().zip(&mut b1).zip(&mut b2) {
            (*b1, *b2) = (c + (x + x) * *b1 - *b2, *b1);
        }
    }
    for ((&x, b1), &b2) in x.iter().zip(&mut b1).zip(&b2) {
        *b1 = constant + x * *b1 - b2;
    }
    b1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_is_summed_and_interpolated_exactly() {
        let (degree, cubic) = (5, |x: f64| 1.0 - x + 4.0 * x * x * x);
        let chebyshev = Chebyshev::new(degree);
        let xs = [-0.9, -0.2, 0.3, 0.31, 0.99, -1.0, 0.0, 0.5];
        let mut lanes = [[0.0; LANES]; MAX_TERMS];
        add_moments(&xs, &[1.0; LANES], &mut lanes[..=degree]);
        let moments = lanes.map(|lanes| lanes.iter().sum());
        let weights = chebyshev.weights(&moments);
        let sum: f64 = (0..=degree).map(|n| weights[n] * cubic(chebyshev.point(n))).sum();
        assert!((sum - xs.iter().map(|&x| cubic(x)).sum::<f64>()).abs() < 1e-14);

        let mut values = [0.0; MAX_TERMS];
        (0..=degree).for_each(|n| values[n] = cubic(chebyshev.point(n)));
        let coefficients = chebyshev.coefficients(&values);
        let interpolated = evaluate(&coefficients[..=degree], &xs);
        assert!(interpolated.iter().zip(xs).all(|(y, x)| (y - cubic(x)).abs() < 1e-14));
        assert!(chebyshev.truncation(&values[..=degree]) < 1e-15);
    }
}
