//! An `f32` whose every result is rounded to fewer digits.

use core::fmt;
use core::num::FpCategory;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

use num_traits::float::FloatCore;
use num_traits::{Num, NumCast, One, ToPrimitive, Zero};
use topk_loss::Real;

/// A float of `BITS` significant bits; that of 11 has the range of an `f16`, any other that of an `f32`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rounded<const BITS: u32>(f32);

impl<const BITS: u32> Rounded<BITS> {
    const LARGEST: f32 = if BITS == 11 { 65504.0 } else { f32::MAX };
    const LEAST: f32 = if BITS == 11 { 1.0 / 16384.0 } else { f32::MIN_POSITIVE };

    fn new(x: f32) -> Self {
        let dropped = 24 - BITS;
        let half = if dropped > 0 { 1 << (dropped - 1) } else { 0 };
        let rounded = if x.is_finite() { f32::from_bits((x.to_bits() + half) >> dropped << dropped) } else { x };
        Self(if rounded.abs() > Self::LARGEST {
            f32::INFINITY.copysign(x)
        } else if rounded.abs() < Self::LEAST {
            0.0_f32.copysign(x)
        } else {
            rounded
        })
    }
}

impl<const BITS: u32> fmt::Display for Rounded<BITS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $assign:ident $assign_method:ident $operator:tt),*) => {$(
        impl<const BITS: u32> $trait for Rounded<BITS> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self::new(self.0 $operator other.0)
            }
        }
        impl<const BITS: u32> $assign for Rounded<BITS> {
            fn $assign_method(&mut self, other: Self) {
                *self = *self $operator other;
            }
        }
    )*};
}
operators!(
    Add add AddAssign add_assign +, Sub sub SubAssign sub_assign -, Mul mul MulAssign mul_assign *, Div div DivAssign div_assign /,
    Rem rem RemAssign rem_assign %
);

impl<const BITS: u32> Neg for Rounded<BITS> {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl<const BITS: u32> Zero for Rounded<BITS> {
    fn zero() -> Self {
        Self(0.0)
    }
    fn is_zero(&self) -> bool {
        self.0 == 0.0
    }
}

impl<const BITS: u32> One for Rounded<BITS> {
    fn one() -> Self {
        Self(1.0)
    }
}

impl<const BITS: u32> Num for Rounded<BITS> {
    type FromStrRadixErr = <f32 as Num>::FromStrRadixErr;
    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        <f32 as Num>::from_str_radix(text, radix).map(Self::new)
    }
}

impl<const BITS: u32> ToPrimitive for Rounded<BITS> {
    fn to_i64(&self) -> Option<i64> {
        self.0.to_i64()
    }
    fn to_u64(&self) -> Option<u64> {
        self.0.to_u64()
    }
    fn to_f64(&self) -> Option<f64> {
        self.0.to_f64()
    }
}

impl<const BITS: u32> NumCast for Rounded<BITS> {
    fn from<T: ToPrimitive>(n: T) -> Option<Self> {
        n.to_f32().map(Self::new)
    }
}

impl<const BITS: u32> FloatCore for Rounded<BITS> {
    fn infinity() -> Self {
        Self(f32::INFINITY)
    }
    fn neg_infinity() -> Self {
        Self(f32::NEG_INFINITY)
    }
    fn nan() -> Self {
        Self(f32::NAN)
    }
    fn neg_zero() -> Self {
        Self(-0.0)
    }
    fn min_value() -> Self {
        Self(-Self::LARGEST)
    }
    fn min_positive_value() -> Self {
        Self(Self::LEAST)
    }
    fn epsilon() -> Self {
        Self(1.0 / (1 << (BITS - 1)) as f32)
    }
    fn max_value() -> Self {
        Self(Self::LARGEST)
    }
    fn classify(self) -> FpCategory {
        self.0.classify()
    }
    fn to_degrees(self) -> Self {
        Self::new(self.0.to_degrees())
    }
    fn to_radians(self) -> Self {
        Self::new(self.0.to_radians())
    }
    fn integer_decode(self) -> (u64, i16, i8) {
        FloatCore::integer_decode(self.0)
    }
}

impl<const BITS: u32> Real for Rounded<BITS> {
    const UNIFORM_WORDS: usize = 1;

    fn from_f64(x: f64) -> Self {
        Self::new(x as f32)
    }
    fn open_uniform([word, _]: [u32; 2]) -> Self {
        let bits = BITS - 1;
        Self(((word >> (32 - bits)) as f32 + 0.5) / (1 << bits) as f32)
    }
    fn sqrt(self) -> Self {
        Self::new(Real::sqrt(self.0))
    }
    fn exp(self) -> Self {
        Self::new(Real::exp(self.0))
    }
    fn exp_m1(self) -> Self {
        Self::new(Real::exp_m1(self.0))
    }
    fn ln(self) -> Self {
        Self::new(Real::ln(self.0))
    }
    fn ln_1p(self) -> Self {
        Self::new(Real::ln_1p(self.0))
    }
    fn powf(self, y: Self) -> Self {
        Self::new(Real::powf(self.0, y.0))
    }
    fn cos(self) -> Self {
        Self::new(Real::cos(self.0))
    }
    fn erfc(self) -> Self {
        Self::new(Real::erfc(self.0))
    }
}
