//! The floats that have matrix products.

use faer::traits::RealField;
use topk_loss::Real;

/// A float of the losses that is also a scalar of [`faer`]: `f32`, `f64`. Implemented for whatever is both.
pub trait BatchReal: Real + RealField {}

impl<F: Real + RealField> BatchReal for F {}
