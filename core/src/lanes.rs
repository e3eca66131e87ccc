//! Numbers side by side: what a compiler turns into the registers of whatever instruction set a function is compiled for.
//!
//! Loops over [`LANES`] numbers of an array, each step storing them, become vector code of any width; nothing is fused, and sums over lanes
//! have one order. So the same function gives the same bits on every machine, however wide its registers are.
//!
//! Whatever a hot loop calls is `#[inline(always)]`, and it does not hand closures to functions that are not: only what is inlined takes
//! the instruction set of its caller.

#![expect(clippy::indexing_slicing, reason = "a lane is below the number of lanes")]

use crate::Real;

/// How many numbers are computed side by side, on every instruction set.
pub(crate) const LANES: usize = 16;

/// Two registers of the widest kind, so that one addition need not wait for another.
pub(crate) const PAIR: usize = 2 * LANES;

/// One number a lane.
pub(crate) type Lanes<F> = [F; LANES];

/// What `f`, a line at most, makes of each lane. Lanes go in and come out by value: what a function stores through a reference could change
/// what it reads through another, as far as a compiler knows, and then it is no vector code.
#[inline(always)]
pub(crate) fn map<F: Real>(a: Lanes<F>, f: impl Fn(F) -> F) -> Lanes<F> {
    let mut out = [F::zero(); LANES];
    for lane in 0..LANES {
        out[lane] = f(a[lane]);
    }
    out
}

/// What `f` makes of two lanes each.
#[inline(always)]
pub(crate) fn zip<F: Real>(a: Lanes<F>, b: Lanes<F>, f: impl Fn(F, F) -> F) -> Lanes<F> {
    let mut out = [F::zero(); LANES];
    for lane in 0..LANES {
        out[lane] = f(a[lane], b[lane]);
    }
    out
}

/// What `f` makes of three lanes each.
#[inline(always)]
pub(crate) fn zip3<F: Real>(a: Lanes<F>, b: Lanes<F>, c: Lanes<F>, f: impl Fn(F, F, F) -> F) -> Lanes<F> {
    let mut out = [F::zero(); LANES];
    for lane in 0..LANES {
        out[lane] = f(a[lane], b[lane], c[lane]);
    }
    out
}

/// Up to so many numbers, and `others` in the lanes for which there are none.
#[inline(always)]
pub(crate) fn of<F: Real>(numbers: &[F], others: F) -> Lanes<F> {
    if let Some(&lanes) = numbers.first_chunk() {
        return lanes;
    }
    let mut lanes = [others; LANES];
    lanes.iter_mut().zip(numbers).for_each(|(lane, &number)| *lane = number);
    lanes
}

/// 0, 1, 2, …
#[inline(always)]
pub(crate) fn numbers<F: Real>() -> Lanes<F> {
    let n = F::from_f64;
    [n(0.0), n(1.0), n(2.0), n(3.0), n(4.0), n(5.0), n(6.0), n(7.0), n(8.0), n(9.0), n(10.0), n(11.0), n(12.0), n(13.0), n(14.0), n(15.0)]
}

/// The first of these numbers that is `value`, or 0.
#[inline(always)]
pub(crate) fn position<F: Real>(numbers: &[F], value: F) -> usize {
    let block = numbers.chunks(PAIR).position(|block| block.iter().fold(false, |any, &number| any | (number == value)));
    let first = block.map_or(0, |block| block * PAIR);
    let place = numbers.iter().skip(first).position(|&number| number == value);
    place.map_or(0, |place| first + place)
}

/// The sum of all lanes.
#[inline(always)]
pub(crate) fn sum<F: Real>(lanes: &Lanes<F>) -> F {
    let (lower, upper) = halves(lanes);
    lower + upper
}

/// The sums of either half of the lanes.
#[inline(always)]
pub(crate) fn halves<F: Real>(lanes: &Lanes<F>) -> (F, F) {
    let [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7] = *lanes;
    let half = |x: [F; 8]| {
        let [x0, x1, x2, x3, x4, x5, x6, x7] = x;
        ((x0 + x4) + (x2 + x6)) + ((x1 + x5) + (x3 + x7))
    };
    (half([a0, a1, a2, a3, a4, a5, a6, a7]), half([b0, b1, b2, b3, b4, b5, b6, b7]))
}

/// All lanes of a pair as one, in halves.
#[inline(always)]
pub(crate) fn tree<F: Real>(mut lanes: [F; PAIR], join: impl Fn(F, F) -> F) -> F {
    let mut len = PAIR / 2;
    while len > 0 {
        let (lower, upper) = lanes.split_at_mut(len);
        for (a, &b) in lower.iter_mut().zip(upper.iter()) {
            *a = join(*a, b);
        }
        len /= 2;
    }
    let [all, ..] = lanes;
    all
}

/// Kahan's addition, lane by lane.
#[inline(always)]
pub(crate) fn add<F: Real, const N: usize>(terms: &[F; N], sums: &mut [F; N], lost: &mut [F; N]) {
    for ((sum, lost), &term) in sums.iter_mut().zip(lost).zip(terms) {
        let corrected = term - *lost;
        let next = *sum + corrected;
        (*sum, *lost) = (next, (next - *sum) - corrected);
    }
}

/// A sum of many parts that rounds as if each were added exactly (Kahan): thousands of tied terms would round alike.
///
/// The sum of n parts is off by at most ε + nε² times the sum of their sizes, ε the float's machine epsilon.
#[derive(Debug, Clone, Copy)]
pub struct Compensated<F> {
    sum: F,
    lost: F,
}

impl<F: Real> Compensated<F> {
    /// The sum of nothing.
    #[inline(always)]
    #[must_use]
    pub fn zero() -> Self {
        Self { sum: F::zero(), lost: F::zero() }
    }

    /// The sum of these parts.
    #[inline(always)]
    #[must_use]
    pub fn of(parts: impl IntoIterator<Item = F>) -> F {
        let mut total = Self::zero();
        parts.into_iter().for_each(|part| total.add(part));
        total.sum()
    }

    /// Adds a part.
    #[inline(always)]
    pub fn add(&mut self, part: F) {
        let corrected = part - self.lost;
        let next = self.sum + corrected;
        let lost = (next - self.sum) - corrected;
        // A sum beyond the float's range stays there.
        (self.sum, self.lost) = (next, if lost.is_finite() { lost } else { F::zero() });
    }

    /// What was added so far.
    #[inline(always)]
    #[must_use]
    pub fn sum(self) -> F {
        self.sum
    }
}

/// The sum of many: lanes for a few of each, then with compensation.
#[inline(always)]
pub(crate) fn total<F: Real>(terms: &[F]) -> F {
    const FEW: usize = 16 * LANES;
    let mut total = Compensated::zero();
    for block in terms.chunks(FEW) {
        let mut lanes = [F::zero(); LANES];
        let (chunks, rest) = block.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, &term) in lanes.iter_mut().zip(chunk) {
                *lane += term;
            }
        }
        for (lane, &term) in lanes.iter_mut().zip(rest) {
            *lane += term;
        }
        total.add(sum(&lanes));
    }
    total.sum()
}
