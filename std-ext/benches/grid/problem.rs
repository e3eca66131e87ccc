//! A batch of scores, spread·N(0, 1), with a label drawn at random: it has no lead.

use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{Key, Real};

/// The examples of a batch, fewer where that would be more scores than [`Problem::new`] is told.
const BATCH: usize = 256;

/// One example after the other; each has `len` scores.
pub struct Problem<F> {
    pub len: usize,
    pub scores: Vec<F>,
    pub labels: Vec<usize>,
    pub grads: Vec<F>,
}

impl<F: Real> Problem<F> {
    pub fn new(len: usize, spread: f64, most_scores: usize) -> Self {
        let batch = (most_scores / len).clamp(1, BATCH);
        let mut scores = vec![F::zero(); batch * len];
        MonteCarlo::new(Normal, 1).and_then(|normal| normal.sample(Key::new(2), 0, &mut scores)).expect("a normal sample");
        scores.iter_mut().for_each(|score| *score *= F::from_f64(spread));
        // All classes are alike, so this is as good as drawn.
        let labels = (0..batch).map(|example| example * 389 % len).collect();
        Self { len, scores, labels, grads: vec![F::zero(); batch * len] }
    }
}
