//! Estimators of a smoothed function f_ε(θ) = E f(θ + εZ): what is averaged over the draws, one file each.
//!
//! Every estimator is an [`Oracle`](crate::oracle::Oracle) of f_ε, so whatever takes an oracle takes a smoothed one. What one draw
//! contributes is a `Draw`; the mean over the draws and its standard error are written once, for all of them.
//!
//! ```
//! use topk_loss::estimator::{Conditional, Exact, Pathwise};
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::{KthLargest, Oracle};
//! use topk_loss::sampler::MonteCarlo;
//! use topk_loss::Key;
//! // One function, the smoothed second largest, drawn in two ways and computed.
//! let (second, normal, key) = (KthLargest::new(2)?, MonteCarlo::new(Normal, 1000)?, Key::new(7));
//! let estimators: [&dyn Oracle<f64>; 3] =
//!     [&Pathwise::new(second, normal, 0.5, key)?, &Conditional::new(second, normal, 0.5, key)?, &Exact::new(second, Normal, 0.5)?];
//! let mut values = [0.0; 3];
//! for (value, smoothed) in values.iter_mut().zip(estimators) {
//!     *value = smoothed.value(&[0.3, 2.0, 1.9], &mut vec![0.0; smoothed.scratch_len(3)])?;
//! }
//! assert!((values[0] - values[2]).abs() < 0.05 && (values[1] - values[2]).abs() < 0.05);
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod conditional;
mod control_variate;
mod draw;
mod estimate;
mod exact;
mod pathwise;
mod score_function;

pub use conditional::Conditional;
pub use control_variate::ControlVariate;
pub use estimate::{Estimate, Estimator, Until};
pub use exact::{Certified, Exact};
pub use pathwise::Pathwise;
pub use score_function::{Baseline, ScoreFunction};
