//! Views of `faer` as scores and gradients: one example a column, of any strides.

use faer::prelude::*;
use topk_loss::Real;

use super::{Gradients, Scores};

impl<F: Real + Sync> Scores<F> for MatRef<'_, F> {
    fn num_examples(&self) -> usize {
        self.ncols()
    }

    fn num_classes(&self) -> usize {
        self.nrows()
    }

    fn example<'s>(&'s self, example: usize, room: &'s mut Vec<F>) -> &'s [F] {
        if example >= self.ncols() {
            return &[];
        }
        let column = self.col(example);
        match column.try_as_col_major() {
            Some(column) => column.as_slice(),
            None => {
                room.clear();
                room.extend(column.iter());
                room
            }
        }
    }
}

impl<F: Real> Gradients<F> for MatMut<'_, F> {
    fn num_examples(&self) -> usize {
        self.ncols()
    }

    fn num_classes(&self) -> usize {
        self.nrows()
    }

    fn split_at(self, examples: usize) -> (Self, Self) {
        let examples = examples.min(self.ncols());
        self.split_at_col_mut(examples)
    }

    fn write<T>(
        &mut self,
        example: usize,
        room: &mut Vec<F>,
        write: impl FnOnce(&mut [F]) -> topk_loss::Result<T>,
    ) -> topk_loss::Result<T> {
        if example >= self.ncols() {
            return write(&mut []);
        }
        let mut column: ColMut<'_, F> = self.rb_mut().col_mut(example);
        if let Some(column) = column.rb_mut().try_as_col_major_mut() {
            return write(column.as_slice_mut());
        }
        room.resize(column.nrows(), F::zero());
        let outcome = write(room)?;
        column.iter_mut().zip(room).for_each(|(place, entry)| *place = *entry);
        Ok(outcome)
    }
}
