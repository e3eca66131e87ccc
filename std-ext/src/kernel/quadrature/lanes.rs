//! Sums over lanes, always in the same order.

use crate::elementary::Elementary;
use crate::vectors::{LANES, Lanes};

/// Half of the lanes: the nodes of one rule, beside those that halve its step.
pub const HALF: usize = LANES / 2;

/// The sum of all lanes, halves first.
#[inline(always)]
pub fn sum<F: Elementary>(lanes: &Lanes<F>) -> F {
    let eight: [F; 8] = core::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    sum_of_half(&eight)
}

/// The sum of eight.
#[inline(always)]
fn sum_of_half<F: Elementary>(eight: &[F; HALF]) -> F {
    let four: [F; 4] = core::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// The weighted sums of either half of the lanes.
#[inline(always)]
pub fn halves_of<F: Elementary>(lanes: &Lanes<F>, weights: &Lanes<F>) -> (F, F) {
    let lower: [F; HALF] = core::array::from_fn(|i| lanes[i] * weights[i]);
    let upper: [F; HALF] = core::array::from_fn(|i| lanes[i + HALF] * weights[i + HALF]);
    (sum_of_half(&lower), sum_of_half(&upper))
}

/// The sum of many: lanes for a few of each, then with compensation (Kahan), since tied terms round alike.
#[inline(always)]
pub fn total<F: Elementary>(terms: &[F]) -> F {
    const FEW: usize = 16 * LANES;
    let (mut total, mut lost) = (F::zero(), F::zero());
    for block in terms.chunks(FEW) {
        let mut lanes = [F::zero(); LANES];
        let (chunks, rest) = block.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                lanes[lane] += chunk[lane];
            }
        }
        for (lane, &term) in lanes.iter_mut().zip(rest) {
            *lane += term;
        }
        let corrected = sum(&lanes) - lost;
        let next = total + corrected;
        (total, lost) = (next, (next - total) - corrected);
    }
    total
}
