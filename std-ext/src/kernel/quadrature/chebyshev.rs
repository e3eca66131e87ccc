//! Chebyshev expansions of one degree; what they are for is told in core's module of the same name.

use crate::elementary::Elementary;

/// The points x_n = cos(π(n + ½)/TERMS), and what turns moments into weights of them and values there into coefficients.
#[derive(Debug)]
pub struct Chebyshev<F, const TERMS: usize> {
    /// T_d(x_n)·(1 or 2)/TERMS, by d, then n.
    by_degree: Box<[[F; TERMS]; TERMS]>,
    /// The same by n, then d.
    by_point: Box<[[F; TERMS]; TERMS]>,
    points: [F; TERMS],
}

impl<F: Elementary, const TERMS: usize> Chebyshev<F, TERMS> {
    pub fn new() -> Self {
        let angle = |d: usize, n: usize| {
            // Reduced in integers, so that every cosine is one of a small angle.
            let turn = (d * (2 * n + 1)) % (4 * TERMS);
            F::from_f64(core::f64::consts::FRAC_PI_2 * turn as f64 / TERMS as f64)
        };
        let entry = |d: usize, n: usize| angle(d, n).cos() * F::from_f64(if d == 0 { 1.0 } else { 2.0 } / TERMS as f64);
        let by_degree: [[F; TERMS]; TERMS] = core::array::from_fn(|d| core::array::from_fn(|n| entry(d, n)));
        let by_point: [[F; TERMS]; TERMS] = core::array::from_fn(|n| core::array::from_fn(|d| entry(d, n)));
        Self { by_degree: Box::new(by_degree), by_point: Box::new(by_point), points: core::array::from_fn(|n| angle(1, n).cos()) }
    }

    pub fn point(&self, n: usize) -> F {
        self.points[n]
    }

    /// The weights of the points that have the given moments.
    #[inline(always)]
    pub fn transform(&self, moments: &[F; TERMS]) -> [F; TERMS] {
        combine(&self.by_degree, moments)
    }

    /// The coefficients of the polynomial that takes the given values at the points.
    #[inline(always)]
    pub fn coefficients(&self, values: &[F; TERMS]) -> [F; TERMS] {
        combine(&self.by_point, values)
    }

    /// What the last two coefficients are made of: T_d(x_n) of the two highest degrees, scaled.
    pub fn highest(&self) -> [&[F; TERMS]; 2] {
        [&self.by_degree[TERMS - 2], &self.by_degree[TERMS - 1]]
    }
}

/// Σ_j x_j · row j.
#[inline(always)]
fn combine<F: Elementary, const TERMS: usize>(rows: &[[F; TERMS]; TERMS], x: &[F; TERMS]) -> [F; TERMS] {
    let mut sum = [F::zero(); TERMS];
    for (row, &x) in rows.iter().zip(x) {
        for (sum, &entry) in sum.iter_mut().zip(row) {
            *sum += x * entry;
        }
    }
    sum
}

/// The polynomial with these coefficients.
#[inline(always)]
pub fn clenshaw<F: Elementary, const TERMS: usize>(coefficients: &[F; TERMS], x: F) -> F {
    let twice = x + x;
    let (mut b1, mut b2) = (F::zero(), F::zero());
    for d in (1..TERMS).rev() {
        (b1, b2) = (coefficients[d] + twice * b1 - b2, b1);
    }
    coefficients[0] + x * b1 - b2
}

/// The Chebyshev points as classes of the bulk.
#[derive(Debug)]
pub struct Points<F, const TERMS: usize> {
    pub positions: [F; TERMS],
    /// The weight of a class at each point.
    pub weights: [F; TERMS],
    /// How many classes each stands for.
    pub multiplicities: [F; TERMS],
}

impl<F: Elementary, const TERMS: usize> Points<F, TERMS> {
    /// Those of a bulk with these moments, given the position and the weight of the class at a coordinate.
    #[inline(always)]
    pub fn new(moments: &[F; TERMS], chebyshev: &Chebyshev<F, TERMS>, at: impl Fn(F) -> (F, F)) -> Self {
        let mut multiplicities = chebyshev.transform(moments);
        let (mut positions, mut weights) = ([F::zero(); TERMS], [F::zero(); TERMS]);
        for (n, (position, weight)) in positions.iter_mut().zip(&mut weights).enumerate() {
            (*position, *weight) = at(chebyshev.point(n));
            multiplicities[n] /= *weight;
        }
        Self { positions, weights, multiplicities }
    }
}
