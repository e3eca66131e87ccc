//! Work that is cut into pieces, each computed by one thread, so that no sum depends on how many threads there are.

use core::convert::Infallible;
use core::iter;

use crate::Threads;

/// Runs `work` on every piece with at most `threads.count()` threads; of several errors the one of the first piece is returned.
pub(crate) fn try_for_each<P: Send, E: Send>(
    pieces: &mut [P],
    threads: Threads,
    work: impl Fn(&mut P) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let share = pieces.len().div_ceil(threads.count()).max(1);
    let (own, others) = pieces.split_at_mut(share.min(pieces.len()));
    if others.is_empty() {
        return own.iter_mut().try_for_each(work);
    }
    let mut outcomes: Vec<_> = others.chunks(share).map(|_| Ok(())).collect();
    let (work, outcomes_of) = (&work, outcomes.iter_mut());
    // The calling thread takes the first share rather than wait until another has woken up.
    let first = rayon::in_place_scope(|scope| {
        for (share, outcome) in others.chunks_mut(share).zip(outcomes_of) {
            scope.spawn(move |_| *outcome = share.iter_mut().try_for_each(work));
        }
        own.iter_mut().try_for_each(work)
    });
    iter::once(first).chain(outcomes).collect()
}

/// The same for what cannot fail.
pub(crate) fn for_each<P: Send>(pieces: &mut [P], threads: Threads, work: impl Fn(&mut P) + Sync) {
    let Ok(()) = try_for_each(pieces, threads, |piece| {
        work(piece);
        Ok::<_, Infallible>(())
    });
}
