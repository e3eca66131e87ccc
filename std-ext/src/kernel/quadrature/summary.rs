//! What an integral needs to know of a row, or of a piece of it.

use super::candidates::Candidates;
use super::moments::{Block, Moments};
use crate::vectors::Vectors;

/// The classes that need individual care, and the moments of the others.
#[derive(Debug)]
pub struct Summary<F, const TERMS: usize> {
    pub candidates: Candidates<F>,
    pub moments: Moments<F, TERMS>,
    /// Room for some classes.
    pub block: Box<Block<F>>,
}

impl<F: Vectors, const TERMS: usize> Default for Summary<F, TERMS> {
    fn default() -> Self {
        Self { candidates: Candidates::new(), moments: Moments::zero(), block: Box::new(Block::new()) }
    }
}

impl<F: Vectors, const TERMS: usize> Summary<F, TERMS> {
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

/// Puts the pieces of a row together, in the first; `never` is a position that is never above any t.
pub fn merge<F: Vectors, const TERMS: usize>(pieces: &mut [Summary<F, TERMS>], never: F) {
    if let Some((first, others)) = pieces.split_first_mut() {
        others.iter().for_each(|later| first.append(later));
        first.candidates.fill_up(never);
    }
}
