//! Rows of half precision as scores and gradients of `f32`: widened a row at a time, so that no copy of the batch is made.

use half::{bf16, f16};
use topk_loss::check;

use super::{Gradients, Rows, RowsMut, Scores};

macro_rules! half_rows {
    ($($half:ident),+) => {$(
        impl Scores<f32> for Rows<'_, $half> {
            fn num_examples(&self) -> usize {
                self.shape().0
            }

            fn num_classes(&self) -> usize {
                self.shape().1
            }

            fn example<'s>(&'s self, example: usize, room: &'s mut Vec<f32>) -> &'s [f32] {
                room.clear();
                room.extend(self.row(example).iter().map(|score| score.to_f32()));
                room
            }
        }

        /// Entries are rounded once, to the nearest.
        impl Gradients<f32> for RowsMut<'_, $half> {
            fn num_examples(&self) -> usize {
                self.shape().0
            }

            fn num_classes(&self) -> usize {
                self.shape().1
            }

            fn split_at(self, examples: usize) -> (Self, Self) {
                self.split(examples)
            }

            fn write<T>(
                &mut self,
                example: usize,
                room: &mut Vec<f32>,
                write: impl FnOnce(&mut [f32]) -> topk_loss::Result<T>,
            ) -> topk_loss::Result<T> {
                let row = self.row(example);
                room.resize(row.len(), 0.0);
                let outcome = write(room)?;
                let most = $half::MAX.to_f32();
                let largest = room.iter().fold(0.0, |largest: f32, entry| largest.max(entry.abs()));
                check::in_range("gradient", if largest <= most { largest } else { f32::INFINITY })?;
                row.iter_mut().zip(room).for_each(|(place, entry)| *place = $half::from_f32(*entry));
                Ok(outcome)
            }
        }
    )+};
}

half_rows!(f16, bf16);
