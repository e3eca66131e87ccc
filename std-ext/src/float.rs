//! The floats that have matrix products and kernels.

use faer::traits::RealField;

use crate::vectors::Vectors;

/// A float of the losses that has kernels and is a scalar of [`faer`]: `f32`, `f64`.
pub trait BatchReal: RealField + Vectors {}

impl<F: RealField + Vectors> BatchReal for F {}
