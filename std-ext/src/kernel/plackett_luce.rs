//! The top-K cross-entropy under Gumbel noise: among how many of the first K of a Plackett–Luce draw the label is.
//!
//! Core's exact form in vector code, as for the smoothed hinge, with what this law makes easier. One file a step, beside those of
//! `quadrature`:
//!
//! | step | file |
//! |---|---|
//! | the noise as a race of clocks | `clock` |
//! | bounds on the time of the k-th ring, from the k fastest rates and the sum of the others | `rivals` |
//! | certified window of t for a label | `contest` |
//! | which classes need individual care, moments of the others; their gradient | `bulk` |
//! | trapezoid rule, error bound | `integral` |
//!
//! A row that this cannot certify, or that is an error, is computed by the loss's own code.

mod bulk;
mod clock;
mod contest;
mod integral;
mod rivals;

use pulp::{Simd, WithSimd};

use self::bulk::{Division, Rates};
use self::contest::Contest;
use self::integral::{Integral, Integrate};
use self::rivals::Rivals;
use super::attempt::{Attempt, Weighted};
use super::ordinary::are_ordinary;
use super::quadrature::chebyshev::Chebyshev;
use super::quadrature::summary::Room;
use super::select::Best;
use super::workers::Workers;
use crate::elementary::Elementary;
use crate::vectors::Vectors;

/// How far each float is pushed.
#[derive(Debug, Clone, Copy)]
struct Precision<F> {
    /// The probability that may lie outside the window, at either end, as a share of the rarer event's.
    outside: F,
    /// The bound on the quadrature's error, relative, at which the rule is fine enough.
    quadrature: F,
    /// The bound on the whole error of the gradient (L1), relative or absolute, above which a row is left to the loss's own code.
    tolerance: F,
    negligible: F,
    /// So many units below the k-th rival a label's chance is proportional to its rate to the last digit.
    linear_below: F,
}

impl<F: Elementary> Precision<F> {
    fn of_float() -> Self {
        let double = F::epsilon() < F::from_f64(1e-10);
        let pick = |f64_value: f64, f32_value: f64| F::from_f64(if double { f64_value } else { f32_value });
        Self {
            outside: pick(1e-13, 1e-7),
            quadrature: pick(1e-9, 1e-5),
            tolerance: pick(3e-9, 3e-4),
            negligible: pick(1e-17, 1e-9),
            linear_below: pick(40.0, 20.0),
        }
    }
}

/// Beyond this many units of ε above the k-th rival a class is above for certain; it keeps rates finite.
const FAR: f64 = 80.0;

/// The kernel of a [`TopKCrossEntropy`](topk_loss::TopKCrossEntropy) of one K under Gumbel noise; `TERMS` is the degree of the Chebyshev
/// expansions, plus 1.
#[derive(Debug)]
pub(super) struct PlackettLuce<F, const TERMS: usize> {
    workers: Workers,
    k: usize,
    num_classes: usize,
    epsilon: F,
    inverse_epsilon: F,
    precision: Precision<F>,
    chebyshev: Chebyshev<F, TERMS>,
    leaders: Best<F>,
    rivals: Rivals<F>,
    rooms: Vec<Room<F, TERMS>>,
    integral: Integral<F, TERMS>,
}

impl<F: Vectors, const TERMS: usize> PlackettLuce<F, TERMS> {
    pub fn new(k: usize, epsilon: F, num_classes: usize, workers: Workers) -> Self {
        Self {
            workers,
            k,
            num_classes,
            epsilon,
            inverse_epsilon: epsilon.recip(),
            precision: Precision::of_float(),
            chebyshev: Chebyshev::new(),
            leaders: Best::new(workers),
            rivals: Rivals::new(k),
            rooms: vec![],
            integral: Integral::new(k),
        }
    }

    /// Core's code serves ranks beyond the middle, whose counts are long, and an ε whose reciprocal has lost digits.
    fn is_served(&self) -> bool {
        2 * self.k < self.num_classes && self.epsilon.is_normal() && self.inverse_epsilon.is_normal()
    }
}

/// The label's contest with its rivals.
struct Open<'a, F> {
    u: F,
    rivals: &'a Rivals<F>,
    precision: &'a Precision<F>,
}

impl<F: Elementary> WithSimd for Open<'_, F> {
    type Output = Option<Contest<F>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<Contest<F>> {
        Contest::new(self.u, self.rivals, self.precision)
    }
}

impl<F: Vectors, const TERMS: usize> Attempt<F> for PlackettLuce<F, TERMS> {
    fn attempt(&mut self, _: u64, scores: &[F], label: usize, mut grad: Option<Weighted<'_, F>>) -> Option<F> {
        let (own, workers) = (scores.get(label).copied()?, self.workers);
        let is_usable = grad.as_ref().is_none_or(|grad| grad.is_usable(scores.len()));
        if !self.is_served() || scores.len() != self.num_classes || !is_usable || !are_ordinary(workers, scores) {
            return None;
        }
        // One more than K: the label may be among them. The rivals' leaders are those without it.
        self.leaders.find(scores, self.k + 1);
        let (leaders, deepest) = self.leaders.found().split_at(self.k);
        let replaced = leaders.iter().position(|leader| leader.value == own);
        let center = if replaced.is_some() { deepest[0].value } else { leaders[self.k - 1].value };
        let rates = Rates { center, inverse_epsilon: self.inverse_epsilon };
        let u = (own - center) * self.inverse_epsilon;
        let row = (scores, label);
        let rest = bulk::rest(workers, row, self.k, &rates, &mut self.rooms, grad.as_mut().map(|grad| &mut *grad.grad));
        if !u.is_finite() || !rest.is_finite() {
            return None;
        }
        let others = leaders.iter().enumerate().filter(|&(place, _)| Some(place) != replaced);
        let last = replaced.map(|_| &deepest[0]);
        self.rivals.set(others.map(|(_, leader)| leader).chain(last).map(|leader| rates.of(leader.value)), rest);

        let contest = workers.dispatch(Open { u, rivals: &self.rivals, precision: &self.precision })?;
        if contest.is_decided {
            if let Some(Weighted { grad, .. }) = grad {
                workers.clear(grad);
            }
            return Some(F::zero());
        }
        let division = Division::new(&contest, &self.rivals);
        bulk::summarise(workers, row, &rates, &division, &mut self.rooms, grad.as_ref().map(|grad| &*grad.grad));
        let Room { summary, .. } = self.rooms.first()?;
        let Self { integral, chebyshev, precision, .. } = self;
        let (contest, division) = (&contest, &division);
        let outcome = workers.dispatch(Integrate { integral, contest, division, summary, chebyshev, precision })?;
        let Some(Weighted { weight, grad }) = grad else { return Some(outcome.value) };

        let factor = weight * self.inverse_epsilon;
        grad[label] = F::zero();
        bulk::write_grad(workers, division, &outcome.coefficients, factor, grad);
        let gain = outcome.gain * factor;
        for (class, share) in summary.candidates.placed(self.integral.shares()) {
            grad[class] = gain * share;
        }
        let sum = bulk::sum(workers, grad);
        grad[label] = -sum;
        (factor.is_finite() && sum.is_finite()).then_some(outcome.value)
    }
}

#[cfg(test)]
mod tests {
    use faer::Par;
    use topk_loss::{Key, MonteCarlo, Normal, Sampler};

    use super::*;
    use crate::instruction_sets::available;

    fn equal_bits<F: Vectors, const TERMS: usize>() {
        for (seed, (num_classes, k)) in [(4, 1), (7, 3), (100, 5), (1000, 1), (1000, 50), (3001, 5)].into_iter().enumerate() {
            let mut scores = vec![F::zero(); num_classes];
            MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed as u64), 0, &mut scores).unwrap();
            for epsilon in [0.01, 1.0, 30.0].map(F::from_f64) {
                let outcomes = available().into_iter().map(|arch| {
                    let mut grad = vec![F::nan(); num_classes];
                    let mut kernel = PlackettLuce::<F, TERMS>::new(k, epsilon, num_classes, Workers::of(arch));
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

    /// The share of rows that the kernel computes itself, the label ahead of normal scores by so much.
    fn served<F: Vectors, const TERMS: usize>(k: usize, ahead: f64) -> f64 {
        const ROWS: u64 = 50;
        let mut kernel = PlackettLuce::<F, TERMS>::new(k, F::one(), 1000, Workers::new(Par::Seq));
        let own = (0..ROWS).filter(|&row| {
            let (mut scores, mut grad) = (vec![F::zero(); 1000], vec![F::zero(); 1000]);
            MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(row), 0, &mut scores).unwrap();
            scores[7] += F::from_f64(ahead);
            kernel.attempt(0, &scores, 7, Some(Weighted { weight: F::one(), grad: &mut grad })).is_some()
        });
        own.count() as f64 / ROWS as f64
    }

    #[test]
    fn what_training_meets_is_served() {
        for k in [1, 5, 50] {
            for ahead in [-200.0, -10.0, 0.0, 4.0, 8.0, 12.0, 16.0, 24.0, 48.0, 200.0] {
                assert_eq!([served::<f32, 8>(k, ahead), served::<f64, 13>(k, ahead)], [1.0, 1.0], "K = {k}, {ahead} ahead");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_left_to_core() {
        let mut kernel = PlackettLuce::<f64, 13>::new(2, 1.0, 40, Workers::new(Par::Seq));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for place in [0, 7, 39] {
                let mut scores: Vec<_> = (0..40).map(|i| f64::from(i % 9)).collect();
                assert!(kernel.attempt(0, &scores, 7, None).is_some());
                scores[place] = bad;
                assert!(kernel.attempt(0, &scores, 7, None).is_none(), "{bad} at {place}");
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        equal_bits::<f32, 8>();
        equal_bits::<f64, 13>();
    }
}
