//! Puts what the numbers say into words.

mod all;
mod estimators;
mod losses;

pub use all::of_all;
pub use estimators::of_estimators;
pub use losses::of_losses;
