//! Dual numbers: a value and its derivative in one direction.
//!
//! ```
//! use topk_loss::dual::Dual;
//! // The derivative of x·x at 3 is 6.
//! let x = Dual::new(3.0, 1.0);
//! assert_eq!((x * x).derivative, 6.0);
//! ```

use core::cmp::Ordering;
use core::fmt;
use core::num::FpCategory;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

use num_traits::float::FloatCore;
use num_traits::{Num, NumCast, One, ToPrimitive, Zero};

use crate::exact::{Outcome, Task};
use crate::{Noise, Real, Result};

/// value + derivative·δ with δ² = 0: a float that carries the derivative in one direction.
///
/// Everything here is generic over the float, so every function of this crate differentiates itself when it is called with dual
/// numbers; comparisons look at the value alone. The library's own use is
/// [`Exact::jacobian_product`](crate::estimator::Exact::jacobian_product).
///
/// ```
/// use topk_loss::dual::Dual;
/// use topk_loss::{CrossEntropy, Loss};
/// // The derivative of the loss in the direction (1, 0) is the first entry of its gradient.
/// let scores = [Dual::new(0.0_f64, 1.0), Dual::constant(0.0)];
/// let loss = CrossEntropy.value(&scores, 1, &mut [])?;
/// assert_eq!((loss.value, loss.derivative), (2.0_f64.ln(), 0.5));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Griewank, Walther, "Evaluating Derivatives", 2nd ed., SIAM, 2008.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dual<F> {
    /// The value.
    pub value: F,
    /// The derivative.
    pub derivative: F,
}

impl<F: Real> Dual<F> {
    /// A value and its derivative.
    ///
    /// ```
    /// use topk_loss::dual::Dual;
    /// // x² at 3 has the slope 6.
    /// let x = Dual::new(3.0, 1.0);
    /// assert_eq!(((x * x).value, (x * x).derivative), (9.0, 6.0));
    /// ```
    #[must_use]
    pub const fn new(value: F, derivative: F) -> Self {
        Self { value, derivative }
    }

    /// A value that does not vary.
    ///
    /// ```
    /// use topk_loss::dual::Dual;
    /// assert_eq!(Dual::constant(3.0).derivative, 0.0);
    /// ```
    #[must_use]
    pub fn constant(value: F) -> Self {
        Self { value, derivative: F::zero() }
    }

    /// g(self) given g and g′ at the value.
    fn chain(self, value: F, slope: F) -> Self {
        Self { value, derivative: slope * self.derivative }
    }
}

impl<F: PartialEq> PartialEq for Dual<F> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<F: PartialOrd> PartialOrd for Dual<F> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<F: Real> fmt::Display for Dual<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}δ", self.value, self.derivative)
    }
}

impl<F: Real> Neg for Dual<F> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, derivative: -self.derivative }
    }
}

impl<F: Real> Add for Dual<F> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, derivative: self.derivative + other.derivative }
    }
}

impl<F: Real> Sub for Dual<F> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, derivative: self.derivative - other.derivative }
    }
}

impl<F: Real> Mul for Dual<F> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { value: self.value * other.value, derivative: self.derivative * other.value + self.value * other.derivative }
    }
}

impl<F: Real> Div for Dual<F> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, derivative: (self.derivative - value * other.derivative) / other.value }
    }
}

impl<F: Real> Rem for Dual<F> {
    type Output = Self;
    fn rem(self, other: Self) -> Self {
        let whole = FloatCore::trunc(self.value / other.value);
        Self { value: self.value % other.value, derivative: self.derivative - whole * other.derivative }
    }
}

macro_rules! assign {
    ($($trait:ident $method:ident $operator:tt),*) => {$(
        impl<F: Real> $trait for Dual<F> {
            fn $method(&mut self, other: Self) {
                *self = *self $operator other;
            }
        }
    )*};
}
assign!(AddAssign add_assign +, SubAssign sub_assign -, MulAssign mul_assign *, DivAssign div_assign /, RemAssign rem_assign %);

impl<F: Real> Zero for Dual<F> {
    fn zero() -> Self {
        Self::constant(F::zero())
    }
    fn is_zero(&self) -> bool {
        self.value.is_zero()
    }
}

impl<F: Real> One for Dual<F> {
    fn one() -> Self {
        Self::constant(F::one())
    }
}

impl<F: Real> Num for Dual<F> {
    type FromStrRadixErr = F::FromStrRadixErr;
    fn from_str_radix(text: &str, radix: u32) -> core::result::Result<Self, Self::FromStrRadixErr> {
        F::from_str_radix(text, radix).map(Self::constant)
    }
}

impl<F: Real> ToPrimitive for Dual<F> {
    fn to_i64(&self) -> Option<i64> {
        self.value.to_i64()
    }
    fn to_u64(&self) -> Option<u64> {
        self.value.to_u64()
    }
    fn to_f64(&self) -> Option<f64> {
        self.value.to_f64()
    }
}

impl<F: Real> NumCast for Dual<F> {
    fn from<T: ToPrimitive>(n: T) -> Option<Self> {
        <F as NumCast>::from(n).map(Self::constant)
    }
}

impl<F: Real> FloatCore for Dual<F> {
    fn infinity() -> Self {
        Self::constant(F::infinity())
    }
    fn neg_infinity() -> Self {
        Self::constant(F::neg_infinity())
    }
    fn nan() -> Self {
        Self::constant(F::nan())
    }
    fn neg_zero() -> Self {
        Self::constant(F::neg_zero())
    }
    fn min_value() -> Self {
        Self::constant(F::min_value())
    }
    fn min_positive_value() -> Self {
        Self::constant(F::min_positive_value())
    }
    fn epsilon() -> Self {
        Self::constant(F::epsilon())
    }
    fn max_value() -> Self {
        Self::constant(F::max_value())
    }
    fn classify(self) -> FpCategory {
        self.value.classify()
    }
    /// Finite in value and derivative.
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.derivative.is_finite()
    }
    fn is_sign_positive(self) -> bool {
        self.value.is_sign_positive()
    }
    fn is_sign_negative(self) -> bool {
        self.value.is_sign_negative()
    }
    fn to_degrees(self) -> Self {
        self.chain(self.value.to_degrees(), F::one().to_degrees())
    }
    fn to_radians(self) -> Self {
        self.chain(self.value.to_radians(), F::one().to_radians())
    }
    fn integer_decode(self) -> (u64, i16, i8) {
        self.value.integer_decode()
    }
}

impl<F: Real> Real for Dual<F> {
    const UNIFORM_WORDS: usize = F::UNIFORM_WORDS;

    fn from_f64(x: f64) -> Self {
        Self::constant(F::from_f64(x))
    }
    fn open_uniform(words: [u32; 2]) -> Self {
        Self::constant(F::open_uniform(words))
    }
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, (root + root).recip())
    }
    fn exp(self) -> Self {
        let exp = self.value.exp();
        self.chain(exp, exp)
    }
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }
    fn ln(self) -> Self {
        self.chain(self.value.ln(), self.value.recip())
    }
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), (F::one() + self.value).recip())
    }
    /// The exponent's derivative counts too.
    fn powf(self, y: Self) -> Self {
        let power = self.value.powf(y.value);
        let base = self.derivative * y.value * self.value.powf(y.value - F::one());
        let exponent = if y.derivative.is_zero() { F::zero() } else { power * self.value.ln() * y.derivative };
        Self { value: power, derivative: base + exponent }
    }
    fn cos(self) -> Self {
        let quarter_turn = F::from_f64(core::f64::consts::FRAC_PI_2);
        self.chain(self.value.cos(), (self.value + quarter_turn).cos())
    }
    fn erfc(self) -> Self {
        let slope = -F::from_f64(core::f64::consts::FRAC_2_SQRT_PI) * (-(self.value * self.value)).exp();
        self.chain(self.value.erfc(), slope)
    }
    fn fast_exp(self) -> Self {
        let exp = self.value.fast_exp();
        self.chain(exp, exp)
    }
    fn integrate<N: Noise<Self>>(task: Task<'_, N, Self>) -> Result<Outcome<Self>> {
        task.for_derivatives().run()
    }
    fn normal_tail_and_density(self) -> (Self, Self) {
        let (tail, density) = self.value.normal_tail_and_density();
        (self.chain(tail, -density), self.chain(density, -self.value * density))
    }
    fn nearest_byte(self) -> u8 {
        self.value.nearest_byte()
    }
}
