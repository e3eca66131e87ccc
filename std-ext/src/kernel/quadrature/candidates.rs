//! The classes of a row that are treated one by one.

use super::counts::TOGETHER;
use crate::elementary::Elementary;

/// Their positions, in whatever form suits the law, and the classes.
#[derive(Debug)]
pub struct Candidates<F> {
    /// How many need no care, since they are above every t.
    pub sure: usize,
    /// Those not likelier than not to be above any t. Both kinds are filled up with what cannot matter.
    unlikely: Vec<F>,
    unlikely_classes: Vec<u32>,
    likely: Vec<F>,
    likely_classes: Vec<u32>,
}

impl<F: Elementary> Candidates<F> {
    pub fn new() -> Self {
        Self { sure: 0, unlikely: vec![], unlikely_classes: vec![], likely: vec![], likely_classes: vec![] }
    }

    pub fn clear(&mut self) {
        self.sure = 0;
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

    /// Adds those of a later piece of the row.
    pub fn append(&mut self, later: &Self) {
        self.sure += later.sure;
        self.unlikely.extend_from_slice(&later.unlikely);
        self.unlikely_classes.extend_from_slice(&later.unlikely_classes);
        self.likely.extend_from_slice(&later.likely);
        self.likely_classes.extend_from_slice(&later.likely_classes);
    }

    /// Makes either kind a multiple of [`TOGETHER`], by classes at a position that is never above any t.
    pub fn fill_up(&mut self, never: F) {
        for positions in [&mut self.unlikely, &mut self.likely] {
            positions.resize(positions.len().next_multiple_of(TOGETHER), never);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.unlikely_classes.len() + self.likely_classes.len()
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
