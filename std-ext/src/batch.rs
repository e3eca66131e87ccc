//! Values, gradients and the objective of a batch of scores with a label an example: the functions that a training step calls.

use topk_loss::Real;

use crate::examples::{self, Examples, Worker};
use crate::kernel::{BatchLoss, Kernel};
use crate::scores::{Gradients, Scores};
use crate::{BatchError, Reduction, Result, Targets, Threads, check};

/// The loss ℓ(s_b, y_b) of every example, unweighted and not reduced; 0 where the label is ignored.
///
/// Example b is evaluated by `loss.fold_in(b)`, so that a stochastic loss draws other noise for each; [`Targets::from_example`] numbers
/// them otherwise.
///
/// **Shapes.** L [`Scores`], one label and one value an example.
///
/// **Errors.** No example, no class, wrong lengths, a label that is no class, and whatever the loss refuses in every example (k ≥ L,
/// margins that are not L): `values` is then as before. What the loss refuses in one example, NaN and infinite scores first of all,
/// leaves it unspecified, since scores are not read twice to find that out before. Of several such, the first example's is returned.
///
/// **Ties and NaN.** The loss's.
///
/// **Cost.** The loss's for every example; its scratch is allocated for every thread, and up to two rows of L numbers where the scores' or the
/// gradient's are not contiguous numbers of the same float. Where there are more threads than examples, several share an example of more than 65 536 classes, if
/// the loss is one that [has a kernel](BatchLoss::kernel) for that.
///
/// ```
/// use faer::{Par, mat};
/// use topk_loss::{Margins, Smoothing, TopKHinge};
/// use topk_loss_batch::{Targets, values};
/// let loss = TopKHinge::new(1)?;
/// let scores = mat![[0.5, 2.0, 9.0], [0.0, 1.0, 9.0], [0.25, 0.0, 9.0]];
/// let mut losses = [0.0; 3];
/// values(&loss, scores.as_ref(), &Targets::new(&[0, 2, 99]).ignoring(99), &mut losses, Par::Seq)?;
/// assert_eq!(losses, [0.75, 2.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See above.
pub fn values<F: Real>(
    loss: &(impl BatchLoss<F> + ?Sized),
    scores: impl Scores<F>,
    targets: &Targets<'_, F>,
    values: &mut [F],
    threads: impl Into<Threads>,
) -> Result<()> {
    check_inputs(&scores, targets)?;
    check::length("values", scores.num_examples(), values.len())?;
    examples::values(&Labelled { loss, targets }, &scores, values, threads.into())
}

/// The loss of every example, as [`values`], and its gradient with respect to the example's scores, both unweighted and not reduced.
///
/// **Shapes.** L [`Scores`] and [`Gradients`], one label and one value an example.
///
/// **Errors.** As [`values`], and gradients that are not shaped like the scores.
///
/// **Ties and NaN.** The loss's.
///
/// **Cost.** As [`values`].
///
/// ```
/// use faer::{Mat, Par, mat};
/// use topk_loss::{Margins, Smoothing, TopKHinge};
/// use topk_loss_batch::{Targets, values_and_grads};
/// let loss = TopKHinge::new(1)?;
/// let scores = mat![[0.5, 2.0], [0.0, 1.0], [0.25, 0.0]];
/// let (mut values, mut grads) = ([0.0; 2], Mat::zeros(3, 2));
/// values_and_grads(&loss, scores.as_ref(), &Targets::new(&[0, 2]), &mut values, grads.as_mut(), Par::Seq)?;
/// assert_eq!(values, [0.75, 2.0]);
/// assert_eq!(grads, mat![[-1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See above.
pub fn values_and_grads<F: Real>(
    loss: &(impl BatchLoss<F> + ?Sized),
    scores: impl Scores<F>,
    targets: &Targets<'_, F>,
    values: &mut [F],
    grads: impl Gradients<F>,
    threads: impl Into<Threads>,
) -> Result<()> {
    check_inputs(&scores, targets)?;
    check::length("values", scores.num_examples(), values.len())?;
    examples::check_shape(&scores, &grads)?;
    examples::values_and_grads(&Labelled { loss, targets }, &scores, |_| F::one(), values, grads, threads.into())
}

/// The objective Σ_b c_b·ℓ_b of a batch, c_b the [coefficients](Targets::coefficients) of the reduction, and its gradient with
/// respect to all scores: the one call of a training step.
///
/// **Shapes.** L [`Scores`] and [`Gradients`], one label an example.
///
/// **Errors.** As [`values_and_grads`] and [`Targets::coefficients`]; weights so large that the result is beyond the float's range.
///
/// **Ties and NaN.** The loss's.
///
/// **Cost.** As [`values_and_grads`], and two numbers an example are allocated.
///
/// ```
/// use faer::{Mat, Par, mat};
/// use topk_loss::{Margins, Smoothing, TopKHinge};
/// use topk_loss_batch::{Reduction, Targets, objective_and_grads};
/// let loss = TopKHinge::new(1)?;
/// let scores = mat![[0.5, 2.0], [0.0, 1.0], [0.25, 0.0]];
/// let targets = Targets::new(&[0, 2]).with_weights(&[1.0, 3.0])?;
/// let mut grads = Mat::zeros(3, 2);
/// let objective = objective_and_grads(&loss, scores.as_ref(), &targets, Reduction::WeightedMean, grads.as_mut(), Par::Seq)?;
/// assert_eq!(objective, 0.25 * 0.75 + 0.75 * 2.0);
/// assert_eq!(grads, mat![[-0.25, 0.0], [0.0, 0.75], [0.25, -0.75]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See above.
pub fn objective_and_grads<F: Real>(
    loss: &(impl BatchLoss<F> + ?Sized),
    scores: impl Scores<F>,
    targets: &Targets<'_, F>,
    reduction: Reduction,
    grads: impl Gradients<F>,
    threads: impl Into<Threads>,
) -> Result<F> {
    check_inputs(&scores, targets)?;
    examples::check_shape(&scores, &grads)?;
    let coefficients = coefficients(loss, targets, reduction)?;
    examples::objective_and_grads(&Labelled { loss, targets }, &scores, &coefficients, grads, threads.into())
}

/// The objective of a batch alone, as [`objective_and_grads`] has it: for validation rows.
///
/// **Shapes, Errors, Ties and NaN, Cost.** As there, without the gradients.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss_batch::{Reduction, Rows, Targets, Threads, objective};
/// let scores = Rows::new(&[0.5, 0.0, 0.25, 2.0, 1.0, 0.0], 3)?;
/// let objective = objective(&TopKHinge::new(1)?, scores, &Targets::new(&[0_u8, 2]), Reduction::Mean, Threads::ONE)?;
/// assert_eq!(objective, 1.375); // the mean of 0.75 and 2
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
///
/// # Errors
/// See above.
pub fn objective<F: Real>(
    loss: &(impl BatchLoss<F> + ?Sized),
    scores: impl Scores<F>,
    targets: &Targets<'_, F>,
    reduction: Reduction,
    threads: impl Into<Threads>,
) -> Result<F> {
    check_inputs(&scores, targets)?;
    let coefficients = coefficients(loss, targets, reduction)?;
    examples::objective(&Labelled { loss, targets }, &scores, &coefficients, threads.into())
}

fn check_inputs<F: Real>(scores: &impl Scores<F>, targets: &Targets<'_, F>) -> Result<()> {
    examples::check_not_empty(scores)?;
    let (num_classes, num_examples, num_labels) = (scores.num_classes(), scores.num_examples(), targets.labels().len());
    if num_labels != num_examples && num_labels == num_classes {
        return Err(BatchError::Transposed { num_classes, num_examples });
    }
    check::labels(targets, num_classes, num_examples)
}

/// The coefficients c_b of the losses ℓ_b in an objective, for whoever sums what [`values_and_grads`] returns himself: an automatic
/// differentiation, of which the losses of the examples are a node.
///
/// As [`Targets::coefficients`], and the loss's own [weights](BatchLoss::label_weight) count in a weighted mean's divisor.
///
/// **Shapes.** One coefficient an example, in a new `Vec`.
///
/// **Cost.** One pass over the labels and weights.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss::loss::ClassWeighted;
/// use topk_loss_batch::{Reduction, Targets, coefficients};
/// let loss = ClassWeighted::new(CrossEntropy, [3.0, 1.0])?;
/// assert_eq!(coefficients(&loss, &Targets::new(&[0, 1]), Reduction::WeightedMean)?, [0.25, 0.25]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
///
/// # Errors
/// As there.
pub fn coefficients<F: Real>(loss: &(impl BatchLoss<F> + ?Sized), targets: &Targets<'_, F>, reduction: Reduction) -> Result<Vec<F>> {
    let mut coefficients = vec![F::zero(); targets.labels().len()];
    targets.coefficients_of(reduction, |label| loss.label_weight(label), &mut coefficients)?;
    Ok(coefficients)
}

/// A loss and the labels of its examples.
struct Labelled<'a, L: ?Sized, F> {
    loss: &'a L,
    targets: &'a Targets<'a, F>,
}

impl<L: BatchLoss<F> + ?Sized, F: Real> Examples<F> for Labelled<'_, L, F> {
    fn counts(&self, example: usize) -> bool {
        self.targets.label(example).is_some()
    }

    fn worker(&self, num_classes: usize, within: Threads) -> impl Worker<F> {
        (self.loss.kernel(num_classes, within), self.targets)
    }
}

/// By the kernel, the label of an example and its number.
impl<F: Real> Worker<F> for (Box<dyn Kernel<F> + '_>, &Targets<'_, F>) {
    fn value(&mut self, example: usize, scores: &[F]) -> topk_loss::Result<F> {
        let (kernel, targets) = self;
        kernel.value(targets.number(example), scores, targets.label(example).unwrap_or(usize::MAX))
    }

    fn value_and_grad(&mut self, example: usize, scores: &[F], weight: F, grad: &mut [F]) -> topk_loss::Result<F> {
        let (kernel, targets) = self;
        kernel.value_and_grad(targets.number(example), scores, targets.label(example).unwrap_or(usize::MAX), weight, grad)
    }
}
