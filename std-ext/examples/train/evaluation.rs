//! Measures a classifier by top-K metrics: of all rows, of each class, of frequent and rare ones.

use anyhow::Result;
use faer::MatRef;
use topk_loss::metrics::{Frequency, FrequencyGroups, TopKCounts};

/// Many, medium and few.
pub const GROUPS: [Frequency; 3] = [Frequency::Many, Frequency::Medium, Frequency::Few];
pub const MANY_ABOVE: usize = 20;
pub const FEW_BELOW: usize = 5;

/// Top-K metrics, shares between 0 and 1.
pub struct Evaluation {
    pub macro_accuracy: f64,
    /// Of [`GROUPS`]; `None` where no class is in the group.
    pub group_accuracies: [Option<f64>; 3],
    /// By class; `None` without test rows.
    pub class_accuracies: Vec<Option<f64>>,
    /// By class.
    pub occupancies: Vec<f64>,
}

impl Evaluation {
    /// `scores`: classes × rows; `labels`: one a row; `counts`: training rows of every class.
    pub fn new(k: usize, scores: MatRef<'_, f32>, labels: &[usize], counts: &[usize]) -> Result<Self> {
        let num_classes = scores.nrows();
        let (mut examples, mut correct, mut guessed) = (vec![0; num_classes], vec![0; num_classes], vec![0; num_classes]);
        let mut top_k = TopKCounts::new(k, &mut examples, &mut correct, &mut guessed)?;
        let mut scratch = vec![0.0; num_classes];
        let mut column = vec![0.0; num_classes];
        for (scores, &label) in scores.col_iter().zip(labels) {
            column.iter_mut().zip(scores.iter()).for_each(|(place, &score)| *place = score);
            top_k.add(&column, label, &mut scratch)?;
        }
        let metrics = top_k.metrics();
        let groups = FrequencyGroups::new(MANY_ABOVE, FEW_BELOW)?;
        let mut group_accuracies = [None; 3];
        for (accuracy, group) in group_accuracies.iter_mut().zip(GROUPS) {
            *accuracy = metrics.group_accuracy(counts, groups, group)?;
        }
        Ok(Self {
            macro_accuracy: metrics.macro_accuracy().unwrap_or(f64::NAN),
            group_accuracies,
            class_accuracies: (0..num_classes).map(|class| metrics.class_accuracy(class)).collect(),
            occupancies: (0..num_classes).filter_map(|class| metrics.occupancy(class)).collect(),
        })
    }
}
