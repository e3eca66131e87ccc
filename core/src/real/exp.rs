//! eˣ as straight-line code, which a loop over many of them turns into vector code.
//!
//! x = n·ln 2 + r with |r| ≤ ½ ln 2, and a polynomial of r. Nothing here depends on the instruction set: no fused multiply-adds, no tables,
//! one order of operations, so that every machine returns the same bits.

use super::polynomial;

macro_rules! exp {
    ($float:ident, shift $shift:literal, round $round:literal, lowest $lowest:literal, ln_2 $ln_2:literal + $ln_2_low:literal, $terms:tt) => {
        /// Within two units in the last place for x that the float's range takes; 0 instead of a subnormal number.
        #[inline(always)]
        pub(crate) fn $float(x: $float) -> $float {
            // Adding 1.5·2^digits leaves the nearest integer n in the last bits.
            const ROUND: $float = $round;
            let clamped = if x < $lowest { $lowest } else { x };
            let shifted = clamped * core::f64::consts::LOG2_E as $float + ROUND;
            let n = shifted - ROUND;
            let rest = (clamped - n * $ln_2) - n * $ln_2_low;
            // Times 2ⁿ: n is added to the exponent. A polynomial below 1 has n > the least one, so that the product is normal.
            let value = $float::from_bits(polynomial!(rest, $terms).to_bits().wrapping_add(shifted.to_bits() << $shift));
            if x < $lowest { 0.0 } else { value }
        }
    };
}

exp! {
    f32, shift 23, round 12_582_912.0, lowest -87.3, ln_2 0.693_115_23 + 3.194_618_5e-5,
    [1.0, 1.000_000_04, 0.5, 0.166_664_15, 0.041_666_35, 0.008_375_135, 0.001_394_111_9]
}

exp! {
    f64, shift 52, round 6_755_399_441_055_744.0, lowest -708.3, ln_2 0.693_147_180_485_539_1 + 7.440_617_110_012_397e-11,
    [
        1.0, 1.0, 0.500_000_000_000_001_9, 0.166_666_666_666_666_8, 0.041_666_666_666_487_95, 0.008_333_333_333_319_589,
        0.001_388_888_895_235_286_3, 0.000_198_412_698_900_764_03, 2.480_148_544_156_131_3e-5, 2.755_724_088_722_987e-6,
        2.763_265_472_252_779e-7, 2.511_004_920_481_865_8e-8,
    ]
}
