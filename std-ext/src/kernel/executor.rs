//! Who computes a row: the instruction set, and the threads that share a long one.
//!
//! A long row is cut into pieces. They depend on its length alone, and what becomes of them is put together in their order: no number of
//! threads changes a bit.

use core::array;

#[cfg(target_arch = "x86_64")]
use pulp::Simd;
use pulp::{Arch, WithSimd};
use topk_loss::Real;
use topk_loss::pieces::{self, MOST};

use crate::instruction_sets::best;
use crate::{Threads, parallel};

/// A piece of a row, of what is written for it if anything is, and a room.
#[derive(Debug)]
pub struct Piece<'a, F, R> {
    /// The first of its classes.
    pub first: usize,
    pub scores: &'a [F],
    pub out: Option<&'a mut [F]>,
    pub room: &'a mut R,
}

/// What became of the pieces, in their order.
#[derive(Debug)]
pub struct Outcomes<T>([Option<T>; MOST]);

impl<T> Outcomes<T> {
    pub fn fold<A>(self, start: A, merge: impl FnMut(A, T) -> A) -> A {
        self.0.into_iter().flatten().fold(start, merge)
    }
}

impl Outcomes<bool> {
    pub fn all(self) -> bool {
        self.fold(true, |all, piece| all & piece)
    }
}

/// The instruction set and the threads that compute a row.
#[derive(Debug, Clone, Copy)]
pub struct Executor {
    arch: Arch,
    threads: Threads,
}

impl Executor {
    /// So many threads, which the processor's best instructions serve.
    pub fn new(threads: Threads) -> Self {
        Self { arch: best(), threads }
    }

    /// One thread with these instructions.
    #[cfg(test)]
    pub fn of(arch: Arch) -> Self {
        Self { arch, threads: Threads::ONE }
    }

    #[inline]
    pub fn dispatch<W: WithSimd>(self, work: W) -> W::Output {
        self.arch.dispatch(work)
    }

    /// The same for long code, of which a crate below has a copy for the instructions that every processor has.
    #[inline]
    pub fn dispatch_or<W: WithSimd>(self, work: W, portable: impl FnOnce(W) -> W::Output) -> W::Output {
        match self.arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V3(simd) => Simd::vectorize(simd, work),
            #[cfg(target_arch = "x86_64")]
            Arch::V4(simd) => Simd::vectorize(simd, work),
            _ => portable(work),
        }
    }

    /// What `work` makes of every piece of a row, in their order.
    ///
    /// Closures are compiled without the instruction set: what takes time is [dispatched](Self::dispatch) by `work`.
    pub fn map<F: Send + Sync, T: Send>(
        self,
        scores: &[F],
        out: Option<&mut [F]>,
        work: impl Fn(Piece<'_, F, ()>) -> T + Sync,
    ) -> Outcomes<T> {
        self.map_with(scores, out, &mut vec![], work)
    }

    /// The same, each piece with a room.
    pub fn map_with<F: Send + Sync, R: Default + Send, T: Send>(
        self,
        scores: &[F],
        out: Option<&mut [F]>,
        rooms: &mut Vec<R>,
        work: impl Fn(Piece<'_, F, R>) -> T + Sync,
    ) -> Outcomes<T> {
        let (len, count) = pieces_of(scores.len());
        rooms.resize_with(count, R::default);
        let mut outs = out.map(|out| out.chunks_mut(len));
        let pieces = (0..).step_by(len).zip(scores.chunks(len)).zip(rooms);
        let pieces = pieces.map(|((first, scores), room)| Piece { first, scores, out: outs.as_mut().and_then(Iterator::next), room });
        self.run(count, pieces, work)
    }

    /// The same for work on what is written alone.
    pub fn overwrite<F: Send, T: Send>(self, out: &mut [F], work: impl Fn(&mut [F]) -> T + Sync) -> Outcomes<T> {
        let (len, count) = pieces_of(out.len());
        self.run(count, out.chunks_mut(len), work)
    }

    /// The same, each piece with what is known of it.
    pub fn overwrite_with<F: Send, R: Sync, T: Send>(
        self,
        out: &mut [F],
        known: &[R],
        work: impl Fn(&mut [F], &R) -> T + Sync,
    ) -> Outcomes<T> {
        let (len, count) = pieces_of(out.len());
        self.run(count, out.chunks_mut(len).zip(known), |(out, known)| work(out, known))
    }

    /// Overwrites all with zeros.
    pub fn clear<F: Real>(self, out: &mut [F]) {
        self.overwrite(out, |piece| piece.fill(F::zero()));
    }

    fn run<P: Send, T: Send>(self, count: usize, mut pieces: impl Iterator<Item = P>, work: impl Fn(P) -> T + Sync) -> Outcomes<T> {
        let mut outcomes: [Option<T>; MOST] = array::from_fn(|_| None);
        if count == 1 {
            outcomes[0] = pieces.next().map(work);
        } else {
            let mut pieces: Vec<_> = pieces.map(Some).zip(&mut outcomes).collect();
            parallel::for_each(&mut pieces, self.threads, |(piece, outcome)| **outcome = piece.take().map(&work));
        }
        Outcomes(outcomes)
    }
}

/// The length of a row's pieces but for the last, and their number.
fn pieces_of(num_classes: usize) -> (usize, usize) {
    let len = pieces::len(num_classes);
    (len, num_classes.div_ceil(len).max(1))
}
