//! How the losses of a batch become one number.

use topk_loss::{Compensated, Real};

use crate::{BatchError, Result, Targets, check};

/// The objective Σ_b c_b·ℓ_b of a batch, by the coefficients c of its losses; w_b are the weights, 1 where none are given.
///
/// An ignored example has coefficient 0 and counts nowhere. Where all are ignored a sum is 0, and a mean an error.
///
/// Sums over the examples are compensated: off by at most ε + nε² times the sum of the sizes of n terms, ε the float's machine epsilon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reduction {
    /// Σ_b w_b·ℓ_b.
    Sum,
    /// Σ_b w_b·ℓ_b divided by the number of examples that count.
    #[default]
    Mean,
    /// Σ_b w_b·ℓ_b / Σ_b w_b.
    WeightedMean,
}

impl Reduction {
    /// Writes the coefficients c_b.
    ///
    /// **Shapes.** One coefficient an example.
    ///
    /// **Cost.** One pass.
    ///
    /// ```
    /// use topk_loss_batch::{Reduction, Targets};
    /// let targets = Targets::new(&[4, 1, 2]).with_weights(&[2.0, 1.0, 0.5])?.ignoring(2);
    /// let mut coefficients = [0.0; 3];
    /// Reduction::Sum.coefficients(&targets, &mut coefficients)?;
    /// assert_eq!(coefficients, [2.0, 1.0, 0.0]);
    /// Reduction::Mean.coefficients(&targets, &mut coefficients)?;
    /// assert_eq!(coefficients, [1.0, 0.5, 0.0]);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No example; none that counts, in a mean; a total weight of zero, or beyond the float's range, in a weighted mean. The
    /// coefficients are then as before.
    pub fn coefficients<F: Real>(self, targets: &Targets<'_, F>, coefficients: &mut [F]) -> Result<()> {
        check::length("coefficients", targets.labels().len(), coefficients.len())?;
        check::not_empty("example", coefficients.len())?;
        let count = targets.counted().count();
        if self != Self::Sum {
            check::not_empty("example whose label is not ignored", count)?;
        }
        let divisor = match self {
            Self::Sum => F::one(),
            Self::Mean => F::from_usize(count),
            Self::WeightedMean => Compensated::of(targets.counted().map(|(example, _)| targets.weight(example))),
        };
        if divisor == F::zero() {
            return Err(BatchError::Parameter { name: "total weight", must: "positive" });
        }
        if !divisor.is_finite() {
            return Err(BatchError::Overflow { what: "total weight" });
        }
        coefficients.fill(F::zero());
        targets.counted().for_each(|(example, _)| coefficients[example] = targets.weight(example) / divisor);
        Ok(())
    }
}

/// Σ_b c_b·ℓ_b, summed in the order of the examples, with compensation.
pub(crate) fn objective<F: Real>(coefficients: &[F], values: &[F]) -> Result<F> {
    let objective = Compensated::of(coefficients.iter().zip(values).map(|(&c, &value)| c * value));
    if objective.is_finite() { Ok(objective) } else { Err(BatchError::Overflow { what: "objective" }) }
}
