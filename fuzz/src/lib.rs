//! What the fuzz targets of `topk-loss` share: one structured input, and the promises that they hold every call to.

pub mod config;
mod input;
pub mod laws;
mod number;
pub mod oracles;
mod place;
pub mod promises;

pub use input::Input;
pub use number::{Float, Number};
pub use place::Place;

/// A target: the function for either float, of every input.
#[macro_export]
macro_rules! target {
    ($run:ident) => {
        libfuzzer_sys::fuzz_target!(|input: $crate::Input| {
            $run::<f32>(&input);
            $run::<f64>(&input);
        });
    };
}
