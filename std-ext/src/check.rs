//! The checks of shapes, lengths and labels that every public function makes before it writes anything.

use topk_loss::{Error, Real};

use crate::{BatchError, Result, Targets};

pub(crate) fn shape(what: &'static str, expected: (usize, usize), actual: (usize, usize)) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(BatchError::Shape { what, expected, actual }) }
}

pub(crate) fn length(what: &'static str, expected: usize, actual: usize) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(BatchError::Length { what, expected, actual }) }
}

pub(crate) fn not_empty(what: &'static str, count: usize) -> Result<()> {
    if count > 0 { Ok(()) } else { Err(BatchError::Empty { what }) }
}

/// One label an example, each a class or ignored.
pub(crate) fn labels<F: Real>(targets: &Targets<'_, F>, num_classes: usize, batch: usize) -> Result<()> {
    length("labels", batch, targets.labels().len())?;
    if let Some(example) = (0..batch).find(|&example| targets.is_negative(example)) {
        return Err(BatchError::Example {
            example,
            error: Error::Parameter { name: "label", must: "at least 0, or the one that is ignored" },
        });
    }
    match targets.counted().find(|&(_, label)| label >= num_classes) {
        None => Ok(()),
        Some((example, label)) => Err(BatchError::Example { example, error: Error::Label { label, num_classes } }),
    }
}
