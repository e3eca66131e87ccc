//! The floats that have matrix products and kernels.

use faer::traits::RealField;

use crate::elementary::Elementary;

/// A float of the losses that has kernels and is a scalar of [`faer`]: `f32`, `f64`.
pub trait BatchReal: RealField + Elementary {}

impl<F: RealField + Elementary> BatchReal for F {}
