//! The random number generator Philox4x32-10 in 64-bit lanes, whose products vector units have.

const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const LOW: u64 = u32::MAX as u64;

/// The four words of draw `draw` at counter `counter`, in the lower halves of the lanes.
#[inline(always)]
pub fn philox(key: [u32; 2], counter: u64, draw: u64) -> [u64; 4] {
    // What is in the upper halves meanwhile is never looked at.
    let (mut c0, mut c1, mut c2, mut c3) = (counter, counter >> 32, draw, draw >> 32);
    for round in 0..10 {
        let [k0, k1] = [0, 1].map(|i| u64::from(key[i].wrapping_add(WEYL[i].wrapping_mul(round))));
        let (p0, p1) = ((c0 & LOW) * MULTIPLIERS[0], (c2 & LOW) * MULTIPLIERS[1]);
        (c0, c1, c2, c3) = ((p1 >> 32) ^ c1 ^ k0, p1, (p0 >> 32) ^ c3 ^ k1, p0);
    }
    [c0 & LOW, c1 & LOW, c2 & LOW, c3 & LOW]
}
