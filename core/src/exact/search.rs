//! Halving: the first edge for which something does not hold.

/// The search for the first edge from `low` up to `high` for which something does not hold that holds up to there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    pub low: usize,
    pub high: usize,
}

impl Search {
    /// The edge to try next.
    #[inline(always)]
    pub fn middle(&self) -> Option<usize> {
        (self.low < self.high).then_some(self.low.midpoint(self.high))
    }

    #[inline(always)]
    pub fn go_on(&mut self, middle: usize, holds: bool) {
        if holds { self.low = middle + 1 } else { self.high = middle }
    }
}

/// The first edge from `start` up to `end` for which `holds` is false; it is true up to there.
#[inline(always)]
pub(super) fn partition_point(start: usize, end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let mut search = Search { low: start, high: end };
    while let Some(m) = search.middle() {
        search.go_on(m, holds(m));
    }
    search.low
}
