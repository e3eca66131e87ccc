//! An all-reduce over threads: each sends its numbers to all, and adds up what it hears in an order of its own.

use core::time::Duration;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use topk_loss::Real;
use topk_loss::sharded::{AllReduce, ClassParallel, Failure, Room, Shard, ShardedLoss};

/// One of the threads.
pub struct Threads<F> {
    to: Vec<Sender<Vec<F>>>,
    from: Vec<Receiver<Vec<F>>>,
    order: Vec<usize>,
    /// How many numbers were sent, round by round.
    pub sent: Vec<usize>,
}

/// A thread that does not answer is gone, or waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer;

const PATIENCE: Duration = Duration::from_secs(60);

impl<F: Real> AllReduce<F> for Threads<F> {
    type Error = NoAnswer;

    fn all_reduce_sum(&mut self, values: &mut [F]) -> Result<(), NoAnswer> {
        self.sent.push(values.len());
        self.to.iter().try_for_each(|to| to.send(values.to_vec())).map_err(|_| NoAnswer)?;
        let heard = self.from.iter().map(|from| from.recv_timeout(PATIENCE)).collect::<Result<Vec<_>, _>>().map_err(|_| NoAnswer)?;
        values.fill(F::zero());
        for &other in &self.order {
            assert_eq!(heard[other].len(), values.len());
            values.iter_mut().zip(&heard[other]).for_each(|(sum, &part)| *sum += part);
        }
        Ok(())
    }
}

/// Runs `work` on as many threads as there are orders, the order of each given.
pub fn together<F: Real, T: Send>(orders: &[Vec<usize>], work: impl Fn(usize, &mut Threads<F>) -> T + Sync) -> Vec<T> {
    let count = orders.len();
    let mut from: Vec<Vec<_>> = (0..count).map(|_| vec![]).collect();
    let to: Vec<Vec<_>> = (0..count)
        .map(|_| {
            let channels = (0..count).map(|_| channel());
            channels.zip(&mut from).map(|((to, heard), from)| (from.push(heard), to).1).collect()
        })
        .collect();
    let threads = to.into_iter().zip(from).zip(orders).map(|((to, from), order)| Threads { to, from, order: order.clone(), sent: vec![] });
    thread::scope(|scope| {
        let work = &work;
        let handles: Vec<_> = threads.enumerate().map(|(index, mut all)| scope.spawn(move || work(index, &mut all))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    })
}

/// A shard's values and gradients, and how many numbers it sent in each round.
pub type Told<F> = Result<(Vec<F>, Vec<F>, Vec<usize>), Failure<NoAnswer>>;

/// A shard's part of a batch of rows.
pub fn shard_of<F: Real>(
    loss: &(impl ShardedLoss<F> + Clone),
    shard: Shard,
    rows: &[Vec<F>],
    labels: &[usize],
    all: &mut Threads<F>,
) -> Told<F> {
    let scores: Vec<F> = rows.iter().flat_map(|row| &row[shard.classes()]).copied().collect();
    let parallel = ClassParallel::new(loss.clone(), shard);
    let (mut values, mut grads) = (vec![F::nan(); labels.len()], vec![F::nan(); scores.len()]);
    let mut messages = vec![F::nan(); parallel.messages_len(labels.len())];
    let mut scratch = vec![F::nan(); parallel.scratch_len()];
    let room = Room { rows: &mut vec![None; labels.len()], messages: &mut messages, scratch: &mut scratch };
    parallel.values_and_grads(&scores, labels, &mut values, Some(&mut grads), room, all)?;
    Ok((values, grads, all.sent.clone()))
}

/// All shards' values, which have the same bits, the gradients of whole rows, and the numbers sent in each round.
pub fn over_shards<F: Real>(
    loss: &(impl ShardedLoss<F> + Clone + Sync),
    shards: &[Shard],
    rows: &[Vec<F>],
    labels: &[usize],
    orders: &[Vec<usize>],
) -> (Vec<F>, Vec<Vec<F>>, Vec<usize>) {
    let told = together(orders, |index, all| shard_of(loss, shards[index].clone(), rows, labels, all).unwrap());
    let (values, _, sent) = told[0].clone();
    let mut grads: Vec<Vec<F>> = rows.iter().map(|row| vec![F::nan(); row.len()]).collect();
    for (shard, (own, own_grads, own_sent)) in shards.iter().zip(&told) {
        assert_eq!((own, own_sent), (&values, &sent));
        for (example, grad) in grads.iter_mut().enumerate() {
            grad[shard.classes()].copy_from_slice(&own_grads[example * shard.len()..][..shard.len()]);
        }
    }
    (values, grads, sent)
}

/// The shards that end at the given cuts.
pub fn cut(cuts: &[usize], num_classes: usize) -> Vec<Shard> {
    let mut ends: Vec<_> = cuts.iter().map(|cut| cut % (num_classes + 1)).collect();
    ends.sort_unstable();
    let starts = core::iter::once(0).chain(ends.iter().copied());
    let ends = ends.iter().copied().chain([num_classes]);
    let shard = |(index, (start, end))| Shard::new(index, cuts.len() + 1, start..end, num_classes).unwrap();
    starts.zip(ends).enumerate().map(shard).collect()
}
