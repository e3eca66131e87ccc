//! Rows in vector code: the steps of the kernel for stored scores, strip by strip.

use topk_loss::Ranked;

use super::super::examples::{Examples, map};
use super::super::frame::Frame;
use super::super::largest::Largest;
use super::super::strips::Strips;
use super::CHUNK;
use crate::kernel::exact::bulk::{Differentiate, Division, Summarise, never_above};
use crate::kernel::exact::integral::{Integral, Integrate};
use crate::kernel::exact::window::{BINS, Count, Histogram, Tails, Tally, Window};
use crate::kernel::exact::{Precision, Units, is_served};
use crate::kernel::quadrature::chebyshev::{Chebyshev, Polynomial};
use crate::kernel::quadrature::moments::Block;
use crate::kernel::quadrature::rule::MAX_CANDIDATES;
use crate::kernel::quadrature::summary::Summary;
use crate::kernel::workers::Workers;
use crate::{BatchReal, Result};

/// What all rows share.
struct Problem<F, const TERMS: usize> {
    workers: Workers,
    k: usize,
    epsilon: F,
    precision: Precision<F>,
    tails: Tails<F>,
    chebyshev: Chebyshev<F, TERMS>,
}

/// Reads all rows twice: a census, from which the division follows, and the summary. Rows that this does not serve, or cannot certify,
/// have no solution.
pub(super) fn solve<F: BatchReal, const TERMS: usize>(
    workers: Workers,
    k: usize,
    epsilon: F,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
) -> Result<Vec<Option<Solved<F, TERMS>>>> {
    let (num_classes, par) = (strips.num_classes(), strips.par());
    if !is_served(k, num_classes, epsilon) {
        return Ok(examples.states(|_, _| None).into_iter().flatten().collect());
    }
    let precision = Precision::of_float();
    let tails = Tails::new(precision.outside, num_classes);
    let problem = Problem { workers, k, epsilon, precision, tails, chebyshev: Chebyshev::new() };

    let mut censuses = examples.states(|_, label| Census::new(label, k));
    strips.read(&mut censuses, |census, first, scores| census.add(first, scores, &problem))?;
    let mut rows = map(censuses, par, |_, census| Ok(census.finish(&problem)))?;
    strips.read(&mut rows, |row, first, scores| row.add(first, scores, &problem))?;
    let solutions = map(rows, par, |_, row| Ok(row.solve(&problem)))?;
    Ok(solutions.into_iter().map(Option::flatten).collect())
}

/// The first reading: the K + 1 largest scores, and how many others lie where below the last of them.
struct Census<F> {
    frame: Frame<F>,
    largest: Largest<F>,
    tally: Tally,
    /// The center of the tally is so many of its bins above a score.
    anchor: Option<F>,
    raised: F,
}

impl<F: BatchReal> Census<F> {
    fn new(label: usize, k: usize) -> Self {
        Self { frame: Frame::new(label), largest: Largest::new(k), tally: Tally::default(), anchor: None, raised: F::zero() }
    }

    fn add<const TERMS: usize>(&mut self, first: usize, scores: &mut [F], problem: &Problem<F, TERMS>) -> topk_loss::Result<()> {
        self.frame.enter(first, scores)?;
        for (scores, start) in scores.chunks_mut(CHUNK).zip((first..).step_by(CHUNK)) {
            self.largest.take(start, scores);
        }
        // What leaves the places that were not filled yet is no score.
        let empty = scores.iter().take_while(|&&score| score == F::neg_infinity()).count();
        if empty < scores.len() {
            let units = self.raise(problem);
            problem.workers.dispatch(Count { scores: &scores[empty..], units: &units, tails: &problem.tails, tally: &mut self.tally });
        }
        Ok(())
    }

    /// Raises the tally to less than a bin below the last of the largest.
    fn raise<const TERMS: usize>(&mut self, problem: &Problem<F, TERMS>) -> Units<F> {
        let (last, width) = (self.largest.last().value, problem.tails.width * problem.epsilon);
        let anchor = *self.anchor.get_or_insert(last);
        let bins = ((last - anchor) / width).floor();
        let by = bins - self.raised;
        let center = if by < F::from_usize(BINS) {
            self.tally.raise(by.to_usize().unwrap_or_default());
            self.raised = bins;
            anchor + bins * width
        } else {
            self.tally.raise(BINS);
            (self.anchor, self.raised) = (Some(last), F::zero());
            last
        };
        Units { center, inverse_epsilon: problem.epsilon.recip() }
    }

    fn finish<const TERMS: usize>(mut self, problem: &Problem<F, TERMS>) -> Row<F, TERMS> {
        let units = self.raise(problem);
        let Problem { workers, precision, tails, .. } = problem;
        let leaders: &[Ranked<F>] = self.largest.ranked();
        let values: Vec<_> = leaders.iter().map(|leader| leader.value).collect();
        workers.dispatch(Count { scores: &values, units: &units, tails, tally: &mut self.tally });
        let window = Histogram::of(self.tally).window(*workers, tails, leaders, &units, precision.outside);
        Row { frame: self.frame, units, window, division: Division::new(window, tails), summary: Summary::new() }
    }
}

/// The second reading: a row's summary.
struct Row<F, const TERMS: usize> {
    frame: Frame<F>,
    units: Units<F>,
    window: Window<F>,
    division: Division<F>,
    summary: Summary<F, TERMS>,
}

impl<F: BatchReal, const TERMS: usize> Row<F, TERMS> {
    fn add(&mut self, first: usize, scores: &mut [F], problem: &Problem<F, TERMS>) -> topk_loss::Result<()> {
        self.frame.enter(first, scores)?;
        let Self { units, division, summary, .. } = self;
        // With more candidates there is no solution, and no reason to keep them.
        if summary.candidates.len() <= MAX_CANDIDATES {
            let mut block = Block::new();
            problem.workers.dispatch(Summarise { first, scores, units, division, summary, block: &mut block, weights: None });
        }
        Ok(())
    }

    fn solve(mut self, problem: &Problem<F, TERMS>) -> Option<Solved<F, TERMS>> {
        let Problem { workers, k, epsilon, precision, chebyshev, .. } = problem;
        self.summary.candidates.fill_up(never_above());
        let mut integral = Integral::new(*k);
        let Self { window, division, summary, .. } = &self;
        let outcome = workers.dispatch(Integrate { integral: &mut integral, window, division, summary, chebyshev, precision })?;
        let (value, polynomial) = (self.units.center + *epsilon * outcome.mean, Polynomial::new(*outcome.coefficients));
        let mut candidates: Vec<_> = self.summary.candidates.placed(integral.shares()).collect();
        candidates.sort_unstable_by_key(|&(class, _)| class);
        let Self { frame, units, division, .. } = self;
        Some((frame, Solution { value, units, division, polynomial, candidates, next: 0 }))
    }
}

/// A row that is solved, in its frame.
type Solved<F, const TERMS: usize> = (Frame<F>, Solution<F, TERMS>);

/// What it comes to.
pub(super) struct Solution<F, const TERMS: usize> {
    pub value: F,
    units: Units<F>,
    division: Division<F>,
    polynomial: Polynomial<F, TERMS>,
    /// Their gradients, in the order of the classes.
    candidates: Vec<(usize, F)>,
    /// The next strip's first candidate.
    next: usize,
}

impl<F: BatchReal, const TERMS: usize> Solution<F, TERMS> {
    /// Puts the gradient of the order statistic in the place of a strip's scores, strip after strip.
    pub fn differentiate(&mut self, workers: Workers, first: usize, scores: &mut [F]) {
        let Self { units, division, polynomial, .. } = self;
        workers.dispatch(Differentiate { entries: scores, units, division, polynomial });
        let (left, end) = (self.candidates[self.next..].iter(), first + scores.len());
        for &(class, share) in left.take_while(|&&(class, _)| class < end) {
            scores[class - first] = share;
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use faer::{Mat, Par};
    use topk_loss::{Key, MonteCarlo, Normal, Sampler};

    use super::*;
    use crate::{LinearHead, Reduction, Similarity, Targets};

    /// Which rows are solved, the scores of each being multiples of the weights.
    fn solved<F: BatchReal, const TERMS: usize>(k: usize, weights: &[f64]) -> Vec<bool> {
        let weights = Mat::from_fn(1, weights.len(), |_, j| F::from_f64(weights[j]));
        let (num_classes, head) = (weights.ncols(), LinearHead::new(weights, None, Similarity::Inner).unwrap());
        let features = Mat::from_fn(1, 4, |_, b| F::from_f64([0.1, 1.0, 3.0, -10.0][b]));
        let examples = Examples::new(&Targets::new(&[0, 1, 2, 3]), Reduction::Mean, num_classes, 4).unwrap();
        let strips = Strips::new(&head, features.as_ref(), Par::Seq).unwrap();
        let solutions = solve::<F, TERMS>(Workers::new(Par::Seq), k, F::one(), &strips, &examples).unwrap();
        solutions.iter().map(Option::is_some).collect()
    }

    #[test]
    fn what_training_meets_is_solved_here() {
        let mut normal = [0.0; 5000];
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(1), 0, &mut normal).unwrap();
        for k in [1, 6, 51] {
            assert_eq!([solved::<f32, 16>(k, &normal), solved::<f64, 25>(k, &normal)], [[true; 4]; 2], "k = {k}");
        }
        // A rank beyond the middle, and more candidates than are kept.
        assert_eq!(solved::<f64, 25>(4000, &normal), [false; 4]);
        assert_eq!(solved::<f64, 25>(2000, &[0.0; 5000]), [false; 4]);
    }
}
