//! What the images compute, and a host as well: reports, each a function that prints lines.
//!
//! Nothing here knows where it runs but [`program`] and `device`.
#![no_std]

pub mod bits;
#[cfg(all(target_arch = "arm", target_os = "none"))]
pub mod device;
pub mod examples;
pub mod losses;
mod program;
pub mod training;
pub mod values;

/// Where the lines of a report go.
pub type Print<'a> = dyn FnMut(core::fmt::Arguments<'_>) + 'a;
