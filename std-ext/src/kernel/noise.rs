//! Standard normal draws of some classes, bit for bit those of core's [`MonteCarlo`](topk_loss::sampler::MonteCarlo) of the normal law.

mod philox;

use pulp::{Simd, WithSimd};
use topk_loss::{Key, Real};

use super::executor::Executor;
use crate::elementary::Elementary;
use crate::variate::normal_quantiles;

pub(crate) use philox::philox;

/// How many classes share one counter of the generator.
#[inline(always)]
pub(crate) const fn classes_per_counter<F: Real>() -> usize {
    4 / F::UNIFORM_WORDS
}

/// The normal number of every class in the draw beside it.
pub(super) fn normals_of<F: Elementary>(executor: Executor, key: Key, draws: &[u64], classes: &[usize], out: &mut [F]) {
    executor.dispatch(Scattered { key: key.words(), draws, classes, out });
}

struct Scattered<'a, F> {
    key: [u32; 2],
    draws: &'a [u64],
    classes: &'a [usize],
    out: &'a mut [F],
}

impl<F: Elementary> WithSimd for Scattered<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        const FEW: usize = 32;
        let per_counter = classes_per_counter::<F>() as u64;
        let chunks = self.classes.chunks(FEW).zip(self.draws.chunks(FEW));
        for ((some_classes, some_draws), out) in chunks.zip(self.out.chunks_mut(FEW)) {
            let (mut classes, mut draws) = ([0_u64; FEW], [0_u64; FEW]);
            for (place, &class) in classes.iter_mut().zip(some_classes) {
                *place = class as u64;
            }
            draws[..some_draws.len()].copy_from_slice(some_draws);
            let mut block = [F::zero(); FEW];
            for place in 0..FEW {
                let class = classes[place];
                let words = philox(self.key, class / per_counter, draws[place]);
                let odd = class % 2 == 1;
                let words = if F::UNIFORM_WORDS == 1 {
                    let [a, b] = if class % 4 >= 2 { [words[2], words[3]] } else { [words[0], words[1]] };
                    [if odd { b } else { a }, 0]
                } else {
                    [if odd { words[2] } else { words[0] }, if odd { words[3] } else { words[1] }]
                };
                block[place] = F::uniform(words[0] as u32, words[1] as u32);
            }
            normal_quantiles(&mut block);
            out.copy_from_slice(&block[..out.len()]);
        }
    }
}
