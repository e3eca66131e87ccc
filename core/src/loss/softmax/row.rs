//! The softmax of a row in memory: all three steps, piece by piece.

use super::Softmax;
use super::part::{Part, larger, largest, rest};
use crate::{Error, Real, Result, check, pieces};

/// A row in memory.
#[derive(Debug)]
pub(in crate::loss) struct Row<F> {
    pub softmax: Softmax<F>,
    pieces: [Part<F>; pieces::MOST],
}

impl<F: Real> Row<F> {
    /// The exponentials are left in `exponentials`, unless it is empty.
    pub fn new(scores: &[F], label: usize, exponentials: &mut [F]) -> Result<Self> {
        check::at_least_one_score(scores)?;
        let len = pieces::len(scores.len());
        let mut pieces = [Part::default(); pieces::MOST];
        for (piece, scores) in pieces.iter_mut().zip(scores.chunks(len)) {
            match largest(scores) {
                Some(largest) => piece.largest = largest,
                None => check::finite("scores", scores)?,
            }
        }
        if scores.len() < 2 {
            return Err(Error::Length { what: "scores", expected: 2, actual: scores.len() });
        }
        Self::of(pieces, scores, |score| score, label, exponentials)
    }

    /// The same of what `logit` makes of finite scores, −∞ at the lowest, where the largest is known; compiled where it is called.
    #[inline(always)]
    pub fn relative_to(largest: F, scores: &[F], logit: impl Fn(F) -> F, label: usize, exponentials: &mut [F]) -> Result<Self> {
        Self::of([Part { largest, ..Part::default() }; pieces::MOST], scores, logit, label, exponentials)
    }

    /// Given numbers that are not below the scores of each piece.
    #[inline(always)]
    fn of(mut pieces: [Part<F>; pieces::MOST], scores: &[F], logit: impl Fn(F) -> F, label: usize, exponentials: &mut [F]) -> Result<Self> {
        let (len, own) = (pieces::len(scores.len()), logit(check::label(scores, label)?));
        let whole = pieces.iter().fold(F::neg_infinity(), |most, piece| larger(most, piece.largest));
        check::in_range("range of the scores", whole - own)?;
        let mut outs = exponentials.chunks_mut(len);
        for ((piece, scores), first) in pieces.iter_mut().zip(scores.chunks(len)).zip((0..).step_by(len)) {
            piece.rest = rest(scores, &logit, label.checked_sub(first), piece.largest, outs.next().unwrap_or_default());
        }
        let row = pieces.iter().fold(Part::default(), |row: Part<F>, &piece| row.merge(piece));
        Ok(Self { softmax: Softmax::new(row, own)?, pieces })
    }

    /// Makes the exponentials `slope` times the gradient of −ln p_y.
    pub fn differentiate(&self, label: usize, slope: F, exponentials: &mut [F]) {
        self.write(label, slope, F::one(), exponentials);
    }

    /// The same times `weight`; compiled where it is called.
    #[inline(always)]
    pub fn write(&self, label: usize, slope: F, weight: F, exponentials: &mut [F]) {
        let len = pieces::len(exponentials.len());
        for (&piece, exponentials) in self.pieces.iter().zip(exponentials.chunks_mut(len)) {
            self.softmax.scale(piece, slope, weight, exponentials);
        }
        if let Some(entry) = exponentials.get_mut(label) {
            *entry = self.softmax.own_entry(slope) * weight;
        }
    }
}
