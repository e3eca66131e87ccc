//! The labels and coefficients of those examples that count, for the head that stores no scores.

use topk_loss::{Margins, Real};

use crate::parallel::try_for_each;
use crate::{BatchError, Reduction, Result, Targets, Threads, check, reduction};

/// The examples of a batch with the coefficients of their losses.
#[derive(Debug)]
pub struct Examples<'a, F> {
    targets: Targets<'a, F>,
    coefficients: Vec<F>,
}

impl<'a, F: Real> Examples<'a, F> {
    /// `label_weight` is what the loss itself multiplies examples of a label by.
    pub(super) fn new(
        targets: &Targets<'a, F>,
        reduction: Reduction,
        label_weight: impl Fn(usize) -> F,
        (num_classes, batch): (usize, usize),
    ) -> Result<Self> {
        check::labels(targets, num_classes, batch)?;
        let mut coefficients = vec![F::zero(); batch];
        targets.coefficients_of(reduction, label_weight, &mut coefficients)?;
        Ok(Self { targets: *targets, coefficients })
    }

    /// Their losses times a weight of their labels.
    pub(super) fn weighted(mut self, weight: impl Fn(usize) -> topk_loss::Result<F>) -> Result<Self> {
        for (example, label) in self.targets.counted() {
            let product = weight(label).and_then(|weight| topk_loss::check::in_range("loss", self.coefficients[example] * weight));
            self.coefficients[example] = product.map_err(|error| BatchError::Example { example, error })?;
        }
        Ok(self)
    }

    /// What the loss refuses in every example, in the name of the first that counts.
    pub(super) fn check<T>(&self, outcome: topk_loss::Result<T>) -> Result<T> {
        let first = self.targets.counted().next();
        outcome.map_err(|error| first.map_or(BatchError::Loss(error), |(example, _)| BatchError::Example { example, error }))
    }

    /// What a loss of K guesses with margins refuses in every example.
    pub(super) fn check_guesses(&self, k: usize, margins: &Margins<'_, F>, num_classes: usize) -> Result<()> {
        let rank = topk_loss::check::rank(k, num_classes - 1);
        self.check(rank.and_then(|()| margins.of(0, num_classes))).map(|_| ())
    }

    /// A state for every example, made from its index and label; none where the label is ignored.
    pub(super) fn states<S>(&self, mut new: impl FnMut(usize, usize) -> S) -> Vec<Option<S>> {
        (0..self.coefficients.len()).map(|example| Some(new(example, self.targets.label(example)?))).collect()
    }

    /// What is folded into the example's key.
    pub(super) fn number(&self, example: usize) -> u64 {
        self.targets.number(example)
    }

    /// What multiplies the example's loss.
    pub(super) fn coefficient(&self, example: usize) -> F {
        self.coefficients[example]
    }

    /// The objective of these losses.
    pub(super) fn objective<S>(&self, states: &[Option<S>], value: impl Fn(&S) -> topk_loss::Result<F>) -> Result<F> {
        let values = states.iter().enumerate().map(|(example, state)| {
            let value = state.as_ref().map_or(Ok(F::zero()), &value);
            value.map_err(|error| BatchError::Example { example, error })
        });
        reduction::objective(&self.coefficients, &values.collect::<Result<Vec<_>>>()?)
    }
}

/// What `work` makes of the state of every example that has one.
pub(super) fn map<S: Send, T: Send>(
    states: Vec<Option<S>>,
    threads: Threads,
    work: impl Fn(usize, S) -> topk_loss::Result<T> + Sync,
) -> Result<Vec<Option<T>>> {
    let mut outcomes: Vec<Option<T>> = states.iter().map(|_| None).collect();
    let mut examples: Vec<_> = states.into_iter().zip(&mut outcomes).enumerate().collect();
    try_for_each(&mut examples, threads, |(example, (state, outcome))| {
        **outcome = state
            .take()
            .map(|state| work(*example, state))
            .transpose()
            .map_err(|error| BatchError::Example { example: *example, error })?;
        Ok::<_, BatchError>(())
    })?;
    Ok(outcomes)
}
