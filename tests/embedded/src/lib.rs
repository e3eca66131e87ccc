//! What the images compute, and a host as well: reports, each a function that prints lines.
//!
//! Nothing here knows where it runs but [`program`] and `device`.
#![no_std]

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub mod device;
pub mod examples;
pub mod losses;
mod program;
pub mod small;
pub mod training;

pub use topk_loss_golden::{self as golden, Print, bits};
