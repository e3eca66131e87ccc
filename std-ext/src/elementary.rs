//! Elementary functions as straight-line code.

use crate::variate::Variate;

/// A float with kernels: `f32`, `f64`.
pub trait Elementary: Variate {}

impl<F: Variate> Elementary for F {}

/// The polynomial with these coefficients, constant term first.
macro_rules! polynomial {
    ($x:expr, [$last:expr]) => { $last };
    ($x:expr, [$first:expr, $($rest:expr),+ $(,)?]) => { $first + $x * polynomial!($x, [$($rest),+]) };
}

pub(crate) use polynomial;
