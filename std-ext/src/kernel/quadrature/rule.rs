//! The nodes of the trapezoid rule over a window, 16 at a time.

use super::lanes::HALF;
use crate::elementary::Elementary;
use crate::vectors::{LANES, Lanes};

/// Intervals of the first rule that is compared with one of half as many.
pub const INTERVALS: usize = LANES;

/// Candidates that are kept beside each other: with more, the row is left to core's code, whose memory is linear in them.
pub const MAX_CANDIDATES: usize = 2048;

/// Nodes that are computed together.
pub struct Batch<F> {
    pub t: Lanes<F>,
    /// What each counts.
    pub end: Lanes<F>,
    /// Whether the first half of them are a rule of their own, twice as coarse.
    pub has_coarse: bool,
}

impl<F: Elementary> Batch<F> {
    /// The first rule: the even nodes in the first half, the lower end among them with half its weight, the odd ones in the other half.
    /// The upper end, where everything is negligible, is left out.
    #[inline(always)]
    pub fn first(low: F, width: F) -> Self {
        let even_odd = |lane: usize| if lane < HALF { 2 * lane } else { 2 * (lane - HALF) + 1 };
        let t = core::array::from_fn(|lane| low + width * (F::from_usize(even_odd(lane)) / F::from_usize(INTERVALS)));
        let mut end = [F::one(); LANES];
        end[0] = F::from_f64(0.5);
        Self { t, end, has_coarse: true }
    }

    /// The midpoints of the intervals of a rule.
    #[inline(always)]
    pub fn midpoints(low: F, width: F, intervals: usize) -> impl Iterator<Item = Self> {
        (0..intervals).step_by(LANES).map(move |first| {
            let at = |lane: usize| (F::from_usize(first + lane) + F::from_f64(0.5)) / F::from_usize(intervals);
            Self { t: core::array::from_fn(|lane| low + width * at(lane)), end: [F::one(); LANES], has_coarse: false }
        })
    }
}
