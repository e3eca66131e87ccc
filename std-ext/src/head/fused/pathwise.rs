//! The hinge under pathwise smoothing, in the head that stores no scores: the (K+1)-th largest noised score of every draw.

use pulp::{Arch, NullaryFnOnce};
use topk_loss::noise::{Noise, Normal};
use topk_loss::{Key, Real};

use super::frame::{Frame, largest_of};
use super::selection::Selection;
use super::top_n::TopN;
use super::uniforms::Uniforms;
use super::word_bounds::WordBounds;
use crate::BatchReal;
use crate::instruction_sets::best;

/// The largest noised scores of every draw so far.
///
/// Noise that cannot lift a class above the last of them is never made from its random word: most classes cost a word and a comparison.
pub(super) struct Pathwise<'a, F> {
    frame: Frame<F>,
    draws: Vec<TopN<F>>,
    epsilon: F,
    key: [u32; 2],
    word_bounds: &'a WordBounds,
    arch: Arch,
}

impl<'a, F: BatchReal> Pathwise<'a, F> {
    pub fn new(rank: usize, label: usize, num_samples: usize, epsilon: F, key: Key, word_bounds: &'a WordBounds) -> Self {
        let draws = vec![TopN::new(rank); num_samples];
        Self { frame: Frame::new(label), draws, epsilon, key: key.words(), word_bounds, arch: best() }
    }

    /// The least upper word that can lift a score of at most `top` above `threshold`; none if no noise can.
    #[inline(always)]
    fn least_word(&self, top: F, threshold: F) -> Option<u32> {
        let constant = <F as Real>::from_f64;
        let needed = (threshold - top) / self.epsilon;
        if needed == F::infinity() {
            return None;
        }
        // What rounding can do to the noised score and to the quantile, generously.
        let rounding = F::epsilon() * constant(8.0) * (threshold.abs() + top.abs()) / self.epsilon;
        self.word_bounds.least_word(needed - rounding - constant(1e-3) * (F::one() + needed.abs()))
    }

    /// Offers draw `draw` the noised scores of a group's classes whose upper word is at least `least`.
    fn offer(&mut self, draw: usize, first: usize, scores: &[F], uniforms: &Uniforms, least: u32) {
        for (place, &score) in scores.iter().enumerate() {
            let words = uniforms.words::<F>(place);
            if words[0] >= least {
                let noise = Normal.quantile(F::open_uniform(words));
                self.draws[draw].offer(first + place, score + self.epsilon * noise);
            }
        }
    }
}

/// One strip's scores, to be taken in by vector code: unlike a closure it is compiled for every instruction set.
struct Strip<'a, 'b, F> {
    pathwise: &'a mut Pathwise<'b, F>,
    first: usize,
    scores: &'a mut [F],
}

impl<F: BatchReal> NullaryFnOnce for Strip<'_, '_, F> {
    type Output = topk_loss::Result<()>;

    #[inline(always)]
    fn call(self) -> topk_loss::Result<()> {
        let Self { pathwise, first, scores } = self;
        pathwise.frame.enter(first, scores)?;
        let group = Uniforms::group::<F>();
        for (scores, first) in scores.chunks(group).zip((first..).step_by(group)) {
            let top = largest_of(scores);
            for draw in 0..pathwise.draws.len() {
                let threshold = pathwise.draws[draw].last().value;
                let Some(least) = pathwise.least_word(top, threshold) else { continue };
                let uniforms = Uniforms::new::<F>(pathwise.key, draw as u64, first);
                if uniforms.any_from::<F>(least) {
                    pathwise.offer(draw, first, scores, &uniforms, least);
                }
            }
        }
        Ok(())
    }
}

impl<F: BatchReal> Selection<F> for Pathwise<'_, F> {
    fn add(&mut self, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        self.arch.dispatch(Strip { pathwise: self, first, scores })
    }

    fn excess(&self) -> F {
        let sum = self.draws.iter().fold(F::zero(), |sum, draw| sum + draw.last().value);
        sum / <F as Real>::from_usize(self.draws.len()) - self.frame.own()
    }

    fn classes(&self) -> impl ExactSizeIterator<Item = usize> {
        self.draws.iter().map(|draw| draw.last().index)
    }
}
