//! Estimators of a smoothed function f_ε(θ) = E f(θ + εZ): what is averaged over the draws, one file each.
//!
//! Every estimator is an [`Oracle`](crate::oracle::Oracle) of f_ε, so whatever takes an oracle takes a smoothed one. What one draw
//! contributes is a `Draw`; the mean over the draws and its standard error are written once, for all of them.

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
