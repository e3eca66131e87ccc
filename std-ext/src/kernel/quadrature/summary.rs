//! What an integral needs to know of a row, or of a piece of it.

use super::candidates::Candidates;
use super::moments::{Block, Moments};
use crate::vectors::Vectors;

/// The classes that need individual care, and the moments of the others.
#[derive(Debug)]
pub struct Summary<F, const TERMS: usize> {
    pub candidates: Candidates<F>,
    pub moments: Moments<F, TERMS>,
}

impl<F: Vectors, const TERMS: usize> Summary<F, TERMS> {
    pub fn new() -> Self {
        Self { candidates: Candidates::new(), moments: Moments::zero() }
    }

    pub fn clear(&mut self) {
        self.candidates.clear();
        self.moments = Moments::zero();
    }

    /// Adds those of a later piece.
    fn append(&mut self, later: &Self) {
        self.candidates.append(&later.candidates);
        self.moments.add_sums(later.moments.sums());
    }
}

/// Room for the summary of a piece.
#[derive(Debug)]
pub struct Room<F, const TERMS: usize> {
    pub summary: Summary<F, TERMS>,
    /// Some of its classes.
    pub block: Box<Block<F>>,
}

impl<F: Vectors, const TERMS: usize> Default for Room<F, TERMS> {
    fn default() -> Self {
        Self { summary: Summary::new(), block: Box::new(Block::new()) }
    }
}

/// Puts the summaries of a row's pieces together, in the first; `never` is a position that is never above any t.
pub fn merge<F: Vectors, const TERMS: usize>(rooms: &mut [Room<F, TERMS>], never: F) {
    if let Some((first, others)) = rooms.split_first_mut() {
        others.iter().for_each(|later| first.summary.append(&later.summary));
        first.summary.candidates.fill_up(never);
    }
}
