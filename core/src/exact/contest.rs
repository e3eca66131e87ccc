//! A label against the others: the probability that its noised score is among the k largest of all.
//!
//! With g the density of the k-th largest of the *other* noised scores T and Y the label's own,
//! P(Y > T) = ∫ P(Y > t) g(t) dt, P(Y < T) = ∫ P(Y < t) g(t) dt, and −∂/∂u_j of the first is ∫ f(t − u_y) · (class j's share of g) dt:
//! the shares of the smoothed order statistic under another weight. Nothing is subtracted, so the rarer event keeps its digits.

use super::counts::vanishing;
use super::division::Division;
use super::node::NodeSums;
use super::profile::{BINS, Profile, Tails, Window, partition_point};
use super::quadrature::{self, Contribution, Solution, Sought, Task};
use super::ranks::Run;
use super::summary::Part;
use super::trapezoid::{Halving, Integral, Integrand, SQUARING};
use crate::{Error, Noise, Real, Regularity, Result};

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

/// The contests of a label for the wanted ranks among the others.
pub(crate) struct Contests<'p, 'w, N, F> {
    profile: &'p Profile<'w, N, F>,
    tails: Tails<F>,
    label: Label<F>,
    /// That for the deepest rank, usually the only one.
    deepest: Option<Contest<F>>,
}

impl<'p, 'w, N: Noise<F>, F: Real> Contests<'p, 'w, N, F> {
    /// Those of a label among the classes of a profile, the others.
    ///
    /// # Errors
    /// The event is so rare that the bins do not reach far enough.
    pub fn new(profile: &'p Profile<'w, N, F>, label: Label<F>) -> Result<Self> {
        let mut contests = Self { profile, tails: profile.tails(), label, deepest: None };
        contests.deepest = Some(contests.contest(profile.problem.ranks.last())?);
        Ok(contests)
    }

    /// The contest for one rank.
    ///
    /// # Errors
    /// The event is so rare that the bins do not reach far enough.
    fn contest(&self, rank: usize) -> Result<Contest<F>> {
        if let Some(deepest) = self.deepest.filter(|_| rank == self.profile.problem.ranks.last()) {
            return Ok(deepest);
        }
        let (profile, law) = (self.profile, self.profile.problem.law);
        let own = |m: usize| profile.edge(m) - self.label.u;
        let below = |m: usize| profile.bound_below(&self.tails, m, rank);
        let above = |m: usize| profile.bound_above(&self.tails, m, rank);
        // P(Y > T) ≥ P(Y > c) P(T ≤ c) for every c.
        let complement = |bound: F| (-bound.min(F::zero()).exp()).ln_1p();
        let (mut least_above, mut least_below) = (F::neg_infinity(), F::neg_infinity());
        for m in (0..=BINS).step_by(STRIDE) {
            least_above = least_above.max(law.ln_survival(own(m)) + complement(above(m)));
            least_below = least_below.max(law.ln_cdf(own(m)) + complement(below(m)));
        }
        let outside = profile.problem.precision.outside.ln();
        let rarer = if least_below < least_above { Rarer::LabelBelow } else { Rarer::LabelAbove };
        let (limit, low, high) = match rarer {
            Rarer::LabelAbove => {
                let lowest = vanishing::<F>().ln();
                let is_deep = outside + least_above < lowest;
                if is_deep {
                    let alone = |m: usize| profile.least_below(&self.tails, m, rank) + law.ln_survival(own(m));
                    least_above = (0..=BINS).step_by(STRIDE).map(alone).fold(least_above, F::max);
                }
                let limit = outside + least_above;
                let high_bound = |m: usize| above(m) + law.ln_survival(own(m));
                let high = partition_point(|m| high_bound(m) > limit);
                // What is lost between two edges where the distributions' probabilities vanish.
                let lost = |m: usize| below(m + 1).min(lowest) + law.ln_survival(own(m));
                let bearable = least_above + profile.problem.precision.tolerance.ln() - F::from_usize(BINS).ln();
                if below(0) > limit || high_bound(high) > limit || is_deep && (0..BINS).any(|m| lost(m) > bearable) {
                    return Err(Error::Accuracy { what: "probability of the label" });
                }
                (limit, partition_point(|m| below(m) <= limit), high)
            }
            Rarer::LabelBelow => {
                // A loss of nearly zero needs no more digits than this.
                let limit = outside + least_below.max(outside + outside);
                let low = partition_point(|m| below(m) + law.ln_cdf(own(m)) <= limit);
                (limit, low, partition_point(|m| above(m) > limit))
            }
        };
        let low = low.saturating_sub(1);
        let window = Window { low: profile.edge(low), high: profile.edge(high.max(low + 1)) };
        Ok(Contest { rarer, window, limit, reached: profile.mean_from(&self.tails, low, rank) })
    }

    /// The division that serves all of them.
    ///
    /// # Errors
    /// An event is so rare that the bins do not reach far enough.
    pub fn division(&self) -> Result<Division<'w, N, F>> {
        let mut profile = *self.profile;
        let mut window = Window { low: F::infinity(), high: F::neg_infinity() };
        let (mut limit, mut reached) = (profile.problem.precision.outside.ln(), F::one());
        for (_, rank) in profile.problem.ranks.each() {
            let contest = self.contest(rank)?;
            window = Window { low: window.low.min(contest.window.low), high: window.high.max(contest.window.high) };
            limit = limit.min(contest.limit);
            reached = reached.min(contest.reached);
        }
        profile.problem.precision.outside = limit.exp();
        Ok(Division::of_high_window(profile, window, reached * F::from_f64(0.5)))
    }

    /// −Σ_k w_k ln P(label among the k largest) and the others' gradient, per unit of ε.
    ///
    /// # Errors
    /// As [`division`](Self::division); scratch too short.
    pub fn solve<'s>(&self, division: &Division<'w, N, F>, part: Part<'_, F>, scratch: &'s mut [F]) -> Result<Solution<'s, 'w, N, F>> {
        quadrature::solve(self, division, part, self.profile.problem.ranks, scratch)
    }
}

impl<N: Noise<F>, F: Real> Sought<F> for Contests<'_, '_, N, F> {
    type Integrand = Weights<N, F>;

    fn task(&self, run: Run) -> Result<Option<Task<Weights<N, F>, F>>> {
        let contest = self.contest(run.last)?;
        let integrand = Weights::new(self.profile.problem.law, self.label.u, &contest);
        // A label that is certain to be above loses nothing.
        let contributes = contest.rarer == Rarer::LabelAbove || integrand.scale > F::neg_infinity();
        let precise = contest.rarer == Rarer::LabelAbove;
        Ok(contributes.then_some(Task { window: contest.window, integrand, precise }))
    }

    fn contribution(&self, task: &Task<Weights<N, F>, F>, integral: &Integral<F>) -> Result<Contribution<F>> {
        let Weights { rarer, scale, .. } = task.integrand;
        let (value, factor) = match rarer {
            Rarer::LabelAbove => (self.label.beyond - scale - integral.scalar.ln(), integral.scalar.recip()),
            Rarer::LabelBelow => {
                let missed = integral.scalar * scale.exp();
                (-(-missed).ln_1p(), scale.exp() / (F::one() - missed))
            }
        };
        let outside = F::from_f64(8.0) * self.profile.problem.precision.outside;
        let error_bound = factor * (integral.error * integral.scalar + integral.bulk_error) + outside;
        Ok(Contribution { value, gain: factor * integral.step, error_bound })
    }
}

/// The label's tail and density as weights, scaled to stay in range.
pub(crate) struct Weights<N, F> {
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
