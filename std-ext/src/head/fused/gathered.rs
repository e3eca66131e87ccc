//! Copies some of the examples side by side, so that products are taken of them alone.

use faer::prelude::*;

use crate::BatchReal;

/// The columns of some examples.
#[derive(Debug)]
pub(super) struct Gathered<'a, F> {
    given: MatRef<'a, F>,
    examples: Vec<usize>,
    /// Where not all are taken.
    copy: Option<Mat<F>>,
}

impl<'a, F: BatchReal> Gathered<'a, F> {
    pub fn new(given: MatRef<'a, F>, is_taken: impl Fn(usize) -> bool) -> Self {
        let examples: Vec<_> = (0..given.ncols()).filter(|&example| is_taken(example)).collect();
        let copy = examples.last().filter(|_| examples.len() < given.ncols()).map(|&last| {
            // A product with a single column adds in another order than one with several: that column is taken twice.
            let column = |j| examples.get(j).copied().unwrap_or(last);
            Mat::from_fn(given.nrows(), examples.len().max(2), |i, j| given[(i, column(j))])
        });
        Self { given, examples, copy }
    }

    /// Their numbers in the batch, in ascending order.
    pub fn examples(&self) -> &[usize] {
        &self.examples
    }

    /// Their columns, and of a single one of several a second time.
    pub fn columns(&self) -> MatRef<'_, F> {
        self.copy.as_ref().map_or(self.given, Mat::as_ref)
    }

    /// Whether they are the whole batch.
    pub fn are_all(&self) -> bool {
        self.examples.len() == self.given.ncols()
    }
}
