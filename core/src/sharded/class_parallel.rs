//! A batch over shards: its examples go through their rounds together.

use super::all_reduce::{AllReduce, Failure};
use super::shard::{Piece, Shard};
use super::sharded_loss::ShardedLoss;
use crate::{Error, Real, Result, check};

/// The memory of a batch, which the caller owns. Its contents do not matter before.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss::sharded::{AllReduce, ClassParallel, Room, Shard};
///
/// /// A single shard, whose numbers are the sums.
/// struct Alone;
///
/// impl AllReduce<f64> for Alone {
///     type Error = ();
///
///     fn all_reduce_sum(&mut self, _: &mut [f64]) -> Result<(), ()> {
///         Ok(())
///     }
/// }
///
/// let hinge = ClassParallel::new(TopKHinge::new(2)?, Shard::even(0, 1, 5)?);
/// let (mut messages, mut scratch) = (vec![0.0; hinge.messages_len::<f64>(1)], vec![0.0; hinge.scratch_len::<f64>()]);
/// let room = Room { rows: &mut [None], messages: &mut messages, scratch: &mut scratch };
/// let (mut value, mut grad) = ([0.0], [0.0; 5]);
/// hinge.values_and_grads(&[0.3, 2.0, 1.9, 1.8, -1.0], &[0], &mut value, Some(&mut grad), room, &mut Alone).unwrap();
/// assert_eq!((value[0], grad), (2.5, [-1.0, 0.0, 0.0, 1.0, 0.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug)]
pub struct Room<'a, F, R> {
    /// One an example.
    pub rows: &'a mut [Option<R>],
    /// What is sent, as long as [`messages_len`](ClassParallel::messages_len) says.
    pub messages: &'a mut [F],
    /// As long as [`scratch_len`](ClassParallel::scratch_len) says.
    pub scratch: &'a mut [F],
}

/// A loss on one of several shards: it computes the gradient of the classes that this shard has.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss::sharded::{AllReduce, ClassParallel, Room, Shard};
///
/// /// A single shard, whose numbers are the sums.
/// struct Alone;
///
/// impl AllReduce<f64> for Alone {
///     type Error = ();
///
///     fn all_reduce_sum(&mut self, _: &mut [f64]) -> Result<(), ()> {
///         Ok(())
///     }
/// }
///
/// let hinge = ClassParallel::new(TopKHinge::new(2)?, Shard::even(0, 1, 5)?);
/// let (mut messages, mut scratch) = (vec![0.0; hinge.messages_len::<f64>(1)], vec![0.0; hinge.scratch_len::<f64>()]);
/// let room = Room { rows: &mut [None], messages: &mut messages, scratch: &mut scratch };
/// let (mut value, mut grad) = ([0.0], [0.0; 5]);
/// hinge.values_and_grads(&[0.3, 2.0, 1.9, 1.8, -1.0], &[0], &mut value, Some(&mut grad), room, &mut Alone).unwrap();
/// assert_eq!((value[0], grad), (2.5, [-1.0, 0.0, 0.0, 1.0, 0.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClassParallel<L> {
    loss: L,
    shard: Shard,
}

impl<L> ClassParallel<L> {
    /// This shard's part of the loss.
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// use topk_loss::sharded::{ClassParallel, Shard};
    /// let hinge = ClassParallel::new(TopKHinge::<f64>::new(2)?, Shard::even(1, 2, 5)?);
    /// assert_eq!(hinge.shard().classes(), 3..5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    pub const fn new(loss: L, shard: Shard) -> Self {
        Self { loss, shard }
    }

    /// The shard that it computes.
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// use topk_loss::sharded::{ClassParallel, Shard};
    /// let hinge = ClassParallel::new(TopKHinge::<f64>::new(2)?, Shard::even(1, 2, 5)?);
    /// assert_eq!(hinge.shard().index(), 1);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    pub const fn shard(&self) -> &Shard {
        &self.shard
    }

    /// The length of all messages of a round of so many examples, in numbers: those of every example, and how many shards cannot go on.
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// use topk_loss::sharded::{ClassParallel, Shard};
    /// let hinge = ClassParallel::new(TopKHinge::<f64>::new(2)?, Shard::even(1, 2, 5)?);
    /// // For each example the label's score and, of two shards each, the number of classes and three scores; for all of them one number.
    /// assert_eq!(hinge.messages_len::<f64>(10), 10 * (1 + 2 * 4) + 1);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    pub fn messages_len<F: Real>(&self, batch: usize) -> usize
    where
        L: ShardedLoss<F>,
    {
        batch.saturating_mul(self.loss.max_message_len(&self.shard)).saturating_add(1)
    }

    /// How much scratch a batch needs, of any number of examples.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::sharded::{ClassParallel, Shard};
    /// let loss = ClassParallel::new(CrossEntropy, Shard::even(1, 2, 5)?);
    /// assert_eq!(loss.scratch_len::<f64>(), 0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    pub fn scratch_len<F: Real>(&self) -> usize
    where
        L: ShardedLoss<F>,
    {
        self.loss.scratch_len(&self.shard)
    }

    /// The loss of every example, and where wanted the gradient of this shard's classes. All examples that are left share a round.
    ///
    /// **Shapes.** A batch of labels and values; scores and gradients one example after the other, as many numbers of each as the shard has
    /// classes. Labels are those of all classes, and the same on every shard.
    ///
    /// **Ties and NaN.** The loss's. NaN is an error, on every shard.
    ///
    /// **Cost.** The loss's own on each shard, and its rounds: the [module](crate::sharded) has a table.
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// use topk_loss::sharded::{AllReduce, ClassParallel, Room, Shard};
    ///
    /// /// A single shard, whose numbers are the sums.
    /// struct Alone;
    ///
    /// impl AllReduce<f64> for Alone {
    ///     type Error = ();
    ///
    ///     fn all_reduce_sum(&mut self, _: &mut [f64]) -> Result<(), ()> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let hinge = ClassParallel::new(TopKHinge::new(2)?, Shard::even(0, 1, 5)?);
    /// let (mut messages, mut scratch) = (vec![0.0; hinge.messages_len::<f64>(1)], vec![0.0; hinge.scratch_len::<f64>()]);
    /// let room = Room { rows: &mut [None], messages: &mut messages, scratch: &mut scratch };
    /// let (mut value, mut grad) = ([0.0], [0.0; 5]);
    /// hinge.values_and_grads(&[0.3, 2.0, 1.9, 1.8, -1.0], &[0], &mut value, Some(&mut grad), room, &mut Alone).unwrap();
    /// assert_eq!((value[0], grad), (2.5, [-1.0, 0.0, 0.0, 1.0, 0.0]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Failure`] says, and on all shards together; values and gradients are then incomplete. Only for what is alike on every shard
    /// nothing is sent: values, rows or messages that are not as long as the labels need, a label that is no class, a loss that is none of
    /// so many classes.
    pub fn values_and_grads<F: Real, A: AllReduce<F>>(
        &self,
        scores: &[F],
        labels: &[usize],
        values: &mut [F],
        mut grads: Option<&mut [F]>,
        room: Room<'_, F, L::Row>,
        all_reduce: &mut A,
    ) -> Outcome<(), A::Error>
    where
        L: ShardedLoss<F>,
    {
        let Self { loss, shard } = self;
        let Room { rows, messages, scratch } = room;
        check::length("values", values, labels.len()).map_err(Failure::Argument)?;
        check::length("rows", rows, labels.len()).map_err(Failure::Argument)?;
        check::scratch(messages, self.messages_len(labels.len())).map_err(Failure::Argument)?;
        for (example, (row, &label)) in rows.iter_mut().zip(labels).enumerate() {
            *row = Some(loss.row(shard, label).map_err(of(example))?);
        }
        let batch = Batch { shard, scores, labels };
        let mut fault = self.check(batch, grads.as_deref(), scratch).map_err(Failure::Argument).err();
        while rows.iter().any(Option::is_some) {
            let len: usize = rows.iter().flatten().map(|row| loss.message_len(row, shard)).sum();
            let sent = check::scratch(messages, len + 1).map_err(Failure::Argument)?;
            sent.fill(F::zero());
            let told = sent.get_mut(1..).unwrap_or_default();
            fault = fault.or_else(|| self.tell(rows, batch, told, scratch).err());
            if fault.is_some() {
                sent.fill(F::zero());
                sent.iter_mut().take(1).for_each(|faults| *faults = F::one());
            }
            all_reduce.all_reduce_sum(sent).map_err(Failure::AllReduce)?;
            let Some((&mut faults, heard)) = sent.split_first_mut() else { return Ok(()) };
            if faults != F::zero() {
                return Err(fault.unwrap_or(Failure::Elsewhere { shards: faults.to_usize().unwrap_or(usize::MAX) }));
            }
            self.hear(rows, batch, heard, values, grads.as_deref_mut(), scratch)?;
        }
        Ok(())
    }

    fn check<F: Real>(&self, batch: Batch<'_, F>, grads: Option<&[F]>, scratch: &mut [F]) -> Result<()>
    where
        L: ShardedLoss<F>,
    {
        let expected = batch.labels.len().saturating_mul(self.shard.len());
        check::length("scores", batch.scores, expected)?;
        grads.map_or(Ok(()), |grads| check::length("grads", grads, expected))?;
        check::scratch(scratch, self.loss.scratch_len(&self.shard)).map(|_| ())
    }

    fn tell<F: Real, E>(&self, rows: &[Option<L::Row>], batch: Batch<'_, F>, mut told: &mut [F], scratch: &mut [F]) -> Outcome<(), E>
    where
        L: ShardedLoss<F>,
    {
        for (example, (row, piece)) in rows.iter().zip(batch.pieces()).enumerate() {
            let Some(row) = row else { continue };
            let (message, rest) = check::split(told, self.loss.message_len(row, &self.shard)).map_err(Failure::Argument)?;
            self.loss.tell(row, piece, message, scratch).map_err(of(example))?;
            told = rest;
        }
        Ok(())
    }

    fn hear<F: Real, E>(
        &self,
        rows: &mut [Option<L::Row>],
        batch: Batch<'_, F>,
        mut heard: &mut [F],
        values: &mut [F],
        mut grads: Option<&mut [F]>,
        scratch: &mut [F],
    ) -> Outcome<(), E>
    where
        L: ShardedLoss<F>,
    {
        let len = self.shard.len();
        for (example, ((entry, piece), value)) in rows.iter_mut().zip(batch.pieces()).zip(values).enumerate() {
            let Some(row) = entry else { continue };
            let (message, rest) = check::split(heard, self.loss.message_len(row, &self.shard)).map_err(Failure::Argument)?;
            let grad = grads.as_deref_mut().and_then(|grads| grads.get_mut(example * len..(example + 1) * len));
            if let Some(loss) = self.loss.hear(row, piece, message, grad, scratch).map_err(of(example))? {
                *value = loss;
                *entry = None;
            }
            heard = rest;
        }
        Ok(())
    }
}

type Outcome<T, E> = core::result::Result<T, Failure<E>>;

/// An error of an example.
fn of<E>(example: usize) -> impl Fn(Error) -> Failure<E> {
    move |error| Failure::Example { example, error }
}

/// What a shard has of all examples.
#[derive(Clone, Copy)]
struct Batch<'a, F> {
    shard: &'a Shard,
    scores: &'a [F],
    labels: &'a [usize],
}

impl<'a, F> Batch<'a, F> {
    fn pieces(self) -> impl Iterator<Item = Piece<'a, F>> {
        let (shard, len) = (self.shard, self.shard.len());
        self.labels.iter().enumerate().map(move |(example, &label)| {
            let scores = self.scores.get(example * len..(example + 1) * len).unwrap_or_default();
            Piece { shard, scores, label }
        })
    }
}
