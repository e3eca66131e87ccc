//! A label against the others: the probability that its noised score is among the k largest of all.
//!
//! With g the density of the k-th largest of the *other* noised scores T and Y the label's own,
//! P(Y > T) = ∫ P(Y > t) g(t) dt, P(Y < T) = ∫ P(Y < t) g(t) dt, and −∂/∂u_j of the first is ∫ f(t − u_y) · (class j's share of g) dt:
//! the shares of the smoothed order statistic under another weight. Nothing is subtracted, so the rarer event keeps its digits.

mod few;
mod label;
mod partition;

use super::bounds::{Bounds, Window};
use super::counts::{least, rarest, times, whole};
use super::histogram::Histogram;
use super::problem::Problem;
use super::rule::{Halving, Integral, Integrand, NodeSums, SQUARING};
use super::search::partition_point;
use super::solution::{Contribution, Functional};
use super::tails::thresholds;
use crate::lanes::{Lanes, map, zip};
use crate::noise::Erased;
use crate::{Error, Noise, Real, Result};
pub(super) use few::Few;
pub(crate) use label::Event;
pub use label::Label;

/// The digits of a loss are meant down to here: a miss that is rarer is as good as one that is so rare, to within what its probability may
/// err.
const MEANT: f64 = 1e-5;

/// Whether a label is among the guesses, T and the label's noise being independent: which event is the rarer, and the interval of t that
/// decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inclusion<N, F> {
    problem: Problem<N, F>,
    label: Label<F>,
    rarer: Event,
    window: Window<F>,
    /// The label's position, as the law takes it.
    position: F,
    /// ln of what the label's tail and density are divided by, so that they stay in range as weights.
    scale: F,
    /// Its exponential's inverse, where that is in range.
    inverse_scale: Option<F>,
    /// ln of the probability that may be left out.
    limit: F,
    /// About how many classes from the rank down reach the window.
    reached: F,
    /// The label is certain to be among the guesses.
    is_decided: bool,
}

impl<N: Noise<F>, F: Real> Inclusion<N, F> {
    /// That of a label among the classes of a histogram, the others.
    ///
    /// # Errors
    /// The event is so rare that the bins do not reach far enough.
    #[inline(always)]
    pub fn new(histogram: &Histogram<N, F>, bounds: &mut Bounds<'_, F>, label: Label<F>) -> Result<Self> {
        let Problem { law, run, precision, .. } = histogram.problem;
        let rank = run.last;
        bounds.set_rank(rank);
        let (bins, bounds) = (bounds.bins, &*bounds);
        // ln of P(Y on the event's side of edge m).
        let own = |event: Event, m: usize| match event {
            Event::Above => law.ln_survival(bounds.edge(m) - label.u),
            Event::Below => law.ln_cdf(bounds.edge(m) - label.u),
        };
        // ln of a bound on P(T on the other side of it).
        let other = |event: Event, m: usize| match event {
            Event::Above => bounds.ln_below(&law, m, rank),
            Event::Below => bounds.ln_above(&law, m, rank),
        };
        // P(Y > T) ≥ P(Y > c) P(T ≤ c) for every c.
        // A bound that rounding may have made less than 1 says nothing.
        let certain = -F::from_f64(64.0) * F::epsilon();
        let complement = |bound: F| if bound < certain { (-bound.exp()).ln_1p() } else { F::neg_infinity() };
        let least_above = greatest(bins, |m| own(Event::Above, m) + complement(other(Event::Below, m)));
        let least_below = greatest(bins, |m| own(Event::Below, m) + complement(other(Event::Above, m)));
        let outside = precision.outside.ln();
        let rarer = if least_below < least_above { Event::Below } else { Event::Above };
        let mut least_likely = if rarer == Event::Below { least_below } else { least_above };
        let lowest = least::<F>().ln() * F::from_f64(2.0);
        let is_deep = rarer == label.hit && outside + least_likely < lowest;
        if is_deep {
            let alone = |m: usize| match rarer {
                Event::Above => bounds.ln_least_below(&law, m),
                Event::Below => bounds.ln_least_above(&law, m),
            };
            least_likely = least_likely.max(greatest(bins, |m| alone(m) + own(rarer, m)));
        }
        let limit = outside + if rarer == label.hit { least_likely } else { least_likely.max(F::from_f64(MEANT).ln()) };
        // ln of what lies outside a window that begins or ends at edge m.
        let before = |m: usize| other(Event::Above, m) + if rarer == Event::Below { own(Event::Below, m) } else { F::zero() };
        let after = |m: usize| other(Event::Below, m) + if rarer == Event::Above { own(Event::Above, m) } else { F::zero() };
        let low = partition_point(0, bins, |m| before(m) <= limit);
        let high = partition_point(0, bins, |m| after(m) > limit);
        // What is lost between two edges where the distributions' probabilities vanish.
        let lost = |m: usize| match rarer {
            Event::Above => other(Event::Above, m + 1).min(lowest) + own(Event::Above, m),
            Event::Below => other(Event::Below, m).min(lowest) + own(Event::Below, m + 1),
        };
        let bearable = least_likely + precision.quadrature.ln() - F::from_usize(bins).ln();
        if rarer == label.hit && (before(0) > limit || after(high) > limit) || is_deep && (0..bins).any(|m| lost(m) > bearable) {
            return Err(Error::Accuracy { what: "probability of the label" });
        }
        let is_decided = rarer != label.hit && high < low;
        let low = low.saturating_sub(1);
        let window = Window { low: bounds.edge(low), high: bounds.edge(high.max(low + 1)) };
        let inclusion = Self::within(window, histogram.problem, label, rarer, limit);
        Ok(Self { reached: bounds.rest_reaching(low), is_decided, ..inclusion })
    }

    /// What an interval decides, leaving out so much.
    #[inline(always)]
    fn within(window: Window<F>, problem: Problem<N, F>, label: Label<F>, rarer: Event, limit: F) -> Self {
        let law = problem.law;
        // The end of the window where the tail is the larger.
        let scale = match rarer {
            Event::Above => law.ln_survival(window.low - label.u),
            Event::Below => law.ln_cdf(window.high - label.u),
        };
        // A tail that is not a normal number is then less than what may be left out.
        let normal = F::min_positive_value().ln() * F::from_f64(0.9);
        let inverse_scale = if limit > normal && scale > normal { Some((-scale).exp()) } else { None };
        let position = law.position(label.u);
        Self { problem, label, rarer, window, position, scale, inverse_scale, limit, reached: F::one(), is_decided: false }
    }

    /// The weights of a label whose own tail or density may be out of range.
    #[cold]
    #[inline(never)]
    fn weights_by_logarithms(&self, t: &Lanes<F>) -> [Lanes<F>; 2] {
        let Self { problem: Problem { law, .. }, label, .. } = *self;
        let ln_tail = |z: F| if self.rarer == Event::Above { law.ln_survival(z) } else { law.ln_cdf(z) };
        let tails = map(*t, |t| (ln_tail(t - label.u) - self.scale).exp());
        [map(*t, |t| (law.ln_pdf(t - label.u) - self.scale).exp()), tails]
    }

    /// A label that is certain to be among the guesses loses nothing.
    pub fn is_decided(&self) -> bool {
        self.is_decided || self.rarer != self.label.hit && self.scale == F::neg_infinity()
    }

    /// What an error of the rarer event's probability is measured by, all in the units of the integrals.
    #[inline(always)]
    fn meant(&self, beside: F) -> F {
        if self.rarer == self.label.hit { beside } else { beside.max(F::from_f64(MEANT) * whole() * (-self.scale).exp().min(whole())) }
    }
}

impl<N: Noise<F>, F: Real> Integrand<F> for Inclusion<N, F> {
    /// The label's density and its tail on the rarer side, over the scale.
    #[inline(always)]
    fn weights(&self, t: &Lanes<F>) -> [Lanes<F>; 2] {
        let Self { problem: Problem { law, .. }, position, .. } = *self;
        let Some(inverse) = self.inverse_scale else { return self.weights_by_logarithms(t) };
        let (thresholds, mut densities, mut tails) = (thresholds(&law, t), *t, *t);
        // What is the same for all lanes is decided before them.
        match self.rarer {
            Event::Above => {
                for ((density, tail), &t) in densities.iter_mut().zip(&mut tails).zip(&thresholds) {
                    (*tail, *density) = law.tail_and_density(t, position);
                }
            }
            Event::Below => {
                for ((density, tail), &t) in densities.iter_mut().zip(&mut tails).zip(&thresholds) {
                    (*tail, *density) = law.failure_and_density(t, position);
                }
            }
        }
        let [densities, tails] = [map(densities, |density| density * inverse), map(tails, |tail| tail * inverse)];
        [densities, tails]
    }

    #[inline(always)]
    fn beside(&self, weights: &Lanes<F>, nodes: &NodeSums<F>) -> Lanes<F> {
        zip(*weights, nodes.density, times)
    }

    #[inline(always)]
    fn error(&self, finer: &Halving<F>) -> F {
        if finer.beside == F::zero() {
            return F::zero();
        }
        let share = (finer.change + finer.beside_change) / finer.beside;
        F::from_f64(SQUARING) * share * share * (finer.beside / self.meant(finer.beside))
    }

    #[inline(always)]
    fn longest_step(&self) -> F {
        F::one()
    }

    #[inline(always)]
    fn is_decided(&self, _: F) -> (bool, bool) {
        // A rare event lies where the survival says nothing.
        (false, false)
    }
}

impl<N: Noise<F>, F: Real> Functional<F> for Inclusion<N, F> {
    const IS_RARE: bool = true;

    type Erased<'a>
        = Inclusion<Erased<'a, F>, F>
    where
        F: 'a;

    fn erased(self, law: Erased<'_, F>) -> Self::Erased<'_> {
        let Self { problem, label, rarer, window, position, scale, inverse_scale, limit, reached, is_decided } = self;
        Inclusion { problem: problem.under(law), label, rarer, window, position, scale, inverse_scale, limit, reached, is_decided }
    }

    #[inline(always)]
    fn floor(&self) -> F {
        // All classes together may then be left out.
        let least = least::<F>();
        if (F::from_usize(self.problem.num_classes) * least).ln() < self.limit { least } else { rarest() }
    }

    #[inline(always)]
    fn contribution(&self, integral: &Integral<F>) -> Result<Contribution<F>> {
        let Self { label, rarer, scale, .. } = *self;
        let meant = self.meant(integral.beside);
        let (value, factor) = if rarer == label.hit {
            (label.beyond - scale - integral.beside.ln() + whole::<F>().ln(), integral.beside.recip())
        } else {
            let unit = scale.exp() * least();
            let missed = integral.beside * unit;
            (-(-missed).ln_1p(), unit / (F::one() - missed))
        };
        let outside = F::from_f64(8.0) * self.problem.precision.outside;
        let error_bound = factor * (integral.error * meant + integral.bulk_error) + outside;
        Ok(Contribution { value, gain: factor * integral.step, error_bound })
    }
}

/// The greatest of a function of the edges that has one top, or nearly so: among every few of them, then by halving steps from there.
#[inline(always)]
fn greatest<F: Real>(bins: usize, at: impl Fn(usize) -> F) -> F {
    const STRIDE: usize = 8;
    let (mut best, mut top, mut next, mut step) = (0, F::neg_infinity(), 0, STRIDE);
    let mut end = bins;
    // One place that calls `at`, which is long.
    loop {
        let value = at(next);
        if value > top {
            (best, top) = (next, value);
        }
        next += if step < STRIDE { 2 * step } else { STRIDE };
        if next > end {
            step /= 2;
            if step == 0 {
                return top;
            }
            (next, end) = (if best < step { best + step } else { best - step }, (best + step).min(bins));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_is_found_wherever_it_is() {
        for bins in [64, 128] {
            for top in 0..=bins {
                let found = greatest(bins, |m| -(m as f64 - top as f64).abs());
                assert!(found == 0.0, "{top} of {bins}: {found}");
            }
        }
    }
}
