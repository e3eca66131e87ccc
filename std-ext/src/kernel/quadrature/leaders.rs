//! The k largest scores of a row.

use crate::elementary::Elementary;

/// Their values, by one scan for what exceeds the k-th largest so far.
#[derive(Debug)]
pub struct Leaders<F> {
    k: usize,
    /// At least the k largest so far, the k largest of them first once it is trimmed.
    pool: Vec<F>,
}

/// The ends of a row.
#[derive(Debug, Clone, Copy)]
pub struct Range<F> {
    pub least: F,
    pub largest: F,
}

/// Scores that are looked at together.
const BLOCK: usize = 64;

impl<F: Elementary> Leaders<F> {
    pub fn new(k: usize) -> Self {
        Self { k, pool: Vec::with_capacity(2 * k + BLOCK) }
    }

    /// Finds them.
    #[inline(always)]
    pub fn find(&mut self, scores: &[F]) -> Range<F> {
        self.pool.clear();
        let mut threshold = F::neg_infinity();
        let mut least = [F::infinity(); BLOCK];
        for block in scores.chunks(BLOCK) {
            let mut exceed = 0_u32;
            for (least, &score) in least.iter_mut().zip(block) {
                exceed += u32::from(score > threshold);
                *least = if score < *least { score } else { *least };
            }
            if exceed == 0 {
                continue;
            }
            self.pool.extend(block.iter().copied().filter(|&score| score > threshold));
            if self.pool.len() >= 2 * self.k {
                self.trim();
                threshold = self.kth();
            }
        }
        self.trim();
        self.pool.sort_unstable_by(|a, b| descending(*a, *b));
        let least = least.into_iter().fold(F::infinity(), |least, x| if x < least { x } else { least });
        Range { least, largest: self.pool.first().copied().unwrap_or(least) }
    }

    fn trim(&mut self) {
        if self.pool.len() > self.k {
            self.pool.select_nth_unstable_by(self.k - 1, |a, b| descending(*a, *b));
            self.pool.truncate(self.k);
        }
    }

    /// The k largest, in descending order.
    pub fn values(&self) -> &[F] {
        &self.pool
    }

    /// The k-th.
    pub fn kth(&self) -> F {
        self.pool.get(self.k - 1).copied().unwrap_or(F::neg_infinity())
    }
}

fn descending<F: Elementary>(a: F, b: F) -> core::cmp::Ordering {
    b.partial_cmp(&a).unwrap_or(core::cmp::Ordering::Equal)
}
