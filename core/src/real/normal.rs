//! The normal law's tail and density together, as straight-line code.
//!
//! For z ≥ 0, P(Z > z)/density = P(x)/(1 + z) with x = (z − c)/(z + c) and a polynomial P: one division and one exponential for both.

use super::{exp, polynomial};

macro_rules! normal_tail_and_density {
    ($float:ident, center $center:literal, $mills:tt) => {
        /// P(Z > z) and the density at z, each within a few units in the last place times its condition number, which is about z² in the
        /// tails; both 0 where the density would be subnormal.
        #[inline(always)]
        pub(crate) fn $float(z: $float) -> ($float, $float) {
            const CENTER: $float = $center;
            const INV_SQRT_2PI: $float = 0.398_942_280_401_432_7_f64 as $float;
            let distance = z.abs();
            let density = INV_SQRT_2PI * exp::$float(-0.5 * (distance * distance));
            let inverse = 1.0 / ((distance + CENTER) * (1.0 + distance));
            let x = (distance - CENTER) * (1.0 + distance) * inverse;
            let tail = density * (polynomial!(x, $mills) * ((distance + CENTER) * inverse));
            (if z < 0.0 { 1.0 - tail } else { tail }, density)
        }
    };
}

normal_tail_and_density! {
    f32, center 3.0,
    [
        1.218_361_2, -0.241_956_64, -0.041_189_72, 0.113_207_77, -0.056_967_527, 0.002_918_530_8, 0.007_502_594_4, -0.000_916_795_84,
        -0.001_206_409_5, 9.006_732e-5, 0.000_156_963_68,
    ]
}

normal_tail_and_density! {
    f64, center 5.0,
    [
        1.156_848_628_291_894_6, -0.229_487_538_252_118_62, 0.077_781_598_868_735_91, 0.025_072_179_302_116_814,
        -0.066_177_600_779_024_89, 0.061_505_045_827_832_776, -0.038_026_592_186_959_09, 0.016_348_231_428_515_37,
        -0.004_201_290_320_221_854, 1.952_965_946_987_124_4e-5, 0.000_457_043_881_648_76, -0.000_134_370_307_089_134_02,
        -2.480_571_624_657_323_5e-5, 2.269_926_090_128_769_3e-5, -1.765_610_461_697_275_9e-7, -3.259_594_825_178_377_4e-6,
        3.208_179_205_771_889e-7, 4.722_747_607_278_534e-7, -6.609_470_334_164_443e-8, -6.377_877_629_924_488e-8,
        9.178_862_997_869_09e-9, 5.521_462_477_275_57e-9, -7.231_108_021_943_741e-10,
    ]
}
