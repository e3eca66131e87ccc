//! Draws the results as SVG files.

mod plot;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

use crate::outcome::{Outcome, Statistic};
use plot::{Line, Plot};

/// Classes of neighbouring ranks are averaged into about this many points.
const POINTS: usize = 20;

/// Writes the plots of a comparison of losses into `folder`, which is made if need be.
pub fn of_losses(outcomes: &[Outcome], k: usize, folder: &Path) -> Result<()> {
    make(folder)?;
    let title = format!("Learning curves, mean of {} seeds", outcomes[0].runs.len());
    learning_curves(title, lines(outcomes, loss, curve), k).draw(&folder.join("learning_curves.svg"), 0.0..100.0)?;
    accuracy_by_frequency(outcomes, k, &folder.join("accuracy_by_frequency.svg"))?;
    occupancy(outcomes, k, &folder.join("occupancy.svg"))
}

/// Writes the learning curves of one loss's estimators into `folder`, which is made if need be.
pub fn of_estimators(outcomes: &[Outcome], k: usize, folder: &Path) -> Result<()> {
    make(folder)?;
    let Outcome { method, runs, .. } = &outcomes[0];
    let lines = lines(outcomes, |outcome| outcome.settings.estimator.to_string(), curve);
    let tens = || lines.iter().flat_map(|line| &line.points).map(|&(_, share)| 10.0 * share);
    let (lowest, highest) = (tens().fold(10.0, f64::min).floor(), tens().fold(0.0, f64::max).ceil());
    let title = format!("Estimators of {}, mean of {} seeds", method.name, runs.len());
    let path = folder.join(format!("estimators_of_{}.svg", method.name.replace(' ', "_")));
    learning_curves(title, lines, k).draw(&path, 10.0 * lowest..10.0 * highest)
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

fn curve(outcome: &Outcome) -> Vec<(f64, f64)> {
    (1..).map(f64::from).zip(outcome.mean_list(|run| run.curve.clone())).collect()
}

fn learning_curves(title: String, lines: Vec<Line>, k: usize) -> Plot<'static> {
    Plot {
        title,
        x_label: "epoch",
        y_label: format!("macro top-{k} accuracy (%)"),
        x_format: &|epoch| format!("{epoch:.0}"),
        legend: SeriesLabelPosition::LowerRight,
        lines,
    }
}

fn accuracy_by_frequency(outcomes: &[Outcome], k: usize, path: &Path) -> Result<()> {
    let first = &outcomes[0].runs[0];
    let rows_of = |rank: &f64| first.ranking.get(*rank as usize - 1).map_or(0, |&class| first.counts[class]);
    let ranks: Vec<usize> = (0..first.ranking.len()).collect();
    let plot = Plot {
        title: "Accuracy against class frequency".into(),
        x_label: "class, most frequent first (training rows)",
        y_label: format!("top-{k} accuracy (%)"),
        x_format: &|rank| format!("{rank:.0} ({})", rows_of(rank)),
        legend: SeriesLabelPosition::LowerLeft,
        lines: lines(outcomes, loss, |outcome| {
            let bins = ranks.chunks(ranks.len().div_ceil(POINTS));
            bins.map(|bin| {
                let runs = outcome.runs.iter();
                let accuracies = runs.flat_map(|run| bin.iter().filter_map(|&rank| run.last.class_accuracies[run.ranking[rank]]));
                let centre = (bin[0] + bin[bin.len() - 1]) as f64 / 2.0 + 1.0;
                (centre, accuracies.collect::<Statistic>().mean)
            })
            .filter(|(_, accuracy)| !accuracy.is_nan())
            .collect()
        }),
    };
    plot.draw(path, 0.0..100.0)
}

fn occupancy(outcomes: &[Outcome], k: usize, path: &Path) -> Result<()> {
    let plot = Plot {
        title: format!("Top-{k} occupancy: how often a class is among the guesses"),
        x_label: "class, most guessed first",
        y_label: "occupancy (% of the rows, logarithmic)".into(),
        x_format: &|position| format!("{position:.0}"),
        legend: SeriesLabelPosition::LowerLeft,
        lines: lines(outcomes, loss, |outcome| {
            let sorted = outcome.mean_list(|run| {
                let mut occupancies = run.last.occupancies.clone();
                occupancies.sort_by(|a, b| b.total_cmp(a));
                occupancies
            });
            (1..).map(f64::from).zip(sorted).filter(|&(_, occupancy)| occupancy > 0.0).collect()
        }),
    };
    plot.draw(path, (0.01..110.0).log_scale())
}

fn lines(outcomes: &[Outcome], name: impl Fn(&Outcome) -> String, points: impl Fn(&Outcome) -> Vec<(f64, f64)>) -> Vec<Line> {
    outcomes.iter().map(|outcome| Line { name: name(outcome), points: points(outcome) }).collect()
}

fn loss(outcome: &Outcome) -> String {
    outcome.method.name.into()
}
