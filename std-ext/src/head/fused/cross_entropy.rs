//! The softmax of scores that come in strips.

use pulp::{Arch, NullaryFnOnce};
use topk_loss::{CrossEntropy, Error, Real};

use super::examples::Examples;
use super::frame::largest_of;
use super::strips::Strips;
use super::stripwise::Stripwise;
use super::{HeadGrads, HeadLoss};
use crate::elementary::Elementary;
use crate::{BatchReal, Result};

impl<F: BatchReal> HeadLoss<F> for CrossEntropy {}

impl<F: BatchReal> Stripwise<F> for CrossEntropy {
    fn objective(&self, strips: &Strips<'_, F>, examples: &Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F> {
        let enough = if strips.num_classes() < 2 { Err(Error::Length { what: "scores", expected: 2, actual: 1 }) } else { Ok(()) };
        examples.check(enough)?;
        let arch = Arch::new();
        let mut softmaxes = examples.states(|example, label| Softmax::new(label, examples.coefficient(example)));
        strips.read(&mut softmaxes, |softmax, first, scores| {
            arch.dispatch(Add(softmax, first, scores));
            Ok(())
        })?;
        let objective = examples.objective(&softmaxes, Softmax::surprise)?;
        if let Some(grads) = grads {
            strips.backward(&mut softmaxes, grads, |softmax, first, scores| {
                arch.dispatch(PutGradient(softmax, first, scores));
                Ok(())
            })?;
        }
        Ok(objective)
    }
}

/// The softmax as its label sees it; exponentials are relative to the largest score so far.
struct Softmax<F> {
    label: usize,
    /// Of the label's score.
    own: F,
    largest: F,
    /// Σ over the classes other than the label.
    rest: F,
    weight: F,
}

/// Terms that are summed apart, so that they can be summed at once.
const LANES: usize = 16;

impl<F: Elementary> Softmax<F> {
    fn new(label: usize, weight: F) -> Self {
        Self { label, own: F::neg_infinity(), largest: F::neg_infinity(), rest: F::zero(), weight }
    }

    /// Takes a strip's scores in and spoils the label's.
    #[inline(always)]
    fn add(&mut self, first: usize, scores: &mut [F]) {
        let largest = self.largest.max(largest_of(scores));
        self.rest *= (self.largest - largest).fast_exp();
        self.largest = largest;
        if let Some(own) = self.label.checked_sub(first).and_then(|place| scores.get_mut(place)) {
            self.own = core::mem::replace(own, F::neg_infinity());
        }
        let mut sums = [F::zero(); LANES];
        let (blocks, tail) = scores.as_chunks::<LANES>();
        for scores in blocks {
            sums.iter_mut().zip(scores).for_each(|(sum, &score)| *sum += (score - largest).fast_exp());
        }
        sums.iter_mut().zip(tail).for_each(|(sum, &score)| *sum += (score - largest).fast_exp());
        self.rest += sums.into_iter().fold(F::zero(), |total, sum| total + sum);
    }

    /// By how much the label's score is below the largest.
    fn gap(&self) -> F {
        self.largest - self.own
    }

    /// −ln p_y.
    fn surprise(&self) -> topk_loss::Result<F> {
        let gap = self.gap();
        if !gap.is_finite() {
            return Err(Error::Overflow { what: "range of the scores" });
        }
        // ln(rest + own) + gap; the sum is 1 and a rest that keeps its digits where the label leads.
        Ok((self.rest + (-gap).exp_m1()).ln_1p() + gap)
    }

    /// Puts the gradient in the place of a strip's scores.
    #[inline(always)]
    fn put_gradient(&self, first: usize, scores: &mut [F]) {
        let total = self.rest + Real::exp(-self.gap());
        let (largest, share) = (self.largest, self.weight / total);
        scores.iter_mut().for_each(|score| *score = share * (*score - largest).fast_exp());
        if let Some(own) = self.label.checked_sub(first).and_then(|place| scores.get_mut(place)) {
            *own = -(share * self.rest);
        }
    }
}

/// [`Softmax::add`] as vector code: unlike a closure it is compiled for every instruction set.
struct Add<'a, F>(&'a mut Softmax<F>, usize, &'a mut [F]);

impl<F: Elementary> NullaryFnOnce for Add<'_, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.add(self.1, self.2);
    }
}

/// [`Softmax::put_gradient`], likewise.
struct PutGradient<'a, F>(&'a Softmax<F>, usize, &'a mut [F]);

impl<F: Elementary> NullaryFnOnce for PutGradient<'_, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.put_gradient(self.1, self.2);
    }
}
