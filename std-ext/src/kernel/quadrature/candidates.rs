//! The classes of a row that are treated one by one.

use super::counts::TOGETHER;
use crate::elementary::Elementary;

/// Their positions, in whatever form suits the law, and the classes.
#[derive(Debug)]
pub struct Candidates<F> {
    /// Those not likelier than not to be above any t. Both kinds are filled up with what cannot matter.
    unlikely: Vec<F>,
    unlikely_classes: Vec<u32>,
    likely: Vec<F>,
    likely_classes: Vec<u32>,
}

impl<F: Elementary> Candidates<F> {
    pub fn new() -> Self {
        Self { unlikely: vec![], unlikely_classes: vec![], likely: vec![], likely_classes: vec![] }
    }

    pub fn clear(&mut self) {
        self.unlikely.clear();
        self.unlikely_classes.clear();
        self.likely.clear();
        self.likely_classes.clear();
    }

    #[inline(always)]
    pub fn push(&mut self, position: F, class: u32, is_likely: bool) {
        if is_likely {
            self.likely.push(position);
            self.likely_classes.push(class);
        } else {
            self.unlikely.push(position);
            self.unlikely_classes.push(class);
        }
    }

    /// Makes either kind a multiple of [`TOGETHER`], by classes at a position that is never above any t.
    pub fn fill_up(&mut self, never: F) {
        for positions in [&mut self.unlikely, &mut self.likely] {
            positions.resize(positions.len().next_multiple_of(TOGETHER), never);
        }
    }

    /// The unlikely ones' positions, and the others'.
    pub fn positions(&self) -> (&[F], &[F]) {
        (&self.unlikely, &self.likely)
    }

    /// Where they stand in the row, each with its entry of `shares`.
    pub fn placed<'s>(&'s self, shares: &'s [F]) -> impl Iterator<Item = (usize, F)> + 's {
        let (unlikely, likely) = shares.split_at(self.unlikely.len());
        let pairs = self.unlikely_classes.iter().zip(unlikely).chain(self.likely_classes.iter().zip(likely));
        pairs.map(|(&class, &share)| (class as usize, share))
    }
}
