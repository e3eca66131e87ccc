//! A batch of scores with labels, and room for the gradient.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use faer::{Mat, MatRef, Par};
use topk_loss_batch::{BatchLoss, Reduction, Targets, objective_and_grads};

pub struct Problem {
    pub scores: Mat<f32>,
    labels: Vec<usize>,
    grads: Mat<f32>,
}

impl Problem {
    /// Reads `scores`, a row of `classes` for every example, and `labels`.
    pub fn load(folder: &Path, classes: usize) -> Result<Self> {
        let scores = read_columns(&folder.join("scores"), classes)?;
        let grads = Mat::full(classes, scores.ncols(), f32::NAN); // written, hence resident, before anything is measured
        Ok(Self { scores, labels: read_labels(folder)?, grads })
    }

    /// The mean loss and its gradient with respect to all scores, which is what the peers' losses compute.
    pub fn objective<L: BatchLoss<f32>>(&mut self, loss: &L, par: Par) -> Result<f32> {
        let targets = Targets::new(&self.labels);
        Ok(objective_and_grads(loss, self.scores.as_ref(), &targets, Reduction::Mean, self.grads.as_mut(), par)?)
    }

    pub fn write_gradient(&self, file: &Path) -> Result<()> {
        let columns = self.grads.col_iter().flat_map(|column| column.iter().flat_map(|entry| entry.to_le_bytes()));
        fs::write(file, columns.collect::<Vec<_>>()).with_context(|| file.display().to_string())
    }
}

/// Little-endian `f32`; the rows of a row-major array become columns.
pub fn read_columns(file: &Path, rows: usize) -> Result<Mat<f32>> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let entries: Vec<_> = bytes.as_chunks().0.iter().map(|&entry| f32::from_le_bytes(entry)).collect();
    Ok(MatRef::from_column_major_slice(&entries, rows, entries.len() / rows).to_owned())
}

/// Little-endian `u64`.
pub fn read_labels(folder: &Path) -> Result<Vec<usize>> {
    let bytes = fs::read(folder.join("labels")).context("labels")?;
    bytes.as_chunks().0.iter().map(|&label| Ok(u64::from_le_bytes(label).try_into()?)).collect()
}
