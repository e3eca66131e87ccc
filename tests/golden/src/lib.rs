//! The golden values: what the core draws and computes, by its bits. None may change without an entry in the changelog.
//!
//! [`print`] prints them and [`committed`] holds them against `values/core.txt`. How they are made, compared and remade: README.md.
#![no_std]

pub mod bits;
#[cfg(not(target_os = "none"))]
pub mod committed;
mod compositions;
mod draws;
mod estimators;
mod functions;
pub mod losses;
mod parameters;
mod sharded;

use core::fmt::Arguments;

use topk_loss::{Real, Result};

/// Where the lines of a report go.
pub type Print<'a> = dyn FnMut(Arguments<'_>) + 'a;

/// All of the core's, a line each: what it is, a colon, numbers and hashes of numbers.
///
/// # Errors
/// Those of what is computed.
pub fn print(print: &mut Print<'_>) -> Result<()> {
    draws::print_keys(print);
    of::<f32>("f32", print)?;
    of::<f64>("f64", print)
}

fn of<F: Real>(float: &str, print: &mut Print<'_>) -> Result<()> {
    let mut named = |line: Arguments<'_>| print(format_args!("{float}, {line}"));
    functions::print::<F>(&mut named);
    draws::print::<F>(&mut named)?;
    parameters::print::<F>(&mut named)?;
    estimators::print::<F>(&mut named)?;
    sharded::print::<F>(&mut named)?;
    losses::print::<F>(&mut named)?;
    compositions::print::<F>(&mut named)
}
