//! The trapezoid rule over the window, halved until its error is small enough.

use pulp::{Simd, WithSimd};
use topk_loss::Normal;

use super::Precision;
use super::bulk::Division;
use super::window::Window;
use crate::elementary::Elementary;
use crate::kernel::quadrature::chebyshev::{Chebyshev, Points};
use crate::kernel::quadrature::lanes::halves_of;
use crate::kernel::quadrature::nodes::{Classes, Nodes};
use crate::kernel::quadrature::rule::{Batch, INTERVALS, MAX_CANDIDATES};
use crate::kernel::quadrature::summary::Summary;
use crate::vectors::Vectors;

/// The integrands are entire and fall like Gaussians, and each halving of the rule cubes its error where that is small, up to a factor
/// that this covers; where it is not small, squares it. Over 505 rows of eight kinds at most 40 and 4 were seen.
const CUBING: f64 = 60.0;
const SQUARING: f64 = 30.0;

/// Intervals of the finest rule.
const MAX_INTERVALS: usize = 128;

/// The integrals of a row.
#[derive(Debug)]
pub struct Integral<F, const TERMS: usize> {
    k: usize,
    nodes: Nodes<F, TERMS>,
    /// The candidates' integrals, over the step while they are summed.
    coarse: Vec<F>,
    finer: Vec<F>,
    coefficients: [F; TERMS],
}

/// What a row comes to, in units of ε about the center.
#[derive(Debug)]
pub struct Outcome<'a, F, const TERMS: usize> {
    pub mean: F,
    /// The bulk's gradient over the weight, as a polynomial of the coordinate.
    pub coefficients: &'a [F; TERMS],
}

/// Sums over the nodes of one rule, not yet times its step.
#[derive(Debug, Clone, Copy)]
struct Sums<F, const TERMS: usize> {
    points: [F; TERMS],
    survival: F,
    density: F,
    bulk_error: F,
}

impl<F: Elementary, const TERMS: usize> Sums<F, TERMS> {
    fn zero() -> Self {
        Self { points: [F::zero(); TERMS], survival: F::zero(), density: F::zero(), bulk_error: F::zero() }
    }

    fn add(&mut self, other: &Self) {
        self.points.iter_mut().zip(other.points).for_each(|(a, b)| *a += b);
        self.survival += other.survival;
        self.density += other.density;
        self.bulk_error += other.bulk_error;
    }
}

impl<F: Vectors, const TERMS: usize> Integral<F, TERMS> {
    pub fn new(k: usize) -> Self {
        Self { k, nodes: Nodes::new(), coarse: vec![], finer: vec![], coefficients: [F::zero(); TERMS] }
    }

    /// The candidates' shares of the gradient, which sums to 1.
    pub fn shares(&self) -> &[F] {
        &self.coarse
    }

    /// The sums over either half of the nodes; the candidates' of a coarse half go to `coarse`, all others to `finer`.
    #[inline(always)]
    fn visit<S: Simd>(&mut self, simd: S, batch: &Batch<F>, classes: &Classes<'_, Normal, F, TERMS>) -> (Sums<F, TERMS>, Sums<F, TERMS>) {
        let Self { nodes, coarse, finer, .. } = self;
        let Batch { t, end, has_coarse } = batch;
        let (mut lower, mut upper) = (Sums::zero(), Sums::zero());
        let at_nodes = nodes.visit(simd, t, classes);
        for (i, share) in nodes.candidates().iter().enumerate() {
            let (first, second) = halves_of(share, end);
            if *has_coarse { (coarse[i], finer[i]) = (first, second) } else { finer[i] += first + second }
        }
        for (n, share) in nodes.points().iter().enumerate() {
            (lower.points[n], upper.points[n]) = halves_of(share, end);
        }
        (lower.survival, upper.survival) = halves_of(&at_nodes.survival, end);
        (lower.density, upper.density) = halves_of(&at_nodes.density, end);
        (lower.bulk_error, upper.bulk_error) = halves_of(&at_nodes.bulk_error, end);
        (lower, upper)
    }

    /// Σ over the classes of |finer − coarser|, at most: the bulk's by the largest ratio to p(low) at the points times Σ p_i(low), since
    /// their multiplicities may be negative.
    #[inline(always)]
    fn change(
        &self,
        classes: &Classes<'_, Normal, F, TERMS>,
        points: &Points<F, TERMS>,
        coarse: &Sums<F, TERMS>,
        finer: &Sums<F, TERMS>,
        low: F,
    ) -> F {
        let pairs = self.coarse.iter().zip(&self.finer);
        let own = pairs.fold(F::zero(), |sum, (&a, &b)| sum + (a - b).abs());
        if classes.bulk.is_none() {
            return own;
        }
        let (mut ratio, mut expected) = (F::zero(), F::zero());
        for n in 0..TERMS {
            let (p, _) = (low - points.positions[n]).normal_tail_and_density();
            expected += points.multiplicities[n] * p;
            ratio = ratio.max((coarse.points[n] - finer.points[n]).abs() / p);
        }
        own + ratio * expected.max(F::zero())
    }

    #[expect(clippy::too_many_arguments, reason = "the last step of one computation")]
    fn outcome(
        &mut self,
        sums: &Sums<F, TERMS>,
        step: F,
        error: F,
        window: &Window<F>,
        points: &Points<F, TERMS>,
        classes: &Classes<'_, Normal, F, TERMS>,
        precision: &Precision<F>,
    ) -> Option<Outcome<'_, F, TERMS>> {
        let Classes { chebyshev, bulk, .. } = *classes;
        // The total is known, so the common part of the error is divided out.
        let gain = sums.density.recip();
        self.coarse.iter_mut().for_each(|share| *share *= gain);
        let (mut interpolation, mut values) = (F::zero(), [F::zero(); TERMS]);
        if let Some((_, size)) = bulk {
            for ((value, &point), &weight) in values.iter_mut().zip(&sums.points).zip(&points.weights) {
                *value = gain * point / weight;
            }
            self.coefficients = chebyshev.coefficients(&values);
            interpolation = size * (self.coefficients[TERMS - 2].abs() + self.coefficients[TERMS - 1].abs());
        } else {
            self.coefficients = values;
        }
        let outside = F::from_f64(8.0) * precision.outside;
        let mean = window.low + step * sums.survival;
        let certified = mean.is_finite() && gain.is_finite() && error + interpolation + outside <= precision.tolerance;
        certified.then_some(Outcome { mean, coefficients: &self.coefficients })
    }
}

/// Integrates; nothing if the error bound is too large.
pub struct Integrate<'a, 's, F, const TERMS: usize> {
    pub integral: &'s mut Integral<F, TERMS>,
    pub window: &'a Window<F>,
    pub division: &'a Division<F>,
    pub summary: &'a Summary<F, TERMS>,
    pub chebyshev: &'a Chebyshev<F, TERMS>,
    pub precision: &'a Precision<F>,
}

impl<'s, F: Vectors, const TERMS: usize> WithSimd for Integrate<'_, 's, F, TERMS> {
    type Output = Option<Outcome<'s, F, TERMS>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { integral, window, division, summary, chebyshev, precision } = self;
        let Summary { candidates, moments, .. } = summary;
        let ((unlikely, likely), sure, moments) = (candidates.positions(), candidates.sure, moments.sums());
        let candidates = unlikely.len() + likely.len();
        if candidates > MAX_CANDIDATES || sure >= integral.k {
            return None;
        }
        let points = Points::new(moments, chebyshev, |x| division.at(x));
        let size = moments[0];
        let (depth, compressed) = (integral.k - 1 - sure, (size > F::zero()).then_some((&points, size)));
        let classes = Classes { law: Normal, depth, unlikely, likely, bulk: compressed, chebyshev };
        let rounding = (F::from_f64(32.0) + F::from_f64(0.25) * F::from_usize(candidates)) * F::epsilon();
        let width = window.high - window.low;

        integral.coarse.clear();
        integral.coarse.resize(candidates, F::zero());
        integral.finer.clear();
        integral.finer.resize(candidates, F::zero());
        let mut intervals = INTERVALS;
        let (mut sums, mut added) = integral.visit(simd, &Batch::first(window.low, width), &classes);

        loop {
            let step = width / F::from_usize(intervals);
            let change = step * integral.change(&classes, &points, &sums, &added, window.low);
            for (sum, part) in integral.coarse.iter_mut().zip(&integral.finer) {
                *sum += *part;
            }
            sums.add(&added);
            let total = step * sums.density;
            let surplus = ((total - F::one()).abs() - rounding).max(F::zero());
            let squared = change * change * F::from_f64(SQUARING).min(F::from_f64(CUBING) * change);
            let error = squared + F::from_f64(2.0) * surplus;
            if error <= precision.quadrature || intervals == MAX_INTERVALS {
                return integral.outcome(&sums, step, error + step * sums.bulk_error + rounding, window, &points, &classes, precision);
            }
            added = Sums::zero();
            integral.finer.fill(F::zero());
            for batch in Batch::midpoints(window.low, width, intervals) {
                let (lower, upper) = integral.visit(simd, &batch, &classes);
                added.add(&lower);
                added.add(&upper);
            }
            intervals *= 2;
        }
    }
}
