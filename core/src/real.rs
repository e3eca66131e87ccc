//! The floats the mathematics is generic over.

use core::fmt::{Debug, Display};

use num_traits::NumAssign;
use num_traits::float::FloatCore;

/// A float: `f32`, `f64`, or a type of the user's own (half precision, dual numbers).
///
/// The elementary functions of `f32` and `f64` are always those of the `libm` crate. Another crate that turns on
/// `num-traits/std` therefore cannot change a result, which it could if they came from `num_traits::Float`.
///
/// ```
/// use topk_loss::Real;
/// assert_eq!(Real::exp(0.0_f64), 1.0);
/// assert_eq!(Real::erfc(0.0_f32), 1.0);
/// ```
pub trait Real: FloatCore + NumAssign + Debug + Display + Send + Sync + 'static {
    /// How many 32-bit random words one [uniform](Real::open_uniform) takes: 1 or 2.
    const UNIFORM_WORDS: usize;

    /// The float nearest to a constant.
    fn from_f64(x: f64) -> Self;

    /// The float nearest to a count.
    fn from_usize(n: usize) -> Self {
        Self::from_f64(n as f64)
    }

    /// A number strictly between 0 and 1, symmetric about ½, from random words; one-word types ignore the second.
    ///
    /// `f32` takes the upper 23 bits n of the first word, `f64` the upper 52 bits of both, and both return
    /// (n + ½)·2⁻²³ or (n + ½)·2⁻⁵², so that neither u nor 1 − u is ever rounded.
    fn open_uniform(words: [u32; 2]) -> Self;

    /// √x.
    fn sqrt(self) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0.
    fn ln_1p(self) -> Self;
    /// xʸ.
    fn powf(self, y: Self) -> Self;
    /// cos x, x in radians.
    fn cos(self) -> Self;
    /// The complementary error function 2/√π ∫ₓ^∞ exp(−t²) dt.
    fn erfc(self) -> Self;
}

macro_rules! real_by_libm {
    ($float:ty, $words:literal, $uniform:expr, $sqrt:ident, $exp:ident, $expm1:ident, $log:ident, $log1p:ident, $pow:ident, $cos:ident, $erfc:ident) => {
        impl Real for $float {
            const UNIFORM_WORDS: usize = $words;

            #[inline]
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            #[inline]
            fn open_uniform(words: [u32; 2]) -> Self {
                $uniform(words)
            }
            #[inline]
            fn sqrt(self) -> Self {
                libm::$sqrt(self)
            }
            #[inline]
            fn exp(self) -> Self {
                libm::$exp(self)
            }
            #[inline]
            fn exp_m1(self) -> Self {
                libm::$expm1(self)
            }
            #[inline]
            fn ln(self) -> Self {
                libm::$log(self)
            }
            #[inline]
            fn ln_1p(self) -> Self {
                libm::$log1p(self)
            }
            #[inline]
            fn powf(self, y: Self) -> Self {
                libm::$pow(self, y)
            }
            #[inline]
            fn cos(self) -> Self {
                libm::$cos(self)
            }
            #[inline]
            fn erfc(self) -> Self {
                libm::$erfc(self)
            }
        }
    };
}

fn uniform_f32([high, _]: [u32; 2]) -> f32 {
    const STEP: f32 = 1.0 / (1 << 24) as f32;
    ((high >> 9) * 2 + 1) as f32 * STEP
}

fn uniform_f64([high, low]: [u32; 2]) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    let bits = (u64::from(high) << 32) | u64::from(low);
    ((bits >> 12) * 2 + 1) as f64 * STEP
}

real_by_libm!(f32, 1, uniform_f32, sqrtf, expf, expm1f, logf, log1pf, powf, cosf, erfcf);
real_by_libm!(f64, 2, uniform_f64, sqrt, exp, expm1, log, log1p, pow, cos, erfc);

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn uniforms_stay_strictly_inside_and_mirror_exactly() {
        for words in [[0, 0], [u32::MAX, u32::MAX], [1 << 31, 0], [0x1234_5678, 0x9abc_def0]] {
            let mirrored = words.map(|w| !w);
            let (u, v) = (f32::open_uniform(words), f32::open_uniform(mirrored));
            assert!(u > 0.0 && u < 1.0);
            assert_eq!(1.0 - u, v);
            let (u, v) = (f64::open_uniform(words), f64::open_uniform(mirrored));
            assert!(u > 0.0 && u < 1.0);
            assert_eq!(1.0 - u, v);
        }
    }
}
