//! Broken inputs that a user may hand in by mistake, for tests that the fault is named.

use topk_loss::noise::Noise;

/// A law whose every function returns the same number, NaN say.
///
/// ```
/// use topk_loss::noise::Noise;
/// use topk_loss_laws::broken::ConstantLaw;
/// assert!(ConstantLaw(f64::NAN).cdf(0.0).is_nan());
/// ```
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
