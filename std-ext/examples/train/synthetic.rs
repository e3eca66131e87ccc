//! The generated classification problem: confusable classes in groups, from integer arithmetic alone, so the same bits everywhere.

use faer::Mat;

use crate::corpus::Corpus;

pub const NUM_CLASSES: usize = 100;
pub const GROUP_SIZE: usize = 5;
const DIM: usize = 64;
const TRAIN: usize = 100;
const VALID: usize = 10;
const TEST: usize = 40;
const ROWS_PER_CLASS: usize = TRAIN + VALID + TEST;
const SEED: u64 = 1;

/// Row x = (½·group centre + ⅕·class offset + noise)/8, all three nearly standard normal.
pub fn corpus() -> Corpus {
    let mut normals = (0..).map(near_normal);
    let mut points = |count: usize| -> Vec<f64> { normals.by_ref().take(count * DIM).collect() };
    let centres = points(NUM_CLASSES / GROUP_SIZE);
    let offsets = points(NUM_CLASSES);
    let noise = points(NUM_CLASSES * ROWS_PER_CLASS);

    let features = Mat::from_fn(DIM, NUM_CLASSES * ROWS_PER_CLASS, |i, row| {
        let class = row / ROWS_PER_CLASS;
        let mean = 0.5 * centres[class / GROUP_SIZE * DIM + i] + 0.2 * offsets[class * DIM + i];
        ((mean + noise[row * DIM + i]) / 8.0) as f32
    });
    let split = |from: usize, count: usize| -> Vec<usize> {
        (0..NUM_CLASSES).flat_map(|class| (0..count).map(move |row| class * ROWS_PER_CLASS + from + row)).collect()
    };
    Corpus {
        features,
        labels: (0..NUM_CLASSES * ROWS_PER_CLASS).map(|row| row / ROWS_PER_CLASS).collect(),
        num_classes: NUM_CLASSES,
        train: split(0, TRAIN),
        valid: split(TRAIN, VALID),
        test: split(TRAIN + VALID, TEST),
    }
}

/// The sum of twelve uniforms less six: mean 0, variance 1, and exact in an f64.
fn near_normal(index: u64) -> f64 {
    (0..12).map(|j| uniform(12 * index + j)).sum::<f64>() - 6.0
}

/// The upper 24 bits of SplitMix64's `index`-th number, as a fraction.
fn uniform(index: u64) -> f64 {
    let state = SEED.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    (mix64(state) >> 40) as f64 / f64::from(1 << 24)
}

/// SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
fn mix64(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::{corpus, near_normal};

    fn assert_close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-6, "{actual} is not {expected}");
    }

    #[test]
    fn the_normals_are_the_published_ones() {
        let expected = [1.424_347_6, -0.618_904_6, -0.590_767_1, 1.432_969_2];
        (0..).zip(expected).for_each(|(index, expected)| assert_close(near_normal(index), expected));
    }

    #[test]
    fn the_first_row_is_the_published_one() {
        let corpus = corpus();
        let expected = [1.377_117_0, 0.179_615_4, -1.707_036_0, 2.069_106_8];
        for (i, expected) in expected.into_iter().enumerate() {
            assert_close(8.0 * f64::from(corpus.features[(i, 0)]), expected);
        }
        assert_eq!([corpus.train.len(), corpus.valid.len(), corpus.test.len()], [10_000, 1_000, 4_000]);
    }
}
