//! The trainings of one loss, summarised over seeds.

use core::fmt;

use crate::method::Method;
use crate::settings::Settings;
use crate::study::Run;

pub struct Outcome {
    pub method: Method,
    pub settings: Settings,
    /// One a seed, at least one, in the same order for every loss.
    pub runs: Vec<Run>,
}

impl Outcome {
    /// A number of every run, over the runs that have it.
    pub fn over_seeds(&self, of: impl Fn(&Run) -> Option<f64>) -> Statistic {
        self.runs.iter().filter_map(of).collect()
    }

    pub fn macro_accuracy(&self) -> Statistic {
        self.over_seeds(|run| Some(run.last.macro_accuracy))
    }

    /// The last epoch's macro top-K accuracies above another's; with the same seed, both had the same rows in the same order.
    pub fn above<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = f64> + 'a {
        self.runs.iter().zip(&other.runs).map(|(a, b)| a.last.macro_accuracy - b.last.macro_accuracy)
    }

    /// Seconds a training.
    pub fn seconds(&self) -> Statistic {
        self.over_seeds(|run| Some(run.duration.as_secs_f64()))
    }

    /// Milliseconds a step: the classifier's forward and backward passes, the loss between them, and the optimiser.
    pub fn milliseconds_a_step(&self) -> Statistic {
        self.over_seeds(|run| Some(1e3 * run.duration.as_secs_f64() / run.steps as f64))
    }

    /// The top-K accuracy of the classes with few training rows.
    pub fn few_shot(&self) -> Statistic {
        self.over_seeds(|run| run.last.group_accuracies[2])
    }

    /// The occupancy of the class with the largest one.
    pub fn highest_occupancy(&self) -> Statistic {
        self.over_seeds(|run| run.last.occupancies.iter().copied().reduce(f64::max))
    }

    /// The mean over seeds of a list that has the same length in every run.
    pub fn mean_list(&self, of: impl Fn(&Run) -> Vec<f64>) -> Vec<f64> {
        let lists: Vec<Vec<f64>> = self.runs.iter().map(of).collect();
        (0..lists[0].len()).map(|i| lists.iter().map(|list| list[i]).collect::<Statistic>().mean).collect()
    }
}

/// Mean and standard deviation.
#[derive(Clone, Copy)]
pub struct Statistic {
    /// NaN of nothing.
    pub mean: f64,
    /// From two numbers on.
    pub deviation: Option<f64>,
}

impl FromIterator<f64> for Statistic {
    fn from_iter<T: IntoIterator<Item = f64>>(numbers: T) -> Self {
        let numbers: Vec<f64> = numbers.into_iter().collect();
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let squares = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        Self { mean, deviation: (numbers.len() > 1).then(|| (squares / (n - 1.0)).sqrt()) }
    }
}

impl Statistic {
    /// For shares.
    pub fn per_cent(self) -> Self {
        Self { mean: 100.0 * self.mean, deviation: self.deviation.map(|deviation| 100.0 * deviation) }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding 0 takes the sign off a zero.
        let mean = (10.0 * self.mean).round() / 10.0 + 0.0;
        match self.deviation {
            _ if mean.is_nan() => write!(f, "–"),
            None => write!(f, "{mean:.1}"),
            Some(deviation) => write!(f, "{mean:.1} ± {deviation:.1}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Statistic;

    #[test]
    fn a_statistic_is_mean_and_sample_deviation() {
        let shown = |shares: &[f64]| shares.iter().copied().collect::<Statistic>().per_cent().to_string();
        assert_eq!([shown(&[]), shown(&[-1e-9]), shown(&[0.4, 0.5, 0.6])], ["–", "0.0", "50.0 ± 10.0"]);
    }
}
