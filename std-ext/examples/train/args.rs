//! The command line of the training example.

use core::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};

use crate::estimator::Estimator;
use crate::method::{self, Method};
use crate::number::{factor, guesses, probability};
use crate::sample::Tail;
use crate::settings::{Domain, Overrides, Settings};
use crate::synthetic::Shape;

/// Trains a linear classifier with several losses on a heavy-tailed problem and compares them where K guesses are allowed.
///
/// Without arguments: 100 generated classes, the most frequent 100 times as frequent as the rarest, K = 5, three seeds.
#[derive(Parser)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Losses to compare, separated by commas [default: hinge,cross-entropy,noised-balanced,noised-imbalanced]
    #[arg(long = "loss", value_enum, value_delimiter = ',')]
    methods: Vec<Method>,
    /// A comparison other than of the usual losses
    #[arg(long, value_enum)]
    pub compare: Option<Compare>,
    /// Number of guesses K
    #[arg(short, long, default_value_t = 5, value_parser = guesses)]
    pub k: usize,
    #[command(flatten)]
    overrides: Overrides,

    /// Passes over the training rows
    #[arg(long, default_value_t = NonZeroUsize::new(30).unwrap())]
    pub epochs: NonZeroUsize,
    /// Rows a step
    #[arg(long, default_value_t = NonZeroUsize::new(64).unwrap())]
    pub batch_size: NonZeroUsize,
    /// Trainings of each loss; each has a tail, an order of the rows and noise of its own
    #[arg(long, default_value_t = NonZeroUsize::new(3).unwrap())]
    pub seeds: NonZeroUsize,
    /// Trials to find the settings of each loss by the validation rows, each a training of every seed; 0: the settings that it has
    #[arg(long, value_name = "TRIALS", default_value_t = 0)]
    pub tune: usize,
    /// Threads; the results do not depend on them [default: one a core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,

    /// What is generated
    #[arg(long, value_enum, default_value_t = Shape::Groups, conflicts_with = "data")]
    pub generate: Shape,
    /// Texts to classify instead of generated rows: tab-separated values, header split, label, text
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// How often the most frequent class outnumbers the rarest [default: 100; with --data or --generate ambiguous 1: as it is]
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    imbalance: Option<f64>,
    /// Training rows that the most frequent class keeps [default: all]
    #[arg(long, value_name = "ROWS")]
    largest: Option<NonZeroUsize>,
    /// Probability that a training label is replaced by a random one of the same group of generated classes
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability, conflicts_with_all = ["data", "generate"])]
    label_noise: f64,

    /// The rows that are measured; choose settings by the validation rows
    #[arg(long, value_enum, default_value_t = Split::Test)]
    pub measure: Split,
    /// Folder for the plots
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    Valid,
    Test,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compare {
    /// Each noised loss with every estimator
    Estimators,
    /// Every loss, in one table: 1, about K/2 and K guesses, rare classes, squatters, time
    All,
}

impl Args {
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(|| available_parallelism().map_or(1, NonZeroUsize::get), NonZeroUsize::get)
    }

    fn domain(&self) -> Domain {
        if self.data.is_some() { Domain::Text } else { Domain::Generated }
    }

    /// What is to be trained.
    ///
    /// # Errors
    /// Estimators of a loss that is not smoothed, or a chosen one where all are compared.
    pub fn contenders(&self) -> Result<Vec<(Method, Settings)>> {
        let usual: &[Method] = match self.compare {
            None => &method::USUAL,
            Some(Compare::Estimators) => &method::NOISED,
            Some(Compare::All) => &method::ALL,
        };
        let methods = if self.methods.is_empty() { usual } else { &self.methods };
        let settings = |method: &Method| method.settings(self.domain()).overridden(&self.overrides);
        if self.compare != Some(Compare::Estimators) {
            return Ok(methods.iter().map(|method| (*method, settings(method))).collect());
        }
        if self.overrides.choose_estimator() {
            bail!("--compare estimators trains with every estimator, so none can be chosen");
        }
        if let Some(method) = methods.iter().find(|method| method.unsmoothed.is_none()) {
            bail!("{} is not smoothed, so it has no estimators to compare", method.name);
        }
        let every = |method: &Method| Estimator::COMPARED.map(|estimator| (*method, Settings { estimator, ..settings(method) }));
        Ok(methods.iter().flat_map(every).collect())
    }

    /// Whether there are classes left beside the K guesses.
    ///
    /// # Errors
    /// There are not.
    pub fn check_k(&self, num_classes: usize) -> Result<()> {
        let k = self.k;
        ensure!(k < num_classes, "--k {k} needs at least {} classes, the data has {num_classes}", k.saturating_add(1));
        Ok(())
    }

    pub fn tail(&self) -> Tail {
        let usual = if self.data.is_none() && self.generate == Shape::Groups { 100.0 } else { 1.0 };
        Tail { imbalance: self.imbalance.unwrap_or(usual), largest: self.largest.map(NonZeroUsize::get), label_noise: self.label_noise }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn nonsense_is_refused() {
        for flags in [
            ["--epsilon", "-1"],
            ["--draws", "0"],
            ["--learning-rate", "inf"],
            ["--imbalance", "0.5"],
            ["--imbalance", "NaN"],
            ["--label-noise", "1.5"],
            ["--batch-size", "0"],
            ["--loss", "huber"],
        ] {
            assert!(Args::try_parse_from(["train"].into_iter().chain(flags)).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn only_estimators_of_noised_losses_are_compared() {
        let contenders = |flags: [&str; 2]| Args::parse_from(["train", "--compare", "estimators"].into_iter().chain(flags)).contenders();
        assert!(contenders(["--loss", "noised-balanced"]).is_ok());
        assert!(contenders(["--loss", "noised-balanced,hinge"]).is_err());
        assert!(contenders(["--draws", "3"]).is_err());
    }

    #[test]
    fn more_guesses_than_the_classes_allow_are_named() {
        let check = |k| Args::parse_from(["train", "--k", k]).check_k(3).map_err(|error| error.to_string());
        assert_eq!(check("2"), Ok(()));
        assert_eq!(check("5"), Err("--k 5 needs at least 6 classes, the data has 3".into()));
        assert_eq!(check("3"), Err("--k 3 needs at least 4 classes, the data has 3".into()));
        assert!(Args::try_parse_from(["train", "--k", "0"]).is_err());
    }

    #[test]
    fn label_noise_needs_the_generated_groups() {
        let error = Args::try_parse_from(["train", "--label-noise", "0.1", "--data", "a.tsv"]).err().unwrap();
        assert!(error.to_string().contains("--label-noise"), "{error}");
    }
}
