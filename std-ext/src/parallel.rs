//! Work that is cut into pieces, each computed by one thread, so that no sum depends on how many threads there are.

use core::iter;

use faer::{MatMut, Par};
use rayon::prelude::*;

use crate::Result;

/// Runs `work` on every piece with at most `par.degree()` threads; of several errors the one of the first piece is returned.
pub(crate) fn try_for_each<P: Send>(pieces: &mut [P], par: Par, work: impl Fn(&mut P) -> Result<()> + Sync) -> Result<()> {
    let share = pieces.len().div_ceil(par.degree()).max(1);
    if pieces.len() <= share {
        return pieces.iter_mut().try_for_each(work);
    }
    let shares = pieces.par_chunks_mut(share);
    let outcomes: Vec<_> = shares.map(|share| share.iter_mut().try_for_each(&work)).collect();
    outcomes.into_iter().collect()
}

/// Consecutive blocks of at most `size` columns.
pub(crate) fn column_blocks<F>(matrix: MatMut<'_, F>, size: usize) -> impl Iterator<Item = MatMut<'_, F>> {
    let mut rest = Some(matrix);
    iter::from_fn(move || {
        let matrix = rest.take().filter(|matrix| matrix.ncols() > 0)?;
        let size = size.min(matrix.ncols());
        let (block, tail) = matrix.split_at_col_mut(size);
        rest = Some(tail);
        Some(block)
    })
}
