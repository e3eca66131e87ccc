//! A label against its rivals: the interval of t that decides, as in core's `contest`.

use super::clock::Clock;
use super::rivals::Rivals;
use super::{FAR, Precision};
use crate::elementary::Elementary;
use crate::kernel::quadrature::counts::vanishing;
use crate::kernel::quadrature::nodes::Law;
use crate::vectors::{LANES, Lanes};

/// Which of the two events is the rarer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rarer {
    LabelAbove,
    LabelBelow,
}

/// What is integrated over t, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contest<F> {
    rarer: Rarer,
    /// The label's rate.
    rate: F,
    /// How much further down the label is: there ln P falls by as much.
    beyond: F,
    pub low: F,
    pub high: F,
    /// Whether the rarer event is out of the question: less likely than what a loss of nearly zero may leave out.
    pub is_decided: bool,
}

/// Steps of a bisection, for an end of the window and for where half of the probability is.
const STEPS: usize = 8;
const FEW_STEPS: usize = 5;

/// A label that is never, and one that is always above t.
const NEVER: f64 = 0.0;
const ALWAYS: f64 = 1e30;

impl<F: Elementary> Contest<F> {
    /// That of a label at `u` above the k-th of the rivals; nothing if it is beyond the float's range.
    #[inline(always)]
    pub fn new(u: F, rivals: &Rivals<F>, precision: &Precision<F>) -> Option<Self> {
        let (outside, log_total, half) = (precision.outside.ln(), rivals.total().ln(), -F::from_f64(core::f64::consts::LN_2));
        // Every bisection starts from an end that a union bound makes certain.
        let certainly_below = |limit: F| -(rivals.k().ln() - limit).ln();
        let lower = last_below(rivals, F::from_f64(NEVER), half, (certainly_below(half), log_total + F::one()), FEW_STEPS);
        let upper = first_above(rivals, F::from_f64(ALWAYS), half, (lower, log_total - half), FEW_STEPS);

        let linear = lower - precision.linear_below;
        let beyond = if u < linear { linear - u } else { F::zero() };
        let placed = u.max(linear).min(F::from_f64(FAR));
        let rate = placed.fast_exp();
        // P(Y > T) ≥ P(Y > c) P(T ≤ c) for every c, and likewise P(Y < T), for which a label far above needs a c of its own.
        let least_above = ln_above(rate, upper) + half;
        let beside_label = ln_below(rate, placed) + rivals.least_above(placed);
        let least_below = (ln_below(rate, lower) + half).max(beside_label);
        let rarer = if least_below < least_above { Rarer::LabelBelow } else { Rarer::LabelAbove };
        let (above, below, limit) = match rarer {
            // A loss of nearly zero needs no more digits than this.
            Rarer::LabelBelow => (F::from_f64(ALWAYS), rate, outside + least_below.max(outside + outside)),
            Rarer::LabelAbove => (rate, F::from_f64(NEVER), outside + least_above),
        };
        if limit < vanishing::<F>().ln() {
            return None;
        }
        let highest = log_total - limit;
        let end = (log_total + F::one()).max(placed.min(highest));
        let low = last_below(rivals, below, limit, (certainly_below(limit), end), STEPS);
        let high = first_above(rivals, above, limit, (low, highest.max(low + F::one())), STEPS);
        let is_decided = rarer == Rarer::LabelBelow && rivals.bound_above(low) <= limit;
        Some(Self { rarer, rate, beyond, low, high, is_decided })
    }

    /// What the shares and what the density of the k-th rival are weighed by: the label's density, and the rarer event's tail.
    #[inline(always)]
    pub fn weights(&self, v: &Lanes<F>) -> (Lanes<F>, Lanes<F>) {
        let (mut densities, mut tails) = ([F::zero(); LANES], [F::zero(); LANES]);
        for lane in 0..LANES {
            (tails[lane], densities[lane]) = Clock.tail_and_density(v[lane], self.rate);
        }
        if self.rarer == Rarer::LabelBelow {
            for lane in 0..LANES {
                tails[lane] = (-(self.rate * v[lane])).fast_exp();
            }
        }
        (densities, tails)
    }

    /// The loss, and by what a class's integral counts in its gradient, given the probability of the rarer event.
    pub fn outcome(&self, probability: F) -> (F, F) {
        match self.rarer {
            Rarer::LabelAbove => (self.beyond - probability.ln(), probability.recip()),
            Rarer::LabelBelow => (-(-probability).ln_1p(), (F::one() - probability).recip()),
        }
    }
}

/// The last t up to which P(the k-th rival ≤ t)·P(label ≤ t) is within the limit, from below.
#[inline(always)]
fn last_below<F: Elementary>(rivals: &Rivals<F>, label: F, limit: F, (mut certain, mut end): (F, F), steps: usize) -> F {
    for _ in 0..steps {
        let middle = F::from_f64(0.5) * (certain + end);
        let bound = rivals.bound_below(middle) + ln_below(label, middle);
        if bound <= limit { certain = middle } else { end = middle }
    }
    certain
}

/// The first t from which P(the k-th rival ≥ t)·P(label > t) is within the limit, from above.
#[inline(always)]
fn first_above<F: Elementary>(rivals: &Rivals<F>, label: F, limit: F, (mut start, mut certain): (F, F), steps: usize) -> F {
    for _ in 0..steps {
        let middle = F::from_f64(0.5) * (start + certain);
        let bound = rivals.bound_above(middle) + ln_above(label, middle);
        if bound <= limit { certain = middle } else { start = middle }
    }
    certain
}

/// ln P(a label of this rate is at most t).
#[inline(always)]
fn ln_below<F: Elementary>(rate: F, t: F) -> F {
    -(rate * (-t).fast_exp())
}

/// ln P(it is above t).
#[inline(always)]
fn ln_above<F: Elementary>(rate: F, t: F) -> F {
    Clock.tail_and_density((-t).fast_exp(), rate).0.ln()
}
