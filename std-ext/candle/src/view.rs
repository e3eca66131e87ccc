//! Reads the rows of a tensor where they are, whatever its strides.

use candle_core::{Error, Layout, Result, WithDType};
use topk_loss::Real;
use topk_loss_batch::{Rows, Scores};

/// A matrix of one example a row.
pub(crate) enum View<'a, T> {
    /// The numbers of a row follow one another.
    Rows(Rows<'a, T>),
    /// From one number to the next class's, and to the next example's.
    Strided { data: &'a [T], shape: (usize, usize), strides: (usize, usize) },
}

impl<'a, T> View<'a, T> {
    /// # Errors
    /// Not a matrix; no class.
    pub fn new(data: &'a [T], layout: &Layout) -> Result<Self> {
        let shape = layout.shape().dims2()?;
        let (batch, classes) = shape;
        if batch == 0 || classes == 0 {
            return Rows::new(&[], classes).map(Self::Rows).map_err(Error::wrap);
        }
        let (data, strides) = (&data[layout.start_offset()..], (layout.stride()[0], layout.stride()[1]));
        if strides.1 != 1 || strides.0 < classes {
            return Ok(Self::Strided { data, shape, strides });
        }
        let len = (batch - 1) * strides.0 + classes;
        Rows::strided(&data[..len], classes, strides.0).map(Self::Rows).map_err(Error::wrap)
    }
}

impl<F: Real, T: WithDType> Scores<F> for View<'_, T>
where
    for<'r> Rows<'r, T>: Scores<F>,
{
    fn num_examples(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.num_examples(),
            Self::Strided { shape, .. } => shape.0,
        }
    }

    fn num_classes(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.num_classes(),
            Self::Strided { shape, .. } => shape.1,
        }
    }

    fn example<'s>(&'s self, example: usize, room: &'s mut Vec<F>) -> &'s [F] {
        match self {
            Self::Rows(rows) => rows.example(example, room),
            Self::Strided { data, shape: (_, classes), strides: (to_next, to_next_class) } => {
                let numbers = (0..*classes).filter_map(|class| data.get(example * to_next + class * to_next_class));
                room.clear();
                room.extend(numbers.map(|number| <F as Real>::from_f64(number.to_f64())));
                room
            }
        }
    }
}
