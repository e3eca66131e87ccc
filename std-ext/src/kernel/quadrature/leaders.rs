//! The k largest scores of a row.

use topk_loss::Ranked;

use crate::elementary::Elementary;
use crate::kernel::select;
use crate::vectors::LANES;

/// Their values, with room to find them.
#[derive(Debug)]
pub struct Leaders<F> {
    k: usize,
    pool: Vec<Ranked<F>>,
    /// In descending order.
    values: Vec<F>,
}

/// The ends of a row.
#[derive(Debug, Clone, Copy)]
pub struct Range<F> {
    pub least: F,
    pub largest: F,
}

impl<F: Elementary> Leaders<F> {
    pub fn new(k: usize) -> Self {
        Self { k, pool: vec![], values: vec![] }
    }

    /// Finds them, −∞ for what a row of fewer scores lacks.
    #[inline(always)]
    pub fn find(&mut self, scores: &[F]) -> Range<F> {
        select::collect(scores, self.k, &mut self.pool);
        self.values.clear();
        self.values.extend(self.pool.iter().map(|ranked| ranked.value));
        self.values.sort_unstable_by(|a, b| b.partial_cmp(a).unwrap_or(core::cmp::Ordering::Equal));
        self.values.resize(self.k, F::neg_infinity());

        let (rows, rest) = scores.as_chunks::<{ 4 * LANES }>();
        let mut least = [F::infinity(); 4 * LANES];
        for row in rows {
            for (least, &score) in least.iter_mut().zip(row) {
                *least = if score < *least { score } else { *least };
            }
        }
        let least = least.iter().chain(rest).fold(F::infinity(), |least, &x| if x < least { x } else { least });
        Range { least, largest: self.values.first().copied().unwrap_or(least) }
    }

    /// The k largest, in descending order.
    pub fn values(&self) -> &[F] {
        &self.values
    }

    /// The k-th.
    pub fn kth(&self) -> F {
        self.values.last().copied().unwrap_or(F::neg_infinity())
    }
}
