//! What training by a loss came to: measured after every epoch, printed as a line, drawn as SVG files.

#[path = "../../../examples/train/plots/plot.rs"]
mod plot;

use std::fs;
use std::path::Path;

use plot::{Line, Plot};
use plotters::prelude::{IntoLogRange, SeriesLabelPosition};
use topk_loss::metrics::TopKCounts;

/// Shares of the test set.
pub struct Outcome {
    pub loss: &'static str,
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
    pub fn of(loss: &'static str) -> Self {
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

    pub fn print(&self) {
        let [one, top_k] = self.accuracies.map(|share| 100.0 * share);
        let of_classes = 100.0 * self.curve.last().copied().unwrap_or(0.0);
        println!("{:32} {one:8.1} {top_k:8.1} {of_classes:16.1} {:8.1}", self.loss, self.seconds);
    }
}

/// Draws learning curves, accuracy against the classes' frequency and occupancy into `folder`, which is made if need be.
pub fn draw(outcomes: &[Outcome], counts: &[usize], k: usize, folder: &Path) -> anyhow::Result<()> {
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
    let accuracy = Plot {
        title: "Accuracy against class frequency".into(),
        x_label: "class, most frequent first",
        y_label: format!("top-{k} accuracy (%)"),
        x_format: &whole,
        legend: SeriesLabelPosition::LowerLeft,
        lines: lines(&|outcome| by_frequency.iter().map(|&class| outcome.by_class[class]).collect()),
    };
    accuracy.draw(&folder.join("accuracy_by_frequency.svg"), 0.0..100.0)?;
    let occupancy = Plot {
        title: format!("Top-{k} occupancy: how often a class is among the guesses"),
        x_label: "class, most guessed first",
        y_label: "occupancy (% of the rows, logarithmic)".into(),
        x_format: &whole,
        legend: SeriesLabelPosition::LowerLeft,
        lines: lines(&|outcome| {
            let mut occupancies: Vec<_> = outcome.occupancies.iter().copied().filter(|&share| share > 0.0).collect();
            occupancies.sort_by(|a, b| b.total_cmp(a));
            occupancies
        }),
    };
    occupancy.draw(&folder.join("occupancy.svg"), (0.01..110.0).log_scale())
}
