//! An upper bound of the normal law's tail, in a few operations.

use crate::variate::polynomial;

/// At least P(Z > z), and at most a tenth more where −4 ≤ z ≤ 9; at least 1 below.
#[inline(always)]
pub fn tail_at_most(z: f32) -> f32 {
    // The binary logarithm from above, by a polynomial; its power from above, since 2ˣ ≤ 1 + x from 0 to 1.
    let z = if z > -4.0 { z } else { -4.0 };
    let z = if z < 9.0 { z } else { 9.0 };
    let exponent = polynomial!(
        z,
        [-0.999_710_1, -1.154_535_4, -0.443_758_6, -0.051_780_646, 0.003_816_767, 0.000_389_718_7, -8.220_993e-5, 3.719_379_6e-6]
    );
    // 1.5·2¹¹ + x has x in its last bits, in units of 2⁻¹²: these are those of 1 + x above them.
    let shifted = (exponent + 0.5 / 4096.0) + 3072.0;
    f32::from_bits(1.0_f32.to_bits().wrapping_add(shifted.to_bits() << 11))
}

#[cfg(test)]
mod tests {
    use topk_loss::noise::{Noise, Normal};

    use super::tail_at_most;

    #[test]
    fn tails_are_bounded_from_above_and_not_far_off() {
        for i in 0..=120_000 {
            let z = -5.0 + i as f32 * 1e-4;
            let (bound, tail) = (f64::from(tail_at_most(z)), Normal.survival(f64::from(z)));
            assert!(bound >= tail, "{z}: {bound} {tail}");
            assert!(bound <= 1.1 * tail || z > 9.0, "{z}: {bound} {tail}");
        }
        assert!(tail_at_most(-1e30) >= 1.0 && tail_at_most(f32::NAN) >= 1.0);
    }
}
