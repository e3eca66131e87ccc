//! The uniform numbers of many classes at once: Philox4x32-10 over lanes, the words that [`Key::words`](topk_loss::Key::words) describes.

use topk_loss::Real;

const LANES: usize = 16;
const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Four words from each of 16 consecutive counters, each word in the room of the products it takes part in.
pub(super) struct Uniforms([Lanes; 4]);

type Lanes = [u64; LANES];

const WORD: u64 = u32::MAX as u64;

impl Uniforms {
    /// How many classes one call serves.
    pub const fn group<F: Real>() -> usize {
        LANES * per_counter::<F>()
    }

    /// Those of draw `draw` for the group of classes from `first` on, a multiple of four.
    #[inline(always)]
    pub fn new<F: Real>(key: [u32; 2], draw: u64, first: usize) -> Self {
        let start = (first / per_counter::<F>()) as u64;
        let (mut low, mut high) = ([0; LANES], [0; LANES]);
        for ((low, high), lane) in low.iter_mut().zip(&mut high).zip(0..) {
            let counter = start + lane;
            (*low, *high) = (counter & WORD, counter >> 32);
        }
        Self(philox([low, high, [draw & WORD; LANES], [draw >> 32; LANES]], key))
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
        let (lane, row) = (place / per_counter::<F>(), place % per_counter::<F>() * F::UNIFORM_WORDS);
        let word = |row: usize| self.0[row][lane] as u32;
        [word(row), if F::UNIFORM_WORDS == 1 { 0 } else { word(row + 1) }]
    }
}

const fn per_counter<F: Real>() -> usize {
    4 / F::UNIFORM_WORDS
}

#[inline(always)]
fn philox([mut c0, mut c1, mut c2, mut c3]: [Lanes; 4], [mut k0, mut k1]: [u32; 2]) -> [Lanes; 4] {
    for _ in 0..ROUNDS {
        for lane in 0..LANES {
            let (left, right) = ((c0[lane] & WORD) * MULTIPLIERS[0], (c2[lane] & WORD) * MULTIPLIERS[1]);
            (c0[lane], c1[lane]) = ((right >> 32) ^ c1[lane] ^ u64::from(k0), right & WORD);
            (c2[lane], c3[lane]) = ((left >> 32) ^ c3[lane] ^ u64::from(k1), left & WORD);
        }
        (k0, k1) = (k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1]));
    }
    [c0, c1, c2, c3]
}

#[cfg(test)]
mod tests {
    use topk_loss::{Key, MonteCarlo, Noise, Normal, Real, Sampler};

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
