//! The classes that the label competes with, as far as bounds on the time of the k-th ring need them.

use super::clock::Clock;
use crate::elementary::Elementary;
use crate::kernel::quadrature::chernoff::{at_least, at_most};
use crate::kernel::quadrature::lanes::sum;
use crate::kernel::quadrature::nodes::Law;
use crate::vectors::LANES;

/// The k fastest rivals one by one and the others' rates summed; the k-th has rate 1.
#[derive(Debug)]
pub(super) struct Rivals<F> {
    k: F,
    /// The rates of the k fastest, filled up with clocks that have always rung.
    ringing: Vec<F>,
    /// The same, filled up with clocks that never ring.
    silent: Vec<F>,
    /// The sum of the others' rates.
    rest: F,
}

/// A rate at which a clock has rung before any v that is looked at.
const CERTAIN: f64 = 1e30;

impl<F: Elementary> Rivals<F> {
    pub fn new(k: usize) -> Self {
        Self { k: F::from_usize(k), ringing: vec![], silent: vec![], rest: F::zero() }
    }

    /// Takes the rates of the k fastest, and the sum of the others'.
    pub fn set(&mut self, fastest: impl Iterator<Item = F>, rest: F) {
        self.silent.clear();
        self.silent.extend(fastest);
        let filled = self.silent.len().next_multiple_of(LANES);
        self.ringing.clear();
        self.ringing.extend_from_slice(&self.silent);
        self.ringing.resize(filled, F::from_f64(CERTAIN));
        self.silent.resize(filled, F::zero());
        self.rest = rest;
    }

    pub fn k(&self) -> F {
        self.k
    }

    /// What the rates from the k-th fastest down sum to.
    pub fn total(&self) -> F {
        F::one() + self.rest
    }

    /// A lower bound on how many from the k-th fastest down are above t, on average.
    pub fn reaching(&self, t: F) -> F {
        self.total() * Clock.tail_and_density((-t).fast_exp(), F::one()).0
    }

    /// ln of a bound on P(the k-th largest is at most t).
    #[inline(always)]
    pub fn bound_below(&self, t: F) -> F {
        let v = (-t).fast_exp();
        let mut lanes = [F::zero(); LANES];
        for rates in self.ringing.as_chunks::<LANES>().0 {
            for (lane, &rate) in lanes.iter_mut().zip(rates) {
                *lane += (-(rate * v)).fast_exp();
            }
        }
        let failing = sum(&lanes);
        // 1 − exp(−w·v) is concave in w, and the others' w are at most 1.
        let mean = self.k - failing + self.rest * Clock.tail_and_density(v, F::one()).0;
        failing.ln().min(at_most(self.k - F::one(), mean))
    }

    /// ln of what P(the k-th largest is at least t) is at least: the k fastest are all above.
    #[inline(always)]
    pub fn least_above(&self, t: F) -> F {
        let v = (-t).fast_exp();
        let mut lanes = [F::one(); LANES];
        for rates in self.ringing.as_chunks::<LANES>().0 {
            for (lane, &rate) in lanes.iter_mut().zip(rates) {
                *lane *= Clock.tail_and_density(v, rate).0;
            }
        }
        lanes.into_iter().fold(F::one(), |product, lane| product * lane).ln()
    }

    /// ln of a bound on P(the k-th largest is at least t).
    #[inline(always)]
    pub fn bound_above(&self, t: F) -> F {
        let v = (-t).fast_exp();
        let mut lanes = [F::zero(); LANES];
        for rates in self.silent.as_chunks::<LANES>().0 {
            for (lane, &rate) in lanes.iter_mut().zip(rates) {
                let x = rate * v;
                *lane += if x < F::one() { x } else { F::one() };
            }
        }
        let mean = sum(&lanes) + self.rest * v;
        (self.total() * v).ln().min(at_least(self.k, mean))
    }
}
