//! All classes as a node sees them: those near the window one by one, the bulk as a few weighted ones.

use super::chebyshev::{ROOM, Terms, highest, points_of, weights};
use super::partition::Partition;
use super::ranks::Run;
use super::summary::Part;
use crate::{Noise, Real};

/// All classes as the nodes see them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Classes<'a, N, F> {
    pub law: N,
    /// The ranks whose order statistics are wanted.
    pub run: Run,
    /// How many are above every t.
    pub sure: usize,
    /// Candidates above are left out of a count by halves, the others divided out.
    pub likely_above: F,
    /// The u of those treated by themselves, in the order of the classes.
    pub candidates: &'a [F],
    pub bulk: &'a Bulk<F>,
}

impl<N, F> Classes<'_, N, F> {
    /// One less than the deepest wanted rank among those not sure to be above.
    #[inline(always)]
    pub fn depth(&self) -> usize {
        self.run.last.saturating_sub(1 + self.sure)
    }
}

/// The bulk as weighted classes at the Chebyshev points.
#[derive(Debug)]
pub(crate) struct Bulk<F> {
    /// How many points; 0: there is none.
    pub terms: usize,
    /// The sum of its classes' weights.
    pub size: F,
    pub positions: Terms<F>,
    /// The weight of a class at each point.
    pub weights: Terms<F>,
    /// How many classes each point stands for.
    pub multiplicities: Terms<F>,
    /// What the last two coefficients of the polynomial are made of that functions over the weight have.
    pub highest: [Terms<F>; 2],
}

impl<F: Real> Bulk<F> {
    #[inline(always)]
    pub fn new<N: Noise<F>>(part: &Part<'_, F>, partition: &Partition<N, F>) -> Self {
        let zeros = [F::zero(); ROOM];
        let size = part.moments.first().copied().unwrap_or(F::zero());
        let terms = if size > F::zero() { partition.terms() } else { 0 };
        let mut bulk = Self { terms, size, positions: zeros, weights: zeros, multiplicities: zeros, highest: [zeros; 2] };
        if terms > 0 {
            let mut moments = zeros;
            moments.iter_mut().zip(part.moments).for_each(|(a, &b)| *a = b);
            bulk.multiplicities = weights(&moments, terms);
            let Self { positions, weights, multiplicities, highest: [last_but_one, last], .. } = &mut bulk;
            let points = positions.iter_mut().zip(weights).zip(multiplicities).zip(last_but_one).zip(last);
            for ((n, &x), ((((position, weight), multiplicity), last_but_one), last)) in points_of(terms).iter().enumerate().zip(points) {
                let x = F::from_f64(x);
                let (u, at) = partition.at(x);
                (*position, *weight) = (partition.problem.law.position(u), at);
                *multiplicity /= at;
                [*last_but_one, *last] = highest(n, x, terms).map(|factor| factor / at);
            }
        }
        bulk
    }

    /// Turns the points' shares into the polynomial of the coordinate that the shares over the weight are, and returns it with a bound on
    /// what the bulk's classes lose by it, all together.
    #[inline(always)]
    pub fn interpolation(&self, shares: &Terms<F>) -> (Terms<F>, F) {
        let mut values = *shares;
        values.iter_mut().zip(&self.weights).take(self.terms).for_each(|(share, &weight)| *share /= weight);
        if self.terms == 0 {
            return ([F::zero(); ROOM], F::zero());
        }
        let coefficients = super::chebyshev::coefficients(&values, self.terms);
        let last = coefficients.iter().take(self.terms).rev().take(2);
        (coefficients, self.size * last.fold(F::zero(), |sum, c| sum + c.abs()))
    }
}
