//! The same training twice: over classes, and over examples.

use core::ops::Range;
use core::time::Duration;
use std::time::Instant;

use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::sharded::{AllReduce, ClassParallel, Room, Shard, ShardedLoss};
use topk_loss::{Key, Loss};

use crate::Failed;
use crate::arguments::Arguments;
use crate::head::Head;
use crate::work;

/// A batch that is learned by heart, and the weights to start from: the same on every process.
pub struct Task {
    inputs: Vec<f32>,
    labels: Vec<usize>,
    weights: Vec<f32>,
    features: usize,
    steps: usize,
}

/// What came of it.
pub struct Trained {
    /// The mean of every step.
    pub losses: Vec<f32>,
    /// Of the classes that this process has.
    pub weights: Vec<f32>,
    /// The fastest step: the machine has other things to do, too.
    pub step: Duration,
    /// The work of all steps, that of the sums included.
    pub seconds: f64,
}

const RATE: f32 = 4.0;

impl Task {
    pub fn new(arguments: &Arguments) -> Result<Self, Failed> {
        let &Arguments { classes, features, batch, steps, .. } = arguments;
        let normal = |name, len, size: f32| -> Result<Vec<f32>, Failed> {
            let mut numbers = vec![0.0_f32; len];
            MonteCarlo::new(Normal, 1)?.sample(Key::new(name), 0, &mut numbers)?;
            numbers.iter_mut().for_each(|x| *x *= size);
            Ok(numbers)
        };
        let inputs = normal(1, batch * features, 1.0)?;
        let weights = normal(2, classes * features, (features as f32).sqrt().recip())?;
        // Labels all over the classes.
        let labels = (0..batch).map(|example| (example * 7919 + 1) * ((classes / 3) | 1) % classes).collect();
        Ok(Self { inputs, labels, weights, features, steps })
    }

    pub fn num_classes(&self) -> usize {
        self.weights.len() / self.features
    }

    pub fn batch(&self) -> usize {
        self.labels.len()
    }

    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Those of some classes.
    pub fn weights_of<'w>(&self, weights: &'w [f32], classes: Range<usize>) -> &'w [f32] {
        Head::part(weights, self.features, classes)
    }

    /// This process has some of the classes, and all examples.
    pub fn over_classes<L, A>(&self, loss: &L, shard: Shard, all: &mut A) -> Result<Trained, Failed>
    where
        L: ShardedLoss<f32> + Clone,
        A: AllReduce<f32, Error: core::error::Error + 'static>,
    {
        let (batch, len) = (self.batch(), shard.len());
        let mut head = Head::new(self.weights_of(&self.weights, shard.classes()).to_vec(), self.features);
        let parallel = ClassParallel::new(loss.clone(), shard);
        let (mut scores, mut score_grads, mut grad) = (vec![0.0; batch * len], vec![0.0; batch * len], vec![0.0; head.weights.len()]);
        let (mut rows, mut messages, mut scratch) =
            (vec![None; batch], vec![0.0; parallel.messages_len(batch)], vec![0.0; parallel.scratch_len()]);
        let (mut values, mut losses, mut step) = (vec![0.0; batch], vec![], Duration::MAX);
        let begin = work::seconds();
        for _ in 0..self.steps {
            let start = Instant::now();
            head.write_scores(&self.inputs, &mut scores);
            let room = Room { rows: &mut rows, messages: &mut messages, scratch: &mut scratch };
            parallel.values_and_grads(&scores, &self.labels, &mut values, Some(&mut score_grads), room, all)?;
            head.write_grad(&self.inputs, &score_grads, &mut grad);
            head.step(RATE / batch as f32, &grad);
            losses.push(values.iter().sum::<f32>() / batch as f32);
            step = step.min(start.elapsed());
        }
        Ok(Trained { losses, weights: head.weights, step, seconds: work::seconds() - begin })
    }

    /// This process has some of the examples, and all classes.
    pub fn over_examples<L, A>(&self, loss: &L, index: usize, count: usize, all: &mut A) -> Result<Trained, Failed>
    where
        L: Loss<f32>,
        A: AllReduce<f32, Error: core::error::Error + 'static>,
    {
        let (batch, classes) = (self.batch(), self.num_classes());
        let own = batch * index / count..batch * (index + 1) / count;
        let inputs = &self.inputs[own.start * self.features..own.end * self.features];
        let mut head = Head::new(self.weights.clone(), self.features);
        let (mut scores, mut score_grads) = (vec![0.0; own.len() * classes], vec![0.0; own.len() * classes]);
        let mut scratch = vec![0.0; loss.scratch_len(classes)];
        // The weights' gradient, and behind it the loss.
        let (mut sums, mut losses, mut step) = (vec![0.0; head.weights.len() + 1], vec![], Duration::MAX);
        let begin = work::seconds();
        for _ in 0..self.steps {
            let start = Instant::now();
            head.write_scores(inputs, &mut scores);
            let mut total = 0.0;
            for ((scores, grad), &label) in scores.chunks(classes).zip(score_grads.chunks_mut(classes)).zip(&self.labels[own.clone()]) {
                total += loss.value_and_grad(scores, label, grad, &mut scratch)?;
            }
            let (last, grad) = sums.split_last_mut().ok_or("no sums")?;
            *last = total;
            head.write_grad(inputs, &score_grads, grad);
            all.all_reduce_sum(&mut sums)?;
            head.step(RATE / batch as f32, &sums);
            losses.push(sums[sums.len() - 1] / batch as f32);
            step = step.min(start.elapsed());
        }
        Ok(Trained { losses, weights: head.weights, step, seconds: work::seconds() - begin })
    }
}

impl Trained {
    /// The largest difference to other losses, in parts of them, and to other weights.
    pub fn distance(&self, losses: &[f32], weights: &[f32]) -> f32 {
        let of_losses = self.losses.iter().zip(losses).map(|(&a, &b)| (a - b).abs() / b.abs().max(1.0));
        let of_weights = self.weights.iter().zip(weights).map(|(&a, &b)| (a - b).abs());
        of_losses.chain(of_weights).fold(0.0, f32::max)
    }
}
