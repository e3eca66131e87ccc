//! The types of scores, and the floats that are computed in.

use core::fmt::Debug;

use cudarc::driver::{DeviceRepr, ValidAsZeroBits};
use half::{bf16, f16};
use topk_loss::Real;

use crate::sealed::Sealed;

/// A type of scores and gradients on the device: `f32`, `f64`, [`half::f16`] or [`half::bf16`].
pub trait Score: Sealed + Copy + Debug + DeviceRepr + ValidAsZeroBits + Unpin + Send + Sync + 'static {
    /// What is computed in, and the type of values, weights and margins: `f64` for `f64`, `f32` for all others.
    type Float: Float;

    /// What the kernels for it are called after an underscore.
    const SUFFIX: &'static str;
}

/// A float that kernels compute in: `f32` or `f64`.
pub trait Float: Sealed + Real + DeviceRepr + ValidAsZeroBits + Unpin {
    /// The same number.
    fn to_f64(self) -> f64;

    /// What the kernels for it are called after an underscore.
    const SUFFIX: &'static str;
}

macro_rules! score {
    ($score:ty, $float:ty, $suffix:literal) => {
        impl Sealed for $score {}

        impl Score for $score {
            type Float = $float;
            const SUFFIX: &'static str = $suffix;
        }
    };
}

score!(f32, f32, "f32");
score!(f64, f64, "f64");
score!(f16, f32, "f16");
score!(bf16, f32, "bf16");

impl Float for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    const SUFFIX: &'static str = "f32";
}

impl Float for f64 {
    fn to_f64(self) -> f64 {
        self
    }
    const SUFFIX: &'static str = "f64";
}
