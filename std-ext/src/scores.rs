//! The traits of matrices that scores are read from and gradients written to, whoever's memory that is.

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
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Scores, Targets, Threads, values};
/// /// One vector of scores for every example.
/// struct Repeated<'a>(&'a [f64], usize);
/// impl Scores<f64> for Repeated<'_> {
///     fn num_examples(&self) -> usize {
///         self.1
///     }
///     fn num_classes(&self) -> usize {
///         self.0.len()
///     }
///     fn example<'s>(&'s self, example: usize, _room: &'s mut Vec<f64>) -> &'s [f64] {
///         if example < self.1 { self.0 } else { &[] }
///     }
/// }
/// let mut losses = [0.0; 2];
/// values(&CrossEntropy, Repeated(&[0.0, 0.0], 2), &Targets::new(&[0, 1]), &mut losses, Threads::ONE)?;
/// assert_eq!(losses, [2.0_f64.ln(); 2]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
pub trait Scores<F>: Sync {
    /// The number of examples. See [`Scores`] for an example of all three methods.
    fn num_examples(&self) -> usize;

    /// The number of classes, L.
    fn num_classes(&self) -> usize;

    /// The L scores of an example: its own memory, or a copy in `room` where that is not a slice of this float. An empty slice where
    /// `example` is not below the number of examples.
    ///
    /// **Cost.** O(1) where the memory is handed out, else a copy of L numbers; `room` is reused from example to example.
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

/// Where the gradients of a batch are written: memory shaped like its [`Scores`], of the same kinds.
///
/// ```
/// use topk_loss_batch::{Gradients, RowsMut};
/// let mut memory = [9.0_f32; 4];
/// let rows = RowsMut::new(&mut memory, 2)?;
/// assert_eq!((rows.num_examples(), rows.num_classes()), (2, 2));
/// // Two threads write an example each.
/// let (mut first, mut second) = rows.split_at(1);
/// first.write(0, &mut vec![], |grad| Ok(grad.copy_from_slice(&[-0.5, 0.5])))?;
/// second.write(0, &mut vec![], |grad| Ok(grad.fill(0.0)))?;
/// assert_eq!(memory, [-0.5, 0.5, 0.0, 0.0]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
pub trait Gradients<F>: Send + Sized {
    /// The number of examples. See [`Gradients`] for an example of all four methods.
    fn num_examples(&self) -> usize;

    /// The number of classes, L.
    fn num_classes(&self) -> usize;

    /// The first `examples` examples, all if there are not as many, and the others: two threads write to them at the same time.
    fn split_at(self, examples: usize) -> (Self, Self);

    /// Lets `write` fill the gradient of one example, whose contents before are irrelevant.
    ///
    /// `write` is handed the example's own memory, or `room`, from which the entries are then copied; an empty slice where `example` is not
    /// below the number of examples.
    ///
    /// **Cost.** That of `write`, and a copy of L numbers where `room` is used.
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
