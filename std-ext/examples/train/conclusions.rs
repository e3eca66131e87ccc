//! What the numbers say, in words.

mod estimators;
mod losses;

pub use estimators::of_estimators;
pub use losses::of_losses;
