//! Gradients that touch a few columns of the weights an example, summed without a product of matrices.

use faer::prelude::*;
use faer::{unzip, zip};
use topk_loss::{Compensated, check};

use super::super::cosine::Columns;
use super::super::matrix;
use super::super::{HeadGrads, Similarity};
use super::ScoreGrad;
use super::strips::Strips;
use crate::parallel::try_for_each;
use crate::scores::blocks;
use crate::{BatchError, BatchReal, Result};

/// Classes or examples that a thread takes.
const BLOCK: usize = 256;

/// Adds the entries of an example by class, times its coefficient, but for zeros.
pub(super) fn push<F: BatchReal>(
    entries: &mut Vec<ScoreGrad<F>>,
    (example, coefficient): (usize, F),
    slopes: impl IntoIterator<Item = (usize, F)>,
) -> topk_loss::Result<()> {
    for (class, slope) in slopes {
        let value = check::in_range("gradient", slope * coefficient)?;
        if value != F::zero() {
            entries.push(ScoreGrad { class, example, value });
        }
    }
    Ok(())
}

/// Overwrites the gradients with those of an objective whose gradient with respect to the scores has these entries, in the order of the
/// examples.
pub(super) fn backward<F: BatchReal>(strips: &Strips<'_, F>, entries: &[ScoreGrad<F>], grads: HeadGrads<'_, F>) -> Result<()> {
    let mut by_class = entries.to_vec();
    by_class.sort_by_key(|entry| entry.class);
    if let Some(bias) = grads.bias.filter(|bias| !bias.is_empty()) {
        bias.fill(F::zero());
        for entries in by_class.chunk_by(|a, b| a.class == b.class) {
            bias[entries[0].class] = Compensated::of(entries.iter().map(|entry| entry.value));
        }
        matrix::in_range("bias gradient", ColRef::from_slice(bias).as_dyn_stride().as_mat())?;
    }
    if let Some(below) = grads.features {
        let mut blocks: Vec<_> = blocks(below, BLOCK).zip((0..).step_by(BLOCK)).collect();
        try_for_each(&mut blocks, strips.threads(), |(grads, first)| {
            grads.fill(F::zero());
            for entries in between(entries, *first, grads.ncols(), |entry| entry.example).chunk_by(|a, b| a.example == b.example) {
                let example = entries[0].example;
                add_feature_grad(strips, entries, grads.rb_mut().subcols_mut(example - *first, 1))?;
            }
            Ok::<_, BatchError>(())
        })?;
    }
    let mut blocks: Vec<_> = blocks(grads.weights, BLOCK).zip((0..).step_by(BLOCK)).collect();
    try_for_each(&mut blocks, strips.threads(), |(grads, first)| {
        grads.fill(F::zero());
        for entries in between(&by_class, *first, grads.ncols(), |entry| entry.class).chunk_by(|a, b| a.class == b.class) {
            let class = entries[0].class;
            write_weight_grad(strips, entries, grads.rb_mut().subcols_mut(class - *first, 1))?;
        }
        Ok(())
    })
}

/// The entries, sorted by `key`, whose key is among `count` from `first` on.
fn between<F>(entries: &[ScoreGrad<F>], first: usize, count: usize, key: impl Fn(&ScoreGrad<F>) -> usize) -> &[ScoreGrad<F>] {
    let position = |bound| entries.partition_point(|entry| key(entry) < bound);
    &entries[position(first)..position(first + count)]
}

/// The entries of one example.
fn add_feature_grad<F: BatchReal>(strips: &Strips<'_, F>, entries: &[ScoreGrad<F>], mut grad: MatMut<'_, F>) -> Result<()> {
    let head = strips.head();
    for &ScoreGrad { class, value, .. } in entries {
        let weights = head.weights().subcols(class, 1);
        let mut add = |column: MatRef<'_, F>, norm: F| {
            zip!(grad.rb_mut(), column).for_each(|unzip!(sum, weight)| *sum += value * (*weight / norm));
        };
        match head.similarity() {
            Similarity::Inner => add(weights, F::one()),
            Similarity::Cosine => {
                let class = Columns::new(weights);
                add(class.columns(), class.norms()[0]);
            }
        }
    }
    finish("feature gradient", head.similarity(), strips.features().subcols(entries[0].example, 1), grad)
}

/// The entries of one class.
fn write_weight_grad<F: BatchReal>(strips: &Strips<'_, F>, entries: &[ScoreGrad<F>], mut grad: MatMut<'_, F>) -> Result<()> {
    let mut sums = vec![Compensated::zero(); grad.nrows()];
    for &ScoreGrad { example, value, .. } in entries {
        let column = strips.operand().col(example);
        zip!(ColMut::from_slice_mut(&mut sums), column).for_each(|unzip!(sum, entry)| sum.add(value * *entry));
    }
    zip!(grad.rb_mut().col_mut(0), ColRef::from_slice(&sums)).for_each(|unzip!(place, sum)| *place = sum.sum());
    let head = strips.head();
    finish("weight gradient", head.similarity(), head.weights().subcols(entries[0].class, 1), grad)
}

fn finish<F: BatchReal>(what: &'static str, similarity: Similarity, column: MatRef<'_, F>, grad: MatMut<'_, F>) -> Result<()> {
    match similarity {
        Similarity::Inner => matrix::in_range(what, grad.rb()),
        Similarity::Cosine => Columns::new(column).through_directions(what, grad),
    }
}
