//! The calibrated top-K hinge under exact smoothing.
//!
//! Core's fast exact form in vector code: the same window, division and Chebyshev moments, with 16 nodes of the trapezoid rule side by
//! side. One file a step, beside those of `quadrature`:
//!
//! | step | file |
//! |---|---|
//! | histogram of the scores, certified window of t | `window` |
//! | which classes need individual care, moments of the others; their gradient | `bulk` |
//! | trapezoid rule, error bound | `integral` |
//!
//! A row that this cannot certify, or that is an error, is computed by the loss's own code.

pub mod bulk;
pub mod integral;
pub mod window;

use pulp::{Simd, WithSimd};
use topk_loss::{Normal, TopKHinge};

use self::bulk::Division;
use self::integral::{Integral, Integrate, Outcome};
use self::window::{Histogram, Tails};
use super::attempt::{Attempt, Weighted};
use super::ordinary::largest_ordinary;
use super::quadrature::chebyshev::Chebyshev;
use super::quadrature::nodes::{Law, ln_one_minus};
use super::quadrature::summary::Room;
use super::select::Best;
use super::workers::{Piece, Workers};
use crate::elementary::Elementary;
use crate::vectors::Vectors;

impl<F: Elementary> Law<F> for Normal {
    #[inline(always)]
    fn tail_and_density(self, t: F, u: F) -> (F, F) {
        (t - u).normal_tail_and_density()
    }

    #[inline(always)]
    fn ln_failure(self, _: F, _: F, tail: F) -> (F, F) {
        let log = ln_one_minus(tail);
        (log, log)
    }
}

/// How far each float is pushed, as in core.
#[derive(Debug, Clone, Copy)]
pub struct Precision<F> {
    /// The probability mass that may lie outside the window, at either end.
    pub outside: F,
    /// The bound on the quadrature's error (L1, gradient) at which the rule is fine enough.
    quadrature: F,
    /// The bound on the whole error above which a row is left to the loss's own code.
    tolerance: F,
}

impl<F: Elementary> Precision<F> {
    pub fn of_float() -> Self {
        let double = F::epsilon() < F::from_f64(1e-10);
        let pick = |f64_value: f64, f32_value: f64| F::from_f64(if double { f64_value } else { f32_value });
        Self { outside: pick(1e-11, 1e-7), quadrature: pick(5e-8, 1e-5), tolerance: pick(1e-7, 1e-3) }
    }
}

/// The scores of a row in units of ε about the k-th largest.
#[derive(Debug, Clone, Copy)]
pub struct Units<F> {
    pub center: F,
    pub inverse_epsilon: F,
}

/// Core's code serves ranks beyond the middle, which it counts from the other end, and an ε whose reciprocal has lost digits.
pub fn is_served<F: Elementary>(k: usize, num_classes: usize, epsilon: F) -> bool {
    2 * k <= num_classes + 1 && epsilon.is_normal() && epsilon.recip().is_normal()
}

/// Beyond this many units of ε a class is above or below for certain; it keeps u finite.
const FAR: f64 = 1e6;

impl<F: Elementary> Units<F> {
    #[inline(always)]
    pub fn of(&self, score: F) -> F {
        let far = F::from_f64(FAR);
        let u = (score - self.center) * self.inverse_epsilon;
        let u = if u > far { far } else { u };
        if u < -far { -far } else { u }
    }
}

/// The kernel of a [`TopKHinge`] under exact smoothing; `TERMS` is the degree of the Chebyshev expansions, plus 1.
#[derive(Debug)]
pub(super) struct Exact<'a, F, const TERMS: usize> {
    loss: TopKHinge<'a, F>,
    workers: Workers,
    k: usize,
    num_classes: usize,
    epsilon: F,
    precision: Precision<F>,
    /// An upper bound on E max of as many normal numbers as there are classes from the k-th down.
    highest: F,
    tails: Tails<F>,
    chebyshev: Chebyshev<F, TERMS>,
    leaders: Best<F>,
    histogram: Histogram<F>,
    rooms: Vec<Room<F, TERMS>>,
    integral: Integral<F, TERMS>,
}

impl<'a, F: Vectors, const TERMS: usize> Exact<'a, F, TERMS> {
    pub fn new(loss: TopKHinge<'a, F>, epsilon: F, num_classes: usize, workers: Workers) -> Self {
        let precision = Precision::of_float();
        let k = loss.k() + 1;
        let below = F::from_usize(num_classes.saturating_sub(k) + 1);
        Self {
            loss,
            workers,
            k,
            num_classes,
            epsilon,
            precision,
            highest: (F::from_f64(2.0) * below.ln()).sqrt() * F::from_f64(1.001),
            tails: Tails::new(precision.outside, num_classes),
            chebyshev: Chebyshev::new(),
            leaders: Best::new(workers),
            histogram: Histogram::new(),
            rooms: vec![],
            integral: Integral::new(k),
        }
    }

    /// Whether the loss is 0 for certain; nothing for scores that arithmetic might overflow on. A row that is so is only read once.
    fn is_surely_zero(&self, scores: &[F], own: F, margin: F) -> Option<bool> {
        // The k-th largest of the noised scores is at most the largest noise of the classes from the k-th down above the k-th score.
        let above_kth = margin + self.epsilon * self.highest;
        let rounding = F::epsilon() * F::from_f64(8.0) * (own.abs() + margin.abs() + self.epsilon * self.highest);
        let threshold = own - above_kth - rounding;
        let reaching = self.workers.map(scores, None, |Piece { scores, .. }| self.workers.dispatch(Reaching { scores, threshold }));
        let reaching = reaching.fold(Some(0), |sum, part| Some(sum? + part?))?;
        Some(reaching < self.k)
    }
}

/// How many scores reach a threshold, if all are ordinary.
struct Reaching<'a, F> {
    scores: &'a [F],
    threshold: F,
}

impl<F: Elementary> WithSimd for Reaching<'_, F> {
    type Output = Option<usize>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<usize> {
        let limit = largest_ordinary::<F>();
        let (mut reaching, mut ordinary) = (0_u32, 0_u32);
        for &score in self.scores {
            reaching += u32::from(score >= self.threshold);
            ordinary += u32::from(score.abs() <= limit);
        }
        (ordinary as usize == self.scores.len()).then_some(reaching as usize)
    }
}

impl<F: Vectors, const TERMS: usize> Attempt<F> for Exact<'_, F, TERMS> {
    fn attempt(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let (own, workers) = (scores.get(label).copied()?, self.workers);
        let usable = grad.as_ref().is_none_or(|grad| grad.is_usable(scores.len()));
        if !is_served(self.k, self.num_classes, self.epsilon) || scores.len() != self.num_classes || !usable {
            return None;
        }
        let (margin, scale) = (self.loss.margins().of(label, scores.len()).ok()?, self.loss.scale());
        if self.is_surely_zero(scores, own, margin)? {
            if let Some(Weighted { grad, .. }) = grad {
                workers.clear(grad);
            }
            return Some(F::zero());
        }

        self.leaders.find(scores, self.k);
        let center = self.leaders.found().last()?.value;
        let units = Units { center, inverse_epsilon: self.epsilon.recip() };
        self.histogram.count(workers, scores, &units, &self.tails);
        let window = self.histogram.window(workers, &self.tails, self.leaders.found(), &units, self.precision.outside);
        let division = Division::new(window, &self.tails);
        bulk::summarise(workers, scores, &units, &division, &mut self.rooms, grad.as_mut().map(|grad| &mut *grad.grad));
        let Room { summary, .. } = self.rooms.first()?;
        let Self { integral, chebyshev, precision, .. } = self;
        let (window, division) = (&window, &division);
        let Outcome { mean, coefficients } = workers.dispatch(Integrate { integral, window, division, summary, chebyshev, precision })?;

        let slack = (margin + (self.epsilon * mean - (own - center))) * scale;
        if !slack.is_finite() {
            return None;
        }
        let Some(Weighted { weight, grad }) = grad else { return Some(slack.max(F::zero())) };
        if slack <= F::zero() {
            workers.clear(grad);
            return Some(F::zero());
        }
        let weight = weight * scale;
        if !weight.is_finite() {
            return None;
        }
        bulk::write_grad(workers, scores, &units, division, coefficients, weight, grad);
        for (class, share) in summary.candidates.placed(self.integral.shares()) {
            grad[class] = weight * share;
        }
        grad[label] -= weight;
        Some(slack)
    }
}

#[cfg(test)]
mod tests {
    use topk_loss::{Key, Margins, MonteCarlo, Sampler, Smoothing};

    use super::*;
    use crate::instruction_sets::available;

    fn equal_bits<F: Vectors, const TERMS: usize>() {
        for (seed, (num_classes, k)) in [(3, 1), (7, 3), (100, 5), (1000, 1), (1000, 50), (3001, 5)].into_iter().enumerate() {
            let mut scores = vec![F::zero(); num_classes];
            MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed as u64), 0, &mut scores).unwrap();
            for epsilon in [0.01, 1.0, 30.0].map(F::from_f64) {
                let loss = TopKHinge::new(k, Margins::Uniform(F::one()), F::one(), Smoothing::Exact { epsilon }).unwrap();
                let outcomes = available().into_iter().map(|arch| {
                    let mut grad = vec![F::nan(); num_classes];
                    let mut kernel = Exact::<F, TERMS>::new(loss, epsilon, num_classes, Workers::of(arch));
                    let value =
                        kernel.attempt(0, &scores, 1, Some(Weighted { weight: F::one(), grad: &mut grad })).expect("a row for the kernel");
                    assert_eq!(kernel.attempt(0, &scores, 1, None), Some(value));
                    (value, grad)
                });
                let outcomes: Vec<_> = outcomes.collect();
                assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "L = {num_classes}, K = {k}");
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        equal_bits::<f32, 16>();
        equal_bits::<f64, 25>();
    }
}
