//! The exact smoothing over strips: two readings of the scores, and one for the gradient. Rows that vector code cannot certify are read
//! again by core's.

mod scalar;
mod vector;

use faer::Par;
use topk_loss::{Error, Exact, KthLargest, Normal, TopKHinge};

use super::HeadGrads;
use super::examples::{Examples, map};
use super::frame::Frame;
use super::strips::Strips;
use super::top_k_hinge::hinge;
use crate::kernel::workers::Workers;
use crate::{BatchReal, Result};

/// Classes that are looked at, or handed to core, at a time.
const CHUNK: usize = 128;

pub(super) fn objective<F: BatchReal>(
    loss: &TopKHinge<'_, F>,
    epsilon: F,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
    grads: Option<HeadGrads<'_, F>>,
) -> Result<F> {
    if size_of::<F>() == 4 {
        of_degree::<F, 16>(loss, epsilon, strips, examples, grads)
    } else {
        of_degree::<F, 25>(loss, epsilon, strips, examples, grads)
    }
}

/// `TERMS` as of the kernels.
fn of_degree<F: BatchReal, const TERMS: usize>(
    loss: &TopKHinge<'_, F>,
    epsilon: F,
    strips: &Strips<'_, F>,
    examples: &Examples<'_, F>,
    grads: Option<HeadGrads<'_, F>>,
) -> Result<F> {
    let (num_classes, par, k) = (strips.num_classes(), strips.par(), loss.k() + 1);
    let exact = examples.check(KthLargest::new(k).and_then(|oracle| Exact::new(oracle, Normal, epsilon)))?;
    let workers = Workers::new(Par::Seq);
    let solved = vector::solve::<F, TERMS>(workers, k, epsilon, strips, examples)?;
    let unsolved = examples.states(|example, label| solved[example].is_none().then(|| Frame::new(label)));
    let unsolved: Vec<_> = unsolved.into_iter().map(Option::flatten).collect();
    let rows = if unsolved.iter().any(Option::is_some) { scalar::summarise(&exact, k, strips, unsolved)? } else { vec![] };
    let mut scratches = vec![vec![]; rows.len()];
    let others =
        map(rows.iter().zip(&mut scratches).map(|(row, scratch)| Some((row.as_ref()?, scratch))).collect(), par, |_, (row, scratch)| {
            let solution = row.solve(scratch)?;
            let accurate = solution.is_within_tolerance().then(|| (row.frame.clone(), Solution::Scalar(scalar::Solution::new(solution))));
            accurate.ok_or(Error::Accuracy { what: "exact smoothing" })
        })?;

    let mut others = others.into_iter();
    let solutions = solved.into_iter().map(|solved| {
        let other = others.next().flatten();
        solved.map(|(frame, solution)| (frame, Solution::Vector(solution))).or(other)
    });
    let mut hinges = map(solutions.collect(), par, |example, (frame, solution)| {
        let value = hinge(loss, frame.label(), num_classes, solution.value() - frame.own())?;
        let weights = (loss.scale(), examples.coefficient(example));
        Ok(Gradient { frame, solution, value, weights })
    })?;
    let objective = examples.objective(&hinges, |hinge| Ok(hinge.value))?;
    if let Some(grads) = grads {
        strips.backward(&mut hinges, grads, |hinge, first, scores| hinge.put(workers, first, scores))?;
    }
    Ok(objective)
}

/// The smoothed order statistic of a row, and its gradient.
#[expect(clippy::large_enum_variant, reason = "nearly all are the larger one")]
enum Solution<'s, 'e, F, const TERMS: usize> {
    Vector(vector::Solution<F, TERMS>),
    Scalar(scalar::Solution<'s, 'e, F>),
}

impl<F: BatchReal, const TERMS: usize> Solution<'_, '_, F, TERMS> {
    fn value(&self) -> F {
        match self {
            Self::Vector(solution) => solution.value,
            Self::Scalar(solution) => solution.value(),
        }
    }
}

/// The last reading.
struct Gradient<'s, 'e, F, const TERMS: usize> {
    frame: Frame<F>,
    solution: Solution<'s, 'e, F, TERMS>,
    value: F,
    /// The loss's scale, and the example's coefficient.
    weights: (F, F),
}

impl<F: BatchReal, const TERMS: usize> Gradient<'_, '_, F, TERMS> {
    /// Puts the gradient in the place of the scores.
    fn put(&mut self, workers: Workers, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        if self.value <= F::zero() {
            scores.fill(F::zero());
            return Ok(());
        }
        self.frame.enter(first, scores)?;
        match &mut self.solution {
            Solution::Vector(solution) => solution.differentiate(workers, first, scores),
            Solution::Scalar(solution) => solution.differentiate(scores)?,
        }
        if let Some(own) = self.frame.label().checked_sub(first).and_then(|place| scores.get_mut(place)) {
            *own -= F::one();
        }
        let (scale, coefficient) = self.weights;
        scores.iter_mut().for_each(|entry| *entry = *entry * scale * coefficient);
        Ok(())
    }
}
