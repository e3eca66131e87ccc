//! The trait of floats that all the mathematics is generic over, and its elementary functions.
//!
//! Elementary functions that are hot are core's own, straight-line code, one file each; the others are libm's.

mod by_libm;
mod exp;
mod normal;

use core::fmt::{Debug, Display};

use num_traits::NumAssign;
use num_traits::float::FloatCore;

use crate::compiled::{Evaluate, Example, Integrated, Portable, declare, losses};
use crate::exact::{Outcome, Task};
use crate::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use crate::{
    CrossEntropy, Focal, Gumbel, Ldam, Logistic, Margins, Noise, Normal, Ranks, Result, SmoothTopKSvm, TopKCrossEntropy, TopKHinge,
    TopKHinges, TopKSvm,
};

/// A float: `f32`, `f64`, [`Dual`](crate::dual::Dual), or a type of the user's own.
///
/// A float of another crate, such as one of half precision, needs a newtype around it, since both it and this trait are foreign to the
/// user's crate. Losses and oracles that select and add are then as good as the float. What is exact asks for at least the digits and the
/// range of an `f32`, or returns [`Error::Accuracy`](crate::Error::Accuracy). Batches widen `f16` and `bf16` to `f32` a row at a time
/// instead, which every loss can take: `topk-loss-batch`, feature `half`.
///
/// The elementary functions of `f32` and `f64` are always those of the `libm` crate or this crate's own. Another crate that turns on
/// `num-traits/std` therefore cannot change a result, which it could if they came from `num_traits::Float`.
///
/// ```
/// use topk_loss::Real;
/// assert_eq!(Real::exp(0.0_f64), 1.0);
/// assert_eq!(Real::erfc(0.0_f32), 1.0);
/// ```
pub trait Real: FloatCore + NumAssign + Debug + Display + Send + Sync + 'static {
    /// How many 32-bit random words one [uniform](Real::open_uniform) takes: 1 or 2.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!((f32::UNIFORM_WORDS, f64::UNIFORM_WORDS), (1, 2));
    /// ```
    const UNIFORM_WORDS: usize;

    /// The float nearest to a constant.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(<f32 as Real>::from_f64(0.1), 0.1_f32);
    /// ```
    fn from_f64(x: f64) -> Self;

    /// The float nearest to a count.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(<f32 as Real>::from_usize(3), 3.0);
    /// ```
    fn from_usize(n: usize) -> Self {
        Self::from_f64(n as f64)
    }

    /// A number strictly between 0 and 1, symmetric about ½, from random words; one-word types ignore the second.
    ///
    /// `f32` takes the upper 23 bits n of the first word, `f64` the upper 52 bits of both, and both return
    /// (n + ½)·2⁻²³ or (n + ½)·2⁻⁵², so that neither u nor 1 − u is ever rounded.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(f32::open_uniform([0, 0]), 0.5 / (1 << 23) as f32);
    /// assert_eq!(f32::open_uniform([u32::MAX, 0]), 1.0 - f32::open_uniform([0, 0]));
    /// ```
    fn open_uniform(words: [u32; 2]) -> Self;

    /// The square root √x.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::sqrt(2.25), 1.5);
    /// ```
    fn sqrt(self) -> Self;
    /// The exponential eˣ.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::exp(0.0), 1.0);
    /// ```
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::exp_m1(1e-20), 1e-20);
    /// ```
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::ln(2.0), core::f64::consts::LN_2);
    /// ```
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::ln_1p(1e-20), 1e-20);
    /// ```
    fn ln_1p(self) -> Self;
    /// The power xʸ.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::powf(2.0, 3.0), 8.0);
    /// ```
    fn powf(self, y: Self) -> Self;
    /// The cosine of x, in radians.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::cos(0.0), 1.0);
    /// ```
    fn cos(self) -> Self;
    /// The complementary error function 2/√π ∫ₓ^∞ exp(−t²) dt.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!(Real::erfc(0.0), 1.0);
    /// ```
    fn erfc(self) -> Self;

    /// eˣ where it is hot: without a branch, to two units in the last place, and 0 instead of a subnormal number. Overflows like
    /// [`exp`](Real::exp) or is unspecified beyond the range.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!((0.0_f64.fast_exp(), (-1e9_f64).fast_exp()), (1.0, 0.0));
    /// ```
    #[inline(always)]
    fn fast_exp(self) -> Self {
        self.exp()
    }

    /// P(Z > z) and the density at z of a standard normal Z, where they are hot: without a branch, to a few units in the last place
    /// times the condition number, about z² in the tails; both 0 where the density would be subnormal.
    ///
    /// ```
    /// use topk_loss::Real;
    /// let (tail, density) = 0.0_f64.normal_tail_and_density();
    /// assert!((tail - 0.5).abs() < 1e-15 && (density - 0.3989422804014327).abs() < 1e-15);
    /// ```
    #[inline(always)]
    fn normal_tail_and_density(self) -> (Self, Self) {
        (Normal.survival(self), Normal.pdf(self))
    }

    /// What an exact form comes to with this float. Plainly where nothing is known of it: it may carry derivatives, and lanes gain it
    /// nothing.
    #[doc(hidden)]
    fn integrate<N: Noise<Self>>(task: Task<'_, N, Self>) -> Result<Outcome<Self>> {
        task.run_plainly()
    }
    #[doc(hidden)]
    fn integrate_normal(task: Task<'_, Normal, Self>) -> Result<Outcome<Self>> {
        Self::integrate(task)
    }
    #[doc(hidden)]
    fn integrate_gumbel(task: Task<'_, Gumbel, Self>) -> Result<Outcome<Self>> {
        Self::integrate(task)
    }
    #[doc(hidden)]
    fn integrate_logistic(task: Task<'_, Logistic, Self>) -> Result<Outcome<Self>> {
        Self::integrate(task)
    }
    losses!(declare);

    /// The nearest integer of a number from 0 to 255, where it is hot.
    ///
    /// ```
    /// use topk_loss::Real;
    /// assert_eq!([2.4, 2.6, 255.0].map(Real::nearest_byte), [2, 3, 255]);
    /// ```
    #[inline(always)]
    fn nearest_byte(self) -> u8 {
        (self + Self::from_f64(0.5)).to_usize().map_or(0, |n| n.min(255) as u8)
    }
}

/// The polynomial with these coefficients, constant term first, by Horner's rule.
macro_rules! polynomial {
    ($x:expr, [$last:expr $(,)?]) => { $last };
    ($x:expr, [$first:expr, $($rest:expr),+ $(,)?]) => { $first + $x * polynomial!($x, [$($rest),+]) };
}

use polynomial;
