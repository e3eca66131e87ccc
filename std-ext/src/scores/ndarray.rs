//! Views of `ndarray` as scores and gradients: one example a row, of any strides.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};
use topk_loss::Real;

use super::{Gradients, Scores};

/// ```
/// use ndarray::{Array2, array};
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{Reduction, Targets, Threads, objective_and_grads};
/// let scores = array![[0.0_f64, 0.0], [3.0, 3.0]];
/// let mut grads = Array2::zeros((2, 2));
/// let targets = Targets::new(&[0, 1]);
/// objective_and_grads(&CrossEntropy, scores.view(), &targets, Reduction::Sum, grads.view_mut(), Threads::ONE)?;
/// assert_eq!(grads, array![[-0.5, 0.5], [0.5, -0.5]]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
impl<F: Real + Sync> Scores<F> for ArrayView2<'_, F> {
    fn num_examples(&self) -> usize {
        self.nrows()
    }

    fn num_classes(&self) -> usize {
        self.ncols()
    }

    fn example<'s>(&'s self, example: usize, room: &'s mut Vec<F>) -> &'s [F] {
        if example >= self.nrows() {
            return &[];
        }
        let row = self.row(example);
        match row.to_slice() {
            Some(row) => row,
            None => {
                room.clear();
                room.extend(row.iter());
                room
            }
        }
    }
}

impl<F: Real + Send> Gradients<F> for ArrayViewMut2<'_, F> {
    fn num_examples(&self) -> usize {
        self.nrows()
    }

    fn num_classes(&self) -> usize {
        self.ncols()
    }

    fn split_at(self, examples: usize) -> (Self, Self) {
        let examples = examples.min(self.nrows());
        self.split_at(Axis(0), examples)
    }

    fn write<T>(
        &mut self,
        example: usize,
        room: &mut Vec<F>,
        write: impl FnOnce(&mut [F]) -> topk_loss::Result<T>,
    ) -> topk_loss::Result<T> {
        if example >= self.nrows() {
            return write(&mut []);
        }
        let mut row = self.row_mut(example);
        if let Some(row) = row.as_slice_mut() {
            return write(row);
        }
        room.resize(row.len(), F::zero());
        let outcome = write(room)?;
        row.iter_mut().zip(room).for_each(|(place, entry)| *place = *entry);
        Ok(outcome)
    }
}
