//! Matrix products whose bits do not depend on the number of threads.

use faer::linalg::matmul::matmul;
use faer::prelude::*;
use faer::{Accum, Par};

use crate::parallel::{column_blocks, try_for_each};
use crate::{BatchReal, Result, check};

/// A tile takes one thread; large enough that packing its operands costs little, small enough that a few threads find work.
pub(super) const TILE: usize = 128;

/// `out` ← or += `lhs`·`rhs`. Only the result is cut, into tiles of a fixed size; every sum is one thread's, from end to end.
pub(super) fn product<F: BatchReal>(
    what: &'static str,
    out: MatMut<'_, F>,
    accum: Accum,
    lhs: MatRef<'_, F>,
    rhs: MatRef<'_, F>,
    par: Par,
) -> Result<()> {
    let strips = column_blocks(out, TILE).zip((0..).step_by(TILE));
    let mut tiles: Vec<_> = strips
        .flat_map(|(strip, column)| {
            let tiles = column_blocks(strip.transpose_mut(), TILE).zip((0..).step_by(TILE));
            tiles.map(move |(tile, row)| (tile.transpose_mut(), row, column))
        })
        .collect();
    try_for_each(&mut tiles, par, |(tile, row, column)| {
        let (lhs, rhs) = (lhs.subrows(*row, tile.nrows()), rhs.subcols(*column, tile.ncols()));
        matmul(tile.rb_mut(), accum, lhs, rhs, F::one(), Par::Seq);
        check::in_range(what, tile.as_ref())
    })
}
