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

mod bulk;
mod integral;
mod window;

use pulp::{Arch, Simd, WithSimd};
use topk_loss::{Normal, TopKHinge};

use self::bulk::{Bulk, Division};
use self::integral::Integral;
use self::window::{Histogram, Tails};
use super::attempt::{Attempt, Weighted};
use super::quadrature::chebyshev::Chebyshev;
use super::quadrature::leaders::Leaders;
use super::quadrature::nodes::{Law, ln_one_minus};
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
struct Precision<F> {
    /// The probability mass that may lie outside the window, at either end.
    outside: F,
    /// The bound on the quadrature's error (L1, gradient) at which the rule is fine enough.
    quadrature: F,
    /// The bound on the whole error above which a row is left to the loss's own code.
    tolerance: F,
}

impl<F: Elementary> Precision<F> {
    fn of_float() -> Self {
        let double = F::epsilon() < F::from_f64(1e-10);
        let pick = |f64_value: f64, f32_value: f64| F::from_f64(if double { f64_value } else { f32_value });
        Self { outside: pick(1e-11, 1e-7), quadrature: pick(5e-8, 1e-5), tolerance: pick(1e-7, 1e-3) }
    }
}

/// The scores of a row in units of ε about the k-th largest.
#[derive(Debug, Clone, Copy)]
struct Units<F> {
    center: F,
    inverse_epsilon: F,
}

/// Beyond this many units of ε a class is above or below for certain; it keeps u finite.
const FAR: f64 = 1e6;

impl<F: Elementary> Units<F> {
    #[inline(always)]
    fn of(&self, score: F) -> F {
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
    arch: Arch,
    row: Row<F, TERMS>,
}

/// What a row is computed in.
#[derive(Debug)]
struct Row<F, const TERMS: usize> {
    k: usize,
    num_classes: usize,
    epsilon: F,
    precision: Precision<F>,
    /// An upper bound on E max of as many normal numbers as there are classes from the k-th down.
    highest: F,
    tails: Tails<F>,
    chebyshev: Chebyshev<F, TERMS>,
    leaders: Leaders<F>,
    histogram: Histogram<F>,
    bulk: Bulk<F, TERMS>,
    integral: Integral<F, TERMS>,
}

impl<'a, F: Vectors, const TERMS: usize> Exact<'a, F, TERMS> {
    pub fn new(loss: TopKHinge<'a, F>, epsilon: F, num_classes: usize, arch: Arch) -> Self {
        let precision = Precision::of_float();
        let k = loss.k() + 1;
        let below = F::from_usize(num_classes.saturating_sub(k) + 1);
        let row = Row {
            k,
            num_classes,
            epsilon,
            precision,
            highest: (F::from_f64(2.0) * below.ln()).sqrt() * F::from_f64(1.001),
            tails: Tails::new(precision.outside, num_classes),
            chebyshev: Chebyshev::new(),
            leaders: Leaders::new(k),
            histogram: Histogram::new(),
            bulk: Bulk::new(),
            integral: Integral::new(k),
        };
        Self { loss, arch, row }
    }

    /// Core's code serves ranks beyond the middle, which it counts from the other end, and an ε whose reciprocal has lost digits.
    fn is_served(&self) -> bool {
        2 * self.row.k <= self.row.num_classes + 1 && self.row.epsilon.is_normal() && self.row.epsilon.recip().is_normal()
    }
}

/// One row and what is asked of it. Not a closure: those are compiled without the instruction set that they are called under.
struct Evaluation<'e, F, const TERMS: usize> {
    row: &'e mut Row<F, TERMS>,
    scores: &'e [F],
    label: usize,
    own: F,
    margin: F,
    scale: F,
    grad: Option<Weighted<'e, F>>,
}

impl<F: Vectors, const TERMS: usize> WithSimd for Evaluation<'_, F, TERMS> {
    type Output = Option<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<F> {
        let Self { row, scores, label, own, margin, scale, mut grad } = self;
        // The k-th largest of the noised scores is at most the largest noise of the classes from the k-th down above the k-th score. A row
        // whose loss that makes 0 is only read once.
        let ahead = own - margin - row.epsilon * row.highest;
        let rounding = F::epsilon() * F::from_f64(8.0) * (own.abs() + margin.abs() + row.epsilon * row.highest);
        if fewer_reach(scores, row.k, ahead - rounding) {
            if let Some(Weighted { grad, .. }) = grad {
                grad.fill(F::zero());
            }
            return Some(F::zero());
        }
        let range = row.leaders.find(scores);
        let center = row.leaders.kth();
        let lead = own - center;
        if !(range.largest - center).is_finite() || !(range.least - center).is_finite() {
            return None;
        }

        let units = Units { center, inverse_epsilon: row.epsilon.recip() };
        row.histogram.count(scores, &units, &row.tails);
        let window = row.histogram.window(&row.tails, row.leaders.values(), &units, row.precision.outside);
        let division = Division::new(window, &row.tails);
        row.bulk.summarise(simd, scores, &units, &division, grad.as_mut().map(|grad| &mut *grad.grad));
        let outcome = row.integral.integrate(simd, &window, &division, &row.bulk, &row.chebyshev, &row.precision)?;

        let slack = (margin + (row.epsilon * outcome.mean - lead)) * scale;
        if !slack.is_finite() {
            return None;
        }
        let Some(Weighted { weight, grad }) = grad else { return Some(slack.max(F::zero())) };
        if slack <= F::zero() {
            grad.fill(F::zero());
            return Some(F::zero());
        }
        let weight = weight * scale;
        if !weight.is_finite() {
            return None;
        }
        row.bulk.write_grad(scores, &units, &division, outcome.coefficients, weight, grad);
        for (class, share) in row.bulk.candidates.placed(row.integral.shares()) {
            grad[class] = weight * share;
        }
        grad[label] -= weight;
        Some(slack)
    }
}

/// Whether fewer than k scores reach a threshold, all of them being far from the end of the float's range.
#[inline(always)]
fn fewer_reach<F: Elementary>(scores: &[F], k: usize, threshold: F) -> bool {
    let far = F::max_value() / F::from_f64(16.0);
    let (mut reach, mut extreme) = (0_u32, 0_u32);
    for &score in scores {
        reach += u32::from(score >= threshold);
        extreme += u32::from(score.abs() > far);
    }
    extreme == 0 && (reach as usize) < k
}

impl<F: Vectors, const TERMS: usize> Attempt<F> for Exact<'_, F, TERMS> {
    fn attempt(&mut self, _: u64, scores: &[F], label: usize, grad: Option<Weighted<'_, F>>) -> Option<F> {
        let own = scores.get(label).copied()?;
        let usable = grad.as_ref().is_none_or(|grad| grad.is_usable(scores.len()));
        if !self.is_served() || scores.len() != self.row.num_classes || !usable {
            return None;
        }
        let (margin, scale) = (self.loss.margins().of(label, scores.len()).ok()?, self.loss.scale());
        self.arch.dispatch(Evaluation { row: &mut self.row, scores, label, own, margin, scale, grad })
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
                    let mut kernel = Exact::<F, TERMS>::new(loss, epsilon, num_classes, arch);
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
