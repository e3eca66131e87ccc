//! The bounds are bounds: against a count, class after class.

use super::*;
use crate::noise::{Gumbel, Logistic, Normal};
use crate::{Exact, KthLargest};

const L: usize = 6;

/// ln of P(fewer than `rank` are above t) and of P(at least as many are), by counting class after class.
fn naive<N: Noise<f64>>(law: &N, scores: [f64; L], rank: usize, t: f64) -> [f64; 2] {
    let mut counts = [0.0; L + 1];
    counts[0] = 1.0;
    for score in scores {
        let (above, below) = (law.survival(t - score), law.cdf(t - score));
        for j in (0..=L).rev() {
            counts[j] = below * counts[j] + if j > 0 { above * counts[j - 1] } else { 0.0 };
        }
    }
    [&counts[..rank], &counts[rank..]].map(|counts| counts.iter().sum::<f64>().ln())
}

fn what_is_bounded_is_within_its_bounds<N: Noise<f64>>(law: N) {
    let scores = [2.5, 1.0, 0.0, 0.0, -0.8, -3.0];
    for rank in 1..=L {
        let mut histogram = Exact::new(KthLargest::new(rank).unwrap(), law, 1.0).unwrap().histogram(0.0, L).unwrap();
        histogram.add(&scores).unwrap();
        let mut scratch = [0.0; 1024];
        let mut bounds = Bounds::new(&histogram, &mut scratch).unwrap();
        bounds.set_rank(rank);
        for m in 0..bounds.bins {
            let [below, above] = naive(&law, scores, rank, bounds.edge(m));
            // What is not 0 only for want of digits is told by its logarithm alone, which the naive count has not.
            let (rounding, told) = (1e-9, -600.0);
            assert!(below <= bounds.ln_below(&law, m, rank) + rounding, "rank {rank}, edge {m}: {below}");
            assert!(above <= bounds.ln_above(&law, m, rank) + rounding, "rank {rank}, edge {m}: {above}");
            assert!(below < told || below >= bounds.ln_least_below(&law, m) - rounding, "rank {rank}, edge {m}: {below}");
            assert!(above < told || above >= bounds.ln_least_above(&law, m) - rounding, "rank {rank}, edge {m}: {above}");
        }
    }
}

#[test]
fn an_order_statistic_is_within_its_bounds() {
    what_is_bounded_is_within_its_bounds(Normal);
    what_is_bounded_is_within_its_bounds(Gumbel);
    what_is_bounded_is_within_its_bounds(Logistic);
}
