//! Values, gradients and the objective of a batch whose labels are distributions over the classes.

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
///
/// **Errors.** A distribution that is none is found where its example is computed.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Reduction, Rows, SoftTargets, Threads, soft_objective};
/// let (scores, soft) = ([0.0_f64; 4], [0.9, 0.1, 0.5, 0.5]);
/// let targets = SoftTargets::new(Rows::new(&soft, 2)?).with_weights(&[3.0, 1.0])?;
/// let mean = soft_objective(&CrossEntropy, Rows::new(&scores, 2)?, &targets, Reduction::WeightedMean, Threads::ONE)?;
/// assert_eq!(mean, 2.0_f64.ln());
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SoftTargets<'a, F, S> {
    distributions: S,
    weights: Option<&'a [F]>,
    first_example: u64,
}

impl<'a, F: Real, S: Scores<F>> SoftTargets<'a, F, S> {
    /// Distributions over the classes, one an example, each with weight 1. They are checked where an example is computed.
    ///
    /// See [`SoftTargets`] for an example.
    #[must_use]
    pub const fn new(distributions: S) -> Self {
        Self { distributions, weights: None, first_example: 0 }
    }

    /// The same with a weight for every example, as [`Targets::with_weights`](crate::Targets::with_weights); an example of weight 0 is
    /// computed all
    /// the same.
    ///
    /// **Cost.** One pass over the weights. See [`SoftTargets`] for an example.
    ///
    /// # Errors
    /// A number of weights other than that of the examples, a weight that is negative, NaN or infinite.
    pub fn with_weights(self, weights: &'a [F]) -> Result<Self> {
        check_weights(weights, self.distributions.num_examples())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The same with the examples numbered from `first_example` on, as [`Targets::from_example`](crate::Targets::from_example):
    /// micro-batches draw
    /// what the whole batch would.
    ///
    /// ```
    /// use topk_loss::loss::ExpectedLoss;
    /// use topk_loss::{Key, Smoothing, TopKHinge};
    /// use topk_loss_batch::{Rows, SoftTargets, Threads, soft_values};
    /// let smoothing = Smoothing::Pathwise { epsilon: 1.0, num_samples: 4, key: Key::new(7) };
    /// let loss = ExpectedLoss::new(TopKHinge::new(1)?.with_smoothing(smoothing)?);
    /// const SCORES: [f64; 4] = [0.0, 1.0, 0.5, 0.25];
    /// const SOFT: [f64; 4] = [0.9, 0.1, 0.5, 0.5];
    /// let losses = |first: usize, count: usize| {
    ///     let rows = 2 * first..2 * (first + count);
    ///     let targets = SoftTargets::new(Rows::new(&SOFT[rows.clone()], 2)?).from_example(first as u64);
    ///     let mut losses = vec![0.0; count];
    ///     soft_values(&loss, Rows::new(&SCORES[rows], 2)?, &targets, &mut losses, Threads::ONE)?;
    ///     Ok::<_, topk_loss_batch::BatchError>(losses)
    /// };
    /// assert_eq!([losses(0, 1)?, losses(1, 1)?].concat(), losses(0, 2)?);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
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

/// The loss ℓ(s_b, η_b) of every example, as [`values`](crate::values) has that of labels; unweighted and not reduced.
///
/// **Shapes.** L [`Scores`], a distribution over L classes and one value an example.
///
/// **Errors, Ties and NaN, Cost.** As [`soft_values_and_grads`], without the gradients.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Rows, SoftTargets, Threads, soft_values};
/// let (scores, soft, mut losses) = ([0.0_f64; 4], [0.9, 0.1, 0.5, 0.5], [0.0; 2]);
/// soft_values(&CrossEntropy, Rows::new(&scores, 2)?, &SoftTargets::new(Rows::new(&soft, 2)?), &mut losses, Threads::ONE)?;
/// assert_eq!(losses, [2.0_f64.ln(); 2]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
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

/// The loss ℓ(s_b, η_b) of every example and its gradient with respect to the scores, as [`values_and_grads`](crate::values_and_grads) has
/// those
/// of labels; unweighted and not reduced.
///
/// **Shapes.** L [`Scores`] and [`Gradients`], a distribution over L classes and one value an example.
///
/// **Errors.** No example, no class, wrong lengths, distributions that are not shaped like the scores: the outputs are then as before. What
/// the
/// loss refuses in one example, NaN scores and a distribution that is none among it, leaves them unspecified.
///
/// **Ties and NaN.** The loss's.
///
/// **Cost.** The loss's for every example, by its own code; its scratch is allocated for every thread.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Rows, RowsMut, SoftTargets, Threads, soft_values_and_grads};
/// let (scores, soft, mut losses, mut grads) = ([0.0_f64; 2], [0.75, 0.25], [0.0], [0.0; 2]);
/// let (rows, targets, into) = (Rows::new(&scores, 2)?, SoftTargets::new(Rows::new(&soft, 2)?), RowsMut::new(&mut grads, 2)?);
/// soft_values_and_grads(&CrossEntropy, rows, &targets, &mut losses, into, Threads::ONE)?;
/// assert_eq!((losses, grads), ([2.0_f64.ln()], [-0.25, 0.25]));
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
///
/// # Errors
/// See above.
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

/// The objective Σ_b c_b·ℓ(s_b, η_b) of soft labels alone, as [`soft_objective_and_grads`] has it: for validation rows.
///
/// **Shapes, Errors, Ties and NaN, Cost.** As there, without the gradients. See [`SoftTargets`] for an example.
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
