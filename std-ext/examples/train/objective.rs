//! What a training minimises.

use faer::{MatMut, MatRef, Par};
use topk_loss::FoldIn;
use topk_loss_batch::{BatchLoss, Reduction, Result, Targets, objective_and_grads};

/// Any loss, behind one type: folding a step into the noise would not be possible behind a pointer.
pub trait Objective {
    /// Writes the gradient of a batch's mean loss with respect to its scores, with noise that belongs to the step.
    fn score_grads(&self, step: u64, scores: MatRef<'_, f32>, labels: &[usize], grads: MatMut<'_, f32>, par: Par) -> Result<()>;
}

impl<L: BatchLoss<f32> + FoldIn> Objective for L {
    fn score_grads(&self, step: u64, scores: MatRef<'_, f32>, labels: &[usize], grads: MatMut<'_, f32>, par: Par) -> Result<()> {
        objective_and_grads(&self.fold_in(step), scores, &Targets::new(labels), Reduction::Mean, grads, par)?;
        Ok(())
    }
}
