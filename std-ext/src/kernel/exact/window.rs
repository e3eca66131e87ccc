//! Where the order statistic can be: a window certified by a histogram of the scores, as in core's `profile`.

use topk_loss::{Noise, Normal};

use super::Units;
use crate::elementary::Elementary;
use crate::kernel::quadrature::chernoff::{at_least, at_most};

/// Bins of the histogram.
const BINS: usize = 192;

/// Tables of a bin's byte.
const BYTES: usize = 256;

/// The normal law's tails at the multiples of the bin width, the same for every row of a batch.
#[derive(Debug)]
pub(super) struct Tails<F> {
    /// The lower end of the lowest bin, in units of ε about the center.
    lowest: F,
    width: F,
    survival: Box<[F; 2 * BINS + 1]>,
    cdf: Box<[F; 2 * BINS + 1]>,
    /// How far below the window a class is negligible, and above it sure.
    pub negligible: F,
    pub sure: F,
}

/// The interval of t, in units of ε about the center, outside which the order statistic falls with negligible probability.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<F> {
    pub low: F,
    pub high: F,
}

impl<F: Elementary> Tails<F> {
    pub fn new(outside: F, num_classes: usize) -> Self {
        let per_class = outside / F::from_usize(num_classes);
        let reach = half_steps_to(per_class);
        let width = F::from_f64(2.0) * reach / F::from_usize(BINS);
        let at = |i: usize| ((F::from_usize(i) - F::from_usize(BINS)) * width).normal_tail_and_density().0;
        let survival: [F; 2 * BINS + 1] = core::array::from_fn(at);
        let cdf = core::array::from_fn(|i| survival[2 * BINS - i]);
        let hundredth = F::from_f64(0.01);
        Self {
            lowest: -reach,
            width,
            survival: Box::new(survival),
            cdf: Box::new(cdf),
            negligible: half_steps_to(outside * hundredth),
            sure: half_steps_to(per_class * hundredth),
        }
    }

    fn edge(&self, m: usize) -> F {
        self.lowest + F::from_usize(m) * self.width
    }

    /// Σ_b n_b · the table's entry for edge m and the lower (`upper` = 0) or upper edge of bin b.
    #[inline(always)]
    fn sum(table: &[F; 2 * BINS + 1], counts: &[F; BINS], m: usize, upper: usize) -> F {
        let entries = &table[m + 1 - upper..][..BINS];
        let mut lanes = [F::zero(); 16];
        for (counts, entries) in counts.chunks_exact(16).zip(entries.chunks_exact(16)) {
            for ((lane, &count), &entry) in lanes.iter_mut().zip(counts).zip(entries) {
                *lane += count * entry;
            }
        }
        lanes.into_iter().fold(F::zero(), |sum, lane| sum + lane)
    }
}

/// The first multiple of ½ at which the normal tail has fallen to `level`.
fn half_steps_to<F: Elementary>(level: F) -> F {
    let half = F::from_f64(0.5);
    let step = (1..80).find(|&i| Normal.survival(F::from_usize(i) * half) <= level);
    F::from_usize(step.unwrap_or(80)) * half
}

/// How many classes lie in each bin; bins are kept in descending order, so that sums over a tail table run forward.
#[derive(Debug)]
pub(super) struct Histogram<F> {
    all: Box<[F; BINS]>,
    /// The k largest.
    leading: Box<[F; BINS]>,
    /// From the k-th down.
    rest: Box<[F; BINS]>,
}

impl<F: Elementary> Histogram<F> {
    pub fn new() -> Self {
        let zeros = || Box::new([F::zero(); BINS]);
        Self { all: zeros(), leading: zeros(), rest: zeros() }
    }

    /// Counts the classes of a row.
    #[inline(always)]
    pub fn count(&mut self, scores: &[F], units: &Units<F>, tails: &Tails<F>) {
        const BLOCK: usize = 64;
        // Neighbouring classes count in different tables, or each increment would wait for the one before.
        let mut tables = [[0_u32; BYTES]; 4];
        let mut bins = [0_u8; BLOCK];
        let mut blocks = scores.chunks_exact(BLOCK);
        for block in &mut blocks {
            for (bin, &score) in bins.iter_mut().zip(block) {
                *bin = tails.bin(units.of(score));
            }
            for four in bins.chunks_exact(4) {
                for (table, &bin) in tables.iter_mut().zip(four) {
                    table[usize::from(bin)] += 1;
                }
            }
        }
        for &score in blocks.remainder() {
            tables[0][usize::from(tails.bin(units.of(score)))] += 1;
        }
        for (b, count) in self.all.iter_mut().rev().enumerate() {
            *count = F::from_usize(tables.iter().map(|table| table[b] as usize).sum());
        }
    }

    /// The window. Every class is taken at the edge of its bin that makes the bound hold.
    #[inline(always)]
    pub fn window(&mut self, tails: &Tails<F>, leaders: &[F], units: &Units<F>, outside: F) -> Window<F> {
        let k = leaders.len();
        self.leading.fill(F::zero());
        for &leader in leaders {
            self.leading[BINS - 1 - usize::from(tails.bin(units.of(leader)))] += F::one();
        }
        for ((rest, &all), &leading) in self.rest.iter_mut().zip(self.all.iter()).zip(self.leading.iter()) {
            *rest = all - leading;
        }
        // The k-th is one of both.
        if let Some(&kth) = leaders.last() {
            self.rest[BINS - 1 - usize::from(tails.bin(units.of(kth)))] += F::one();
        }
        let limit = outside.ln();
        // Not by closures: those are compiled without the instruction set that they are called under.
        let (mut low, mut end) = (0, BINS);
        while low < end {
            let m = low.midpoint(end);
            if self.bound_below(tails, m, k) <= limit { low = m + 1 } else { end = m }
        }
        let (mut high, mut end) = (low, BINS);
        while high < end {
            let m = high.midpoint(end);
            if self.bound_above(tails, m, k) > limit { high = m + 1 } else { end = m }
        }
        let low = low.saturating_sub(1);
        Window { low: tails.edge(low), high: tails.edge(high.max(low + 1)) }
    }

    /// ln of a bound on P(fewer than k noised scores are above edge m). The count of those below would bound it too, but no closer for a rank
    /// in the upper half.
    #[inline(always)]
    fn bound_below(&self, tails: &Tails<F>, m: usize, k: usize) -> F {
        let union = Tails::sum(&tails.cdf, &self.leading, m, 0).ln();
        union.min(at_most(F::from_usize(k - 1), Tails::sum(&tails.survival, &self.all, m, 0)))
    }

    /// ln of a bound on P(at least k noised scores are above edge m).
    #[inline(always)]
    fn bound_above(&self, tails: &Tails<F>, m: usize, k: usize) -> F {
        let union = Tails::sum(&tails.survival, &self.rest, m, 1).ln();
        union.min(at_least(F::from_usize(k), Tails::sum(&tails.survival, &self.all, m, 1)))
    }
}

impl<F: Elementary> Tails<F> {
    /// The bin of a class, the lowest and the highest taking in what is beyond them.
    #[inline(always)]
    fn bin(&self, u: F) -> u8 {
        let (last, half) = (F::from_usize(BINS - 1), F::from_f64(0.5));
        let bin = (u - self.lowest) / self.width - half;
        let bin = if bin > F::zero() { bin } else { F::zero() };
        (if bin < last { bin } else { last }).nearest_byte()
    }
}
