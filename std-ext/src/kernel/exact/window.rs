//! Where the order statistic can be: a window certified by a histogram of the scores, as in core's `profile`.

use pulp::{Simd, WithSimd};
use topk_loss::{Noise, Normal, Ranked};

use super::Units;
use crate::elementary::Elementary;
use crate::kernel::quadrature::chernoff::{at_least, at_most};
use crate::kernel::workers::{Piece, Workers};

/// Bins of the histogram.
pub const BINS: usize = 192;

/// Tables of a bin's byte.
const BYTES: usize = 256;

/// The normal law's tails at the multiples of the bin width, the same for every row of a batch.
#[derive(Debug)]
pub struct Tails<F> {
    /// The lower end of the lowest bin, in units of ε about the center.
    lowest: F,
    pub width: F,
    survival: Box<[F; 2 * BINS + 1]>,
    cdf: Box<[F; 2 * BINS + 1]>,
    /// How far below the window a class is negligible, and above it sure.
    pub negligible: F,
    pub sure: F,
}

/// The interval of t, in units of ε about the center, outside which the order statistic falls with negligible probability.
#[derive(Debug, Clone, Copy)]
pub struct Window<F> {
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
pub struct Histogram<F> {
    /// Of the pieces of the row.
    tallies: Vec<Tally>,
    all: Box<[F; BINS]>,
    /// The k largest.
    leading: Box<[F; BINS]>,
    /// From the k-th down.
    rest: Box<[F; BINS]>,
}

/// How many classes lie in each bin, in ascending order.
#[derive(Debug, Clone)]
pub struct Tally([u32; BINS]);

impl Tally {
    /// Raises the bins by so many of their widths.
    pub fn raise(&mut self, bins: usize) {
        let below = bins.min(BINS - 1);
        let lowest = self.0[..=below].iter().sum();
        self.0.copy_within(below.., 0);
        self.0[0] = lowest;
        self.0[BINS - below..].fill(0);
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self([0; BINS])
    }
}

/// Adds some classes to a tally.
pub struct Count<'a, F> {
    pub scores: &'a [F],
    pub units: &'a Units<F>,
    pub tails: &'a Tails<F>,
    pub tally: &'a mut Tally,
}

impl<F: Elementary> WithSimd for Count<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        const BLOCK: usize = 64;
        let Self { scores, units, tails, tally } = self;
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
        for (b, count) in tally.0.iter_mut().enumerate() {
            *count += tables.iter().map(|table| table[b]).sum::<u32>();
        }
    }
}

impl<F: Elementary> Histogram<F> {
    pub fn new() -> Self {
        let zeros = || Box::new([F::zero(); BINS]);
        Self { tallies: vec![], all: zeros(), leading: zeros(), rest: zeros() }
    }

    /// That of a row that was counted.
    pub fn of(tally: Tally) -> Self {
        Self { tallies: vec![tally], ..Self::new() }
    }

    /// Counts the classes of a row.
    pub fn count(&mut self, workers: Workers, scores: &[F], units: &Units<F>, tails: &Tails<F>) {
        workers.map_with(scores, None, &mut self.tallies, |Piece { scores, room, .. }| {
            *room = Tally::default();
            workers.dispatch(Count { scores, units, tails, tally: room });
        });
    }

    /// The window. Every class is taken at the edge of its bin that makes the bound hold.
    pub fn window(&mut self, workers: Workers, tails: &Tails<F>, leaders: &[Ranked<F>], units: &Units<F>, outside: F) -> Window<F> {
        workers.dispatch(FindWindow { histogram: self, tails, leaders, units, limit: outside.ln() })
    }

    /// Puts the pieces' tallies together, and sets the k largest apart.
    #[inline(always)]
    fn set(&mut self, tails: &Tails<F>, leaders: &[Ranked<F>], units: &Units<F>) {
        let bin = |ranked: &Ranked<F>| BINS - 1 - usize::from(tails.bin(units.of(ranked.value)));
        for (b, all) in self.all.iter_mut().rev().enumerate() {
            *all = F::from_f64(self.tallies.iter().fold(0.0, |sum, tally| sum + f64::from(tally.0[b])));
        }
        self.leading.fill(F::zero());
        for leader in leaders {
            self.leading[bin(leader)] += F::one();
        }
        for ((rest, &all), &leading) in self.rest.iter_mut().zip(self.all.iter()).zip(self.leading.iter()) {
            *rest = all - leading;
        }
        // The k-th is one of both.
        if let Some(kth) = leaders.last() {
            self.rest[bin(kth)] += F::one();
        }
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

/// The outermost edges at which the bounds hold.
struct FindWindow<'a, F> {
    histogram: &'a mut Histogram<F>,
    tails: &'a Tails<F>,
    leaders: &'a [Ranked<F>],
    units: &'a Units<F>,
    limit: F,
}

impl<F: Elementary> WithSimd for FindWindow<'_, F> {
    type Output = Window<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Window<F> {
        let Self { histogram, tails, leaders, units, limit } = self;
        histogram.set(tails, leaders, units);
        let k = leaders.len();
        // Not by closures: those are compiled without the instruction set that they are called under.
        let (mut low, mut end) = (0, BINS);
        while low < end {
            let m = low.midpoint(end);
            if histogram.bound_below(tails, m, k) <= limit { low = m + 1 } else { end = m }
        }
        let (mut high, mut end) = (low, BINS);
        while high < end {
            let m = high.midpoint(end);
            if histogram.bound_above(tails, m, k) > limit { high = m + 1 } else { end = m }
        }
        let low = low.saturating_sub(1);
        Window { low: tails.edge(low), high: tails.edge(high.max(low + 1)) }
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
