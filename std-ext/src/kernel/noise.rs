//! Standard normal draws, bit for bit those of core's [`MonteCarlo`](topk_loss::MonteCarlo) of the normal law.

mod philox;
mod variate;

use pulp::{Arch, Simd, WithSimd};
use topk_loss::Key;

use crate::elementary::Elementary;

pub(super) use philox::philox;
pub use variate::Variate;
pub(super) use variate::normal_quantiles;

/// How many numbers are made at a time.
const BLOCK: usize = 256;

/// How many classes share one counter of the generator.
#[inline(always)]
pub(super) const fn classes_per_counter<F: Elementary>() -> usize {
    4 / F::UNIFORM_WORDS
}

/// Draw `draw` of the classes from `first_class` on, as many as `out` is long.
#[cfg_attr(not(test), expect(dead_code, reason = "for the fused head"))]
pub(crate) fn normals<F: Elementary>(arch: Arch, key: Key, draw: u64, first_class: usize, out: &mut [F]) {
    arch.dispatch(Consecutive { key: key.words(), draw, first_class, out });
}

/// Of every class the draw beside it.
pub(super) fn normals_of<F: Elementary>(arch: Arch, key: Key, draws: &[u64], classes: &[usize], out: &mut [F]) {
    arch.dispatch(Scattered { key: key.words(), draws, classes, out });
}

struct Consecutive<'a, F> {
    key: [u32; 2],
    draw: u64,
    first_class: usize,
    out: &'a mut [F],
}

impl<F: Elementary> WithSimd for Consecutive<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let per_counter = classes_per_counter::<F>();
        let (mut counter, mut skipped) = ((self.first_class / per_counter) as u64, self.first_class % per_counter);
        let mut out = self.out;
        while !out.is_empty() {
            let mut block = [F::zero(); BLOCK];
            for (counter, places) in (counter..).zip(block.chunks_exact_mut(per_counter)) {
                let words = philox(self.key, counter, self.draw).map(|word| word as u32);
                if F::UNIFORM_WORDS == 1 {
                    (0..4).for_each(|j| places[j] = F::uniform(words[j], 0));
                } else {
                    (0..2).for_each(|j| places[j] = F::uniform(words[2 * j], words[2 * j + 1]));
                }
            }
            normal_quantiles(&mut block);
            let (now, later) = out.split_at_mut(out.len().min(BLOCK - skipped));
            now.copy_from_slice(&block[skipped..skipped + now.len()]);
            (counter, skipped, out) = (counter + (BLOCK / per_counter) as u64, 0, later);
        }
    }
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
