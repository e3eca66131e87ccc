//! What the examples of a batch are compared with.

use topk_loss::Error;
use topk_loss::Real;

use crate::{BatchError, Result};

/// A label for every example, and optionally a weight for every example and a label that is ignored.
///
/// An example with the ignored label has value 0 and gradient 0, does not count in a mean, and its scores are not read. Any number
/// may be the ignored label, a class or not.
///
/// **Shapes.** One label, and one weight, an example.
///
/// ```
/// use topk_loss_batch::{Reduction, Targets};
/// const PADDING: usize = usize::MAX;
/// let targets = Targets::new(&[2, 0, PADDING]).with_weights(&[1.0, 3.0, 1.0])?.ignoring(PADDING);
/// let mut coefficients = [0.0; 3];
/// Reduction::WeightedMean.coefficients(&targets, &mut coefficients)?;
/// assert_eq!(coefficients, [0.25, 0.75, 0.0]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Targets<'a, F> {
    labels: &'a [usize],
    weights: Option<&'a [F]>,
    ignored: Option<usize>,
}

impl<'a, F: Real> Targets<'a, F> {
    /// Labels, all counted, each with weight 1.
    #[must_use]
    pub const fn new(labels: &'a [usize]) -> Self {
        Self { labels, weights: None, ignored: None }
    }

    /// The same with a weight for every example, which multiplies its loss in a [`Reduction`](crate::Reduction).
    ///
    /// # Errors
    /// A number of weights other than that of the labels, a weight that is negative, NaN or infinite.
    pub fn with_weights(self, weights: &'a [F]) -> Result<Self> {
        crate::check::length("weights", self.labels.len(), weights.len())?;
        if let Some(example) = weights.iter().position(|w| !(w.is_finite() && *w >= F::zero())) {
            let error = Error::Parameter { name: "weight", must: "finite and at least 0" };
            return Err(BatchError::Example { example, error });
        }
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The same with `label` ignored.
    #[must_use]
    pub const fn ignoring(self, label: usize) -> Self {
        Self { ignored: Some(label), ..self }
    }

    /// The labels, ignored ones included.
    #[must_use]
    pub const fn labels(&self) -> &'a [usize] {
        self.labels
    }

    /// The label of an example that is not ignored.
    pub(crate) fn label(&self, example: usize) -> Option<usize> {
        Some(self.labels[example]).filter(|&label| Some(label) != self.ignored)
    }

    pub(crate) fn weight(&self, example: usize) -> F {
        self.weights.map_or(F::one(), |weights| weights[example])
    }

    /// The examples that are not ignored, each with its label.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.labels.len()).filter_map(|example| Some((example, self.label(example)?)))
    }

    /// The examples that are.
    pub(crate) fn ignored(&self) -> impl Iterator<Item = usize> {
        (0..self.labels.len()).filter(|&example| self.label(example).is_none())
    }
}
