//! Numbers side by side: what a compiler turns into the registers of whatever instruction set a function is compiled for.
//!
//! Loops over [`LANES`] numbers of an array, each step storing them, become vector code of any width; nothing is fused, and sums over lanes
//! have one order. So the same function gives the same bits on every machine, however wide its registers are.
//!
//! Whatever a hot loop calls is `#[inline(always)]`, and it does not hand closures to functions that are not: only what is inlined takes
//! the instruction set of its caller.

use crate::Real;

/// How many numbers are computed side by side, on every instruction set.
pub(crate) const LANES: usize = 16;

/// One number a lane.
pub(crate) type Lanes<F> = [F; LANES];

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

/// A sum of many parts that rounds as if each were added exactly (Kahan): thousands of tied terms would round alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compensated<F> {
    sum: F,
    lost: F,
}

impl<F: Real> Compensated<F> {
    #[inline(always)]
    pub fn zero() -> Self {
        Self { sum: F::zero(), lost: F::zero() }
    }

    #[inline(always)]
    pub fn add(&mut self, part: F) {
        let corrected = part - self.lost;
        let next = self.sum + corrected;
        (self.sum, self.lost) = (next, (next - self.sum) - corrected);
    }

    #[inline(always)]
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
