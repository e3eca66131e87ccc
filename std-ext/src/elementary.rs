//! The floats that have kernels.

use crate::kernel::compiled::Compiled;
use crate::variate::Variate;

/// A float with kernels: `f32`, `f64`.
pub trait Elementary: Variate + Compiled {}

impl<F: Variate + Compiled> Elementary for F {}
