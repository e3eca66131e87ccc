//! Training a linear classifier: shuffled batches, the loss's gradient, the head's backward pass, a step of the optimiser.

use core::num::NonZeroUsize;

use anyhow::Result;
use faer::prelude::*;
use faer::{Mat, MatMut, Par};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Dxsm;
use topk_loss::config::AnyLoss;
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key};
use topk_loss_batch::{HeadGrads, LinearHead, Reduction, Similarity, Targets, objective_and_grads};

use crate::corpus::Corpus;
use crate::optimizer::{Sgd, learning_rate};
use crate::sample::Sample;

/// Standard deviation of a cosine head's first weights. Only directions count, but shorter weights turn faster.
const INITIAL_WEIGHT: f32 = 0.01;

/// How long and how fast to train.
#[derive(Clone, Copy)]
pub struct Schedule {
    pub learning_rate: f32,
    pub epochs: usize,
    pub batch_size: NonZeroUsize,
    pub par: Par,
}

/// Zero weights and biases for inner products; random weights for cosines, which have no direction at zero.
pub fn initial_head(dim: usize, num_classes: usize, similarity: Similarity, key: Key) -> Result<LinearHead<f32>> {
    let mut weights = Mat::zeros(dim, num_classes);
    let bias = match similarity {
        Similarity::Inner => Some(vec![0.0; num_classes]),
        Similarity::Cosine => {
            let normals = MonteCarlo::new(Normal, num_classes)?;
            for class in 0..num_classes {
                let column = weights.col_as_slice_mut(class);
                normals.sample(key, class, column)?;
                column.iter_mut().for_each(|weight| *weight *= INITIAL_WEIGHT);
            }
            None
        }
    };
    Ok(LinearHead::new(weights, bias, similarity)?)
}

/// What is minimised.
pub type Loss<'a> = AnyLoss<f32, &'a [f32]>;

pub struct Trainer<'a> {
    loss: Loss<'a>,
    head: LinearHead<f32>,
    schedule: Schedule,
    corpus: &'a Corpus,
    sample: &'a Sample,
    rng: Pcg64Dxsm,
    epoch: usize,
    step: u64,
    weights: Sgd,
    bias: Sgd,
    order: Vec<usize>,
    features: Mat<f32>,
    scores: Mat<f32>,
    score_grads: Mat<f32>,
    weight_grads: Mat<f32>,
    bias_grads: Vec<f32>,
}

impl<'a> Trainer<'a> {
    pub fn new(loss: Loss<'a>, head: LinearHead<f32>, schedule: Schedule, corpus: &'a Corpus, sample: &'a Sample, order: Key) -> Self {
        let (dim, num_classes, batch_size) = (corpus.features.nrows(), corpus.num_classes, schedule.batch_size.get());
        Self {
            loss,
            head,
            schedule,
            corpus,
            sample,
            rng: order.rng(),
            epoch: 0,
            step: 0,
            weights: Sgd::new(dim, num_classes),
            bias: Sgd::new(num_classes, 1),
            order: (0..sample.rows.len()).collect(),
            features: Mat::zeros(dim, batch_size),
            scores: Mat::zeros(num_classes, batch_size),
            score_grads: Mat::zeros(num_classes, batch_size),
            weight_grads: Mat::zeros(dim, num_classes),
            bias_grads: vec![0.0; num_classes],
        }
    }

    pub const fn head(&self) -> &LinearHead<f32> {
        &self.head
    }

    /// Since the start.
    pub const fn steps(&self) -> u64 {
        self.step
    }

    /// Trains on every row once, in a new order.
    pub fn epoch(&mut self) -> Result<()> {
        self.order.shuffle(&mut self.rng);
        let order = core::mem::take(&mut self.order);
        let rate = learning_rate(self.schedule.learning_rate, self.epoch, self.schedule.epochs);
        order.chunks(self.schedule.batch_size.get()).try_for_each(|batch| self.step(batch, rate))?;
        self.order = order;
        self.epoch += 1;
        Ok(())
    }

    /// One step on the rows `batch` of the sample.
    fn step(&mut self, batch: &[usize], rate: f32) -> Result<()> {
        let Self { head, weight_grads, bias_grads, .. } = self;
        let par = self.schedule.par;
        let rows: Vec<usize> = batch.iter().map(|&i| self.sample.rows[i]).collect();
        let labels: Vec<usize> = batch.iter().map(|&i| self.sample.labels[i]).collect();
        self.corpus.gather(&rows, &mut self.features);
        let features = self.features.as_ref().subcols(0, batch.len());
        let mut scores = self.scores.as_mut().subcols_mut(0, batch.len());
        let mut score_grads = self.score_grads.as_mut().subcols_mut(0, batch.len());

        head.forward(features, scores.rb_mut(), par)?;
        // Noise that belongs to the step.
        let loss = self.loss.fold_in(self.step);
        objective_and_grads(&loss, scores.rb(), &Targets::new(&labels), Reduction::Mean, score_grads.rb_mut(), par)?;
        let bias = head.bias().is_some().then_some(&mut bias_grads[..]);
        let grads = HeadGrads { weights: weight_grads.as_mut(), bias, features: None };
        head.backward(features, scores.rb(), score_grads.rb(), grads, par)?;

        self.weights.step(head.weights_mut(), weight_grads.as_ref(), rate);
        if let Some(bias) = head.bias_mut() {
            let column = |slice| MatMut::from_column_major_slice_mut(slice, self.corpus.num_classes, 1);
            self.bias.step(column(bias), column(bias_grads).rb(), rate);
        }
        self.step += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use topk_loss::Smoothing;
    use topk_loss::config::{BaseConfig, LossConfig, MarginConfig};

    use super::*;
    use crate::sample::Tail;
    use crate::synthetic::{self, Shape};

    fn trained(corpus: &Corpus, similarity: Similarity, threads: usize, seed: u64) -> LinearHead<f32> {
        let key = Key::new(seed);
        let sample = Tail { imbalance: 100.0, largest: None, label_noise: 0.0 }.cut(corpus, &mut key.rng());
        let smoothing = Smoothing::Pathwise { epsilon: 0.1, num_samples: 3, key };
        let hinge = BaseConfig::TopKHinge { k: 5, margins: MarginConfig::Uniform(1.0), scale: 1.0, smoothing, tolerance: None };
        let head = initial_head(corpus.features.nrows(), corpus.num_classes, similarity, key).unwrap();
        let batch_size = NonZeroUsize::new(64).unwrap();
        let schedule = Schedule { learning_rate: 0.1, epochs: 1, batch_size, par: Par::rayon(threads) };
        let mut trainer = Trainer::new(LossConfig::from(hinge).build().unwrap(), head, schedule, corpus, &sample, key);
        trainer.epoch().unwrap();
        trainer.head
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_with_any_number_of_threads() {
        let corpus = synthetic::corpus(Shape::Groups);
        for similarity in [Similarity::Inner, Similarity::Cosine] {
            let [one, two, other] = [(1, 1), (2, 1), (1, 2)].map(|(threads, seed)| trained(&corpus, similarity, threads, seed));
            assert_eq!((one.weights(), one.bias()), (two.weights(), two.bias()));
            assert_ne!(one.weights(), other.weights());
        }
    }
}
