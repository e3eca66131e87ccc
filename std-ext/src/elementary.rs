//! Elementary functions as straight-line code, which a loop over many of them turns into vector code.
//!
//! Nothing here depends on the instruction set: no fused multiply-adds, no tables, one order of operations. A kernel returns the same
//! bits on every machine.

use crate::variate::Variate;

/// A float with such functions: `f32`, `f64`.
pub trait Elementary: Variate {
    /// eˣ to two units in the last place, for x that the float's range takes; 0 instead of a subnormal number.
    fn fast_exp(self) -> Self;

    /// P(Z > z) and the density at z, Z standard normal, each to a few units in the last place times its condition number, which is
    /// about z² in the tails; both 0 where the density would be subnormal.
    fn normal_tail_and_density(self) -> (Self, Self);

    /// The nearest integer of a number from 0 to 255.
    fn nearest_byte(self) -> u8;
}

/// The polynomial with these coefficients, constant term first.
macro_rules! polynomial {
    ($x:expr, [$last:expr]) => { $last };
    ($x:expr, [$first:expr, $($rest:expr),+ $(,)?]) => { $first + $x * polynomial!($x, [$($rest),+]) };
}

pub(crate) use polynomial;

macro_rules! elementary {
    (
        $float:ty, bits $bits:ty, shift $shift:literal, round $round:literal, lowest $lowest:literal, ln_2 $ln_2:literal + $ln_2_low:literal,
        exp $exp:tt, center $center:literal, mills $mills:tt
    ) => {
        impl Elementary for $float {
            #[inline(always)]
            fn fast_exp(self) -> Self {
                // Adding 1.5·2^digits leaves the nearest integer n in the last bits.
                const ROUND: $float = $round;
                const ONE: $bits = (1.0 as $float).to_bits();
                let x = if self < $lowest { $lowest } else { self };
                let shifted = x * core::f64::consts::LOG2_E as $float + ROUND;
                let n = shifted - ROUND;
                let rest = (x - n * $ln_2) - n * $ln_2_low;
                let power = <$float>::from_bits(ONE.wrapping_add(shifted.to_bits() << $shift));
                let value = power * polynomial!(rest, $exp);
                if self < $lowest { 0.0 } else { value }
            }

            #[inline(always)]
            fn nearest_byte(self) -> u8 {
                const ROUND: $float = $round;
                (self + ROUND).to_bits() as u8
            }

            #[inline(always)]
            fn normal_tail_and_density(self) -> (Self, Self) {
                // P(Z > z)/density = P(x)/(1 + z) with x = (z − c)/(z + c), for z ≥ 0.
                const CENTER: $float = $center;
                const INV_SQRT_2PI: $float = 0.398_942_280_401_432_7_f64 as $float;
                let z = self.abs();
                let density = INV_SQRT_2PI * (-0.5 * (z * z)).fast_exp();
                let inverse = 1.0 / ((z + CENTER) * (1.0 + z));
                let x = (z - CENTER) * (1.0 + z) * inverse;
                let tail = density * (polynomial!(x, $mills) * ((z + CENTER) * inverse));
                (if self < 0.0 { 1.0 - tail } else { tail }, density)
            }
        }
    };
}

elementary! {
    f32, bits u32, shift 23, round 12_582_912.0, lowest -87.3, ln_2 0.693_115_23 + 3.194_618_5e-5,
    exp [1.0, 1.000_000_04, 0.5, 0.166_664_15, 0.041_666_35, 0.008_375_135, 0.001_394_111_9],
    center 3.0,
    mills [
        1.218_361_2, -0.241_956_64, -0.041_189_72, 0.113_207_77, -0.056_967_527, 0.002_918_530_8, 0.007_502_594_4, -0.000_916_795_84,
        -0.001_206_409_5, 9.006_732e-5, 0.000_156_963_68,
    ]
}

elementary! {
    f64, bits u64, shift 52, round 6_755_399_441_055_744.0, lowest -708.3, ln_2 0.693_147_180_485_539_1 + 7.440_617_110_012_397e-11,
    exp [
        1.0, 1.0, 0.500_000_000_000_001_9, 0.166_666_666_666_666_8, 0.041_666_666_666_487_95, 0.008_333_333_333_319_589,
        0.001_388_888_895_235_286_3, 0.000_198_412_698_900_764_03, 2.480_148_544_156_131_3e-5, 2.755_724_088_722_987e-6,
        2.763_265_472_252_779e-7, 2.511_004_920_481_865_8e-8,
    ],
    center 5.0,
    mills [
        1.156_848_628_291_894_6, -0.229_487_538_252_118_62, 0.077_781_598_868_735_91, 0.025_072_179_302_116_814,
        -0.066_177_600_779_024_89, 0.061_505_045_827_832_776, -0.038_026_592_186_959_09, 0.016_348_231_428_515_37,
        -0.004_201_290_320_221_854, 1.952_965_946_987_124_4e-5, 0.000_457_043_881_648_76, -0.000_134_370_307_089_134_02,
        -2.480_571_624_657_323_5e-5, 2.269_926_090_128_769_3e-5, -1.765_610_461_697_275_9e-7, -3.259_594_825_178_377_4e-6,
        3.208_179_205_771_889e-7, 4.722_747_607_278_534e-7, -6.609_470_334_164_443e-8, -6.377_877_629_924_488e-8,
        9.178_862_997_869_09e-9, 5.521_462_477_275_57e-9, -7.231_108_021_943_741e-10,
    ]
}

#[cfg(test)]
mod tests {
    use topk_loss::{Noise, Normal};

    use super::Elementary;

    /// The largest error in units in the last place, each divided by 1 + its condition number.
    fn worst<F: Elementary>(
        points: impl Iterator<Item = f64>,
        of: impl Fn(F) -> F,
        truth: impl Fn(f64) -> f64,
        condition: impl Fn(f64) -> f64,
    ) -> f64 {
        let ulp = F::epsilon().to_f64().unwrap();
        points.fold(0.0, |worst: f64, x| {
            let x = F::from_f64(x);
            let (value, x) = (of(x).to_f64().unwrap(), x.to_f64().unwrap());
            worst.max(((value / truth(x) - 1.0) / (ulp * (1.0 + condition(x)))).abs())
        })
    }

    fn grid(low: f64, high: f64) -> impl Iterator<Item = f64> {
        (0..=40_000).map(move |i| low + (high - low) * f64::from(i) / 40_000.0)
    }

    fn agree<F: Elementary>(lowest: f64) {
        let exp = worst::<F>(grid(lowest, -lowest), F::fast_exp, libm::exp, |_| 0.0);
        let reach = (-2.0 * lowest).sqrt() - 0.1;
        let tail = worst::<F>(grid(-reach, reach), |z| z.normal_tail_and_density().0, |z| Normal.survival(z), |z| z * z);
        let density = worst::<F>(grid(-reach, reach), |z| z.normal_tail_and_density().1, |z| Normal.pdf(z), |z| z * z);
        assert!(exp < 2.0 && tail < 3.0 && density < 2.0, "{exp} {tail} {density}");
        assert!(F::from_f64(-1e30).fast_exp() == F::zero());
        for z in [1e3, 1e6, 1e15] {
            assert_eq!(F::from_f64(z).normal_tail_and_density(), (F::zero(), F::zero()));
            assert_eq!(F::from_f64(-z).normal_tail_and_density(), (F::one(), F::zero()));
        }
    }

    #[test]
    fn single_precision() {
        agree::<f32>(-87.0);
    }

    #[test]
    fn double_precision() {
        agree::<f64>(-708.0);
    }
}
