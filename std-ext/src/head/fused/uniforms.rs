//! The random words of many classes at once, those that [`Key::words`](topk_loss::Key::words) describes.

use topk_loss::Real;

use crate::kernel::noise::{classes_per_counter, philox};

const LANES: usize = 16;

/// Four words from each of 16 consecutive counters, each word in the room of the products it takes part in.
pub(super) struct Uniforms([[u64; LANES]; 4]);

impl Uniforms {
    /// How many classes one call serves.
    pub const fn group<F: Real>() -> usize {
        LANES * classes_per_counter::<F>()
    }

    /// Those of draw `draw` for the group of classes from `first` on, a multiple of four.
    #[inline(always)]
    pub fn new<F: Real>(key: [u32; 2], draw: u64, first: usize) -> Self {
        let start = (first / classes_per_counter::<F>()) as u64;
        let mut uniforms = [[0; LANES]; 4];
        for lane in 0..LANES {
            let words = philox(key, start + lane as u64, draw);
            for (row, word) in uniforms.iter_mut().zip(words) {
                row[lane] = word;
            }
        }
        Self(uniforms)
    }

    /// Whether any class's upper word is at least `bound`.
    #[inline(always)]
    pub fn any_from<F: Real>(&self, bound: u32) -> bool {
        let (bound, uppers) = (u64::from(bound), self.0.iter().step_by(F::UNIFORM_WORDS));
        uppers.fold(false, |any, words| words.iter().fold(any, |any, &word| any | (word >= bound)))
    }

    /// The words of a class of the group.
    #[inline(always)]
    pub fn words<F: Real>(&self, place: usize) -> [u32; 2] {
        let (lane, row) = (place / classes_per_counter::<F>(), place % classes_per_counter::<F>() * F::UNIFORM_WORDS);
        let word = |row: usize| self.0[row][lane] as u32;
        [word(row), if F::UNIFORM_WORDS == 1 { 0 } else { word(row + 1) }]
    }
}

#[cfg(test)]
mod tests {
    use topk_loss::noise::{Noise, Normal};
    use topk_loss::sampler::{MonteCarlo, Sampler};
    use topk_loss::{Key, Real};

    use super::Uniforms;

    fn agree<F: Real>() {
        let (key, first) = (Key::new(0x0123_4567_89ab_cdef), 1024);
        let mut draws = vec![F::zero(); first + Uniforms::group::<F>()];
        for draw in [0, 7] {
            MonteCarlo::new(Normal, 8).unwrap().sample(key, draw, &mut draws).unwrap();
            let uniforms = Uniforms::new::<F>(key.words(), draw as u64, first);
            for (place, &expected) in draws[first..].iter().enumerate() {
                let words = uniforms.words::<F>(place);
                assert_eq!(Normal.quantile(F::open_uniform(words)), expected);
                assert!(uniforms.any_from::<F>(words[0]));
            }
            let largest = (0..Uniforms::group::<F>()).map(|place| uniforms.words::<F>(place)[0]).max().unwrap();
            assert!(!uniforms.any_from::<F>(largest + 1));
        }
    }

    #[test]
    fn words_are_those_of_the_core() {
        agree::<f32>();
        agree::<f64>();
    }
}
