//! The batch calls on CUDA device memory.
#![deny(unsafe_code)]

mod code;
mod error;
pub mod plan;
mod reduction;
mod score;

pub use code::check_codes;
pub use error::{CudaError, Result};
pub use reduction::Reduction;
pub use score::{Float, Score};

mod sealed {
    pub trait Sealed {}
}
