//! The types of scores on a device, and the floats that are computed in.

use core::fmt::Debug;

use cudarc::driver::{DeviceRepr, ValidAsZeroBits};
use half::{bf16, f16};
use topk_loss::Real;

use crate::sealed::Sealed;

/// A type of scores and gradients on the device: `f32`, `f64`, [`half::f16`] or [`half::bf16`]. The trait is sealed.
///
/// ```
/// use topk_loss_cuda::Score;
/// fn bytes_of_a_loss<T: Score>() -> usize {
///     size_of::<T::Float>()
/// }
/// assert_eq!((bytes_of_a_loss::<half::bf16>(), bytes_of_a_loss::<f64>()), (4, 8)); // half precision is computed in f32
/// ```
pub trait Score: Sealed + Copy + Debug + DeviceRepr + ValidAsZeroBits + Unpin + Send + Sync + 'static {
    /// The float that is computed in, and the type of values, weights and margins: `f64` for `f64`, `f32` for all others. See [`Score`] for
    /// an example.
    type Float: Float;

    /// What the names of the kernels for this type of scores end in, after an underscore.
    ///
    /// ```
    /// use topk_loss_cuda::Score;
    /// assert_eq!(<half::bf16 as Score>::SUFFIX, "bf16");
    /// ```
    const SUFFIX: &'static str;
}

/// A float that kernels compute in: `f32` or `f64`. The trait is sealed.
///
/// ```
/// use topk_loss_cuda::Float;
/// assert_eq!((0.5_f32.to_f64(), <f32 as Float>::SUFFIX), (0.5, "f32"));
/// ```
pub trait Float: Sealed + Real + DeviceRepr + ValidAsZeroBits + Unpin {
    /// The same number as an `f64`; no rounding. See [`Float`] for an example.
    fn to_f64(self) -> f64;

    /// What the names of the reductions' kernels for this float end in, after an underscore. See [`Float`] for an example.
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
