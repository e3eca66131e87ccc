//! Inputs of the user's own that are broken, for tests that a fault is named.

use topk_loss::noise::Noise;

/// A law whose every function returns the same number, NaN say.
#[derive(Debug, Clone, Copy)]
pub struct ConstantLaw(pub f64);

impl Noise<f64> for ConstantLaw {
    fn quantile(&self, _: f64) -> f64 {
        self.0
    }
    fn cdf(&self, _: f64) -> f64 {
        self.0
    }
    fn survival(&self, _: f64) -> f64 {
        self.0
    }
    fn pdf(&self, _: f64) -> f64 {
        self.0
    }
    fn score(&self, _: f64) -> f64 {
        self.0
    }
}
