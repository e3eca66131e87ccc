//! From the losses of a batch to one number: the coefficient of every example, and the sum.

use topk_loss::loss::Reduction;
use topk_loss::{Compensated, Real};

use crate::{BatchError, Result, Targets, check};

impl<F: Real> Targets<'_, F> {
    /// Writes the coefficients c_b of the losses in a reduction.
    ///
    /// **Shapes.** One coefficient an example.
    ///
    /// **Cost.** One pass. The sum of the weights is compensated: off by at most ε + nε² of itself, ε the float's machine epsilon.
    ///
    /// ```
    /// use topk_loss_batch::{Reduction, Targets};
    /// let targets = Targets::new(&[4, 1, 2]).with_weights(&[2.0, 1.0, 0.5])?.ignoring(2);
    /// let mut coefficients = [0.0; 3];
    /// targets.coefficients(Reduction::Sum, &mut coefficients)?;
    /// assert_eq!(coefficients, [2.0, 1.0, 0.0]);
    /// targets.coefficients(Reduction::Mean, &mut coefficients)?;
    /// assert_eq!(coefficients, [1.0, 0.5, 0.0]);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No example; none that counts, in a mean; a total weight of zero, or beyond the float's range, in a weighted mean. The
    /// coefficients are then as before.
    pub fn coefficients(&self, reduction: Reduction, coefficients: &mut [F]) -> Result<()> {
        self.coefficients_of(reduction, |_| F::one(), coefficients)
    }

    /// The same for a loss that is itself weighted by label: its weights count in a weighted mean's divisor.
    pub(crate) fn coefficients_of(&self, reduction: Reduction, label_weight: impl Fn(usize) -> F, coefficients: &mut [F]) -> Result<()> {
        check::length("coefficients", self.labels().len(), coefficients.len())?;
        check::not_empty("example", coefficients.len())?;
        let weights = self.counted().map(|(example, label)| self.weight(example) * label_weight(label));
        let divisor = divisor(reduction, self.counted().count(), weights)?;
        coefficients.fill(F::zero());
        self.counted().for_each(|(example, _)| coefficients[example] = self.weight(example) / divisor);
        Ok(())
    }
}

/// What the weighted losses of so many examples are divided by.
pub(crate) fn divisor<F: Real>(reduction: Reduction, count: usize, weights: impl Iterator<Item = F>) -> Result<F> {
    if reduction != Reduction::Sum {
        check::not_empty("example whose label is not ignored", count)?;
    }
    let divisor = match reduction {
        Reduction::Sum => F::one(),
        Reduction::Mean => F::from_usize(count),
        Reduction::WeightedMean => Compensated::of(weights),
    };
    if divisor == F::zero() {
        return Err(BatchError::Parameter { name: "total weight", must: "positive" });
    }
    if divisor.is_finite() { Ok(divisor) } else { Err(BatchError::Overflow { what: "total weight" }) }
}

/// Σ_b c_b·ℓ_b, summed in the order of the examples, with compensation.
pub(crate) fn objective<F: Real>(coefficients: &[F], values: &[F]) -> Result<F> {
    let objective = Compensated::of(coefficients.iter().zip(values).map(|(&c, &value)| c * value));
    if objective.is_finite() { Ok(objective) } else { Err(BatchError::Overflow { what: "objective" }) }
}
