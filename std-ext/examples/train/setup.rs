//! What a loss is built from.

use anyhow::Result;
use topk_loss::{Key, Smoothing, ldam_margins};

use crate::settings::Settings;

/// The settings of one training and what they make of its rows.
pub struct Setup {
    /// Number of guesses.
    pub k: usize,
    pub settings: Settings,
    /// For the losses that are smoothed.
    pub smoothing: Smoothing<f32>,
    /// Larger for rarer classes.
    pub margins: Vec<f32>,
}

impl Setup {
    /// `counts`: training rows of every class.
    pub fn new(k: usize, settings: &Settings, counts: &[usize], noise: Key) -> Result<Self> {
        let mut margins = vec![0.0; counts.len()];
        ldam_margins(counts, settings.max_margin, &mut margins)?;
        Ok(Self { k, settings: *settings, smoothing: settings.estimator.smoothing(settings.epsilon, noise), margins })
    }
}
