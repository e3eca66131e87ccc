//! What every target is run on.

use arbitrary::Arbitrary;
use topk_loss::Key;

use crate::{Float, Number, Place};

/// Everything that a call may be given; a target takes what it needs, and two targets may share a corpus.
#[derive(Debug, Clone, Arbitrary)]
pub struct Input {
    /// Which loss, oracle, sampler.
    pub which: u8,
    /// Which law.
    pub law: u8,
    /// What is left to choose.
    pub dice: [u8; 4],
    /// How many guesses.
    pub k: Place,
    /// The label.
    pub label: Place,
    /// The scale of the noise.
    pub epsilon: Number,
    /// A factor, a tolerance, a weight.
    pub factor: Number,
    /// How many draws.
    pub num_samples: u8,
    /// The seed.
    pub seed: u64,
    scores: Scores,
    others: Vec<Number>,
}

/// A few numbers, or the same few again and again on a slope: many classes from few bytes.
#[derive(Debug, Clone, Arbitrary)]
struct Scores {
    repeats: u8,
    slope: Number,
    pattern: Vec<Number>,
}

/// The most classes, so that a slow reference is still fast.
const MOST: usize = 160;

impl Input {
    /// The scores.
    #[must_use]
    pub fn scores<F: Float>(&self) -> Vec<F> {
        let Scores { repeats, slope, pattern } = &self.scores;
        let repeats = usize::from(repeats.saturating_sub(200)).max(1);
        let slope: F = if repeats > 1 { slope.to() } else { F::zero() };
        let lowered = (0..repeats).flat_map(|lap| pattern.iter().map(move |score| score.to::<F>() - slope * F::from_usize(lap)));
        lowered.take(MOST).collect()
    }

    /// Other numbers, one a class for the most part: margins, weights, directions, targets.
    #[must_use]
    pub fn others<F: Float>(&self, len: usize) -> Vec<F> {
        let others = self.others.iter().map(|number| number.to());
        // As long as was asked for, unless the dice say so.
        let len = if self.dice[3] == u8::MAX { self.others.len() } else { len };
        others.cycle().take(if self.others.is_empty() { 0 } else { len }).collect()
    }

    /// A distribution over so many classes, if anything is positive.
    #[must_use]
    pub fn distribution<F: Float>(&self, len: usize) -> Vec<F> {
        let sizes: Vec<F> = self.others(len).into_iter().map(|size: F| if size.is_finite() { size.abs() } else { F::zero() }).collect();
        let largest = sizes.iter().copied().fold(F::zero(), F::max);
        let relative: Vec<F> = sizes.into_iter().map(|size| size / largest).collect();
        let total = relative.iter().copied().fold(F::zero(), |sum, size| sum + size);
        relative.into_iter().map(|size| size / total).collect()
    }

    /// ε, mostly positive.
    #[must_use]
    pub fn epsilon<F: Float>(&self) -> F {
        mostly_positive(self.epsilon)
    }

    /// A factor, mostly positive.
    #[must_use]
    pub fn factor<F: Float>(&self) -> F {
        mostly_positive(self.factor)
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> Key {
        Key::new(self.seed)
    }
}

fn mostly_positive<F: Float>(number: Number) -> F {
    match number {
        Number::Bits(_) => number.to(),
        _ => number.to::<F>().abs(),
    }
}
