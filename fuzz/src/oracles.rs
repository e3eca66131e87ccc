//! An oracle by a byte.

use topk_loss::Result;
use topk_loss::oracle::{KthLargest, Max, Oracle, OrderStatistics, RankSum, TopKSum};

use crate::{Float, Input};

impl Input {
    /// A sum of order statistics of so many scores.
    ///
    /// # Errors
    /// Those of its constructor.
    pub fn order_statistics<F: Float>(&self, len: usize) -> Result<Box<dyn OrderStatistics<F>>> {
        let k = self.k.rank(len);
        Ok(match self.which % 4 {
            0 => Box::new(KthLargest::new(k)?),
            1 => Box::new(Max),
            2 => Box::new(TopKSum::new(k)?),
            _ => Box::new(RankSum::new(self.others::<F>(k.min(len)))?),
        })
    }
}

/// What the oracle is a sum of: each rank that counts, with its weight.
pub fn weights<F: Float>(oracle: &dyn OrderStatistics<F>) -> Vec<(F, usize)> {
    oracle.ranks().each().collect()
}

/// The oracle itself.
#[must_use]
pub fn as_oracle<F: Float>(oracle: &dyn OrderStatistics<F>) -> &dyn Oracle<F> {
    oracle
}
