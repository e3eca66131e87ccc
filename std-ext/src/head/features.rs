//! The features of those examples whose label is not ignored; the others are zeros, and are never read.

use faer::prelude::*;

use super::matrix;
use crate::{BatchReal, Result};

/// Features, with zeros for the examples that are not read.
#[derive(Debug)]
pub(super) struct Features<'a, F> {
    given: MatRef<'a, F>,
    /// With the zeros, where any example is not read.
    copy: Option<Mat<F>>,
}

impl<'a, F: BatchReal> Features<'a, F> {
    /// # Errors
    /// A feature of an example that is read is NaN or infinite.
    pub fn new(given: MatRef<'a, F>, is_read: impl Fn(usize) -> bool) -> Result<Self> {
        matrix::examples("features", given, &is_read)?;
        let all = (0..given.ncols()).all(&is_read);
        let copy = (!all).then(|| {
            let mut copy = Mat::zeros(given.nrows(), given.ncols());
            for example in (0..given.ncols()).filter(|&example| is_read(example)) {
                copy.col_mut(example).copy_from(given.col(example));
            }
            copy
        });
        Ok(Self { given, copy })
    }

    pub fn get(&self) -> MatRef<'_, F> {
        self.copy.as_ref().map_or(self.given, Mat::as_ref)
    }
}
