//! The integrands at 16 nodes: the distribution of how many noised scores exceed t, and each class's share of the wanted rank.

use pulp::Simd;

use super::chebyshev::{Chebyshev, Points};
use super::counts::{TOGETHER, add_trials, convolved_last, exp_series, last_without_trials};
use crate::elementary::Elementary;
use crate::vectors::{LANES, Lanes, Vectors};

/// Powers of p/(1 − p) that are kept in the logarithm of the bulk's generating function.
const POWERS: usize = 18;

/// A noise law as the nodes see it; t and the classes' positions stand for themselves or for what suits the law.
pub trait Law<F>: Copy {
    /// P(above t) and the density of the noised score at t.
    fn tail_and_density(self, t: F, position: F) -> (F, F);

    /// ln(1 − P(above t)) of a class of the bulk, and a function of the class that is no easier to interpolate than any term of the
    /// logarithm of its generating function.
    fn ln_failure(self, t: F, position: F, tail: F) -> (F, F);
}

/// A class's two functions of t.
#[derive(Debug, Clone, Copy)]
struct Trial<F> {
    /// P(above t).
    tail: Lanes<F>,
    /// The density of the noised score.
    density: Lanes<F>,
}

/// Room for the distributions at the nodes.
#[derive(Debug)]
pub struct Nodes<F, const TERMS: usize> {
    /// How many of the bulk are above t, then of all, up to one less than the wanted rank.
    counts: Vec<Lanes<F>>,
    /// The counts before each likely candidate.
    prefixes: Vec<Lanes<F>>,
    /// How many of the likely candidates after one are above t.
    suffix: Vec<Lanes<F>>,
    unlikely: Vec<Trial<F>>,
    likely: Vec<Trial<F>>,
    points: [Trial<F>; TERMS],
}

/// What the nodes know beside the classes' shares.
#[derive(Debug, Clone, Copy)]
pub struct NodeSums<F> {
    /// P(at least k noised scores above t).
    pub survival: Lanes<F>,
    /// The sum of the shares: the density of the k-th largest at t.
    pub density: Lanes<F>,
    /// A bound on the error of the shares, all together, that the compression of the bulk makes.
    pub bulk_error: Lanes<F>,
}

/// The classes as the nodes see them.
#[derive(Debug, Clone, Copy)]
pub struct Classes<'a, L, F, const TERMS: usize> {
    pub law: L,
    /// One less than the wanted rank among those not sure to be above.
    pub depth: usize,
    /// Candidates that are not likelier than not to be above any t: a multiple of [`TOGETHER`].
    pub unlikely: &'a [F],
    /// The other candidates.
    pub likely: &'a [F],
    /// The bulk, if there is one, and the sum of its weights.
    pub bulk: Option<(&'a Points<F, TERMS>, F)>,
    pub chebyshev: &'a Chebyshev<F, TERMS>,
}

impl<F: Vectors, const TERMS: usize> Nodes<F, TERMS> {
    pub fn new() -> Self {
        let none = Trial { tail: [F::zero(); LANES], density: [F::zero(); LANES] };
        Self { counts: vec![], prefixes: vec![], suffix: vec![], unlikely: vec![], likely: vec![], points: [none; TERMS] }
    }

    /// Calls `visit` with every candidate's and every point's share of the wanted rank at the nodes t: f(t − u_i)·P(k − 1 of the
    /// others above t).
    #[inline(always)]
    pub fn shares<S: Simd, L: Law<F>>(
        &mut self,
        simd: S,
        t: &Lanes<F>,
        classes: &Classes<'_, L, F, TERMS>,
        mut candidate: impl FnMut(usize, &Lanes<F>),
        mut point: impl FnMut(usize, &Lanes<F>),
    ) -> NodeSums<F> {
        let len = classes.depth + 1;
        self.counts.clear();
        self.counts.resize(len, [F::zero(); LANES]);
        let mut bulk_error = [F::zero(); LANES];
        match classes.bulk {
            Some((points, size)) => bulk_error = self.distribute(t, points, size, classes),
            None => self.counts[0] = [F::one(); LANES],
        }
        self.add_candidates(simd, t, classes);

        let (mut density, mut rate) = ([F::zero(); LANES], [F::zero(); LANES]);
        let mut add = |trial: &Trial<F>, multiplicity: F, probability: &Lanes<F>| {
            let mut share = [F::zero(); LANES];
            for lane in 0..LANES {
                share[lane] = trial.density[lane] * probability[lane];
                density[lane] += multiplicity * share[lane];
                rate[lane] += multiplicity * trial.density[lane];
            }
            share
        };

        for (group, trials) in self.unlikely.as_chunks::<TOGETHER>().0.iter().enumerate() {
            let probabilities = last_without_trials(simd, &self.counts, trials.each_ref().map(|trial| &trial.tail));
            for (i, (trial, probability)) in trials.iter().zip(&probabilities).enumerate() {
                candidate(TOGETHER * group + i, &add(trial, F::one(), probability));
            }
        }
        self.suffix.clear();
        self.suffix.resize(len, [F::zero(); LANES]);
        self.suffix[0] = [F::one(); LANES];
        for (after, (i, trial)) in (1..).zip(self.likely.iter().enumerate().rev()) {
            let probability = convolved_last(&self.prefixes[i * len..][..len], &self.suffix[..len.min(after)]);
            add_trials(simd, &mut self.suffix[..len.min(after + 1)], [&trial.tail]);
            candidate(self.unlikely.len() + i, &add(trial, F::one(), &probability));
        }
        if let Some((points, _)) = classes.bulk {
            let (groups, rest) = self.points.as_chunks::<TOGETHER>();
            let mut visit =
                |n: usize, trial: &Trial<F>, probability: &Lanes<F>| point(n, &add(trial, points.multiplicities[n], probability));
            for (group, trials) in groups.iter().enumerate() {
                let probabilities = last_without_trials(simd, &self.counts, trials.each_ref().map(|trial| &trial.tail));
                for (i, (trial, probability)) in trials.iter().zip(&probabilities).enumerate() {
                    visit(TOGETHER * group + i, trial, probability);
                }
            }
            for (n, trial) in (TOGETHER * groups.len()..).zip(rest) {
                let [probability] = last_without_trials(simd, &self.counts, [&trial.tail]);
                visit(n, trial, &probability);
            }
        }

        let (mut fewer, last) = ([F::zero(); LANES], &self.counts[classes.depth]);
        for count in &self.counts {
            for lane in 0..LANES {
                fewer[lane] += count[lane];
            }
        }
        let mut sums = NodeSums { survival: [F::zero(); LANES], density, bulk_error };
        let previous = classes.depth.checked_sub(1).map_or([F::zero(); LANES], |j| self.counts[j]);
        for lane in 0..LANES {
            sums.survival[lane] = (F::one() - fewer[lane]).max(F::zero());
            sums.bulk_error[lane] *= rate[lane].max(F::zero()) * (last[lane] + previous[lane]);
        }
        sums
    }

    /// The distribution of the bulk's count above t; returns a bound on its relative error.
    ///
    /// log ∏(1 − p_i + p_i x) = Σ_i [log(1 − p_i) + Σ_j (−1)^{j+1} (p_i/(1 − p_i))ʲ xʲ/j], each term a sum over the points.
    #[inline(always)]
    fn distribute<L: Law<F>>(&mut self, t: &Lanes<F>, points: &Points<F, TERMS>, size: F, classes: &Classes<'_, L, F, TERMS>) -> Lanes<F> {
        let powers = POWERS.min(self.counts.len() - 1);
        let truncated = self.counts.len() > POWERS + 1;
        let (mut constant, mut derivative) = ([F::zero(); LANES], [[F::zero(); LANES]; POWERS]);
        let (mut highest, mut dropped) = ([[F::zero(); LANES]; 2], [F::zero(); LANES]);
        let [last_but_one, last] = classes.chebyshev.highest();
        for (n, trial) in self.points.iter_mut().enumerate() {
            evaluate(classes.law, t, points.positions[n], trial);
            let (multiplicity, inverse_weight) = (points.multiplicities[n], points.weights[n].recip());
            let (mut ratio, mut power) = ([F::zero(); LANES], [F::zero(); LANES]);
            for lane in 0..LANES {
                let p = trial.tail[lane];
                let (log, hardest) = classes.law.ln_failure(t[lane], points.positions[n], p);
                constant[lane] += multiplicity * log;
                highest[0][lane] += last_but_one[n] * (hardest * inverse_weight);
                highest[1][lane] += last[n] * (hardest * inverse_weight);
                ratio[lane] = p / (F::one() - p);
                power[lane] = -multiplicity;
            }
            for term in &mut derivative[..powers] {
                for lane in 0..LANES {
                    power[lane] *= -ratio[lane];
                    term[lane] += power[lane];
                }
            }
            if truncated {
                for lane in 0..LANES {
                    let left_out = (power[lane] / multiplicity * ratio[lane] * inverse_weight).abs();
                    dropped[lane] = if left_out > dropped[lane] { left_out } else { dropped[lane] };
                }
            }
        }
        exp_series(&constant, &derivative[..powers], &mut self.counts);
        let mut error = [F::zero(); LANES];
        for lane in 0..LANES {
            error[lane] = size * (highest[0][lane].abs() + highest[1][lane].abs() + dropped[lane] / F::from_usize(POWERS));
        }
        error
    }

    /// Adds the candidates: first those that are unlikely at every node, which can be divided out again, then the others, each with the
    /// counts before it kept.
    #[inline(always)]
    fn add_candidates<S: Simd, L: Law<F>>(&mut self, simd: S, t: &Lanes<F>, classes: &Classes<'_, L, F, TERMS>) {
        let none = Trial { tail: [F::zero(); LANES], density: [F::zero(); LANES] };
        for (trials, positions) in [(&mut self.unlikely, classes.unlikely), (&mut self.likely, classes.likely)] {
            trials.clear();
            trials.resize(positions.len(), none);
            for (trial, &u) in trials.iter_mut().zip(positions) {
                evaluate(classes.law, t, u, trial);
            }
        }
        for trials in self.unlikely.as_chunks::<TOGETHER>().0 {
            add_trials(simd, &mut self.counts, trials.each_ref().map(|trial| &trial.tail));
        }
        self.prefixes.clear();
        for trial in &self.likely {
            self.prefixes.extend_from_slice(&self.counts);
            add_trials(simd, &mut self.counts, [&trial.tail]);
        }
    }
}

#[inline(always)]
fn evaluate<L: Law<F>, F: Elementary>(law: L, t: &Lanes<F>, position: F, trial: &mut Trial<F>) {
    for ((tail, density), &t) in trial.tail.iter_mut().zip(&mut trial.density).zip(t) {
        (*tail, *density) = law.tail_and_density(t, position);
    }
}

/// ln(1 − p) for p up to about ⅓: −2 artanh(p/(2 − p)) by its series, whose terms fall by 25 and more.
#[inline(always)]
pub fn ln_one_minus<F: Elementary>(p: F) -> F {
    let x = p / (F::from_f64(2.0) - p);
    let square = x * x;
    let mut sum = F::zero();
    for denominator in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        if F::epsilon() < F::from_f64(1e-10) || denominator < 10.0 {
            sum = sum * square + F::from_f64(1.0 / denominator);
        }
    }
    -(x + x) * sum
}
