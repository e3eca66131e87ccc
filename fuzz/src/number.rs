//! Numbers from a few bytes: ties, both zeros, subnormals, the ends of the range, NaN and infinities.

use arbitrary::{Arbitrary, Result, Unstructured};
use topk_loss::Real;
use topk_loss::dual::Dual;

/// A float that fuzz targets are run with.
pub trait Float: Real {
    /// 2ⁿ for n from −128 to 127 becomes 2^(n·RANGE): nearly all of the range, subnormals and overflows too.
    const RANGE: i32;

    /// Any bits.
    fn from_word(word: u64) -> Self;

    /// The bits, so that −0 is not 0 and NaN is itself.
    fn bits(self) -> u64;
}

impl Float for f32 {
    const RANGE: i32 = 1;

    fn from_word(word: u64) -> Self {
        Self::from_bits(word as u32)
    }

    fn bits(self) -> u64 {
        self.to_bits().into()
    }
}

impl Float for f64 {
    const RANGE: i32 = 8;

    fn from_word(word: u64) -> Self {
        Self::from_bits(word)
    }

    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// Constants; the bits are the value's.
impl Float for Dual<f64> {
    const RANGE: i32 = f64::RANGE;

    fn from_word(word: u64) -> Self {
        Self::constant(f64::from_word(word))
    }

    fn bits(self) -> u64 {
        self.value.to_bits()
    }
}

/// A number of any float.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// Eighths from −16 to 16, so that ties are found.
    Grid(i8),
    /// From −8 to 8.
    Fine(i16),
    /// A whole number times a power of two.
    Scaled(i8, i8),
    /// One of those that go wrong.
    Special(u8),
    /// Any bits.
    Bits(u64),
}

impl<'a> Arbitrary<'a> for Number {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u8::arbitrary(u)? {
            0..=99 => Self::Grid(u.arbitrary()?),
            100..=169 => Self::Fine(u.arbitrary()?),
            170..=209 => Self::Scaled(u.arbitrary()?, u.arbitrary()?),
            210..=249 => Self::Special(u.arbitrary()?),
            250..=255 => Self::Bits(u.arbitrary()?),
        })
    }
}

impl Number {
    /// It as a float.
    pub fn to<F: Float>(self) -> F {
        match self {
            Self::Grid(n) => F::from_f64(f64::from(n) / 8.0),
            Self::Fine(n) => F::from_f64(f64::from(n) / 4096.0),
            Self::Scaled(n, exponent) => F::from_f64(f64::from(n)) * F::from_f64(2.0).powi(i32::from(exponent) * F::RANGE),
            Self::Special(which) => special(which),
            Self::Bits(word) => F::from_word(word),
        }
    }
}

fn special<F: Float>(which: u8) -> F {
    let size = match which >> 1 & 7 {
        0 => F::zero(),
        1 => F::min_positive_value(),
        // Subnormal.
        2 => F::min_positive_value() * F::epsilon(),
        3 => F::epsilon(),
        4 => F::from_f64(1e30),
        5 => F::max_value(),
        6 => F::max_value() / F::from_f64(2.0),
        _ if which & 64 == 0 => F::max_value().sqrt(),
        _ if which & 128 == 0 => F::infinity(),
        _ => F::nan(),
    };
    if which & 1 == 0 { size } else { -size }
}
