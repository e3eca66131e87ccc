//! The standard normal law: the noise of the paper.

use super::{Noise, Regularity};
use crate::Real;
use crate::compiled::Law;

/// The standard normal law, density exp(−z²/2)/√(2π): the noise of the paper.
///
/// **Accuracy.** `cdf` and `survival` are the `libm` error function's and `quantile` is algorithm AS 241 evaluated in the float
/// itself: in `f32` and `f64` the relative error is at most 3 units in the last place times the function's own condition number,
/// which is about z² for `cdf` and `survival` in their small tails and for `pdf`. `quantile` is exactly odd about ½.
///
/// ```
/// use topk_loss::noise::{Noise, Normal};
/// let z: f64 = Normal.quantile(0.975);
/// assert!((z - 1.959963984540054).abs() < 1e-15);
/// assert_eq!(Normal.cdf(0.0_f64), 0.5);
/// ```
///
/// **References.** Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37, 1988.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Normal;

impl Normal {
    /// The rational functions of AS 241, for whoever evaluates `quantile` elsewhere: in vector code, on a device. Coefficients of numerator
    /// and denominator, constant terms first, each evaluated by Horner's rule in the float itself.
    ///
    /// With q = p − ½: q times the first at 0.180625 − q² where |q| ≤ 0.425; beyond, with r = √(−ln min(p, 1 − p)), plus or minus the
    /// second at r − 1.6 where r ≤ 5, the third at r − 5 where r > 5.
    ///
    /// ```
    /// use topk_loss::noise::Normal;
    /// let [central, _, _] = Normal::AS_241;
    /// assert_eq!(central.1[0], 1.0);
    /// ```
    pub const AS_241: [([f64; 8], [f64; 8]); 3] = [CENTRAL, MIDDLE, FAR];
}

impl<F: Real> Noise<F> for Normal {
    const IS_COMPILED: bool = true;

    fn quantile(&self, p: F) -> F {
        let half = F::from_f64(0.5);
        let q = p - half;
        if q.abs() <= F::from_f64(0.425) {
            let r = F::from_f64(0.180625) - q * q;
            return q * ratio(&CENTRAL, r);
        }
        let tail = if q < F::zero() { p } else { F::one() - p };
        let r = (-tail.ln()).sqrt();
        let five = F::from_f64(5.0);
        let z = if r <= five {
            ratio(&MIDDLE, r - F::from_f64(1.6))
        } else if r.is_infinite() {
            r
        } else {
            ratio(&FAR, r - five)
        };
        if q < F::zero() { -z } else { z }
    }

    fn cdf(&self, z: F) -> F {
        self.survival(-z)
    }

    fn survival(&self, z: F) -> F {
        F::from_f64(0.5) * (z * F::from_f64(core::f64::consts::FRAC_1_SQRT_2)).erfc()
    }

    fn pdf(&self, z: F) -> F {
        const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
        (-(z * z) * F::from_f64(0.5)).exp() * F::from_f64(INV_SQRT_2PI)
    }

    fn ln_pdf(&self, z: F) -> F {
        -(z * z) * F::from_f64(0.5) - F::from_f64(LN_SQRT_2PI)
    }

    fn ln_cdf(&self, z: F) -> F {
        self.ln_survival(-z)
    }

    fn ln_survival(&self, z: F) -> F {
        if z < F::zero() {
            return (-Noise::<F>::cdf(self, z)).ln_1p();
        }
        if z < F::from_f64(FAR_TAIL) {
            return Noise::<F>::survival(self, z).ln();
        }
        // The continued fraction f(z)/P(Z > z) = z + 1/(z + 2/(z + 3/(z + …))).
        let hazard = (1..=MILLS_TERMS).rev().fold(z, |tail, n| z + F::from_usize(n) / tail);
        self.ln_pdf(z) - hazard.ln()
    }

    #[inline(always)]
    fn tail_and_density(&self, threshold: F, position: F) -> (F, F) {
        (threshold - position).normal_tail_and_density()
    }

    #[inline(always)]
    fn failure_and_density(&self, threshold: F, position: F) -> (F, F) {
        (position - threshold).normal_tail_and_density()
    }

    fn score(&self, z: F) -> F {
        z
    }

    fn is_symmetric(&self) -> bool {
        true
    }

    fn compiled(&self) -> Option<Law> {
        Some(Law::Normal)
    }

    fn regularity(&self) -> Regularity {
        Regularity::GaussianTail
    }
}

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_7;

/// From here the continued fraction of the hazard has converged after so many terms.
const FAR_TAIL: f64 = 6.0;
const MILLS_TERMS: usize = 20;

/// Coefficients of a rational function, constant terms first.
type Rational = ([f64; 8], [f64; 8]);

fn ratio<F: Real>((numerator, denominator): &Rational, r: F) -> F {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(F::zero(), |sum, &c| sum * r + F::from_f64(c));
    horner(numerator) / horner(denominator)
}

/// |p − ½| ≤ 0.425.
const CENTRAL: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ],
);

/// √(−ln tail) ≤ 5.
const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

/// Beyond.
const FAR: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);
