//! Computes the scores of all classes, a strip of classes at a time.

use faer::Accum;
use faer::prelude::*;
use topk_loss::check;

use super::super::backward::write_bias_grad;
use super::super::cosine::Columns;
use super::super::features::Features;
use super::super::product::{TILE, product};
use super::super::{HeadGrads, LinearHead, Similarity};
use super::filter::{Filter, Mass};
use super::gathered::Gathered;
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
    /// What is added to the classes' scores: L numbers each.
    adjustments: Vec<&'a [F]>,
}

/// About as many as stay in a processor's cache with the weights that make them.
const SCORES_OF_A_STRIP: usize = 1 << 17;
const MAX_TILES: usize = 8;

impl<'a, F: BatchReal> Strips<'a, F> {
    pub(super) fn new(head: &'a LinearHead<F>, features: Features<'a, F>, threads: Threads) -> Self {
        let directions = head.directions(features.get());
        Self { head, features, directions, threads, adjustments: vec![] }
    }

    /// With as many numbers as classes added to the scores.
    pub(super) fn adjusted(mut self, adjustments: &'a [F]) -> Self {
        self.adjustments.push(adjustments);
        self
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

    /// How many strips there are.
    pub(super) fn count(&self) -> usize {
        self.num_classes().div_ceil(self.height())
    }

    /// Whole tiles, so that every score is the same sum as in a product for all classes; not so many that a filter of strips has no choice.
    fn height(&self) -> usize {
        let tiles = SCORES_OF_A_STRIP / self.features().ncols() / TILE;
        (tiles.clamp(1, MAX_TILES) * TILE).min(self.num_classes())
    }

    /// Shows `work` the scores of every example that has a state, strip by strip in the order of the classes, with the first class of
    /// the strip. The scores are its to overwrite.
    pub(super) fn read<S: Send>(
        &self,
        states: &mut [Option<S>],
        work: impl Fn(&mut S, usize, &mut [F]) -> topk_loss::Result<()> + Sync,
    ) -> Result<()> {
        let gathered = Gathered::new(self.operand(), |example| states[example].is_some());
        let mut room = self.room();
        for first in self.firsts() {
            self.write_scores(first, &gathered, &mut room, states, &work)?;
        }
        Ok(())
    }

    /// Overwrites the gradients with those of an objective whose gradient with respect to a strip's scores `gradient` puts in their place. What
    /// `filter` leaves out is neither computed nor multiplied.
    pub(super) fn backward<S: Send>(
        &self,
        states: &mut [Option<S>],
        filter: &Filter,
        mut grads: HeadGrads<'_, F>,
        gradient: impl Fn(&mut S, usize, &mut [F]) -> topk_loss::Result<()> + Sync,
    ) -> Result<()> {
        if let Some(below) = &mut grads.features {
            below.fill(F::zero());
        }
        let mut room = self.room();
        for (strip, first) in self.firsts().enumerate() {
            let gathered = Gathered::new(self.operand(), |example| states[example].is_some() && filter.keeps(strip, example));
            let score_grads = self.write_scores(first, &gathered, &mut room, states, &gradient)?;
            self.backward_strip(first, score_grads, &gathered, &mut grads)?;
        }
        match grads.features {
            Some(grads) if self.directions.is_some() => Columns::new(self.features()).through_directions("feature gradient", grads),
            _ => Ok(()),
        }
    }

    /// What is left out of the gradients of these rows, by what each of them tells of its gradient's size; nothing of one that does not.
    pub(super) fn filter<S>(&self, states: &[Option<S>], mass: impl Fn(&S) -> Option<Mass<F>>) -> Filter {
        let masses: Vec<_> = states.iter().map(|state| mass(state.as_ref()?)).collect();
        Filter::new(self.head.filter, &masses, self.count())
    }

    /// The first class of every strip.
    fn firsts(&self) -> impl Iterator<Item = usize> {
        (0..self.num_classes()).step_by(self.height())
    }

    /// For the scores of a strip.
    fn room(&self) -> Mat<F> {
        Mat::zeros(self.height(), self.features().ncols())
    }

    /// What `work` makes of a strip's scores of some examples, all of which have a state.
    fn write_scores<'r, S: Send>(
        &self,
        first: usize,
        gathered: &Gathered<'_, F>,
        room: &'r mut Mat<F>,
        states: &mut [Option<S>],
        work: &(impl Fn(&mut S, usize, &mut [F]) -> topk_loss::Result<()> + Sync),
    ) -> Result<MatRef<'r, F>> {
        let count = self.height().min(self.num_classes() - first);
        if gathered.examples().is_empty() {
            return Ok(room.as_ref().get(..count, ..0));
        }
        let columns = gathered.columns();
        let mut scores = room.as_mut().submatrix_mut(0, 0, count, columns.ncols());
        let computed = self.head.write_scores(first, columns, scores.rb_mut(), self.threads);
        // A parameter that is NaN or infinite shows in its scores; only then is it looked for.
        computed.map_err(|overflow| self.head.check_parameters().err().unwrap_or(overflow))?;
        let mut scores = scores.subcols_mut(0, gathered.examples().len());
        let mut is_gathered = gathered.examples().iter().copied().peekable();
        let states = states.iter_mut().enumerate().filter(|(example, _)| is_gathered.next_if_eq(example).is_some());
        let mut examples: Vec<_> = blocks(scores.rb_mut(), 1).zip(states).collect();
        try_for_each(&mut examples, self.threads, |(scores, (example, state))| {
            let column = scores.rb_mut().col_mut(0).try_as_col_major_mut();
            let scores = column.map(ColMut::as_slice_mut).unwrap_or_default();
            let adjusted = self.adjust(first, scores);
            let worked = adjusted.and_then(|()| state.as_mut().map_or(Ok(()), |state| work(state, first, scores)));
            worked.map_err(|error| BatchError::Example { example: *example, error })
        })?;
        Ok(scores.into_const())
    }

    fn adjust(&self, first: usize, scores: &mut [F]) -> topk_loss::Result<()> {
        for adjustments in &self.adjustments {
            scores.iter_mut().zip(&adjustments[first..]).for_each(|(score, &adjustment)| *score += adjustment);
            check::all_in_range("adjusted scores", scores)?;
        }
        Ok(())
    }

    fn backward_strip(
        &self,
        first: usize,
        score_grads: MatRef<'_, F>,
        gathered: &Gathered<'_, F>,
        grads: &mut HeadGrads<'_, F>,
    ) -> Result<()> {
        let count = score_grads.nrows();
        let weights = self.head.weights().subcols(first, count);
        let mut weight_grads = grads.weights.rb_mut().subcols_mut(first, count);
        if let Some(bias) = grads.bias.as_deref_mut().filter(|bias| !bias.is_empty()) {
            write_bias_grad(score_grads, &mut bias[first..first + count])?;
        }
        if let Some(below) = &mut grads.features {
            let weights = match self.head.similarity() {
                Similarity::Inner => weights,
                Similarity::Cosine => {
                    // The room of the weights' gradient is free until below, and just large enough for the normalised weights.
                    Columns::new(weights).write_directions(weight_grads.rb_mut());
                    weight_grads.rb()
                }
            };
            self.add_feature_grads(below.rb_mut(), weights, score_grads, gathered)?;
        }
        let operand = gathered.columns().subcols(0, score_grads.ncols());
        product("weight gradient", weight_grads.rb_mut(), Accum::Replace, operand, score_grads.transpose(), self.threads)?;
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

    fn add_feature_grads(
        &self,
        mut below: MatMut<'_, F>,
        weights: MatRef<'_, F>,
        score_grads: MatRef<'_, F>,
        gathered: &Gathered<'_, F>,
    ) -> Result<()> {
        if gathered.are_all() {
            return product("feature gradient", below, Accum::Add, weights, score_grads, self.threads);
        }
        let examples = gathered.examples();
        let mut some = Mat::from_fn(below.nrows(), examples.len(), |i, j| below[(i, examples[j])]);
        product("feature gradient", some.as_mut(), Accum::Add, weights, score_grads, self.threads)?;
        examples.iter().zip(some.col_iter()).for_each(|(&example, column)| below.rb_mut().col_mut(example).copy_from(column));
        Ok(())
    }
}
