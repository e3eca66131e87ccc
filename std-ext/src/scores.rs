//! What a batch's scores are read from and its gradients written to, whoever's memory that is.

#[cfg(feature = "faer")]
mod faer;
#[cfg(feature = "half")]
mod half;
#[cfg(feature = "nalgebra")]
mod nalgebra;
#[cfg(feature = "ndarray")]
mod ndarray;
mod rows;

use core::iter;

pub use rows::{Rows, RowsMut};

/// The scores of a batch: L numbers for each example.
///
/// | what | an example is | feature |
/// |---|---|---|
/// | [`Rows`] of a slice | a row | |
/// | `faer::MatRef` | a column | `faer` |
/// | `ndarray::ArrayView2` | a row | `ndarray` |
/// | [`Rows`] of `nalgebra::DMatrix` | a column | `nalgebra` |
/// | [`Rows`] of `half::f16`, `half::bf16`, as scores of `f32` | a row | `half` |
///
/// A framework's row-major `[batch, classes]` buffer is [`Rows`]. A matrix of your own that is none of these implements the trait.
pub trait Scores<F>: Sync {
    /// How many examples there are.
    fn num_examples(&self) -> usize;

    /// L.
    fn num_classes(&self) -> usize;

    /// The scores of an example: its own memory, or a copy in `room` where that is not a slice of this float. None of an example that
    /// there is not.
    fn example<'s>(&'s self, example: usize, room: &'s mut Vec<F>) -> &'s [F];
}

impl<F, S: Scores<F> + ?Sized> Scores<F> for &S {
    fn num_examples(&self) -> usize {
        (**self).num_examples()
    }

    fn num_classes(&self) -> usize {
        (**self).num_classes()
    }

    fn example<'s>(&'s self, example: usize, room: &'s mut Vec<F>) -> &'s [F] {
        (**self).example(example, room)
    }
}

/// Where the gradients of a batch are written: shaped like its [`Scores`], of the same kinds.
pub trait Gradients<F>: Send + Sized {
    /// How many examples there are.
    fn num_examples(&self) -> usize;

    /// L.
    fn num_classes(&self) -> usize;

    /// The first so many examples, all if there are not as many, and the others: threads write to both.
    fn split_at(self, examples: usize) -> (Self, Self);

    /// Hands `write` an example's place, whose contents are irrelevant: its own memory, or `room`, from which it is copied. An empty one for an
    /// example that there is not.
    ///
    /// # Errors
    /// Those of `write`; an entry that is beyond the range of what is written.
    fn write<T>(&mut self, example: usize, room: &mut Vec<F>, write: impl FnOnce(&mut [F]) -> topk_loss::Result<T>)
    -> topk_loss::Result<T>;
}

/// Consecutive blocks of at most `size` examples.
pub(crate) fn blocks<F, G: Gradients<F>>(grads: G, size: usize) -> impl Iterator<Item = G> {
    let mut rest = Some(grads);
    iter::from_fn(move || {
        let (block, others) = rest.take().filter(|rest| rest.num_examples() > 0)?.split_at(size);
        rest = Some(others);
        Some(block)
    })
}
