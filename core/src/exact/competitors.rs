//! The classes of a row that compete, piece by piece.

use super::histogram::Histogram;
use super::problem::Problem;
use super::solution::Solution;
use crate::{Noise, Real, pieces};

/// The scores of the classes that compete: all of a row, or those around a label.
#[derive(Debug, Clone, Copy)]
pub struct Competitors<'s, F> {
    pub scores: &'s [F],
    pub label: Option<usize>,
}

impl<'s, F: Real> Competitors<'s, F> {
    /// The row's pieces, each around the label if it is there.
    #[inline(always)]
    pub(super) fn pieces(self) -> impl Iterator<Item = [&'s [F]; 2]> {
        let len = pieces::len(self.scores.len());
        let pieces = (0..).step_by(len).zip(self.scores.chunks(len));
        pieces.map(move |(first, piece)| match self.label.and_then(|label| label.checked_sub(first)).filter(|&own| own < piece.len()) {
            Some(own) => [piece.get(..own).unwrap_or_default(), piece.get(own + 1..).unwrap_or_default()],
            None => [piece, &[]],
        })
    }

    /// The classes in units of the noise about the center.
    #[inline(always)]
    pub fn units<N>(self, problem: &Problem<N, F>) -> impl Iterator<Item = F> {
        let units = problem.units();
        self.pieces().flatten().flatten().map(move |&score| units.of(score))
    }

    #[inline(always)]
    pub(super) fn histogram<N: Noise<F>>(self, problem: Problem<N, F>) -> Histogram<N, F> {
        let mut histogram = Histogram::new(problem);
        for piece in self.pieces() {
            for scores in piece {
                histogram.add_finite(scores);
            }
        }
        histogram
    }

    /// Adds `weight` times the gradient to the entries of the whole row's.
    #[inline(always)]
    pub(super) fn add_grad<N: Noise<F>>(self, solution: &Solution<'_, N, F>, weight: F, grad: &mut [F]) {
        match self.label.and_then(|label| Some((grad.split_at_mut_checked(label)?, self.scores.split_at_checked(label)?))) {
            Some(((grad, [_, grad_after @ ..]), (scores, [_, scores_after @ ..]))) => {
                let next = solution.add_finite_grad(scores, 0, weight, grad);
                solution.add_finite_grad(scores_after, next, weight, grad_after);
            }
            _ => {
                solution.add_finite_grad(self.scores, 0, weight, grad);
            }
        }
    }
}
