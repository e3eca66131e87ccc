//! Rows of scores of every kind that has made trouble somewhere.

/// A sequence of numbers that looks random and is the same everywhere.
#[derive(Debug, Clone)]
pub struct Sequence(u64);

impl Sequence {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// In [0, 1).
    pub fn uniform(&mut self) -> f64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (core::f64::consts::TAU * self.uniform()).cos()
    }
}

/// How the scores of a row are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Normal,
    Tied,
    /// Few different scores.
    Coarse,
    Separated,
    /// A few classes far above a crowd of equals.
    Crowd,
    /// A common offset that leaves few digits.
    Offset,
    Ascending,
}

pub const FAMILIES: [Family; 7] =
    [Family::Normal, Family::Tied, Family::Coarse, Family::Separated, Family::Crowd, Family::Offset, Family::Ascending];

impl Family {
    pub fn row(self, num_classes: usize, random: &mut Sequence) -> Vec<f64> {
        let classes = 0..num_classes;
        match self {
            Self::Normal => classes.map(|_| random.normal()).collect(),
            Self::Tied => vec![0.25; num_classes],
            Self::Coarse => classes.map(|_| (random.normal() * 2.0).round() / 2.0).collect(),
            Self::Separated => classes.map(|i| 10.0 * ((i * 7919) % num_classes) as f64).collect(),
            Self::Crowd => classes.map(|i| if i % 101 == 3 { 10.0 } else { 0.0 }).collect(),
            Self::Offset => classes.map(|_| 1000.0 + random.normal()).collect(),
            Self::Ascending => classes.map(|i| i as f64 / 64.0).collect(),
        }
    }
}
