//! From a solution to every class's entry of the gradient.

use super::Solution;
use crate::exact::chebyshev::Polynomial;
use crate::exact::precision::{MAX_TERMS, terms};
use crate::lanes::LANES;
use crate::{Noise, Real, Result, check};

impl<N: Noise<F>, F: Real> Solution<'_, N, F> {
    /// Adds `weight` times the gradient of the classes of one shard, whose candidates stand from position `first` on, and returns the
    /// position after its last.
    ///
    /// **Ties and NaN.** Tied scores have equal entries. NaN is an error.
    ///
    /// **Cost.** A pass to check, and one of as many multiply-adds for each class as there are moments.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// let mut histogram = Exact::new(KthLargest::new(1)?, Normal, 0.5)?.histogram(3.0, 2)?;
    /// histogram.add(&[3.0, 3.0])?;
    /// let partition = histogram.partition(&mut [0.0; 480])?;
    /// let mut room = [0.0; 402];
    /// let mut summary = partition.summary(&mut room)?;
    /// summary.add(&[3.0, 3.0])?;
    /// let mut scratch = [0.0; 1000];
    /// let solution = summary.solve(&mut scratch)?;
    /// let mut grad = [0.0_f64; 2];
    /// assert_eq!(solution.add_grad(&[3.0, 3.0], 0, 2.0, &mut grad)?, 2);
    /// assert!((grad[0] - 1.0).abs() < 1e-9 && grad[0] == grad[1]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A gradient of another length, a NaN or infinite score; `grad` is then as before.
    #[inline(always)]
    pub fn add_grad(&self, scores: &[F], first: usize, weight: F, grad: &mut [F]) -> Result<usize> {
        check::length("grad", grad, scores.len())?;
        check::finite("scores", scores)?;
        Ok(self.add_finite_grad(scores, first, weight, grad))
    }

    /// The same for scores that are known to be finite.
    #[inline(always)]
    pub(crate) fn add_finite_grad(&self, scores: &[F], first: usize, weight: F, grad: &mut [F]) -> usize {
        if self.partition.terms() == 0 {
            return self.add_shares::<0>(scores, first, weight, grad);
        }
        match terms::<F>(self.partition.problem.law.regularity()) {
            8 => self.add_shares::<8>(scores, first, weight, grad),
            13 => self.add_shares::<13>(scores, first, weight, grad),
            16 => self.add_shares::<16>(scores, first, weight, grad),
            _ => self.add_shares::<MAX_TERMS>(scores, first, weight, grad),
        }
    }

    #[inline(always)]
    fn add_shares<const TERMS: usize>(&self, scores: &[F], first: usize, weight: F, grad: &mut [F]) -> usize {
        const BLOCK: usize = 8 * LANES;
        let (places, polynomial, mut next) = (self.partition.places(), Polynomial::<F, TERMS>::new(&self.coefficients), first);
        // Not zipped: that is not inlined, and divides by a length that it does not know.
        let mut grads = grad.chunks_mut(BLOCK);
        for scores in scores.chunks(BLOCK) {
            let grad = grads.next().unwrap_or_default();
            let (mut units, mut above) = ([F::zero(); BLOCK], 0_u32);
            for ((entry, &score), unit) in grad.iter_mut().zip(scores).zip(&mut units) {
                let u = places.unit(score);
                *unit = u;
                above += u32::from(places.is_above(u));
                if TERMS > 0 {
                    let (x, far_weight) = places.bulk(u);
                    let share = far_weight * polynomial.at(x);
                    // The polynomial may be negative, shares are not.
                    *entry += weight * if share > F::zero() { share } else { F::zero() };
                }
            }
            if above == 0 {
                continue;
            }
            let mut grads = grad.chunks_mut(LANES);
            for units in units.chunks(LANES) {
                let grad = grads.next().unwrap_or_default();
                if !places.is_any_above(units) {
                    continue;
                }
                // Among them no branch depends on where a candidate is.
                for (entry, &u) in grad.iter_mut().zip(units) {
                    let share = self.candidates.get(next).copied().unwrap_or(F::zero());
                    let is_candidate = places.is_above(u) & !places.is_sure(u);
                    *entry += weight * if is_candidate { share } else { F::zero() };
                    next += usize::from(is_candidate);
                }
            }
        }
        next
    }
}
