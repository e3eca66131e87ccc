//! Normal numbers by inversion as straight-line code: bit for bit what core's scalar code makes of the same words.

use topk_loss::Real;
use topk_loss::noise::{Noise, Normal};

/// A float that is drawn so: `f32`, `f64`.
pub trait Variate: Real {
    /// Above the largest normal number that a uniform of this float gives, 5.42 or 8.21.
    const REACH: f32;

    /// [`open_uniform`](Real::open_uniform) of two words.
    fn uniform(high: u32, low: u32) -> Self;

    /// [`ln`](Real::ln) of a normal number between 0 and 1.
    fn ln_of_tail(self) -> Self;

    /// [`sqrt`](Real::sqrt).
    fn root(self) -> Self;

    /// The nearest `f32`.
    fn to_single(self) -> f32;
}

/// The polynomial with these coefficients, constant term first.
macro_rules! polynomial {
    ($x:expr, [$last:expr]) => { $last };
    ($x:expr, [$first:expr, $($rest:expr),+ $(,)?]) => { $first + $x * polynomial!($x, [$($rest),+]) };
}

pub(crate) use polynomial;

macro_rules! variate {
    (
        $float:ty, bits $bits:ty, reach $reach:literal, digits |$high:ident, $low:ident| $digits:expr, mantissa $mantissa:literal,
        shift $shift:literal, bias $bias:literal, sqrt_half $sqrt_half:literal, ln_2 $ln_2:literal + $ln_2_low:literal,
        odd $odd:tt, even $even:tt
    ) => {
        impl Variate for $float {
            const REACH: f32 = $reach;

            #[inline(always)]
            fn uniform($high: u32, $low: u32) -> Self {
                // (1 + n·2ε) − (1 − ε), exactly.
                const ONE: $bits = (1.0 as $float).to_bits();
                <$float>::from_bits(ONE | $digits) - (1.0 - <$float>::EPSILON / 2.0)
            }

            #[inline(always)]
            fn ln_of_tail(self) -> Self {
                // x = 2ᵏ(1 + f) with 1 + f around 1; an integer in the last digits of 2^mantissa is a float.
                const ONE: $bits = (1.0 as $float).to_bits();
                const INTEGER: $float = $shift;
                let shifted = self.to_bits() + (ONE - $sqrt_half);
                let k = <$float>::from_bits(INTEGER.to_bits() | (shifted >> $mantissa)) - (INTEGER + $bias);
                let f = <$float>::from_bits((shifted & ((1 << $mantissa) - 1)) + $sqrt_half) - 1.0;
                let s = f / (2.0 + f);
                let z = s * s;
                let w = z * z;
                let series = z * polynomial!(w, $odd) + w * polynomial!(w, $even);
                let half_square = 0.5 * f * f;
                s * (half_square + series) + k * $ln_2_low - half_square + f + k * $ln_2
            }

            #[inline(always)]
            fn root(self) -> Self {
                self.sqrt()
            }

            #[inline(always)]
            fn to_single(self) -> f32 {
                self as f32
            }
        }
    };
}

variate! {
    f32, bits u32, reach 6.0, digits |high, _low| high >> 9, mantissa 23, shift 8_388_608.0, bias 127.0, sqrt_half 0x3f35_04f3,
    ln_2 6.931_381e-1 + 9.058_001e-6,
    odd [0.666_666_6, 0.284_987_87], even [0.400_009_72, 0.242_790_79]
}

variate! {
    f64, bits u64, reach 9.0, digits |high, low| ((u64::from(high) << 32) | u64::from(low)) >> 12, mantissa 52,
    shift 4_503_599_627_370_496.0, bias 1023.0, sqrt_half 0x3fe6_a09e_0000_0000,
    ln_2 6.931_471_803_691_238e-1 + 1.908_214_929_270_587_7e-10,
    odd [6.666_666_666_666_735e-1, 2.857_142_874_366_239e-1, 1.818_357_216_161_805e-1, 1.479_819_860_511_658_6e-1],
    even [3.999_999_999_940_942e-1, 2.222_219_843_214_978_4e-1, 1.531_383_769_920_937_3e-1]
}

/// Turns uniform into standard normal numbers.
#[inline(always)]
pub fn normal_quantiles<F: Variate>(places: &mut [F]) {
    // Once in 3·10¹⁰ double-precision numbers; never in single precision.
    let (low, high) = (F::from_f64(1.5e-11), F::from_f64(1.0 - 1.5e-11));
    if places.iter().fold(false, |any, &u| any | (u < low) | (u > high)) {
        for place in places {
            *place = Normal.quantile(*place);
        }
    } else {
        for place in places {
            *place = quantile(*place);
        }
    }
}

/// Algorithm AS 241 without its far tail.
#[inline(always)]
fn quantile<F: Variate>(u: F) -> F {
    const AS_241: [([f64; 8], [f64; 8]); 3] = Normal::AS_241;
    let q = u - F::from_f64(0.5);
    let central = q * ratio(&AS_241[0], F::from_f64(0.180625) - q * q);
    let is_low = q < F::zero();
    let r = (-(if is_low { u } else { F::one() - u }).ln_of_tail()).root();
    let z = ratio(&AS_241[1], r - F::from_f64(1.6));
    let (distance, z) = if is_low { (-q, -z) } else { (q, z) };
    if distance <= F::from_f64(0.425) { central } else { z }
}

#[inline(always)]
fn ratio<F: Real>((numerator, denominator): &([f64; 8], [f64; 8]), r: F) -> F {
    horner(numerator, r) / horner(denominator, r)
}

#[inline(always)]
fn horner<F: Real>(coefficients: &[f64; 8], r: F) -> F {
    let mut sum = F::from_f64(coefficients[7]);
    for place in (0..7).rev() {
        sum = sum * r + F::from_f64(coefficients[place]);
    }
    sum
}
