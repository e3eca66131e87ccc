//! The losses of a batch, one key per example.

use topk_loss::Real;

use crate::kernel::{BatchLoss, Kernel};
use crate::parallel::try_for_each;
use crate::scores::{Gradients, Scores, blocks};
use crate::{BatchError, Reduction, Result, Targets, Threads, check, reduction};

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
    let (scores, threads) = (&scores, threads.into());
    check_inputs(scores, targets)?;
    check::length("values", scores.num_examples(), values.len())?;
    let (size, within) = shares(scores, threads);
    let mut blocks: Vec<_> = values.chunks_mut(size).zip((0..).step_by(size)).collect();
    try_for_each(&mut blocks, threads, |(values, first)| {
        let mut evaluator = Evaluator::new(loss, scores, targets, within);
        for (value, example) in values.iter_mut().zip(*first..) {
            if let Some(label) = targets.label(example) {
                *value = evaluator.value(example, label)?;
            }
        }
        Ok::<_, BatchError>(())
    })?;
    targets.ignored().for_each(|example| values[example] = F::zero());
    Ok(())
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
    check_shape(&scores, &grads)?;
    write_values_and_grads(loss, &scores, targets, |_| F::one(), values, grads, threads.into())
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
    check_shape(&scores, &grads)?;
    let mut coefficients = vec![F::zero(); scores.num_examples()];
    targets.coefficients(reduction, &mut coefficients)?;
    let mut values = coefficients.clone();
    write_values_and_grads(loss, &scores, targets, |example| coefficients[example], &mut values, grads, threads.into())?;
    reduction::objective(&coefficients, &values)
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
    let mut coefficients = vec![F::zero(); scores.num_examples()];
    targets.coefficients(reduction, &mut coefficients)?;
    let mut losses = coefficients.clone();
    values(loss, &scores, targets, &mut losses, threads)?;
    reduction::objective(&coefficients, &losses)
}

fn check_inputs<F: Real>(scores: &impl Scores<F>, targets: &Targets<'_, F>) -> Result<()> {
    check::not_empty("example", scores.num_examples())?;
    check::not_empty("class", scores.num_classes())?;
    check::labels(targets, scores.num_classes(), scores.num_examples())
}

fn check_shape<F: Real>(scores: &impl Scores<F>, grads: &impl Gradients<F>) -> Result<()> {
    let (expected, actual) = ((scores.num_classes(), scores.num_examples()), (grads.num_classes(), grads.num_examples()));
    check::shape("gradients", expected, actual)
}

/// How many examples a thread takes: all, when there is too little work to share. And who shares a row, when there are more threads than
/// rows.
fn shares<F>(scores: &impl Scores<F>, threads: Threads) -> (usize, Threads) {
    const SCORES_WORTH_A_THREAD: usize = 1024;
    let (num_classes, batch) = (scores.num_classes(), scores.num_examples());
    let worthwhile = (num_classes.saturating_mul(batch) / SCORES_WORTH_A_THREAD).max(1);
    let threads = threads.count().min(worthwhile);
    let size = batch.div_ceil(threads);
    (size, Threads::new(threads / batch.div_ceil(size)))
}

/// Values, and gradients times their example's coefficient.
///
/// Ignored examples come last, so that an error that every other example has leaves all outputs as they were.
fn write_values_and_grads<F: Real>(
    loss: &(impl BatchLoss<F> + ?Sized),
    scores: &impl Scores<F>,
    targets: &Targets<'_, F>,
    coefficient: impl Fn(usize) -> F + Sync,
    values: &mut [F],
    grads: impl Gradients<F>,
    threads: Threads,
) -> Result<()> {
    let (size, within) = shares(scores, threads);
    let outputs = values.chunks_mut(size).zip(blocks(grads, size));
    let mut blocks: Vec<_> = outputs.zip((0..).step_by(size)).collect();
    try_for_each(&mut blocks, threads, |((values, grads), first)| {
        let mut evaluator = Evaluator::new(loss, scores, targets, within);
        for ((place, value), example) in values.iter_mut().enumerate().zip(*first..) {
            if let Some(label) = targets.label(example) {
                *value = evaluator.value_and_grad(example, label, coefficient(example), place, grads)?;
            }
        }
        Ok::<_, BatchError>(())
    })?;
    let mut room = vec![];
    for ((values, grads), first) in &mut blocks {
        for ((place, value), example) in values.iter_mut().enumerate().zip(*first..) {
            if targets.label(example).is_none() {
                *value = F::zero();
                let cleared = grads.write(place, &mut room, |grad| {
                    grad.fill(F::zero());
                    Ok(())
                });
                cleared.map_err(|error| BatchError::Example { example, error })?;
            }
        }
    }
    Ok(())
}

/// One thread's kernel, with room to copy what is no slice of this float.
struct Evaluator<'a, F, S> {
    kernel: Box<dyn Kernel<F> + 'a>,
    scores: &'a S,
    targets: &'a Targets<'a, F>,
    row: Vec<F>,
    grad: Vec<F>,
}

impl<'a, F: Real, S: Scores<F>> Evaluator<'a, F, S> {
    fn new(loss: &'a (impl BatchLoss<F> + ?Sized), scores: &'a S, targets: &'a Targets<'a, F>, within: Threads) -> Self {
        Self { kernel: loss.kernel(scores.num_classes(), within), scores, targets, row: vec![], grad: vec![] }
    }

    fn value(&mut self, example: usize, label: usize) -> Result<F> {
        let scores = self.scores.example(example, &mut self.row);
        let value = self.kernel.value(self.targets.number(example), scores, label);
        value.map_err(|error| BatchError::Example { example, error })
    }

    /// The gradient goes to the `place`-th example of a block.
    fn value_and_grad(&mut self, example: usize, label: usize, coefficient: F, place: usize, grads: &mut impl Gradients<F>) -> Result<F> {
        let (number, scores) = (self.targets.number(example), self.scores.example(example, &mut self.row));
        let evaluate = |grad: &mut [F]| self.kernel.value_and_grad(number, scores, label, coefficient, grad);
        grads.write(place, &mut self.grad, evaluate).map_err(|error| BatchError::Example { example, error })
    }
}
