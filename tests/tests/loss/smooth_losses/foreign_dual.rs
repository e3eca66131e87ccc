//! The dual numbers of another crate as a float of this one: what a user does who has a float of their own.

use core::cmp::Ordering;
use core::f64::consts::FRAC_2_SQRT_PI;
use core::fmt;
use core::num::FpCategory;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

use num_dual::{Dual64, DualNum};
use num_traits::float::FloatCore;
use num_traits::{Num, NumCast, One, ToPrimitive, Zero};
use topk_loss::Real;

/// `num_dual`'s number, in a type of ours because the traits are not.
#[derive(Debug, Clone, Copy)]
pub struct Foreign(pub Dual64);

impl Foreign {
    pub fn constant(value: f64) -> Self {
        Self(Dual64::from_re(value))
    }

    pub fn variable(value: f64) -> Self {
        Self(Dual64::from_re(value).derivative())
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Foreign {
    fn eq(&self, other: &Self) -> bool {
        self.0.re == other.0.re
    }
}

impl PartialOrd for Foreign {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.re.partial_cmp(&other.0.re)
    }
}

impl Neg for Foreign {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

macro_rules! operators {
    ($($operation:ident $method:ident $assignment:ident $assign:ident $operator:tt),*) => {$(
        impl $operation for Foreign {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0 $operator other.0)
            }
        }

        impl $assignment for Foreign {
            fn $assign(&mut self, other: Self) {
                *self = *self $operator other;
            }
        }
    )*};
}

operators!(Add add AddAssign add_assign +, Sub sub SubAssign sub_assign -, Mul mul MulAssign mul_assign *);
operators!(Div div DivAssign div_assign /, Rem rem RemAssign rem_assign %);

impl Zero for Foreign {
    fn zero() -> Self {
        Self::constant(0.0)
    }
    fn is_zero(&self) -> bool {
        self.0.re == 0.0
    }
}

impl One for Foreign {
    fn one() -> Self {
        Self::constant(1.0)
    }
}

impl Num for Foreign {
    type FromStrRadixErr = <f64 as Num>::FromStrRadixErr;
    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        <f64 as Num>::from_str_radix(text, radix).map(Self::constant)
    }
}

impl ToPrimitive for Foreign {
    fn to_i64(&self) -> Option<i64> {
        self.0.re.to_i64()
    }
    fn to_u64(&self) -> Option<u64> {
        self.0.re.to_u64()
    }
    fn to_f64(&self) -> Option<f64> {
        Some(self.0.re)
    }
}

impl NumCast for Foreign {
    fn from<T: ToPrimitive>(n: T) -> Option<Self> {
        n.to_f64().map(Self::constant)
    }
}

macro_rules! constants {
    ($($name:ident),*) => {$(
        fn $name() -> Self {
            Self::constant(<f64 as FloatCore>::$name())
        }
    )*};
}

impl FloatCore for Foreign {
    constants!(infinity, neg_infinity, nan, neg_zero, min_value, min_positive_value, epsilon, max_value);

    fn classify(self) -> FpCategory {
        self.0.re.classify()
    }
    fn to_degrees(self) -> Self {
        Self(self.0 * 1.0_f64.to_degrees())
    }
    fn to_radians(self) -> Self {
        Self(self.0 * 1.0_f64.to_radians())
    }
    fn integer_decode(self) -> (u64, i16, i8) {
        self.0.re.integer_decode()
    }
}

macro_rules! functions {
    ($($name:ident),*) => {$(
        fn $name(self) -> Self {
            Self(DualNum::$name(&self.0))
        }
    )*};
}

impl Real for Foreign {
    const UNIFORM_WORDS: usize = f64::UNIFORM_WORDS;

    functions!(sqrt, exp, exp_m1, ln, ln_1p, cos);

    fn from_f64(x: f64) -> Self {
        Self::constant(x)
    }
    fn open_uniform(words: [u32; 2]) -> Self {
        Self::constant(f64::open_uniform(words))
    }
    fn powf(self, y: Self) -> Self {
        // The crate's general power is exp(y ln x); where the exponent is a constant it has a better one.
        Self(if y.0.eps == 0.0 { DualNum::powf(&self.0, y.0.re) } else { self.0.powd(y.0) })
    }
    fn erfc(self) -> Self {
        let x = self.0.re;
        Self(Dual64::new(Real::erfc(x), -FRAC_2_SQRT_PI * (-x * x).exp() * self.0.eps))
    }
}
