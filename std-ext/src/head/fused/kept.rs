//! Keeps the scores that may count in a convex loss: the label's, and those above a floor that rises with what is read.

use topk_loss::Real;
use topk_loss::select::Ranked;

/// So many are compared before the program branches.
const BLOCK: usize = 32;

/// Scores of an example so far.
#[derive(Debug)]
pub(super) struct Kept<F> {
    label: usize,
    ranked: Vec<Ranked<F>>,
    /// No score below it counts.
    floor: F,
    /// When as many are kept, a floor is looked for again.
    room: usize,
}

impl<F: Real> Kept<F> {
    pub fn new(label: usize) -> Self {
        Self { label, ranked: vec![], floor: F::neg_infinity(), room: 4 * BLOCK }
    }

    /// Takes the next strip in. Those that are not kept stand at its front afterwards, as many as is returned; those that are kept no longer are
    /// added to `dropped`.
    ///
    /// `floor_of` some scores, relative to `top`, is relative too; of all the scores it is not below.
    pub fn take(&mut self, first: usize, scores: &mut [F], dropped: &mut Vec<F>, floor_of: impl Fn(&[F]) -> F) -> usize {
        let mut left = 0;
        for start in (0..scores.len()).step_by(BLOCK) {
            let block = start..scores.len().min(start + BLOCK);
            let has_label = (block.start..block.end).contains(&self.label.wrapping_sub(first));
            if !has_label && !scores[block.clone()].iter().fold(false, |any, &score| any | (score > self.floor)) {
                scores.copy_within(block.clone(), left);
                left += block.len();
                continue;
            }
            for place in block {
                let (index, value) = (first + place, scores[place]);
                if value > self.floor || index == self.label {
                    self.ranked.push(Ranked { index, value });
                } else {
                    scores[left] = value;
                    left += 1;
                }
            }
            if self.ranked.len() >= self.room {
                self.raise(dropped, &floor_of);
            }
        }
        left
    }

    fn raise(&mut self, dropped: &mut Vec<F>, floor_of: impl Fn(&[F]) -> F) {
        let (label, top) = (self.label, self.top());
        let floor = top + floor_of(&self.relative());
        self.floor = if floor > self.floor { floor } else { self.floor };
        let is_kept = |ranked: &Ranked<F>| ranked.value > self.floor || ranked.index == label;
        dropped.extend(self.ranked.iter().filter(|ranked| !is_kept(ranked)).map(|ranked| ranked.value));
        self.ranked.retain(is_kept);
        // Where all count, as many again before the next look.
        self.room = self.room.max(2 * self.ranked.len());
    }

    pub const fn label(&self) -> usize {
        self.label
    }

    /// In the order of the classes.
    pub fn ranked(&self) -> &[Ranked<F>] {
        &self.ranked
    }

    /// The largest of all scores.
    pub fn top(&self) -> F {
        self.ranked.iter().fold(F::neg_infinity(), |top, ranked| if ranked.value > top { ranked.value } else { top })
    }

    /// The label's score.
    pub fn own(&self) -> F {
        self.ranked.iter().find(|ranked| ranked.index == self.label).map_or(F::neg_infinity(), |ranked| ranked.value)
    }

    /// What is kept, relative to the largest.
    pub fn relative(&self) -> Vec<F> {
        let top = self.top();
        self.ranked.iter().map(|ranked| ranked.value - top).collect()
    }
}
