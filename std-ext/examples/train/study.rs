//! The comparison: every loss trained with every seed.

use core::array;
use core::num::NonZeroUsize;
use core::time::Duration;
use std::time::Instant;

use anyhow::Result;
use faer::{Mat, Par};
use indicatif::ProgressBar;
use topk_loss::Key;

use crate::corpus::Corpus;
use crate::evaluation::Evaluation;
use crate::method::Method;
use crate::sample::Tail;
use crate::settings::Settings;
use crate::setup::Setup;
use crate::training::{Schedule, Trainer, initial_head};

/// What all losses share.
#[derive(Clone, Copy)]
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
    /// The last epoch's macro accuracies with as many guesses as [`guesses`] says.
    pub macro_accuracies: [f64; 3],
    /// The last epoch's metrics.
    pub last: Evaluation,
    /// The classes, most frequent first.
    pub ranking: Vec<usize>,
    /// Training rows by class.
    pub counts: Vec<usize>,
    /// Time spent training, without the measurements.
    pub duration: Duration,
    pub steps: u64,
}

/// One guess, about half of K, and K.
pub const fn guesses(k: usize) -> [usize; 3] {
    [1, k.div_ceil(2), k]
}

impl Study<'_> {
    /// Trains once. The seed decides the tail, the first weights, the order of the rows and the noise.
    pub fn run(&self, method: &Method, settings: &Settings, seed: u64, progress: &ProgressBar) -> Result<Run> {
        let Self { corpus, k, epochs, batch_size, par, .. } = *self;
        let [tail, init, order, noise] = array::from_fn(|stream| Key::new(seed).fold_in(stream as u64));
        let sample = self.tail.cut(corpus, &mut tail.rng());
        let measured = if self.measure_valid { &sample.valid } else { &corpus.test };
        let labels: Vec<usize> = measured.iter().map(|&row| corpus.labels[row]).collect();
        let mut features = Mat::zeros(corpus.features.nrows(), measured.len());
        corpus.gather(measured, &mut features);
        let mut scores = Mat::zeros(corpus.num_classes, measured.len());

        let setup = Setup::new(k, settings, &sample.counts, noise)?;
        let loss = (method.config)(&setup).build()?;
        let head = initial_head(features.nrows(), corpus.num_classes, method.similarity, init)?;
        let schedule = Schedule { learning_rate: settings.learning_rate, epochs, batch_size, par };
        let mut trainer = Trainer::new(loss, head, schedule, corpus, &sample, order);
        let mut evaluations = Vec::new();
        let mut duration = Duration::ZERO;
        for _ in 0..epochs {
            let start = Instant::now();
            trainer.epoch()?;
            duration += start.elapsed();
            trainer.head().forward(features.as_ref(), scores.as_mut(), par)?;
            evaluations.push(Evaluation::new(k, scores.as_ref(), &labels, &sample.counts)?);
            progress.inc(1);
        }
        let mut macro_accuracies = [0.0; 3];
        for (accuracy, guesses) in macro_accuracies.iter_mut().zip(guesses(k)) {
            *accuracy = Evaluation::new(guesses, scores.as_ref(), &labels, &sample.counts)?.macro_accuracy;
        }
        Ok(Run {
            curve: evaluations.iter().map(|evaluation| evaluation.macro_accuracy).collect(),
            macro_accuracies,
            last: evaluations.pop().expect("at least one epoch"),
            steps: trainer.steps(),
            ranking: sample.ranking,
            counts: sample.counts,
            duration,
        })
    }
}
