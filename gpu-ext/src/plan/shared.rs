//! How much shared memory a block takes: the bytes that the kernels' `Arena` hands out, in the same order.

/// Counts what an `Arena` would take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes {
    /// Of the float that is computed in.
    float: usize,
    threads: usize,
    taken: usize,
}

impl Bytes {
    /// The slots of reductions, which every kernel takes first.
    pub fn new(float: usize, threads: u32) -> Self {
        Self { float, threads: threads as usize, taken: 0 }.and(32, 8)
    }

    /// `Selection` in select.cuh.
    pub fn selection(self, capacity: usize) -> Self {
        // A number and a class, aligned like the number.
        let ranked = 2 * self.float;
        self.floats(self.threads).and(capacity, ranked).and(capacity, ranked).and(256, 4).and(1, 4)
    }

    pub fn floats(self, count: usize) -> Self {
        self.and(count, self.float)
    }

    pub fn integers(self, count: usize) -> Self {
        self.and(count, 4)
    }

    /// The first for a float of four bytes, the second for one of eight.
    pub fn pick(self, single: usize, double: usize) -> usize {
        if self.float == 4 { single } else { double }
    }

    pub fn warps(self) -> usize {
        self.threads / 32
    }

    pub fn total(self) -> u32 {
        u32::try_from(self.taken).unwrap_or(u32::MAX)
    }

    fn and(self, count: usize, size: usize) -> Self {
        Self { taken: self.taken + (count * size).next_multiple_of(8), ..self }
    }
}
