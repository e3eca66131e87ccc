//! The settings of a loss, and what the command line changes of them.

use core::num::NonZeroUsize;

use crate::estimator::{Estimator, EstimatorKind};
use crate::number::{finite, not_negative, positive};

/// What the settings were found on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Generated,
    Text,
}

/// Those that a loss has no use for are ignored.
#[derive(Clone, Copy)]
pub struct Settings {
    pub learning_rate: f32,
    pub epsilon: f32,
    pub estimator: Estimator,
    /// Of every class.
    pub margin: f32,
    /// Of the rarest class.
    pub max_margin: f32,
    pub scale: f32,
    pub gamma: f32,
    pub temperature: f32,
    pub adjustment: f32,
    /// A class of n rows weighs n to the power of minus this.
    pub rarity: f32,
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
    /// How the noised losses are smoothed [default: pathwise]
    #[arg(long, value_enum)]
    estimator: Option<EstimatorKind>,
    /// Noise draws an example, for the estimators that draw [default: pathwise 5, conditional 1]
    #[arg(long)]
    draws: Option<NonZeroUsize>,
    /// Margin of the losses that have the same for all classes [default: 1]
    #[arg(long, value_parser = finite)]
    margin: Option<f32>,
    /// Margin of the rarest class, for the losses of cosine scores; without it, each loss takes its own
    #[arg(long, value_name = "MARGIN", value_parser = positive)]
    max_margin: Option<f32>,
    /// Scale of the losses of cosine scores [default: 40]
    #[arg(long, value_parser = positive)]
    scale: Option<f32>,
    /// Focal loss: how much less a row counts that is already learnt; without it, by domain
    #[arg(long, value_parser = not_negative)]
    gamma: Option<f32>,
    /// Smooth top-K SVM: temperature; without it, by domain
    #[arg(long, value_parser = positive)]
    temperature: Option<f32>,
    /// Logit-adjusted losses: what the classes' log frequencies are multiplied by; without it, each loss takes its own
    #[arg(long, value_parser = not_negative)]
    adjustment: Option<f32>,
}

impl Overrides {
    pub const fn choose_estimator(&self) -> bool {
        self.estimator.is_some() || self.draws.is_some()
    }
}

/// A setting's name, the largest factor by which a search changes it, and where it is.
type Tuned = (&'static str, f32, fn(&mut Settings) -> &mut f32);

impl Settings {
    /// What is searched for.
    pub const TUNED: [Tuned; 9] = [
        ("learning rate", 10.0, |settings| &mut settings.learning_rate),
        ("epsilon", 10.0, |settings| &mut settings.epsilon),
        ("margin", 4.0, |settings| &mut settings.margin),
        ("largest margin", 4.0, |settings| &mut settings.max_margin),
        ("scale", 2.0, |settings| &mut settings.scale),
        ("gamma", 4.0, |settings| &mut settings.gamma),
        ("temperature", 10.0, |settings| &mut settings.temperature),
        ("adjustment", 2.0, |settings| &mut settings.adjustment),
        ("rarity", 2.0, |settings| &mut settings.rarity),
    ];

    /// A learning rate, and for the rest what most losses take.
    pub const fn rate(learning_rate: f32) -> Self {
        Self {
            learning_rate,
            epsilon: 1.0,
            estimator: Estimator::Exact,
            margin: 1.0,
            max_margin: 0.4,
            scale: 40.0,
            gamma: 1.0,
            temperature: 1.0,
            adjustment: 1.0,
            rarity: 0.5,
        }
    }

    pub fn overridden(self, overrides: &Overrides) -> Self {
        Self {
            learning_rate: overrides.learning_rate.unwrap_or(self.learning_rate),
            epsilon: overrides.epsilon.unwrap_or(self.epsilon),
            estimator: Estimator::new(overrides.estimator.unwrap_or(EstimatorKind::Pathwise), overrides.draws),
            margin: overrides.margin.unwrap_or(self.margin),
            max_margin: overrides.max_margin.unwrap_or(self.max_margin),
            scale: overrides.scale.unwrap_or(self.scale),
            gamma: overrides.gamma.unwrap_or(self.gamma),
            temperature: overrides.temperature.unwrap_or(self.temperature),
            adjustment: overrides.adjustment.unwrap_or(self.adjustment),
            rarity: self.rarity,
        }
    }
}
