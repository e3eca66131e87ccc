//! The arguments of the exact kernel: how far the noise reaches, and room for the classes near the window.

use topk_loss::noise::{Gumbel, Noise, Normal};

use super::arguments::HingeArguments;
use super::shared::Bytes;
use super::{MAX_SHARED_BYTES, list_capacity};
use crate::Float;

/// `Exact` in window.cuh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ExactArguments {
    hinge: HingeArguments,
    rank: usize,
    mirrored: bool,
    item_capacity: usize,
    group: usize,
    failure_capacity: usize,
    reach: f64,
    negligible: f64,
    negligible_alone: f64,
    sure: f64,
    /// Of the histogram.
    bins: usize,
}

/// Nodes that are worked on at a time, where there is room.
const GROUP: usize = 32;

/// `POWERS` in nodes.cuh.
const POWERS: usize = 18;

/// `BINS` of the laws in law.cuh.
const NORMAL_BINS: usize = 64;
const GUMBEL_BINS: usize = 192;

/// How small a probability of the label still has all digits: exp(−96), where `LINEAR_BELOW` in top_k_cross_entropy.cu takes over.
const LN_RAREST: f64 = -96.0;

impl ExactArguments {
    pub fn new<F: Float>(hinge: HingeArguments, num_classes: usize) -> Self {
        let outside = outside::<F>();
        let rank = hinge.rank.min(num_classes + 1 - hinge.rank);
        let reach = |level| reach(|z| Normal.survival(z), level);
        // A window starts where the mean count is about this at most; a class that needs individual care counts a quarter there, but the
        // window starts up to two bins further down. The likely classes have as much room again when there is too little.
        let count = largest_mean(rank - 1, outside.ln());
        let per_class = outside * 0.01 / num_classes as f64;
        Self {
            hinge: HingeArguments { list_capacity: list_capacity(hinge.rank - 1), ..hinge },
            rank,
            mirrored: rank != hinge.rank,
            item_capacity: ((8.0 * count) as usize + 64).max(hinge.list_capacity).min(num_classes.next_multiple_of(32)),
            group: GROUP,
            failure_capacity: (1.5 * count) as usize + 2,
            reach: 2.0 * reach(outside / num_classes as f64),
            negligible: reach(outside * 0.01),
            negligible_alone: reach(per_class),
            sure: reach(per_class),
            bins: NORMAL_BINS,
        }
        .fitted::<F>()
    }

    /// For a label that is held against the `k`-th of the others under Gumbel noise.
    pub fn for_label<F: Float>(k: usize, epsilon: f64, num_classes: usize) -> Self {
        let outside = outside::<F>();
        let hinge = HingeArguments { epsilon, rank: k, list_capacity: list_capacity(k), ..HingeArguments::default() };
        let count = largest_mean(k - 1, outside.ln() + LN_RAREST);
        Self {
            hinge,
            rank: k,
            mirrored: false,
            item_capacity: ((12.0 * count) as usize + 64).max(hinge.list_capacity).min(num_classes.next_multiple_of(32)),
            group: GROUP,
            failure_capacity: count as usize + 2,
            reach: reach(|z| Gumbel.survival(z), outside / num_classes as f64) + reach(|z| Gumbel.cdf(-z), outside),
            negligible: 0.0,
            negligible_alone: 0.0,
            // The lower tail falls doubly exponentially.
            sure: reach(|z| Gumbel.cdf(-z), (outside.ln() + LN_RAREST).exp() / num_classes as f64),
            bins: GUMBEL_BINS,
        }
        .fitted::<F>()
    }

    /// With as many nodes at a time as fit into shared memory beside full blocks.
    fn fitted<F: Float>(self) -> Self {
        let fits = |arguments: &Self| arguments.bytes(Bytes::new(size_of::<F>(), super::MAX_THREADS as u32)).total() <= MAX_SHARED_BYTES;
        let halved = core::iter::successors(Some(self), |larger| Some(Self { group: larger.group / 2, ..*larger }).filter(|a| a.group > 0));
        halved.clone().find(fits).or_else(|| halved.last()).unwrap_or(self)
    }

    /// What the kernel `exact` takes, in its order.
    pub fn bytes(&self, bytes: Bytes) -> Bytes {
        let terms = bytes.pick(16, 25);
        let room = self.item_capacity + terms;
        let bytes = bytes.selection(room).floats(room).floats(room).integers(self.bins);
        let bytes = bytes.floats(2 * self.bins + 1).floats(2 * self.bins + 1);
        let bytes = bytes.floats(4 * terms).floats(terms).floats(terms).floats(terms).floats(terms).floats(terms).floats(terms);
        let bytes = bytes.floats(terms * bytes.warps());
        let nodes = bytes.floats(self.group).floats(self.group * self.rank).floats(self.group * self.rank);
        nodes
            .floats(self.group * self.failure_capacity)
            .floats(self.group * POWERS)
            .integers(self.group)
            .floats(self.group)
            .floats(self.group)
    }

    pub fn words(&self, margins: u64) -> Vec<u64> {
        let Self { rank, mirrored, item_capacity, group, failure_capacity, .. } = *self;
        let sizes = [rank as u64, u64::from(mirrored), item_capacity as u64, group as u64, failure_capacity as u64];
        let lengths = [self.reach, self.negligible, self.negligible_alone, self.sure].map(f64::to_bits);
        self.hinge.words(margins).into_iter().chain(sizes).chain(lengths).collect()
    }
}

/// `OUTSIDE` in precision.cuh.
fn outside<F: Float>() -> f64 {
    if F::SUFFIX == "f64" { 1e-11 } else { 1e-7 }
}

/// The first multiple of ½ at which a tail has fallen to `level`.
fn reach(tail: impl Fn(f64) -> f64, level: f64) -> f64 {
    const STEPS: u32 = 400;
    f64::from((1..STEPS).find(|&steps| tail(f64::from(steps) / 2.0) <= level).unwrap_or(STEPS)) / 2.0
}

/// The mean μ > j at which Chernoff's bound on ln P(N ≤ j), j − μ − j ln(j/μ), is `limit`.
fn largest_mean(j: usize, limit: f64) -> f64 {
    let j = j as f64;
    let bound = |mean: f64| if j == 0.0 { -mean } else { j - mean - j * (j / mean).ln() };
    let (mut low, mut high) = (j, 2.0 * j + 4.0 * -limit);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if bound(middle) > limit { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::largest_mean;

    #[test]
    fn the_mean_meets_the_bound() {
        assert!((largest_mean(0, -16.0) - 16.0).abs() < 1e-9);
        let mean = largest_mean(5, -16.0);
        assert!((5.0 - mean - 5.0 * (5.0 / mean).ln() + 16.0).abs() < 1e-9 && mean > 5.0);
    }
}
