//! Labelled feature vectors and their division into training, validation and test rows.

use faer::Mat;

/// Everything a study draws from; rows are columns of `features`, so that a batch is a block of columns.
pub struct Corpus {
    /// dim × number of rows.
    pub features: Mat<f32>,
    /// The class of every row.
    pub labels: Vec<usize>,
    pub num_classes: usize,
    pub train: Vec<usize>,
    /// Empty where the source has no validation split; each seed then holds out some training rows.
    pub valid: Vec<usize>,
    pub test: Vec<usize>,
}

impl Corpus {
    /// The training rows, class by class.
    pub fn train_by_class(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.num_classes];
        for &row in &self.train {
            rows[self.labels[row]].push(row);
        }
        rows
    }

    /// Copies the features of `rows` into the first columns of `features`.
    pub fn gather(&self, rows: &[usize], features: &mut Mat<f32>) {
        for (column, &row) in rows.iter().enumerate() {
            features.col_as_slice_mut(column).copy_from_slice(self.features.col_as_slice(row));
        }
    }
}
