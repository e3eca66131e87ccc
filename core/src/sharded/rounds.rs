//! The rounds of a batch.

use core::fmt::Debug;

use super::all_reduce::{AllReduce, Failure};
use super::shard::{Piece, Shard};
use crate::{Error, Real, Result, check};

/// A loss of rows whose classes are on several shards, each of which tells the others a little, in rounds.
///
/// A message is as long on every shard, and what all hear is the sum. What a shard does next depends on what was heard alone, so that all do the same.
pub trait ShardedLoss<F: Real> {
    /// What is known of a row between two rounds.
    type Row: Copy + Debug;

    /// Before the first round.
    ///
    /// # Errors
    /// A label that is no class, a loss that is none of so many classes.
    fn row(&self, shard: &Shard, label: usize) -> Result<Self::Row>;

    /// The numbers of the longest message of a row.
    fn max_message_len(&self, shard: &Shard) -> usize;

    /// The scratch of a row.
    fn scratch_len(&self, shard: &Shard) -> usize;

    /// The numbers of the row's next message.
    fn message_len(&self, row: &Self::Row, shard: &Shard) -> usize;

    /// Writes this shard's part of it over zeros.
    ///
    /// # Errors
    /// Scores that are NaN or infinite.
    fn tell(&self, row: &Self::Row, piece: Piece<'_, F>, message: &mut [F], scratch: &mut [F]) -> Result<()>;

    /// Takes in the sum, which may be overwritten; nothing as long as another round is needed, else the loss, and the gradient of the piece's classes
    /// where one is wanted.
    ///
    /// # Errors
    /// Whatever is wrong with the row, on all shards alike.
    fn hear(
        &self,
        row: &mut Self::Row,
        piece: Piece<'_, F>,
        message: &mut [F],
        grad: Option<&mut [F]>,
        scratch: &mut [F],
    ) -> Result<Option<F>>;
}

/// The memory of a batch, which the caller owns. Contents do not matter before.
#[derive(Debug)]
pub struct Room<'a, F, R> {
    /// One an example.
    pub rows: &'a mut [Option<R>],
    /// What is sent, as long as [`messages_len`](ClassParallel::messages_len) says.
    pub messages: &'a mut [F],
    /// As long as [`scratch_len`](ClassParallel::scratch_len) says.
    pub scratch: &'a mut [F],
}

/// A loss on one of several shards.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassParallel<L> {
    loss: L,
    shard: Shard,
}

impl<L> ClassParallel<L> {
    /// This shard's part of the loss.
    pub const fn new(loss: L, shard: Shard) -> Self {
        Self { loss, shard }
    }

    /// The shard.
    pub const fn shard(&self) -> &Shard {
        &self.shard
    }

    /// The numbers of all messages of a round of so many examples: those of every example, and how many shards cannot go on.
    pub fn messages_len<F: Real>(&self, batch: usize) -> usize
    where
        L: ShardedLoss<F>,
    {
        batch.saturating_mul(self.loss.max_message_len(&self.shard)).saturating_add(1)
    }

    /// The scratch of any number of examples.
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
    /// # Errors
    /// As [`Failure`] says, and on all shards together; values and gradients are then incomplete. Only for what is alike on every shard nothing is
    /// sent: values, rows or messages that are not as long as the labels need, a label that is no class, a loss that is none of so many classes.
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
