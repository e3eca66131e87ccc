//! Matrix products whose bits do not depend on the number of threads.

use faer::linalg::matmul::matmul;
use faer::prelude::*;
use faer::{Accum, Par};
use topk_loss::Compensated;

use super::matrix;
use crate::parallel::try_for_each;
use crate::scores::blocks;
use crate::{BatchReal, Result, Threads};

/// A tile takes one thread; large enough that packing its operands costs little, small enough that a few threads find work.
pub(super) const TILE: usize = 128;

/// Longer sums, over the examples of a large batch, are taken in steps of so many terms, and those put together with compensation.
const STEP: usize = 1024;

/// `out` ← or += `lhs`·`rhs`. Only the result is cut, into tiles of a fixed size; every sum is one thread's, from end to end.
pub(super) fn product<F: BatchReal>(
    what: &'static str,
    out: MatMut<'_, F>,
    accum: Accum,
    lhs: MatRef<'_, F>,
    rhs: MatRef<'_, F>,
    threads: Threads,
) -> Result<()> {
    let strips = blocks(out, TILE).zip((0..).step_by(TILE));
    let mut tiles: Vec<_> = strips
        .flat_map(|(strip, column)| {
            let tiles = blocks(strip.transpose_mut(), TILE).zip((0..).step_by(TILE));
            tiles.map(move |(tile, row)| (tile.transpose_mut(), row, column))
        })
        .collect();
    try_for_each(&mut tiles, threads, |(tile, row, column)| {
        let (lhs, rhs) = (lhs.subrows(*row, tile.nrows()), rhs.subcols(*column, tile.ncols()));
        if lhs.ncols() <= STEP {
            matmul(tile.rb_mut(), accum, lhs, rhs, F::one(), Par::Seq);
        } else {
            product_in_steps(tile.rb_mut(), accum, lhs, rhs);
        }
        matrix::in_range(what, tile.as_ref())
    })
}

fn product_in_steps<F: BatchReal>(tile: MatMut<'_, F>, accum: Accum, lhs: MatRef<'_, F>, rhs: MatRef<'_, F>) {
    let mut sums = vec![Compensated::zero(); tile.nrows() * tile.ncols()];
    let mut add = |part: MatRef<'_, F>| {
        let entries = part.col_iter().flat_map(|column| column.iter());
        sums.iter_mut().zip(entries).for_each(|(sum, &entry)| sum.add(entry));
    };
    if accum == Accum::Add {
        add(tile.rb());
    }
    let mut part = Mat::zeros(tile.nrows(), tile.ncols());
    for first in (0..lhs.ncols()).step_by(STEP) {
        let count = STEP.min(lhs.ncols() - first);
        matmul(part.as_mut(), Accum::Replace, lhs.subcols(first, count), rhs.subrows(first, count), F::one(), Par::Seq);
        add(part.as_ref());
    }
    let places = tile.col_iter_mut().flat_map(|column| column.iter_mut());
    places.zip(sums).for_each(|(place, sum)| *place = sum.sum());
}
