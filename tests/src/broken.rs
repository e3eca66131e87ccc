//! Broken inputs that a user may hand in by mistake, for tests that the fault is named.
//!
//! ```
//! use topk_loss::estimator::Conditional;
//! use topk_loss::oracle::{KthLargest, Oracle};
//! use topk_loss::sampler::MonteCarlo;
//! use topk_loss::Key;
//! use topk_loss_laws::broken::ConstantLaw;
//! // A law that returns NaN is an error of whoever draws from it.
//! let drawn = Conditional::new(KthLargest::new(1)?, MonteCarlo::new(ConstantLaw(f64::NAN), 4)?, 0.5, Key::new(7))?;
//! assert!(drawn.value(&[0.0, 1.0], &mut [0.0; 100]).is_err());
//! # Ok::<(), topk_loss::Error>(())
//! ```

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
