//! How each form of the hinge is computed: a [`Hinge`] over an oracle, and the exact one in fewer passes.

use super::TopKHinge;
use crate::compiled::{Example, Integrated, Integrator};
use crate::loss::Hinge;
use crate::loss::hinge::positive_part;
use crate::{Conditional, Exact, KthLargest, Loss, Margins, MonteCarlo, Normal, Pathwise, Real, Result, Smoothing, check, select};

/// What kernels take.
impl<'a, F: Real> TopKHinge<F, Margins<'a, F>> {
    fn hinge<O>(&self, oracle: O) -> Result<Hinge<O, F, Margins<'a, F>>> {
        Hinge::new(oracle, self.margins, self.scale)
    }

    /// The oracle under exact smoothing by noise of scale `epsilon`.
    ///
    /// # Errors
    /// K that is not below the number of classes.
    #[doc(hidden)]
    #[inline(always)]
    pub fn exact(&self, epsilon: F, num_classes: usize) -> Result<Exact<KthLargest, Normal, F>> {
        let exact = Exact::new(self.missed(num_classes)?, Normal, epsilon)?;
        self.tolerance.map_or(Ok(exact), |tolerance| exact.with_tolerance(tolerance))
    }

    /// The oracle without noise.
    fn missed(&self, num_classes: usize) -> Result<KthLargest> {
        KthLargest::new(select::first_missed(self.k, num_classes)?)
    }

    #[inline(always)]
    pub(crate) fn evaluate_hard(&self, example: Example<'_, F>) -> Result<F> {
        evaluate(&self.hinge(self.missed(example.scores.len())?)?, example)
    }

    #[inline(always)]
    pub(crate) fn evaluate_pathwise(&self, example: Example<'_, F>) -> Result<F> {
        let Smoothing::Pathwise { epsilon, num_samples, key } = self.smoothing else { return self.evaluate_hard(example) };
        let (missed, sampler) = (self.missed(example.scores.len())?, MonteCarlo::new(Normal, num_samples)?);
        evaluate(&self.hinge(Pathwise::new(missed, sampler, epsilon, key)?)?, example)
    }

    #[inline(always)]
    pub(crate) fn evaluate_conditional(&self, example: Example<'_, F>) -> Result<F> {
        let Smoothing::Conditional { epsilon, num_samples, key } = self.smoothing else { return self.evaluate_hard(example) };
        let (missed, sampler) = (self.missed(example.scores.len())?, MonteCarlo::new(Normal, num_samples)?);
        evaluate(&self.hinge(Conditional::new(missed, sampler, epsilon, key)?)?, example)
    }

    /// Whether the loss is 0 whatever the noise does on average: the smoothed (K+1)-th largest is at most E max of as many normal numbers
    /// as there are classes from that one down above it, √(2 ln n).
    #[doc(hidden)]
    #[inline(always)]
    pub fn is_surely_zero(&self, epsilon: F, lead: F, margin: F, num_classes: usize) -> bool {
        let below = F::from_usize(num_classes.saturating_sub(self.k));
        let highest = epsilon * (F::from_f64(2.0) * below.ln()).sqrt() * F::from_f64(1.001);
        // A lead beyond the float's range is at least all of it.
        let lead = lead.min(F::max_value());
        let rounding = F::epsilon() * F::from_f64(8.0) * (lead.abs() + margin.abs() + highest);
        margin + highest + rounding <= lead
    }
}

#[inline(always)]
fn evaluate<F: Real>(hinge: &impl Loss<F>, example: Example<'_, F>) -> Result<F> {
    let Example { scores, label, grad, scratch } = example;
    match grad {
        None => hinge.value(scores, label, scratch),
        Some(grad) => hinge.value_and_grad(scores, label, grad, scratch),
    }
}

/// What the [`Hinge`] over the exact form comes to, in fewer passes: the center is known, and a loss that is zero for certain needs
/// nothing else.
impl<F: Real> Integrated<F> for TopKHinge<F, Margins<'_, F>> {
    #[inline(always)]
    fn evaluate(&self, example: Example<'_, F>, by: &impl Integrator<F>) -> Result<F> {
        let Smoothing::Exact { epsilon } = self.smoothing else { return self.evaluate_hard(example) };
        let Example { scores, label, mut grad, scratch } = example;
        let exact = self.exact(epsilon, scores.len())?;
        check::scores(scores)?;
        let own = check::label(scores, label)?;
        let margin = self.margins.of(label, scores.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        let center = select::kth_value(scores, self.first_missed(), scratch);
        let lead = own - center;
        if let Some(grad) = &mut grad {
            grad.fill(F::zero());
        }
        if self.is_surely_zero(epsilon, lead, margin, scores.len()) {
            return Ok(F::zero());
        }
        check::in_range("range of the scores", lead)?;
        let loss = |smoothed: F| positive_part(self.scale, |unit| margin * unit + (smoothed * unit - lead * unit));
        let output = grad.as_deref_mut().map(|grad| (self.scale, grad));
        let wants_grad = |smoothed| !loss(smoothed).is_ok_and(|loss| loss == F::zero());
        let loss = loss(exact.about_center(scores, (self.first_missed(), center), (output, &wants_grad), scratch, by)?)?;
        if let Some(entry) = grad.filter(|_| loss > F::zero()).and_then(|grad| grad.get_mut(label)) {
            *entry -= self.scale;
        }
        Ok(loss)
    }
}
