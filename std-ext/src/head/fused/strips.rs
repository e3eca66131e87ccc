//! The scores of all classes, a strip of classes at a time.

use faer::Accum;
use faer::prelude::*;

use super::super::cosine::Columns;
use super::super::features::Features;
use super::super::product::{TILE, product};
use super::super::{HeadGrads, LinearHead, Similarity, write_bias_grad};
use crate::parallel::try_for_each;
use crate::scores::blocks;
use crate::{BatchError, BatchReal, Result, Threads};

/// A head and a batch of features.
#[derive(Debug)]
pub struct Strips<'a, F> {
    head: &'a LinearHead<F>,
    features: Features<'a, F>,
    directions: Option<Mat<F>>,
    threads: Threads,
}

/// About as many as stay in a processor's cache with the weights that make them.
const SCORES_OF_A_STRIP: usize = 1 << 17;

impl<'a, F: BatchReal> Strips<'a, F> {
    pub(super) fn new(head: &'a LinearHead<F>, features: Features<'a, F>, threads: Threads) -> Self {
        let directions = head.directions(features.get());
        Self { head, features, directions, threads }
    }

    pub(super) fn num_classes(&self) -> usize {
        self.head.num_classes()
    }

    pub(super) fn head(&self) -> &'a LinearHead<F> {
        self.head
    }

    pub(super) fn features(&self) -> MatRef<'_, F> {
        self.features.get()
    }

    /// What the weights are multiplied with.
    pub(super) fn operand(&self) -> MatRef<'_, F> {
        self.directions.as_ref().map_or(self.features(), Mat::as_ref)
    }

    pub(super) fn threads(&self) -> Threads {
        self.threads
    }

    /// Shows `work` the scores of every example that has a state, strip by strip in the order of the classes, with the first class of
    /// the strip. The scores are its to overwrite.
    pub(super) fn read<S: Send>(
        &self,
        states: &mut [Option<S>],
        work: impl Fn(&mut S, usize, &mut [F]) -> topk_loss::Result<()> + Sync,
    ) -> Result<()> {
        self.try_for_each(|first, scores| self.show(first, scores, states, &work))
    }

    /// Overwrites the gradients with those of an objective whose gradient with respect to a strip's scores `gradient` puts in their place.
    pub(super) fn backward<S: Send>(
        &self,
        states: &mut [Option<S>],
        mut grads: HeadGrads<'_, F>,
        gradient: impl Fn(&mut S, usize, &mut [F]) -> topk_loss::Result<()> + Sync,
    ) -> Result<()> {
        self.try_for_each(|first, mut scores| {
            self.show(first, scores.rb_mut(), states, &gradient)?;
            self.backward_strip(first, scores.rb(), &mut grads)
        })?;
        match grads.features {
            Some(grads) if self.directions.is_some() => Columns::new(self.features()).through_directions("feature gradient", grads),
            _ => Ok(()),
        }
    }

    fn try_for_each(&self, mut work: impl FnMut(usize, MatMut<'_, F>) -> Result<()>) -> Result<()> {
        let (num_classes, batch) = (self.num_classes(), self.features().ncols());
        // Whole tiles, so that every score is the same sum as in a product for all classes.
        let height = ((SCORES_OF_A_STRIP / batch / TILE).max(1) * TILE).min(num_classes);
        let mut strip = Mat::zeros(height, batch);
        for first in (0..num_classes).step_by(height) {
            let mut scores = strip.as_mut().subrows_mut(0, height.min(num_classes - first));
            let computed = self.head.write_scores(first, self.operand(), scores.rb_mut(), self.threads);
            // A parameter that is NaN or infinite shows in its scores; only then is it looked for.
            computed.map_err(|overflow| self.head.check_parameters().err().unwrap_or(overflow))?;
            work(first, scores)?;
        }
        Ok(())
    }

    /// Example by example; the scores of those without a state become 0.
    fn show<S: Send>(
        &self,
        first: usize,
        scores: MatMut<'_, F>,
        states: &mut [Option<S>],
        work: &(impl Fn(&mut S, usize, &mut [F]) -> topk_loss::Result<()> + Sync),
    ) -> Result<()> {
        let mut examples: Vec<_> = blocks(scores, 1).zip(states).enumerate().collect();
        try_for_each(&mut examples, self.threads, |(example, (scores, state))| {
            let column = scores.rb_mut().col_mut(0).try_as_col_major_mut();
            let scores = column.map(ColMut::as_slice_mut).unwrap_or_default();
            match state {
                Some(state) => work(state, first, scores).map_err(|error| BatchError::Example { example: *example, error }),
                None => {
                    scores.fill(F::zero());
                    Ok(())
                }
            }
        })
    }

    fn backward_strip(&self, first: usize, score_grads: MatRef<'_, F>, grads: &mut HeadGrads<'_, F>) -> Result<()> {
        let count = score_grads.nrows();
        let weights = self.head.weights().subcols(first, count);
        let mut weight_grads = grads.weights.rb_mut().subcols_mut(first, count);
        if let Some(bias) = grads.bias.as_deref_mut().filter(|bias| !bias.is_empty()) {
            write_bias_grad(score_grads, &mut bias[first..first + count])?;
        }
        if let Some(below) = &mut grads.features {
            let accum = if first == 0 { Accum::Replace } else { Accum::Add };
            let weights = match self.head.similarity() {
                Similarity::Inner => weights,
                Similarity::Cosine => {
                    // The room of the weights' gradient is free until below, and just large enough for the normalised weights.
                    Columns::new(weights).write_directions(weight_grads.rb_mut());
                    weight_grads.rb()
                }
            };
            product("feature gradient", below.rb_mut(), accum, weights, score_grads, self.threads)?;
        }
        let transposed = score_grads.transpose();
        product("weight gradient", weight_grads.rb_mut(), Accum::Replace, self.operand(), transposed, self.threads)?;
        match self.head.similarity() {
            Similarity::Inner => Ok(()),
            Similarity::Cosine => {
                let strips = blocks(weight_grads, TILE).zip((0..).step_by(TILE));
                try_for_each(&mut strips.collect::<Vec<_>>(), self.threads, |(grads, column)| {
                    Columns::new(weights.subcols(*column, grads.ncols())).through_directions("weight gradient", grads.rb_mut())
                })
            }
        }
    }
}
