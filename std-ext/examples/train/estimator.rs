//! The choice on the command line of how a noised loss is smoothed.

use core::fmt;
use core::num::NonZeroUsize;

use clap::ValueEnum;
use topk_loss::{Key, Smoothing};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimatorKind {
    /// The paper's: the mean of the order statistics of noised scores
    Pathwise,
    /// The same with the variance of each class's own noise taken out
    Conditional,
    /// Computed, without noise
    Exact,
}

/// An estimator and its draws an example, at least one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Estimator {
    Pathwise { draws: usize },
    Conditional { draws: usize },
    Exact,
}

impl Estimator {
    /// What a comparison of estimators compares.
    pub const COMPARED: [Self; 5] = [
        Self::Pathwise { draws: 1 },
        Self::Pathwise { draws: 5 },
        Self::Pathwise { draws: 50 },
        Self::Conditional { draws: 1 },
        Self::Exact,
    ];

    /// Without a number of draws, an estimator takes its own.
    pub fn new(kind: EstimatorKind, draws: Option<NonZeroUsize>) -> Self {
        let draws_or = |usual| draws.map_or(usual, NonZeroUsize::get);
        match kind {
            EstimatorKind::Pathwise => Self::Pathwise { draws: draws_or(5) },
            EstimatorKind::Conditional => Self::Conditional { draws: draws_or(1) },
            EstimatorKind::Exact => Self::Exact,
        }
    }

    pub const fn smoothing(self, epsilon: f32, key: Key) -> Smoothing<f32> {
        match self {
            Self::Pathwise { draws: num_samples } => Smoothing::Pathwise { epsilon, num_samples, key },
            Self::Conditional { draws: num_samples } => Smoothing::Conditional { epsilon, num_samples, key },
            Self::Exact => Smoothing::Exact { epsilon },
        }
    }
}

impl fmt::Display for Estimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, draws) = match self {
            Self::Pathwise { draws } => ("pathwise", draws),
            Self::Conditional { draws } => ("conditional", draws),
            Self::Exact => return f.write_str("exact"),
        };
        write!(f, "{name}, {draws} {}", if *draws == 1 { "draw" } else { "draws" })
    }
}
