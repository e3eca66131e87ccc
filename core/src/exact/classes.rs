//! All classes as a node sees them: those near the window one by one, the bulk as a few weighted ones.

use super::chebyshev::{Chebyshev, Terms};
use super::counts::exp_series;
use super::division::Division;
use super::precision::MAX_TERMS;
use super::ranks::Ranks;
use super::summary::Part;
use crate::{Noise, Real};

/// All classes as the nodes see them.
#[derive(Debug)]
pub(crate) struct Classes<'a, N, F> {
    pub law: N,
    /// Of the law: a class further below t is likelier not to be above it.
    pub median: F,
    pub ranks: Ranks<'a, F>,
    /// How many are above every t.
    pub sure: usize,
    /// The u of those treated by themselves.
    pub candidates: &'a [F],
    pub bulk: Bulk<F>,
}

impl<'a, N: Noise<F>, F: Real> Classes<'a, N, F> {
    /// Those of `part`, asked for `ranks`.
    pub fn new(division: &Division<'_, N, F>, part: Part<'a, F>, ranks: Ranks<'a, F>) -> Self {
        let law = division.problem.law;
        let median = law.quantile(F::from_f64(0.5));
        Self { law, median, ranks, sure: part.sure, candidates: part.candidates, bulk: Bulk::compress(part, division) }
    }
}

/// The bulk as D+1 weighted classes.
#[derive(Debug)]
pub(crate) struct Bulk<F> {
    pub chebyshev: Chebyshev<F>,
    pub degree: usize,
    /// The sum of its classes' weights; 0: there is none.
    pub size: F,
    /// The u of the Chebyshev points.
    pub positions: Terms<F>,
    /// The weight of a class at each point.
    pub tails: Terms<F>,
    /// How many classes each point stands for.
    pub multiplicities: Terms<F>,
}

/// Powers of p/(1 − p) that are kept in the logarithm of the bulk's generating function.
const POWERS: usize = 18;

impl<F: Real> Bulk<F> {
    pub fn len(&self) -> usize {
        if self.size == F::zero() { 0 } else { self.degree + 1 }
    }

    fn compress<N: Noise<F>>(part: Part<'_, F>, division: &Division<'_, N, F>) -> Self {
        let degree = division.problem.precision.degree;
        let chebyshev = Chebyshev::new(degree);
        let mut moments = [F::zero(); MAX_TERMS];
        moments.iter_mut().zip(part.moments).for_each(|(a, &b)| *a = b);
        let size = part.moments.first().copied().unwrap_or(F::zero());
        let (mut positions, mut tails, mut multiplicities) = ([F::zero(); MAX_TERMS], [F::one(); MAX_TERMS], chebyshev.weights(&moments));
        if size > F::zero() {
            let points = positions.iter_mut().zip(&mut tails).zip(&mut multiplicities).enumerate().take(degree + 1);
            for (n, ((position, tail), multiplicity)) in points {
                let (u, far) = division.at(chebyshev.point(n));
                (*position, *tail) = (u, far.weight);
                *multiplicity /= far.weight;
            }
        }
        Self { chebyshev, degree, size, positions, tails, multiplicities }
    }

    /// Turns the points' shares into values of the polynomial over the weight, times `scale`, and returns a bound on what the bulk's
    /// classes lose by it, all together.
    pub fn interpolation(&self, shares: &mut Terms<F>, scale: F) -> F {
        shares.iter_mut().zip(&self.tails).take(self.len()).for_each(|(share, &tail)| *share *= scale / tail);
        self.size * self.chebyshev.truncation(shares.get(..self.len()).unwrap_or_default())
    }

    /// Fills `counts` with the distribution of the bulk's count above t and returns a bound on its relative error.
    ///
    /// log ∏(1 − p_i + p_i x) = Σ_i [log(1 − p_i) + Σ_j (−1)^{j+1} (p_i/(1 − p_i))ʲ xʲ/j], each term a sum over the points.
    pub fn distribution(&self, survivals: &[F], counts: &mut [F]) -> F {
        let (mut constant, mut derivative) = (F::zero(), [F::zero(); POWERS]);
        let powers = POWERS.min(counts.len().saturating_sub(1));
        let derivative = derivative.get_mut(..powers).unwrap_or_default();
        let mut logs = [F::zero(); MAX_TERMS];
        let mut dropped = F::zero();
        for (((&p, &multiplicity), &tail), kept) in survivals.iter().zip(&self.multiplicities).zip(&self.tails).zip(&mut logs) {
            let log = (-p).ln_1p();
            *kept = log / tail;
            constant += multiplicity * log;
            let ratio = p / (F::one() - p);
            let mut power = -multiplicity;
            for term in derivative.iter_mut() {
                power *= -ratio;
                *term += power;
            }
            if counts.len() > powers + 1 {
                dropped = dropped.max((power / multiplicity * ratio).abs() / tail);
            }
        }
        exp_series(constant, derivative, counts);
        let kept = logs.get(..self.len()).unwrap_or_default();
        self.size * (self.chebyshev.truncation(kept) + dropped / F::from_usize(POWERS))
    }
}
