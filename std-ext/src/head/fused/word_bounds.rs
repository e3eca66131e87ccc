//! Skips noise that is not worth drawing: which random words can make noise of at least a given size.

use topk_loss::Real;
use topk_loss::noise::{Noise, Normal};

/// For every sixteenth of noise z, the least upper word that makes noise above it. No noise of an `f32` is beyond 5.5, but the table
/// goes as far as that of an `f64`.
#[derive(Debug)]
pub(super) struct WordBounds([u32; 2 * REACH * STEPS]);

const REACH: usize = 9;
const STEPS: usize = 16;

impl WordBounds {
    pub fn new() -> Self {
        let mut words = [0; 2 * REACH * STEPS];
        for (i, word) in words.iter_mut().enumerate() {
            let z = i as f64 / STEPS as f64 - REACH as f64;
            // A uniform number is within 2⁻²⁴ of its upper word, read as a fraction.
            let fraction = Noise::<f64>::cdf(&Normal, z) - 2.0_f64.powi(-23);
            *word = (fraction.max(0.0) * 2.0_f64.powi(32)) as u32;
        }
        Self(words)
    }

    /// A bound from below on the upper words that make noise above z; none if there is no such noise.
    #[inline(always)]
    pub fn least_word<F: Real>(&self, z: F) -> Option<u32> {
        let most = if F::UNIFORM_WORDS == 1 { 5.5 } else { REACH as f64 };
        if z >= F::from_f64(most) {
            return None;
        }
        let step = (z + F::from_usize(REACH)) * F::from_usize(STEPS);
        let step = step.max(F::zero()).to_usize().unwrap_or(0);
        Some(self.0[step.min(self.0.len() - 1)])
    }
}

#[cfg(test)]
mod tests {
    use topk_loss::Real;
    use topk_loss::noise::{Noise, Normal};

    use super::WordBounds;

    /// No word below the bound makes noise above z, and few words from it on do not.
    fn bound<F: Real>() {
        let word_bounds = WordBounds::new();
        for i in -1000..1000 {
            let z = f64::from(i) * 0.01;
            let noise = |words| Noise::<F>::quantile(&Normal, F::open_uniform(words));
            let Some(least) = word_bounds.least_word(F::from_f64(z)) else {
                assert!(noise([u32::MAX; 2]) < F::from_f64(z));
                continue;
            };
            if least > 0 {
                assert!(noise([least - 1, u32::MAX]) <= F::from_f64(z));
            }
            let share = 1.0 - f64::from(least) / 2.0_f64.powi(32);
            assert!(share <= Noise::<f64>::survival(&Normal, z - 1.0 / 16.0) + 2.0_f64.powi(-22));
        }
    }

    #[test]
    fn no_word_below_the_bound_is_missed_and_few_above_are_in_vain() {
        bound::<f32>();
        bound::<f64>();
    }
}
