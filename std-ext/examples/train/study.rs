//! The comparison: every loss trained with every seed.

use core::array;
use core::num::NonZeroUsize;
use core::time::Duration;
use std::time::Instant;

use anyhow::Result;
use faer::{Mat, Par};
use indicatif::ProgressBar;
use topk_loss::{CrossEntropy, FoldIn, Key, Loss, Margins, Smoothing, TopKHinge, ldam_margins};

use crate::corpus::Corpus;
use crate::evaluation::Evaluation;
use crate::method::{Method, Settings};
use crate::sample::{Sample, Tail};
use crate::training::{Schedule, Trainer, initial_head};

/// What all losses share.
pub struct Study<'a> {
    pub corpus: &'a Corpus,
    pub tail: Tail,
    pub k: usize,
    pub epochs: usize,
    pub batch_size: NonZeroUsize,
    pub par: Par,
    /// Whether validation rows are measured in place of test rows.
    pub measure_valid: bool,
}

/// One training.
pub struct Run {
    /// Macro top-K accuracy after every epoch.
    pub curve: Vec<f64>,
    /// The last epoch's macro top-1 accuracy.
    pub macro_top_1: f64,
    /// The last epoch's metrics.
    pub last: Evaluation,
    /// The classes, most frequent first.
    pub ranking: Vec<usize>,
    /// Training rows by class.
    pub counts: Vec<usize>,
    /// Time spent training, without the measurements.
    pub duration: Duration,
}

impl Study<'_> {
    /// Trains once. The seed decides the tail, the first weights, the order of the rows and the noise.
    pub fn run(&self, method: Method, settings: &Settings, seed: u64, progress: &ProgressBar) -> Result<Run> {
        let [tail, init, order, noise] = array::from_fn(|stream| Key::new(seed).fold_in(stream as u64));
        let sample = self.tail.cut(self.corpus, &mut tail.rng());
        let run = Seeded { study: self, sample: &sample, method, learning_rate: settings.learning_rate, init, order, progress };
        if method == Method::CrossEntropy {
            return run.with(&CrossEntropy);
        }
        let Settings { epsilon, estimator, margin, scale, .. } = *settings;
        let smoothing = if method.is_smoothed() { estimator.smoothing(epsilon, noise) } else { Smoothing::None };
        if method.is_imbalanced() {
            let mut margins = vec![0.0; sample.counts.len()];
            ldam_margins(&sample.counts, margin, &mut margins)?;
            run.with(&TopKHinge::new(self.k, Margins::PerClass(&margins), scale, smoothing)?)
        } else {
            run.with(&TopKHinge::new(self.k, Margins::Uniform(margin), scale, smoothing)?)
        }
    }
}

/// A training of which only the loss is to be chosen.
struct Seeded<'a> {
    study: &'a Study<'a>,
    sample: &'a Sample,
    method: Method,
    learning_rate: f32,
    init: Key,
    order: Key,
    progress: &'a ProgressBar,
}

impl Seeded<'_> {
    fn with<L: Loss<f32> + FoldIn + Sync>(&self, loss: &L) -> Result<Run> {
        let Study { corpus, k, epochs, batch_size, par, measure_valid, .. } = *self.study;
        let measured = if measure_valid { &self.sample.valid } else { &corpus.test };
        let labels: Vec<usize> = measured.iter().map(|&row| corpus.labels[row]).collect();
        let mut features = Mat::zeros(corpus.features.nrows(), measured.len());
        corpus.gather(measured, &mut features);
        let mut scores = Mat::zeros(corpus.num_classes, measured.len());

        let head = initial_head(features.nrows(), corpus.num_classes, self.method.similarity(), self.init)?;
        let schedule = Schedule { learning_rate: self.learning_rate, epochs, batch_size, par };
        let mut trainer = Trainer::new(loss, head, schedule, corpus, self.sample, self.order);
        let mut evaluations = Vec::new();
        let mut duration = Duration::ZERO;
        for _ in 0..epochs {
            let start = Instant::now();
            trainer.epoch()?;
            duration += start.elapsed();
            trainer.head().forward(features.as_ref(), scores.as_mut(), par)?;
            evaluations.push(Evaluation::new(k, scores.as_ref(), &labels, &self.sample.counts)?);
            self.progress.inc(1);
        }
        Ok(Run {
            curve: evaluations.iter().map(|evaluation| evaluation.macro_accuracy).collect(),
            macro_top_1: Evaluation::new(1, scores.as_ref(), &labels, &self.sample.counts)?.macro_accuracy,
            last: evaluations.pop().expect("at least one epoch"),
            ranking: self.sample.ranking.clone(),
            counts: self.sample.counts.clone(),
            duration,
        })
    }
}
