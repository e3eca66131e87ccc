//! Pieces of long rows, computed one by one so that threads can share a row.
//!
//! Pieces depend on the row's length alone, and what becomes of them is put together in their order: whoever computes them, one thread or
//! eight, gets the same bits.

/// A shorter row is one piece.
const SHORTEST: usize = 1 << 16;

/// Each has room of its own, so there are not many.
pub const MOST: usize = 8;

/// Pieces begin where a block of any computation begins.
const MULTIPLE: usize = 1 << 10;

/// The length of the pieces of a row of so many classes, but for the last.
#[must_use]
pub const fn len(num_classes: usize) -> usize {
    let len = num_classes.div_ceil(MOST).next_multiple_of(MULTIPLE);
    if len < SHORTEST { SHORTEST } else { len }
}
