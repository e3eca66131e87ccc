//! Takes the common offset out of the scores of an example, which would drown the noise.

use topk_loss::{Error, Real};

/// An example's scores without their common offset, which would drown the noise: relative to the largest of the first strip.
#[derive(Debug, Clone)]
pub(super) struct Frame<F> {
    center: F,
    label: usize,
    own: F,
}

impl<F: Real> Frame<F> {
    pub fn new(label: usize) -> Self {
        Self { center: F::zero(), label, own: F::zero() }
    }

    /// Makes a strip's scores relative; the first strip comes first.
    #[inline(always)]
    pub fn enter(&mut self, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        if first == 0 {
            self.center = largest_of(scores);
        }
        let center = self.center;
        scores.iter_mut().for_each(|score| *score -= center);
        if !scores.iter().fold(true, |all, score| all & score.is_finite()) {
            return Err(Error::Overflow { what: "range of the scores" });
        }
        if let Some(&own) = self.label.checked_sub(first).and_then(|place| scores.get(place)) {
            self.own = own;
        }
        Ok(())
    }

    pub fn label(&self) -> usize {
        self.label
    }

    /// The label's score, once it has been seen.
    pub fn own(&self) -> F {
        self.own
    }
}

/// The largest of some scores, −∞ of none, in lanes that vector code runs at once.
#[inline(always)]
pub(super) fn largest_of<F: Real>(scores: &[F]) -> F {
    const LANES: usize = 16;
    let larger = |a: F, b: F| if b > a { b } else { a };
    let (blocks, tail) = scores.as_chunks::<LANES>();
    let lanes = blocks.iter().fold([F::neg_infinity(); LANES], |mut lanes, scores| {
        lanes.iter_mut().zip(scores).for_each(|(largest, &score)| *largest = larger(*largest, score));
        lanes
    });
    lanes.iter().chain(tail).copied().fold(F::neg_infinity(), larger)
}
