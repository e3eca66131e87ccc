//! A generated classification problem: confusable classes in groups, from integer arithmetic, so the same bits everywhere.

pub const CLASSES: usize = 32;
pub const FEATURES: usize = 64;
const GROUP: usize = 4;

/// Features of the `row`-th example: (½ · group centre + ⅕ · class offset + noise)/8, all three nearly standard normal.
pub fn features(class: usize, row: usize) -> [f32; FEATURES] {
    let [centre, offset, noise] = [class / GROUP, CLASSES + class, 2 * CLASSES + row];
    core::array::from_fn(|i| (0.5 * near_normal(centre, i) + 0.2 * near_normal(offset, i) + near_normal(noise, i)) / 8.0)
}

/// The heads of 64 coins, less their mean of 32, by their standard deviation of 4.
fn near_normal(point: usize, i: usize) -> f32 {
    let coins = split_mix((point * FEATURES + i) as u64);
    (coins.count_ones() as f32 - 32.0) / 4.0
}

/// SplitMix64's `index`-th number (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
fn split_mix(index: u64) -> u64 {
    let state = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}
