//! The sum over all shards, which is all they need of whatever connects them, and how it can fail.

use core::fmt;

use crate::Error;

/// Who adds up what all shards have: MPI's `Allreduce`, NCCL's `ncclAllReduce`, a framework's collective, threads that share a buffer.
///
/// Every shard calls it as often, each time with as many values. Nothing in the sums of this module is rounded: of every number at most one
/// shard has another than 0, or all are counts, or multiples of one power of two. So every order of the additions gives the same bits.
///
/// ```
/// use topk_loss::sharded::AllReduce;
///
/// /// A single shard, whose numbers are the sums.
/// struct Alone;
///
/// impl AllReduce<f64> for Alone {
///     type Error = core::convert::Infallible;
///
///     fn all_reduce_sum(&mut self, _: &mut [f64]) -> Result<(), Self::Error> {
///         Ok(())
///     }
/// }
///
/// let mut values = [1.0, 2.0];
/// assert_eq!(Alone.all_reduce_sum(&mut values), Ok(()));
/// assert_eq!(values, [1.0, 2.0]);
/// ```
pub trait AllReduce<F> {
    /// What can go wrong with the connection.
    type Error;

    /// Replaces every value by its sum over all shards.
    ///
    /// **Cost.** The connection's: one message of a few numbers for each example.
    ///
    /// ```
    /// use topk_loss::sharded::AllReduce;
    ///
    /// /// One of two shards that always have the same numbers.
    /// struct Twin;
    ///
    /// impl AllReduce<f64> for Twin {
    ///     type Error = core::convert::Infallible;
    ///
    ///     fn all_reduce_sum(&mut self, values: &mut [f64]) -> Result<(), Self::Error> {
    ///         values.iter_mut().for_each(|value| *value *= 2.0);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut values = [1.0, 2.0];
    /// assert_eq!(Twin.all_reduce_sum(&mut values), Ok(()));
    /// assert_eq!(values, [2.0, 4.0]);
    /// ```
    ///
    /// The [module](crate::sharded) has an example for threads.
    ///
    /// # Errors
    /// A connection that is lost.
    fn all_reduce_sum(&mut self, values: &mut [F]) -> core::result::Result<(), Self::Error>;
}

impl<F, A: AllReduce<F> + ?Sized> AllReduce<F> for &mut A {
    type Error = A::Error;

    fn all_reduce_sum(&mut self, values: &mut [F]) -> core::result::Result<(), Self::Error> {
        (**self).all_reduce_sum(values)
    }
}

/// Why shards have no loss. All of them fail in the same round, whoever's fault it is: none waits for another.
///
/// ```
/// use core::convert::Infallible;
/// use topk_loss::sharded::Failure;
/// assert_eq!(Failure::<Infallible>::Elsewhere { shards: 2 }.to_string(), "2 other shards cannot go on");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<E> {
    /// What was wrong with an argument.
    Argument(Error),
    /// What was wrong with an example of the batch: here, or for all shards alike.
    Example {
        /// Which one.
        example: usize,
        /// What was wrong.
        error: Error,
    },
    /// Arguments or examples of other shards were wrong.
    Elsewhere {
        /// How many shards say so.
        shards: usize,
    },
    /// The connection.
    AllReduce(E),
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(error) => error.fmt(f),
            Self::Example { example, error } => write!(f, "example {example}: {error}"),
            Self::Elsewhere { shards: 1 } => f.write_str("another shard cannot go on"),
            Self::Elsewhere { shards } => write!(f, "{shards} other shards cannot go on"),
            Self::AllReduce(error) => write!(f, "the sum over all shards: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for Failure<E> {}
