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

/// Terms that are added up at a time.
const STRIDE: usize = 4;

/// A polynomial of degree below `TERMS`, to be evaluated often: Σ_m T_m(y)·Σ_{j < 4} q_mj T_j(x) with y = T_4(x), whose inner sums do not
/// wait for each other and take half of the additions of Clenshaw's recurrence.
#[derive(Debug, Clone, Copy)]
pub struct Polynomial<F, const TERMS: usize> {
    coefficients: [F; TERMS],
}

impl<F: Elementary, const TERMS: usize> Polynomial<F, TERMS> {
    /// That of Chebyshev coefficients.
    pub fn new(mut coefficients: [F; TERMS]) -> Self {
        // T_{n+j} = 2 T_n T_j − T_{n−j}
        for n in (STRIDE..TERMS).step_by(STRIDE).rev() {
            for j in 1..STRIDE.min(TERMS - n) {
                coefficients[n - j] -= coefficients[n + j];
                coefficients[n + j] += coefficients[n + j];
            }
        }
        Self { coefficients }
    }

    #[inline(always)]
    pub fn at(&self, x: F) -> F {
        let (one, two_x) = (F::one(), x + x);
        let t2 = two_x * x - one;
        let t = [one, x, t2, two_x * t2 - x];
        let y = (t2 + t2) * t2 - one;
        let (two_y, mut b1, mut b2) = (y + y, F::zero(), F::zero());
        for n in (STRIDE..TERMS).step_by(STRIDE).rev() {
            (b1, b2) = ((self.inner(n, t) - b2) + two_y * b1, b1);
        }
        (self.inner(0, t) - b2) + y * b1
    }

    /// Σ_j q_mj T_j(x), n = 4m.
    #[inline(always)]
    fn inner(&self, n: usize, t: [F; STRIDE]) -> F {
        let mut sum = self.coefficients[n];
        for (&q, &t) in self.coefficients[n + 1..].iter().zip(&t[1..]) {
            sum += q * t;
        }
        sum
    }
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

#[cfg(test)]
mod tests {
    use super::Polynomial;

    /// Clenshaw's recurrence.
    fn clenshaw<const TERMS: usize>(coefficients: &[f64; TERMS], x: f64) -> f64 {
        let (mut b1, mut b2) = (0.0, 0.0);
        for d in (1..TERMS).rev() {
            (b1, b2) = (coefficients[d] + 2.0 * x * b1 - b2, b1);
        }
        coefficients[0] + x * b1 - b2
    }

    /// No coefficient is larger than 1, and each is rounded a few times.
    fn is_clenshaw<const TERMS: usize>() {
        let coefficients: [f64; TERMS] = core::array::from_fn(|d| (1.0 + 7.0 * d as f64).sin());
        let polynomial = Polynomial::new(coefficients);
        for i in -1000..=1000 {
            let x = f64::from(i) / 1000.0;
            let (value, expected) = (polynomial.at(x), clenshaw(&coefficients, x));
            assert!((value - expected).abs() < 8.0 * f64::EPSILON * (TERMS * TERMS) as f64, "{TERMS} terms at {x}: {value} is {expected}");
        }
    }

    #[test]
    fn polynomials_are_what_clenshaw_makes_of_them() {
        is_clenshaw::<1>();
        is_clenshaw::<4>();
        is_clenshaw::<8>();
        is_clenshaw::<13>();
        is_clenshaw::<16>();
        is_clenshaw::<25>();
    }
}
