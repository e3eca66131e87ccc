//! The losses of a batch: one example per column, one key per example.

use faer::prelude::*;
use faer::{ColRef, Par};
use topk_loss::Real;

use crate::kernel::{BatchLoss, Kernel};
use crate::parallel::{column_blocks, try_for_each};
use crate::{BatchError, Reduction, Result, Targets, check, reduction};

/// The loss ℓ(s_b, y_b) of every example, unweighted and not reduced; 0 where the label is ignored.
///
/// Example b is evaluated by `loss.fold_in(b)`, so that a stochastic loss draws other noise for each; [`Targets::from_example`] numbers
/// them otherwise.
///
/// **Shapes.** `scores` num_classes × batch, one label and one value an example.
///
/// **Errors.** No example, no class, wrong lengths, a label that is no class, and whatever the loss refuses in every example (k ≥ L,
/// margins that are not L): `values` is then as before. What the loss refuses in one example, NaN and infinite scores first of all,
/// leaves it unspecified, since scores are not read twice to find that out before. Of several such, the first example's is returned.
///
/// **Ties and NaN.** The loss's.
///
/// **Cost.** The loss's for every example; its scratch is allocated for every thread, and up to two columns where the scores' or the
/// gradient's are not contiguous. Where there are more threads than examples, several share an example of more than 65 536 classes, if
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
pub fn values<F, L>(loss: &L, scores: MatRef<'_, F>, targets: &Targets<'_, F>, values: &mut [F], par: Par) -> Result<()>
where
    F: Real,
    L: BatchLoss<F> + ?Sized,
{
    check_inputs(scores, targets)?;
    check::length("values", scores.ncols(), values.len())?;
    let (size, within) = shares(scores, par);
    let mut blocks: Vec<_> = values.chunks_mut(size).zip((0..).step_by(size)).collect();
    try_for_each(&mut blocks, par, |(values, first)| {
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
/// **Shapes.** `scores` and `grads` num_classes × batch, one label and one value an example.
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
pub fn values_and_grads<F, L>(
    loss: &L,
    scores: MatRef<'_, F>,
    targets: &Targets<'_, F>,
    values: &mut [F],
    grads: MatMut<'_, F>,
    par: Par,
) -> Result<()>
where
    F: Real,
    L: BatchLoss<F> + ?Sized,
{
    check_inputs(scores, targets)?;
    check::length("values", scores.ncols(), values.len())?;
    check::shape("gradients", scores.shape(), grads.shape())?;
    write_values_and_grads(loss, scores, targets, |_| F::one(), values, grads, par)
}

/// The objective Σ_b c_b·ℓ_b of a batch, c_b the [coefficients](Targets::coefficients) of the reduction, and its gradient with
/// respect to all scores: the one call of a training step.
///
/// **Shapes.** `scores` and `grads` num_classes × batch, one label an example.
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
pub fn objective_and_grads<F, L>(
    loss: &L,
    scores: MatRef<'_, F>,
    targets: &Targets<'_, F>,
    reduction: Reduction,
    grads: MatMut<'_, F>,
    par: Par,
) -> Result<F>
where
    F: Real,
    L: BatchLoss<F> + ?Sized,
{
    check_inputs(scores, targets)?;
    check::shape("gradients", scores.shape(), grads.shape())?;
    let mut coefficients = vec![F::zero(); scores.ncols()];
    targets.coefficients(reduction, &mut coefficients)?;
    let mut values = vec![F::zero(); scores.ncols()];
    write_values_and_grads(loss, scores, targets, |example| coefficients[example], &mut values, grads, par)?;
    reduction::objective(&coefficients, &values)
}

fn check_inputs<F: Real>(scores: MatRef<'_, F>, targets: &Targets<'_, F>) -> Result<()> {
    let (num_classes, batch) = scores.shape();
    check::not_empty("example", batch)?;
    check::not_empty("class", num_classes)?;
    check::labels(targets, num_classes, batch)
}

/// How many examples a thread takes: all, when there is too little work to share. And who shares a row, when there are more threads than
/// rows.
fn shares<F>(scores: MatRef<'_, F>, par: Par) -> (usize, Par) {
    const SCORES_WORTH_A_THREAD: usize = 1024;
    let (num_classes, batch) = scores.shape();
    let worthwhile = (num_classes * batch / SCORES_WORTH_A_THREAD).max(1);
    let threads = par.degree().min(worthwhile);
    let size = batch.div_ceil(threads);
    match threads / batch.div_ceil(size) {
        0 | 1 => (size, Par::Seq),
        several => (size, Par::rayon(several)),
    }
}

/// Values, and gradients times their example's coefficient.
///
/// Ignored examples come last, so that an error that every other example has leaves all outputs as they were.
fn write_values_and_grads<F, L>(
    loss: &L,
    scores: MatRef<'_, F>,
    targets: &Targets<'_, F>,
    coefficient: impl Fn(usize) -> F + Sync,
    values: &mut [F],
    mut grads: MatMut<'_, F>,
    par: Par,
) -> Result<()>
where
    F: Real,
    L: BatchLoss<F> + ?Sized,
{
    let (size, within) = shares(scores, par);
    let outputs = values.chunks_mut(size).zip(column_blocks(grads.rb_mut(), size));
    let mut blocks: Vec<_> = outputs.zip((0..).step_by(size)).collect();
    try_for_each(&mut blocks, par, |((values, grads), first)| {
        let mut evaluator = Evaluator::new(loss, scores, targets, within);
        for ((value, grad), example) in values.iter_mut().zip(grads.rb_mut().col_iter_mut()).zip(*first..) {
            if let Some(label) = targets.label(example) {
                *value = evaluator.value_and_grad(example, label, coefficient(example), grad)?;
            }
        }
        Ok::<_, BatchError>(())
    })?;
    for example in targets.ignored() {
        values[example] = F::zero();
        grads.rb_mut().col_mut(example).iter_mut().for_each(|entry| *entry = F::zero());
    }
    Ok(())
}

/// One thread's kernel, with room to copy a column whose entries are not contiguous.
struct Evaluator<'a, F> {
    kernel: Box<dyn Kernel<F> + 'a>,
    scores: MatRef<'a, F>,
    targets: &'a Targets<'a, F>,
    column: Vec<F>,
    grad: Vec<F>,
}

impl<'a, F: Real> Evaluator<'a, F> {
    fn new(loss: &'a (impl BatchLoss<F> + ?Sized), scores: MatRef<'a, F>, targets: &'a Targets<'a, F>, within: Par) -> Self {
        Self { kernel: loss.kernel(scores.nrows(), within), scores, targets, column: vec![], grad: vec![] }
    }

    fn value(&mut self, example: usize, label: usize) -> Result<F> {
        let scores = contiguous(self.scores.col(example), &mut self.column);
        let value = self.kernel.value(self.targets.number(example), scores, label);
        value.map_err(|error| BatchError::Example { example, error })
    }

    fn value_and_grad(&mut self, example: usize, label: usize, coefficient: F, mut out: ColMut<'_, F>) -> Result<F> {
        let (number, scores) = (self.targets.number(example), contiguous(self.scores.col(example), &mut self.column));
        let mut evaluate = |grad: &mut [F]| self.kernel.value_and_grad(number, scores, label, coefficient, grad);
        let value = match out.rb_mut().try_as_col_major_mut() {
            Some(grad) => evaluate(grad.as_slice_mut()),
            None => {
                self.grad.resize(scores.len(), F::zero());
                evaluate(&mut self.grad).inspect(|_| out.iter_mut().zip(&self.grad).for_each(|(place, &entry)| *place = entry))
            }
        };
        value.map_err(|error| BatchError::Example { example, error })
    }
}

/// The column as a slice: its own memory, or a copy.
fn contiguous<'a, F: Copy>(column: ColRef<'a, F>, copy: &'a mut Vec<F>) -> &'a [F] {
    match column.try_as_col_major() {
        Some(column) => column.as_slice(),
        None => {
            copy.clear();
            copy.extend(column.iter());
            copy
        }
    }
}
