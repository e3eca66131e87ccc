//! What a loss of the example is built from: guesses, smoothing, margins, adjustments, weights.

use anyhow::Result;
use topk_loss::imbalance::{inverse_frequency_weights, ldam_margins, log_priors};
use topk_loss::{Key, Smoothing};

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
    /// Smaller for rarer classes: multiples of their log frequencies.
    pub adjustments: Vec<f32>,
    /// Larger for rarer classes; 1 for the average row.
    pub class_weights: Vec<f32>,
    /// A half for one guess and a half for K.
    pub halves: Vec<f32>,
}

impl Setup {
    /// `counts`: training rows of every class.
    pub fn new(k: usize, settings: &Settings, counts: &[usize], noise: Key) -> Result<Self> {
        let mut margins = vec![0.0; counts.len()];
        ldam_margins(counts, settings.max_margin, &mut margins)?;
        // Label noise may leave a class without rows; as if it had one, its logarithm is finite.
        let counts: Vec<usize> = counts.iter().map(|&count| count.max(1)).collect();
        let mut adjustments = vec![0.0; counts.len()];
        log_priors(&counts, settings.adjustment, &mut adjustments)?;
        let mut class_weights = vec![0.0; counts.len()];
        inverse_frequency_weights(&counts, settings.rarity, &mut class_weights)?;
        let smoothing = settings.estimator.smoothing(settings.epsilon, noise);
        Ok(Self { k, settings: *settings, smoothing, margins, adjustments, class_weights, halves: halves(k) })
    }
}

/// Shares of 1 to k guesses.
fn halves(k: usize) -> Vec<f32> {
    (1..=k).map(|guesses| 0.5 * (f32::from(guesses == 1) + f32::from(guesses == k))).collect()
}
