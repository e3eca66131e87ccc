//! What training by a loss came to: measured after every epoch, printed as a line, drawn as SVG files.

#[path = "../../../examples/train/plots/plot.rs"]
mod plot;

use std::fs;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use plot::{Line, Plot};
use plotters::prelude::{IntoLogRange, SeriesLabelPosition};
use topk_loss::Real;
use topk_loss::config::LossConfig;
use topk_loss::metrics::TopKCounts;

use crate::corpus::{self, Corpus};
use crate::losses;

/// Shares of the test set.
pub struct Outcome {
    loss: &'static str,
    /// Of training alone.
    pub seconds: f64,
    /// Accuracy of one guess and of K, after the last epoch.
    accuracies: [f64; 2],
    /// Mean over the classes of the accuracy of K guesses, an epoch.
    curve: Vec<f64>,
    /// The accuracy of K guesses for every class, and how often it is among them.
    by_class: Vec<f64>,
    occupancies: Vec<f64>,
}

impl Outcome {
    fn of(loss: &'static str) -> Self {
        Self { loss, seconds: 0.0, accuracies: [0.0; 2], curve: vec![], by_class: vec![], occupancies: vec![] }
    }

    /// Takes in the scores that an epoch ended with.
    pub fn measure<'a>(
        &mut self,
        scores: impl Iterator<Item = &'a [f32]> + Clone,
        labels: &[u32],
        num_classes: usize,
        k: usize,
    ) -> topk_loss::Result<()> {
        for (place, guesses) in [(0, 1), (1, k)] {
            let mut tallies = [(); 3].map(|()| vec![0; num_classes]);
            let [examples, correct, guessed] = &mut tallies;
            let mut counts = TopKCounts::new(guesses, examples, correct, guessed)?;
            let mut scratch = vec![0.0; num_classes];
            for (scores, &label) in scores.clone().zip(labels) {
                counts.add(scores, label as usize, &mut scratch)?;
            }
            let (metrics, classes) = (counts.metrics(), 0..num_classes);
            self.accuracies[place] = metrics.accuracy().unwrap_or(0.0);
            if guesses == k {
                self.curve.push(metrics.macro_accuracy().unwrap_or(0.0));
                self.by_class = classes.clone().map(|class| metrics.class_accuracy(class).unwrap_or(f64::NAN)).collect();
                self.occupancies = classes.map(|class| metrics.occupancy(class).unwrap_or(0.0)).collect();
            }
        }
        Ok(())
    }

    fn print(&self) {
        let [one, top_k] = self.accuracies.map(|share| 100.0 * share);
        let of_classes = 100.0 * self.curve.last().copied().unwrap_or(0.0);
        println!("{:32} {one:8.1} {top_k:8.1} {of_classes:16.1} {:8.1}", self.loss, self.seconds);
    }
}

/// Draws learning curves, accuracy against the classes' frequency and occupancy into `folder`, which is made if need be.
fn draw(outcomes: &[Outcome], counts: &[usize], k: usize, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut by_frequency: Vec<usize> = (0..counts.len()).collect();
    by_frequency.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
    let lines = |shares: &dyn Fn(&Outcome) -> Vec<f64>| {
        let points = |outcome: &Outcome| (1..).map(f64::from).zip(shares(outcome)).filter(|(_, share)| !share.is_nan()).collect();
        outcomes.iter().map(|outcome| Line { name: outcome.loss.into(), points: points(outcome) }).collect::<Vec<_>>()
    };
    let whole = |x: &f64| format!("{x:.0}");
    let curves = Plot {
        title: "Learning curves".into(),
        x_label: "epoch",
        y_label: format!("macro top-{k} accuracy (%)"),
        x_format: &whole,
        legend: SeriesLabelPosition::LowerRight,
        lines: lines(&|outcome| outcome.curve.clone()),
    };
    curves.draw(&folder.join("learning_curves.svg"), 0.0..100.0)?;
    let of_classes = |title: String, x_label, y_label: String, lines| Plot {
        title,
        x_label,
        y_label,
        x_format: &whole,
        legend: SeriesLabelPosition::LowerLeft,
        lines,
    };
    let accuracies = lines(&|outcome| by_frequency.iter().map(|&class| outcome.by_class[class]).collect());
    of_classes("Accuracy against class frequency".into(), "class, most frequent first", format!("top-{k} accuracy (%)"), accuracies)
        .draw(&folder.join("accuracy_by_frequency.svg"), 0.0..100.0)?;
    let title = format!("Top-{k} occupancy: how often a class is among the guesses");
    let occupancies = lines(&|outcome| {
        let mut occupancies: Vec<_> = outcome.occupancies.iter().copied().filter(|&share| share > 0.0).collect();
        occupancies.sort_by(|a, b| b.total_cmp(a));
        occupancies
    });
    of_classes(title, "class, most guessed first", "occupancy (% of the rows, logarithmic)".into(), occupancies)
        .draw(&folder.join("occupancy.svg"), (0.01..110.0).log_scale())
}

/// Trains by each of the losses, prints what it came to and draws all of them: the command line's `[FOLDER [FILE.tsv]]`.
pub fn compare<F: Real>(
    k: usize,
    epochs: u64,
    train: impl Fn(LossConfig<F, Vec<F>>, &Corpus, &mut Outcome, &ProgressBar) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map(PathBuf::from);
    let tsv = args.next().map_or_else(|| Ok(corpus::generated()), fs::read_to_string)?;
    let corpus = Corpus::parse(&tsv).map_err(anyhow::Error::msg)?;
    println!("{} texts, {} words, {} classes", corpus.train.labels.len(), corpus.num_words, corpus.num_classes);
    println!("{:32} {:>8} {:>8} {:>16} {:>8}", "loss", "top-1", "top-5", "top-5 of classes", "seconds");
    let (losses, mut outcomes) = (losses::losses::<F>(&corpus.counts(), k)?, vec![]);
    let progress = ProgressBar::new(losses.len() as u64 * epochs);
    for (name, config) in losses {
        let mut outcome = Outcome::of(name);
        train(config, &corpus, &mut outcome, &progress)?;
        progress.suspend(|| outcome.print());
        outcomes.push(outcome);
    }
    progress.finish_and_clear();
    folder.map_or(Ok(()), |folder| draw(&outcomes, &corpus.counts(), k, &folder))
}
