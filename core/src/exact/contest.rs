//! A label against the others: the probability that its noised score is among the k largest of all.
//!
//! With g the density of the k-th largest of the *other* noised scores T and Y the label's own,
//! P(Y > T) = ∫ P(Y > t) g(t) dt, P(Y < T) = ∫ P(Y < t) g(t) dt, and −∂/∂u_j of the first is ∫ f(t − u_y) · (class j's share of g) dt:
//! the shares of the smoothed order statistic under another weight. Nothing is subtracted, so the rarer event keeps its digits.

use super::classes::Classes;
use super::division::Division;
use super::node::{Node, NodeSums};
use super::profile::{BINS, Profile, Window, partition_point};
use super::quadrature::Solution;
use super::ranks::Ranks;
use super::summary::Part;
use super::trapezoid::{Halving, Integrand, SQUARING, integrate};
use crate::{Error, Noise, Real, Regularity, Result, check};

/// Where the label stands, in units of ε about the center.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label<F> {
    pub u: F,
    /// How much further down it is: there ln P(Y > T) falls by as much.
    pub beyond: F,
}

/// Under an exponential tail, P(Y > t) is proportional to exp(u_y) to the last digit once the label is this far below.
const LINEAR_BELOW: f64 = 96.0;

/// How far beside the ranks a label is given room among the bins.
const ROOM: f64 = 48.0;

impl<F: Real> Label<F> {
    pub fn new(u: F, regularity: Regularity) -> Self {
        let lowest = -F::from_f64(LINEAR_BELOW);
        match regularity {
            Regularity::ExponentialTail if u < lowest => Self { u: lowest, beyond: lowest - u },
            _ => Self { u, beyond: F::zero() },
        }
    }

    /// The u between which the contest for ranks from 0 up to `spread` is decided.
    pub fn span(&self, spread: F) -> (F, F) {
        let room = F::from_f64(ROOM);
        (self.u.max(-room).min(F::zero()), spread.max(self.u.min(spread + room)))
    }
}

/// Which of the two events is the rarer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rarer {
    LabelAbove,
    LabelBelow,
}

/// One rank that the label is held against: the interval of t that decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contest<F> {
    rarer: Rarer,
    window: Window<F>,
    /// ln of the probability that may be left out.
    limit: F,
    /// About how many classes from the rank down reach the window.
    reached: F,
}

/// Between the edges at which the probabilities are bounded from below.
const STRIDE: usize = 8;

impl<'w, N: Noise<F>, F: Real> Profile<'w, N, F> {
    /// The contest for `rank` among these classes, the others.
    ///
    /// # Errors
    /// The event is so rare that the bins do not reach far enough.
    pub(crate) fn contest(&self, label: Label<F>, rank: usize) -> Result<Contest<F>> {
        let (law, tails) = (self.problem.law, self.tails());
        let own = |m: usize| self.edge(m) - label.u;
        let below = |m: usize| self.bound_below(&tails, m, rank);
        let above = |m: usize| self.bound_above(&tails, m, rank);
        // P(Y > T) ≥ P(Y > c) P(T ≤ c) for every c.
        let complement = |bound: F| (-bound.min(F::zero()).exp()).ln_1p();
        let (mut least_above, mut least_below) = (F::neg_infinity(), F::neg_infinity());
        for m in (0..=BINS).step_by(STRIDE) {
            least_above = least_above.max(law.ln_survival(own(m)) + complement(above(m)));
            least_below = least_below.max(law.ln_cdf(own(m)) + complement(below(m)));
        }
        let outside = self.problem.precision.outside.ln();
        let rarer = if least_below < least_above { Rarer::LabelBelow } else { Rarer::LabelAbove };
        let (limit, certain) = match rarer {
            Rarer::LabelAbove => (outside + least_above, true),
            // A loss of nearly zero needs no more digits than this.
            Rarer::LabelBelow => (outside + least_below.max(outside), false),
        };
        let low_bound = |m: usize| below(m) + if certain { F::zero() } else { law.ln_cdf(own(m)) };
        let high_bound = |m: usize| above(m) + if certain { law.ln_survival(own(m)) } else { F::zero() };
        let first = partition_point(|m| low_bound(m) <= limit);
        let high = partition_point(|m| high_bound(m) > limit);
        if certain && (first == 0 || high_bound(high) > limit) {
            return Err(Error::Accuracy { what: "probability of the label" });
        }
        let low = first.saturating_sub(1);
        let window = Window { low: self.edge(low), high: self.edge(high.max(low + 1)) };
        Ok(Contest { rarer, window, limit, reached: self.mean_from(&tails, low, rank) })
    }

    /// The division for the contests of all ranks that have a weight.
    ///
    /// # Errors
    /// As [`contest`](Self::contest).
    pub(crate) fn contested_division(&self, label: Label<F>) -> Result<Division<'w, N, F>> {
        let mut problem = self.problem;
        let mut window = Window { low: F::infinity(), high: F::neg_infinity() };
        let (mut limit, mut reached) = (problem.precision.outside.ln(), F::one());
        for (_, runs) in problem.ranks.runs() {
            for rank in runs {
                let contest = self.contest(label, rank)?;
                window = Window { low: window.low.min(contest.window.low), high: window.high.max(contest.window.high) };
                limit = limit.min(contest.limit);
                reached = reached.min(contest.reached);
            }
        }
        problem.precision.outside = limit.exp();
        Ok(Division::of_high_window(problem, window, reached * F::from_f64(0.5)))
    }
}

/// The label's tail and density as weights, scaled to stay in range.
struct Weights<N, F> {
    law: N,
    label: F,
    rarer: Rarer,
    /// ln of the scale.
    scale: F,
}

impl<N: Noise<F>, F: Real> Weights<N, F> {
    fn new(law: N, label: F, contest: &Contest<F>) -> Self {
        let mut weights = Self { law, label, rarer: contest.rarer, scale: F::zero() };
        // The end of the window where the tail is the larger.
        let end = if contest.rarer == Rarer::LabelAbove { contest.window.low } else { contest.window.high };
        weights.scale = weights.ln_tail(end);
        weights
    }

    fn ln_tail(&self, t: F) -> F {
        match self.rarer {
            Rarer::LabelAbove => self.law.ln_survival(t - self.label),
            Rarer::LabelBelow => self.law.ln_cdf(t - self.label),
        }
    }

    fn tail(&self, t: F) -> F {
        (self.ln_tail(t) - self.scale).exp()
    }
}

impl<N: Noise<F>, F: Real> Integrand<F> for Weights<N, F> {
    fn weight(&self, t: F) -> F {
        (self.law.ln_pdf(t - self.label) - self.scale).exp()
    }

    fn scalar(&self, t: F, node: &NodeSums<F>) -> F {
        self.tail(t) * node.density
    }

    fn exposure(&self, t: F) -> F {
        self.weight(t) + self.tail(t)
    }

    fn error(&self, finer: &Halving<F>) -> F {
        if finer.scalar == F::zero() {
            return F::zero();
        }
        let share = (finer.change + finer.scalar_change) / finer.scalar;
        F::from_f64(SQUARING) * share * share
    }
}

/// Scratch of [`solve`]: the candidates' gradient, their integrals by two rules, and the count distributions.
pub(crate) fn scratch_len<F: Real>(candidates: usize, ranks: &Ranks<'_, F>) -> usize {
    3 * candidates + Node::<F>::scratch_len(ranks.last(), candidates)
}

/// −Σ_k w_k ln P(label among the k largest) and the others' gradient; the error bound is on its sum, relative to ε.
pub(crate) fn solve<'s, 'w, N: Noise<F>, F: Real>(
    profile: &Profile<'w, N, F>,
    division: Division<'w, N, F>,
    part: Part<'_, F>,
    label: Label<F>,
    scratch: &'s mut [F],
) -> Result<Solution<'s, 'w, N, F>> {
    let problem = profile.problem;
    let scratch = check::scratch(scratch, scratch_len(part.candidates.len(), &problem.ranks))?;
    let (candidates, rest) = check::split(scratch, part.candidates.len())?;
    let (shares, rest) = check::split(rest, part.candidates.len())?;
    let (finer, rest) = check::split(rest, part.candidates.len())?;
    let mut classes = Classes::new(&division, part, problem.ranks);
    candidates.fill(F::zero());
    let mut points = [F::zero(); super::precision::MAX_TERMS];
    let (mut value, mut error_bound) = (F::zero(), F::zero());
    for (share, runs) in problem.ranks.runs() {
        for rank in runs {
            let contest = profile.contest(label, rank)?;
            let weights = Weights::new(problem.law, label.u, &contest);
            let mut node =
                Node::new(rank.saturating_sub(part.sure), part.candidates.len(), &mut *rest)?.precise(contest.rarer == Rarer::LabelAbove);
            classes.ranks = Ranks::Single(rank);
            let integral = integrate(&weights, contest.window, &classes, &problem.precision, &mut node, (&mut *shares, &mut *finer));
            let probability = integral.scalar;
            let (loss, factor) = match contest.rarer {
                Rarer::LabelAbove => (label.beyond - weights.scale - probability.ln(), probability.recip()),
                Rarer::LabelBelow => {
                    let missed = probability * weights.scale.exp();
                    (-(-missed).ln_1p(), weights.scale.exp() / (F::one() - missed))
                }
            };
            value += share * loss;
            let gain = share * factor * integral.step / problem.scale;
            candidates.iter_mut().zip(shares.iter()).for_each(|(sum, &entry)| *sum += gain * entry);
            points.iter_mut().zip(integral.bulk).for_each(|(sum, entry)| *sum += gain * entry);
            error_bound += share * (integral.error * probability + integral.bulk_error) * factor;
        }
    }
    let interpolation = classes.bulk.interpolation(&mut points, F::one());
    let rounding = (F::from_f64(32.0) + F::from_f64(0.25) * F::from_usize(part.candidates.len())) * F::epsilon();
    Ok(Solution {
        division,
        value,
        error_bound: error_bound + interpolation * problem.scale + F::from_f64(8.0) * problem.precision.outside + rounding,
        candidates,
        coefficients: classes.bulk.chebyshev.coefficients(&points),
    })
}
