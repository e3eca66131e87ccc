//! Runs the examples of a batch one after the other, on one thread or several, and collects losses and gradients.

use topk_loss::Real;

use crate::parallel::try_for_each;
use crate::scores::{Gradients, Scores, blocks};
use crate::{BatchError, Result, Threads, check, reduction};

/// What the examples of a batch are compared with, and who computes them.
pub(crate) trait Examples<F>: Sync {
    /// Whether an example is computed; one that is not is 0.
    fn counts(&self, example: usize) -> bool;

    /// One thread's, who may share a row with others.
    fn worker(&self, num_classes: usize, within: Threads) -> impl Worker<F>;
}

/// One thread's computation.
pub(crate) trait Worker<F> {
    fn value(&mut self, example: usize, scores: &[F]) -> topk_loss::Result<F>;

    /// The gradient is overwritten, times the weight.
    fn value_and_grad(&mut self, example: usize, scores: &[F], weight: F, grad: &mut [F]) -> topk_loss::Result<F>;
}

pub(crate) fn check_not_empty<F>(scores: &impl Scores<F>) -> Result<()> {
    check::not_empty("example", scores.num_examples())?;
    check::not_empty("class", scores.num_classes())
}

pub(crate) fn check_shape<F>(scores: &impl Scores<F>, grads: &impl Gradients<F>) -> Result<()> {
    let (expected, actual) = ((scores.num_classes(), scores.num_examples()), (grads.num_classes(), grads.num_examples()));
    check::shape("gradients", expected, actual)
}

/// The losses.
pub(crate) fn values<F: Real>(examples: &impl Examples<F>, scores: &impl Scores<F>, values: &mut [F], threads: Threads) -> Result<()> {
    let (size, within) = shares(scores, threads);
    let mut blocks: Vec<_> = values.chunks_mut(size).zip((0..).step_by(size)).collect();
    try_for_each(&mut blocks, threads, |(values, first)| {
        let (mut worker, mut room) = (examples.worker(scores.num_classes(), within), vec![]);
        for (value, example) in values.iter_mut().zip(*first..).filter(|&(_, example)| examples.counts(example)) {
            let outcome = worker.value(example, scores.example(example, &mut room)).and_then(number);
            *value = outcome.map_err(|error| BatchError::Example { example, error })?;
        }
        Ok::<_, BatchError>(())
    })?;
    let others = values.iter_mut().enumerate().filter(|&(example, _)| !examples.counts(example));
    others.for_each(|(_, value)| *value = F::zero());
    Ok(())
}

/// The losses, and their gradients times their example's coefficient.
///
/// Examples that do not count come last, so that an error that every other example has leaves all outputs as they were.
pub(crate) fn values_and_grads<F: Real>(
    examples: &impl Examples<F>,
    scores: &impl Scores<F>,
    coefficient: impl Fn(usize) -> F + Sync,
    values: &mut [F],
    grads: impl Gradients<F>,
    threads: Threads,
) -> Result<()> {
    let (size, within) = shares(scores, threads);
    let outputs = values.chunks_mut(size).zip(blocks(grads, size));
    let mut blocks: Vec<_> = outputs.zip((0..).step_by(size)).collect();
    try_for_each(&mut blocks, threads, |((values, grads), first)| {
        let (mut worker, mut room, mut grad_room) = (examples.worker(scores.num_classes(), within), vec![], vec![]);
        for ((place, value), example) in values.iter_mut().enumerate().zip(*first..).filter(|&(_, example)| examples.counts(example)) {
            let scores = scores.example(example, &mut room);
            let outcome = grads.write(place, &mut grad_room, |grad| worker.value_and_grad(example, scores, coefficient(example), grad));
            *value = outcome.and_then(number).map_err(|error| BatchError::Example { example, error })?;
        }
        Ok::<_, BatchError>(())
    })?;
    let mut room = vec![];
    for ((values, grads), first) in &mut blocks {
        for ((place, value), example) in values.iter_mut().enumerate().zip(*first..).filter(|&(_, example)| !examples.counts(example)) {
            let outcome = grads.write(place, &mut room, |grad| {
                grad.fill(F::zero());
                Ok(F::zero())
            });
            *value = outcome.map_err(|error| BatchError::Example { example, error })?;
        }
    }
    Ok(())
}

/// A loss of the user's own may return anything.
fn number<F: Real>(value: F) -> topk_loss::Result<F> {
    topk_loss::check::in_range("loss", value)
}

/// Σ_b c_b·ℓ_b.
pub(crate) fn objective<F: Real>(examples: &impl Examples<F>, scores: &impl Scores<F>, coefficients: &[F], threads: Threads) -> Result<F> {
    let mut losses = vec![F::zero(); coefficients.len()];
    values(examples, scores, &mut losses, threads)?;
    reduction::objective(coefficients, &losses)
}

/// The same, and its gradient.
pub(crate) fn objective_and_grads<F: Real>(
    examples: &impl Examples<F>,
    scores: &impl Scores<F>,
    coefficients: &[F],
    grads: impl Gradients<F>,
    threads: Threads,
) -> Result<F> {
    let mut losses = vec![F::zero(); coefficients.len()];
    values_and_grads(examples, scores, |example| coefficients[example], &mut losses, grads, threads)?;
    reduction::objective(coefficients, &losses)
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
