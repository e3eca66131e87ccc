//! The integrands at 16 nodes: the distribution of how many noised scores exceed t, and each class's share of the wanted rank.

use pulp::Simd;

use super::chebyshev::{Chebyshev, Points};
use super::counts::{TOGETHER, add_trials, exp_series, last_without_trials};
use super::leave_one_out::LeaveOneOut;
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

/// Classes' functions of t, each class's in its place.
#[derive(Debug)]
struct Trials<C> {
    /// P(above t).
    tails: C,
    /// The density of the noised score, then the share of the wanted rank.
    shares: C,
}

/// Room for the distributions at the nodes.
#[derive(Debug)]
pub struct Nodes<F, const TERMS: usize> {
    /// How many of the bulk are above t, then of all, up to one less than the wanted rank.
    counts: Vec<Lanes<F>>,
    leave_one_out: LeaveOneOut<F>,
    /// The unlikely ones, then the others, by [`TOGETHER`].
    candidates: Trials<Vec<[Lanes<F>; TOGETHER]>>,
    points: Trials<[Lanes<F>; TERMS]>,
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
    /// The other candidates, likewise.
    pub likely: &'a [F],
    /// The bulk, if there is one, and the sum of its weights.
    pub bulk: Option<(&'a Points<F, TERMS>, F)>,
    pub chebyshev: &'a Chebyshev<F, TERMS>,
}

impl<F: Vectors, const TERMS: usize> Nodes<F, TERMS> {
    pub fn new() -> Self {
        let none = [[F::zero(); LANES]; TERMS];
        Self {
            counts: vec![],
            leave_one_out: LeaveOneOut::new(),
            candidates: Trials { tails: vec![], shares: vec![] },
            points: Trials { tails: none, shares: none },
        }
    }

    /// Every candidate's share of the wanted rank at the nodes t that were visited last: f(t − u_i)·P(k − 1 of the others above t).
    pub fn candidates(&self) -> &[Lanes<F>] {
        self.candidates.shares.as_flattened()
    }

    /// Every point's, if there was a bulk.
    pub fn points(&self) -> &[Lanes<F>; TERMS] {
        &self.points.shares
    }

    /// Finds the shares at some nodes.
    #[inline(always)]
    pub fn visit<S: Simd, L: Law<F>>(&mut self, simd: S, t: &Lanes<F>, classes: &Classes<'_, L, F, TERMS>) -> NodeSums<F> {
        self.counts.clear();
        self.counts.resize(classes.depth + 1, [F::zero(); LANES]);
        let (mut bulk_error, mut rate) = ([F::zero(); LANES], [F::zero(); LANES]);
        match classes.bulk {
            Some((points, size)) => bulk_error = self.distribute(simd, t, points, size, classes, &mut rate),
            None => self.counts[0] = [F::one(); LANES],
        }
        self.visit_candidates(simd, t, classes, &mut rate);

        let mut density = [F::zero(); LANES];
        for share in self.candidates.shares.as_flattened() {
            for lane in 0..LANES {
                density[lane] += share[lane];
            }
        }
        if let Some((points, _)) = classes.bulk {
            let Trials { tails, shares } = &mut self.points;
            let (groups, rest) = tails.as_chunks::<TOGETHER>();
            let (shares, shares_of_rest) = shares.as_chunks_mut::<TOGETHER>();
            for (tails, shares) in groups.iter().zip(shares) {
                divide(simd, &self.counts, tails, shares);
            }
            for (tail, share) in rest.iter().zip(shares_of_rest) {
                divide(simd, &self.counts, core::array::from_ref(tail), core::array::from_mut(share));
            }
            for (share, &multiplicity) in self.points.shares.iter().zip(&points.multiplicities) {
                for lane in 0..LANES {
                    density[lane] += multiplicity * share[lane];
                }
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
    fn distribute<S: Simd, L: Law<F>>(
        &mut self,
        simd: S,
        t: &Lanes<F>,
        points: &Points<F, TERMS>,
        size: F,
        classes: &Classes<'_, L, F, TERMS>,
        rate: &mut Lanes<F>,
    ) -> Lanes<F> {
        let powers = POWERS.min(self.counts.len() - 1);
        let truncated = self.counts.len() > POWERS + 1;
        let (mut constant, mut derivative) = ([F::zero(); LANES], [[F::zero(); LANES]; POWERS]);
        let (mut highest, mut dropped) = ([[F::zero(); LANES]; 2], [F::zero(); LANES]);
        let [last_but_one, last] = classes.chebyshev.highest();
        for (n, (tail, density)) in self.points.tails.iter_mut().zip(&mut self.points.shares).enumerate() {
            evaluate(classes.law, t, points.positions[n], tail, density);
            let (multiplicity, inverse_weight) = (points.multiplicities[n], points.weights[n].recip());
            let (mut ratio, mut power) = ([F::zero(); LANES], [F::zero(); LANES]);
            for lane in 0..LANES {
                let p = tail[lane];
                let (log, hardest) = classes.law.ln_failure(t[lane], points.positions[n], p);
                constant[lane] += multiplicity * log;
                highest[0][lane] += last_but_one[n] * (hardest * inverse_weight);
                highest[1][lane] += last[n] * (hardest * inverse_weight);
                ratio[lane] = p / (F::one() - p);
                power[lane] = -multiplicity;
                rate[lane] += multiplicity * density[lane];
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
        exp_series(simd, &constant, &derivative[..powers], &mut self.counts);
        let mut error = [F::zero(); LANES];
        for lane in 0..LANES {
            error[lane] = size * (highest[0][lane].abs() + highest[1][lane].abs() + dropped[lane] / F::from_usize(POWERS));
        }
        error
    }

    /// Adds the candidates to the counts, and finds their shares.
    #[inline(always)]
    fn visit_candidates<S: Simd, L: Law<F>>(&mut self, simd: S, t: &Lanes<F>, classes: &Classes<'_, L, F, TERMS>, rate: &mut Lanes<F>) {
        let (unlikely, likely) = (classes.unlikely.as_chunks::<TOGETHER>().0, classes.likely.as_chunks::<TOGETHER>().0);
        let (Self { counts, leave_one_out, candidates: Trials { tails, shares }, .. }, none) = (self, [[F::zero(); LANES]; TOGETHER]);
        let groups = unlikely.len() + likely.len();
        for room in [&mut *tails, &mut *shares] {
            // Most of what a row takes: room for twice as many would show.
            room.reserve_exact(groups.saturating_sub(room.len()));
            room.resize(groups, none);
        }
        for ((positions, tails), densities) in unlikely.iter().chain(likely).zip(&mut *tails).zip(&mut *shares) {
            for ((&u, tail), density) in positions.iter().zip(tails).zip(densities) {
                evaluate(classes.law, t, u, tail, density);
                for lane in 0..LANES {
                    rate[lane] += density[lane];
                }
            }
        }
        let (unlikely_tails, likely_tails) = tails.split_at(unlikely.len());
        let (unlikely_shares, likely_shares) = shares.split_at_mut(unlikely.len());
        for tails in unlikely_tails {
            add_trials(simd, counts, tails.each_ref());
        }
        leave_one_out.multiply(simd, counts, likely_tails, likely_shares);
        for tails in likely_tails {
            add_trials(simd, counts, tails.each_ref());
        }
        for (tails, shares) in unlikely_tails.iter().zip(unlikely_shares) {
            divide(simd, counts, tails, shares);
        }
    }
}

/// Multiplies densities by the last entry of the distribution without a trial.
#[inline(always)]
fn divide<S: Simd, F: Vectors, const N: usize>(simd: S, counts: &[Lanes<F>], tails: &[Lanes<F>; N], densities: &mut [Lanes<F>; N]) {
    let probabilities = last_without_trials(simd, counts, tails.each_ref());
    for (density, probability) in densities.iter_mut().zip(&probabilities) {
        for lane in 0..LANES {
            density[lane] *= probability[lane];
        }
    }
}

#[inline(always)]
fn evaluate<L: Law<F>, F: Elementary>(law: L, t: &Lanes<F>, position: F, tail: &mut Lanes<F>, density: &mut Lanes<F>) {
    for lane in 0..LANES {
        (tail[lane], density[lane]) = law.tail_and_density(t[lane], position);
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
