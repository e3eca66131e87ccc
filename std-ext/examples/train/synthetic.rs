//! The generated classification problems: confusable classes in groups, from integer arithmetic alone, so the same bits everywhere.

use clap::ValueEnum;
use faer::Mat;

use crate::corpus::Corpus;

const DIM: usize = 64;
const SEED: u64 = 1;

/// What is generated.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// 100 classes of 100 rows, in groups of 5, to cut a tail from
    Groups,
    /// 28 classes of 12 800 down to 39 rows, in two groups of which the best guess is right every other time
    Ambiguous,
}

impl Shape {
    pub const fn num_classes(self) -> usize {
        match self {
            Self::Groups => 100,
            Self::Ambiguous => 28,
        }
    }

    pub const fn group_size(self) -> usize {
        match self {
            Self::Groups => 5,
            Self::Ambiguous => 14,
        }
    }

    /// Rows of a class to train with, to choose settings by, and to measure.
    fn rows(self, class: usize) -> [usize; 3] {
        match self {
            Self::Groups => [100, 10, 40],
            Self::Ambiguous => {
                // Frequent and rare ones in either group: 5 has no factor in common with 28.
                let rank = (5 * class % 28) as f64;
                let count = 12_800.0 * (39.0_f64 / 12_800.0).powf(rank / 27.0);
                [count.round() as usize, 20, 100]
            }
        }
    }
}

/// Row x = (½·group centre + ⅕·class offset + noise)/8, all three nearly standard normal.
pub fn corpus(shape: Shape) -> Corpus {
    let (num_classes, mut normals) = (shape.num_classes(), (0..).map(near_normal));
    let mut points = |count: usize| -> Vec<f64> { normals.by_ref().take(count * DIM).collect() };
    let centres = points(num_classes / shape.group_size());
    let offsets = points(num_classes);

    let (mut labels, mut splits) = (vec![], [vec![], vec![], vec![]]);
    for class in 0..num_classes {
        for (split, count) in splits.iter_mut().zip(shape.rows(class)) {
            split.extend(labels.len()..labels.len() + count);
            labels.resize(labels.len() + count, class);
        }
    }
    let noise = points(labels.len());
    let features = Mat::from_fn(DIM, labels.len(), |i, row| {
        let class = labels[row];
        let mean = 0.5 * centres[class / shape.group_size() * DIM + i] + 0.2 * offsets[class * DIM + i];
        ((mean + noise[row * DIM + i]) / 8.0) as f32
    });
    let [train, valid, test] = splits;
    Corpus { features, labels, num_classes, train, valid, test }
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
    use super::{Shape, corpus, near_normal};

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
        let corpus = corpus(Shape::Groups);
        let expected = [1.377_117_0, 0.179_615_4, -1.707_036_0, 2.069_106_8];
        for (i, expected) in expected.into_iter().enumerate() {
            assert_close(8.0 * f64::from(corpus.features[(i, 0)]), expected);
        }
        assert_eq!([corpus.train.len(), corpus.valid.len(), corpus.test.len()], [10_000, 1_000, 4_000]);
    }

    #[test]
    fn the_ambiguous_classes_have_the_published_counts() {
        let mut counts: Vec<usize> = corpus(Shape::Ambiguous).train_by_class().iter().map(Vec::len).collect();
        counts.sort_unstable();
        assert_eq!((counts[0], counts[27], counts.len()), (39, 12_800, 28));
    }
}
