//! What the examples of a batch are compared with: a label each, weights, a label that is ignored.

use topk_loss::Error;
use topk_loss::Real;

use crate::labels::{Integer, Labels};
use crate::{BatchError, Result};

/// A label for every example, and optionally a weight for every example and a label that is ignored.
///
/// An example with the ignored label has value 0 and gradient 0, does not count in a mean, and neither its scores nor its features are
/// read. Any number may be the ignored label, a class or not.
///
/// **Shapes.** One label, and one weight, an example.
///
/// ```
/// use topk_loss_batch::{Reduction, Targets};
/// let targets = Targets::new(&[2_i64, 0, -100]).with_weights(&[1.0, 3.0, 1.0])?.ignoring(-100);
/// let mut coefficients = [0.0; 3];
/// targets.coefficients(Reduction::WeightedMean, &mut coefficients)?;
/// assert_eq!(coefficients, [0.25, 0.75, 0.0]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Targets<'a, F> {
    labels: Labels<'a>,
    weights: Option<&'a [F]>,
    ignored: Option<i128>,
    first_example: u64,
}

impl<'a, F: Real> Targets<'a, F> {
    /// The labels of a batch, all counted, each with weight 1.
    ///
    /// ```
    /// use topk_loss_batch::Targets;
    /// assert_eq!(Targets::<f32>::new(&[2_u8, 0]).labels().get(0), Some(2));
    /// ```
    #[must_use]
    pub fn new(labels: impl Into<Labels<'a>>) -> Self {
        Self { labels: labels.into(), weights: None, ignored: None, first_example: 0 }
    }

    /// The same with a weight for every example, which multiplies its loss in a [`Reduction`](crate::Reduction).
    ///
    /// **Cost.** One pass over the weights.
    ///
    /// ```
    /// use topk_loss_batch::{BatchError, Reduction, Targets};
    /// let targets = Targets::new(&[0, 1]).with_weights(&[1.0, 3.0])?;
    /// let mut coefficients = [0.0; 2];
    /// targets.coefficients(Reduction::WeightedMean, &mut coefficients)?;
    /// assert_eq!(coefficients, [0.25, 0.75]);
    /// assert!(matches!(Targets::new(&[0, 1]).with_weights(&[1.0, -3.0]), Err(BatchError::Example { example: 1, .. })));
    /// # Ok::<(), BatchError>(())
    /// ```
    ///
    /// # Errors
    /// A number of weights other than that of the labels, a weight that is negative, NaN or infinite.
    pub fn with_weights(self, weights: &'a [F]) -> Result<Self> {
        check_weights(weights, self.labels.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The same with a label that marks padding: its examples have value 0 and gradient 0, and are not read.
    ///
    /// ```
    /// use topk_loss_batch::{Reduction, Targets};
    /// let (targets, mut coefficients) = (Targets::new(&[2_i64, -100]).ignoring(-100), [9.0; 2]);
    /// targets.coefficients(Reduction::Mean, &mut coefficients)?;
    /// assert_eq!(coefficients, [1.0, 0.0]);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub fn ignoring(self, label: impl Integer) -> Self {
        Self { ignored: Some(label.value()), ..self }
    }

    /// The same with the examples numbered from `first_example` on, where each has its own draws: [`fold_in`](topk_loss::FoldIn) is told
    /// the number. Micro-batches, and workers that share a key, number theirs one after the other, and draw what the whole batch would.
    ///
    /// Numbers go on from 0 after the largest. Errors count the examples of the call from 0, whatever their numbers.
    ///
    /// Gradients accumulated over micro-batches, each of a share c of the whole batch's examples:
    ///
    /// ```
    /// use faer::{Mat, Par, Scale, mat};
    /// use topk_loss::{Key, Margins, Smoothing, TopKHinge};
    /// use topk_loss_batch::{HeadGrads, LinearHead, Reduction, Similarity, Targets};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], None, Similarity::Inner)?;
    /// let smoothing = Smoothing::Pathwise { epsilon: 1.0, num_samples: 4, key: Key::new(7) };
    /// let loss = TopKHinge::new(1)?.with_smoothing(smoothing)?;
    /// let (features, labels) = (mat![[1.0, 0.0, -1.0, 0.5], [0.0, 2.0, 1.0, 0.5]], [0, 1, 2, 0]);
    ///
    /// let step = |first: usize, count: usize| {
    ///     let targets = Targets::new(&labels[first..first + count]).from_example(first as u64);
    ///     let mut weights = Mat::zeros(2, 3);
    ///     let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: None };
    ///     let features = features.subcols(first, count);
    ///     head.objective_and_grads(&loss, features, &targets, Reduction::Mean, grads, Par::Seq).map(|objective| (objective, weights))
    /// };
    /// let (mut objective, mut weights) = (0.0, Mat::zeros(2, 3));
    /// for first in [0, 2] {
    ///     let (part, part_weights) = step(first, 2)?;
    ///     objective += 0.5 * part;
    ///     weights += Scale(0.5) * part_weights;
    /// }
    /// assert_eq!((objective, weights), step(0, 4)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn from_example(self, first_example: u64) -> Self {
        Self { first_example, ..self }
    }

    /// The labels, ignored ones included.
    ///
    /// ```
    /// use topk_loss_batch::Targets;
    /// assert_eq!(Targets::<f32>::new(&[2_i64, -100]).ignoring(-100).labels().len(), 2);
    /// ```
    #[must_use]
    pub const fn labels(&self) -> Labels<'a> {
        self.labels
    }

    /// The label of an example that is not ignored; one that no class has is larger than all.
    pub(crate) fn label(&self, example: usize) -> Option<usize> {
        let label = self.labels.get(example).filter(|&label| Some(label) != self.ignored)?;
        Some(usize::try_from(label).unwrap_or(usize::MAX))
    }

    /// Whether an example has a label below 0 that is not ignored.
    pub(crate) fn is_negative(&self, example: usize) -> bool {
        self.labels.get(example).is_some_and(|label| label < 0 && Some(label) != self.ignored)
    }

    /// What is folded into the key of an example.
    pub(crate) const fn number(&self, example: usize) -> u64 {
        self.first_example.wrapping_add(example as u64)
    }

    pub(crate) fn weight(&self, example: usize) -> F {
        self.weights.map_or(F::one(), |weights| weights[example])
    }

    /// The examples that are not ignored, each with its label.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.labels.len()).filter_map(|example| Some((example, self.label(example)?)))
    }
}

/// One weight an example, finite and at least 0.
pub(crate) fn check_weights<F: Real>(weights: &[F], num_examples: usize) -> Result<()> {
    crate::check::length("weights", num_examples, weights.len())?;
    match weights.iter().position(|w| !(w.is_finite() && *w >= F::zero())) {
        None => Ok(()),
        Some(example) => Err(BatchError::Example { example, error: Error::Parameter { name: "weight", must: "finite and at least 0" } }),
    }
}
