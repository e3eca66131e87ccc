//! The losses that are compared, and the settings that each takes unless told otherwise.

use core::num::NonZeroUsize;

use clap::ValueEnum;
use topk_loss_batch::Similarity;

use crate::estimator::{Estimator, EstimatorKind};
use crate::number::{finite, positive};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Calibrated top-K hinge, not smoothed
    Hinge,
    /// Cross-entropy of the softmax
    CrossEntropy,
    /// Smoothed top-K hinge, one margin for all classes
    NoisedBalanced,
    /// Top-K hinge of cosine scores, margins larger for rarer classes, not smoothed
    Imbalanced,
    /// Smoothed top-K hinge of cosine scores, margins larger for rarer classes
    NoisedImbalanced,
}

impl Method {
    /// What is compared unless told otherwise.
    pub const USUAL: [Self; 4] = [Self::Hinge, Self::CrossEntropy, Self::NoisedBalanced, Self::NoisedImbalanced];
    pub const NOISED: [Self; 2] = [Self::NoisedBalanced, Self::NoisedImbalanced];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Hinge => "hinge",
            Self::CrossEntropy => "cross-entropy",
            Self::NoisedBalanced => "noised balanced",
            Self::Imbalanced => "imbalanced",
            Self::NoisedImbalanced => "noised imbalanced",
        }
    }

    pub const fn is_smoothed(self) -> bool {
        matches!(self, Self::NoisedBalanced | Self::NoisedImbalanced)
    }

    pub const fn is_imbalanced(self) -> bool {
        matches!(self, Self::Imbalanced | Self::NoisedImbalanced)
    }

    /// The same loss without smoothing.
    pub const fn unsmoothed(self) -> Option<Self> {
        match self {
            Self::NoisedBalanced => Some(Self::Hinge),
            Self::NoisedImbalanced => Some(Self::Imbalanced),
            _ => None,
        }
    }

    /// Margins that vary by class are meant for scores between −1 and 1.
    pub const fn similarity(self) -> Similarity {
        if self.is_imbalanced() { Similarity::Cosine } else { Similarity::Inner }
    }
}

/// What the settings were found on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Generated,
    Text,
}

/// Settings of a loss; those that a loss has no use for are ignored.
#[derive(Clone, Copy)]
pub struct Settings {
    pub learning_rate: f32,
    pub epsilon: f32,
    pub estimator: Estimator,
    /// The margin of every class, or of the rarest.
    pub margin: f32,
    pub scale: f32,
}

/// Settings given on the command line.
#[derive(Clone, Copy, clap::Args)]
pub struct Overrides {
    /// Learning rate; without it, each loss takes its own
    #[arg(long, value_name = "RATE", value_parser = positive)]
    learning_rate: Option<f32>,
    /// Scale of the smoothing noise, in units of the scores; without it, each loss takes its own
    #[arg(long, value_parser = positive)]
    epsilon: Option<f32>,
    /// How the noised losses are smoothed
    #[arg(long, value_enum, default_value_t = EstimatorKind::Pathwise)]
    estimator: EstimatorKind,
    /// Noise draws an example, for the estimators that draw [default: pathwise 5, conditional 1]
    #[arg(long)]
    draws: Option<NonZeroUsize>,
    /// Margin of the losses that have the same for all classes [default: 1]
    #[arg(long, value_parser = finite)]
    margin: Option<f32>,
    /// Margin of the rarest class, for the imbalanced losses [default: 0.4, 0.5 on text]
    #[arg(long, value_name = "MARGIN", value_parser = positive)]
    max_margin: Option<f32>,
    /// Scale of the imbalanced losses [default: 40]
    #[arg(long, value_parser = positive)]
    scale: Option<f32>,
}

impl Settings {
    pub fn new(method: Method, domain: Domain, overrides: &Overrides) -> Self {
        let text = domain == Domain::Text;
        let learning_rate = match method {
            Method::CrossEntropy => {
                if text {
                    30.0
                } else {
                    10.0
                }
            }
            // Two or three classes become squatters, 43 % macro top-5; at 1 it is one class, and 60 %.
            Method::Hinge if !text => 0.3,
            Method::Hinge | Method::NoisedBalanced => 1.0,
            Method::Imbalanced | Method::NoisedImbalanced => 0.01,
        };
        let (epsilon, margin, scale) = if method.is_imbalanced() {
            let (epsilon, margin) = if text { (0.01, 0.5) } else { (0.1, 0.4) };
            (epsilon, overrides.max_margin.unwrap_or(margin), overrides.scale.unwrap_or(40.0))
        } else {
            (if text { 0.5 } else { 0.2 }, overrides.margin.unwrap_or(1.0), 1.0)
        };
        Self {
            learning_rate: overrides.learning_rate.unwrap_or(learning_rate),
            epsilon: overrides.epsilon.unwrap_or(epsilon),
            estimator: Estimator::new(overrides.estimator, overrides.draws),
            margin,
            scale,
        }
    }
}
