//! The losses of a batch whose labels are distributions over the classes.

use topk_loss::loss::SoftLabelLoss;
use topk_loss::{Error, FoldIn, Real};

use crate::examples::{self, Examples, Worker};
use crate::kernel::scalar::multiply;
use crate::scores::{Gradients, Scores};
use crate::targets::check_weights;
use crate::{Reduction, Result, Threads, check, reduction};

/// A distribution over the classes for every example: label smoothing, mixtures of two examples, several annotators, a teacher's
/// probabilities; and optionally a weight for each.
///
/// **Shapes.** The distributions are shaped like the scores, and kept in [whatever memory](Scores) they are.
#[derive(Debug, Clone, Copy)]
pub struct SoftTargets<'a, F, S> {
    distributions: S,
    weights: Option<&'a [F]>,
    first_example: u64,
}

impl<'a, F: Real, S: Scores<F>> SoftTargets<'a, F, S> {
    /// Distributions, each with weight 1. They are checked where an example is computed.
    #[must_use]
    pub const fn new(distributions: S) -> Self {
        Self { distributions, weights: None, first_example: 0 }
    }

    /// As [`Targets::with_weights`](crate::Targets::with_weights); an example of weight 0 is computed all the same.
    ///
    /// # Errors
    /// As there.
    pub fn with_weights(self, weights: &'a [F]) -> Result<Self> {
        check_weights(weights, self.distributions.num_examples())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// As [`Targets::from_example`](crate::Targets::from_example).
    #[must_use]
    pub fn from_example(self, first_example: u64) -> Self {
        Self { first_example, ..self }
    }

    fn coefficients(&self, reduction: Reduction) -> Result<Vec<F>> {
        let weights = self.weights.map_or_else(|| vec![F::one(); self.distributions.num_examples()], <[F]>::to_vec);
        let divisor = reduction::divisor(reduction, weights.len(), weights.iter().copied())?;
        Ok(weights.into_iter().map(|weight| weight / divisor).collect())
    }
}

/// The loss ℓ(s_b, η_b) of every example, as [`values`](crate::values) has that of labels.
///
/// # Errors
/// As [`soft_values_and_grads`].
pub fn soft_values<F: Real, L: SoftLabelLoss<F> + FoldIn + Sync>(
    loss: &L,
    scores: impl Scores<F>,
    targets: &SoftTargets<'_, F, impl Scores<F>>,
    values: &mut [F],
    threads: impl Into<Threads>,
) -> Result<()> {
    check_inputs(&scores, targets)?;
    check::length("values", scores.num_examples(), values.len())?;
    examples::values(&SoftLabelled { loss, targets }, &scores, values, threads.into())
}

/// The same and the gradients, unweighted and not reduced, as [`values_and_grads`](crate::values_and_grads) has those of labels.
///
/// # Errors
/// As there, and distributions that are not shaped like the scores, or one that is none.
pub fn soft_values_and_grads<F: Real, L: SoftLabelLoss<F> + FoldIn + Sync>(
    loss: &L,
    scores: impl Scores<F>,
    targets: &SoftTargets<'_, F, impl Scores<F>>,
    values: &mut [F],
    grads: impl Gradients<F>,
    threads: impl Into<Threads>,
) -> Result<()> {
    check_inputs(&scores, targets)?;
    check::length("values", scores.num_examples(), values.len())?;
    examples::check_shape(&scores, &grads)?;
    examples::values_and_grads(&SoftLabelled { loss, targets }, &scores, |_| F::one(), values, grads, threads.into())
}

/// The objective Σ_b c_b·ℓ(s_b, η_b) of soft labels η, as [`objective_and_grads`](crate::objective_and_grads) has that of labels, and its
/// gradient with respect to all scores.
///
/// **Shapes, Ties and NaN, Cost.** As there, by the loss's own code.
///
/// **Errors.** As there, and distributions that are not shaped like the scores, or one that is none.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Reduction, Rows, RowsMut, SoftTargets, Threads, soft_objective_and_grads};
/// // A label smoothed by a fifth, and one that two annotators disagree on.
/// let (scores, soft, mut grads) = ([0.0_f64; 4], [0.9, 0.1, 0.5, 0.5], [0.0; 4]);
/// let targets = SoftTargets::new(Rows::new(&soft, 2)?);
/// let (rows, into) = (Rows::new(&scores, 2)?, RowsMut::new(&mut grads, 2)?);
/// let objective = soft_objective_and_grads(&CrossEntropy, rows, &targets, Reduction::Mean, into, Threads::ONE)?;
/// assert_eq!((objective, grads), (2.0_f64.ln(), [-0.2, 0.2, 0.0, 0.0]));
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
///
/// # Errors
/// See above.
pub fn soft_objective_and_grads<F: Real, L: SoftLabelLoss<F> + FoldIn + Sync>(
    loss: &L,
    scores: impl Scores<F>,
    targets: &SoftTargets<'_, F, impl Scores<F>>,
    reduction: Reduction,
    grads: impl Gradients<F>,
    threads: impl Into<Threads>,
) -> Result<F> {
    check_inputs(&scores, targets)?;
    examples::check_shape(&scores, &grads)?;
    let coefficients = targets.coefficients(reduction)?;
    examples::objective_and_grads(&SoftLabelled { loss, targets }, &scores, &coefficients, grads, threads.into())
}

/// The objective of soft labels alone, as [`soft_objective_and_grads`] has it.
///
/// # Errors
/// As there.
pub fn soft_objective<F: Real, L: SoftLabelLoss<F> + FoldIn + Sync>(
    loss: &L,
    scores: impl Scores<F>,
    targets: &SoftTargets<'_, F, impl Scores<F>>,
    reduction: Reduction,
    threads: impl Into<Threads>,
) -> Result<F> {
    check_inputs(&scores, targets)?;
    let coefficients = targets.coefficients(reduction)?;
    examples::objective(&SoftLabelled { loss, targets }, &scores, &coefficients, threads.into())
}

fn check_inputs<F: Real>(scores: &impl Scores<F>, targets: &SoftTargets<'_, F, impl Scores<F>>) -> Result<()> {
    examples::check_not_empty(scores)?;
    let (expected, soft) = ((scores.num_classes(), scores.num_examples()), &targets.distributions);
    check::shape("distributions", expected, (soft.num_classes(), soft.num_examples()))
}

/// A loss and the distributions of its examples.
struct SoftLabelled<'a, L, F, S> {
    loss: &'a L,
    targets: &'a SoftTargets<'a, F, S>,
}

impl<L: SoftLabelLoss<F> + FoldIn + Sync, F: Real, S: Scores<F>> Examples<F> for SoftLabelled<'_, L, F, S> {
    fn counts(&self, _: usize) -> bool {
        true
    }

    fn worker(&self, num_classes: usize, _: Threads) -> impl Worker<F> {
        SoftWorker { of: self, scratch: vec![F::zero(); self.loss.soft_scratch_len(num_classes)], room: vec![] }
    }
}

/// By the loss's own code.
struct SoftWorker<'a, L, F, S> {
    of: &'a SoftLabelled<'a, L, F, S>,
    scratch: Vec<F>,
    /// For a distribution that is no slice of this float.
    room: Vec<F>,
}

impl<L: SoftLabelLoss<F> + FoldIn, F: Real, S: Scores<F>> Worker<F> for SoftWorker<'_, L, F, S> {
    fn value(&mut self, example: usize, scores: &[F]) -> topk_loss::Result<F> {
        let SoftLabelled { loss, targets } = self.of;
        let target = targets.distributions.example(example, &mut self.room);
        loss.fold_in(targets.first_example.wrapping_add(example as u64)).soft_value(scores, target, &mut self.scratch)
    }

    fn value_and_grad(&mut self, example: usize, scores: &[F], weight: F, grad: &mut [F]) -> topk_loss::Result<F> {
        let SoftLabelled { loss, targets } = self.of;
        let target = targets.distributions.example(example, &mut self.room);
        let loss = loss.fold_in(targets.first_example.wrapping_add(example as u64));
        let value = loss.soft_value_and_grad(scores, target, grad, &mut self.scratch)?;
        multiply(grad, weight).then_some(value).ok_or(Error::Overflow { what: "gradient" })
    }
}
