//! Our contestants with a linear head below the loss; a new one is one arm of [`evaluate`] and one line in `ours.py`.

use std::path::Path;

use anyhow::{Result, bail};
use faer::{Mat, Par};
use topk_loss::{CrossEntropy, Key, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets, objective_and_grads};

use crate::problem::{read_columns, read_labels};

pub struct Head {
    head: LinearHead<f32>,
    features: Mat<f32>,
    labels: Vec<usize>,
    weight_grads: Mat<f32>,
    feature_grads: Mat<f32>,
}

impl Head {
    /// Reads `weights`, a row for every class, `features`, a row for every example, and `labels`.
    pub fn load(folder: &Path, classes: usize, dim: usize) -> Result<Self> {
        let head = LinearHead::new(read_columns(&folder.join("weights"), dim)?, None, Similarity::Inner)?;
        let features = read_columns(&folder.join("features"), dim)?;
        let unwritten = |columns| Mat::full(dim, columns, f32::NAN); // resident before anything is measured
        let (weight_grads, feature_grads) = (unwritten(classes), unwritten(features.ncols()));
        Ok(Self { head, features, labels: read_labels(folder)?, weight_grads, feature_grads })
    }

    /// The three calls of a training step, with scores and their gradients stored in between.
    fn stored<L: BatchLoss<f32>>(&mut self, loss: &L, par: Par) -> Result<f32> {
        let (classes, batch) = (self.head.weights().ncols(), self.features.ncols());
        let (mut scores, mut score_grads) = (Mat::zeros(classes, batch), Mat::zeros(classes, batch));
        self.head.forward(self.features.as_ref(), scores.as_mut(), par)?;
        let targets = Targets::new(&self.labels);
        let objective = objective_and_grads(loss, scores.as_ref(), &targets, Reduction::Mean, score_grads.as_mut(), par)?;
        let grads = HeadGrads { weights: self.weight_grads.as_mut(), bias: None, features: Some(self.feature_grads.as_mut()) };
        self.head.backward(self.features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, par)?;
        Ok(objective)
    }

    /// The training step in one call.
    fn fused(&mut self, loss: &impl HeadLoss<f32>, par: Par) -> Result<f32> {
        let grads = HeadGrads { weights: self.weight_grads.as_mut(), bias: None, features: Some(self.feature_grads.as_mut()) };
        let targets = Targets::new(&self.labels);
        Ok(self.head.objective_and_grads(loss, self.features.as_ref(), &targets, Reduction::Mean, grads, par)?)
    }
}

pub fn evaluate(contestant: &str, head: &mut Head, par: Par) -> Result<f32> {
    let smoothing = Smoothing::Pathwise { epsilon: 1.0, num_samples: 5, key: Key::new(1) };
    let pathwise = TopKHinge::new(5)?.with_smoothing(smoothing)?;
    match contestant {
        "head-stored" => head.stored(&pathwise, par),
        "head-fused" => head.fused(&pathwise, par),
        "head-fused-exact" => head.fused(&TopKHinge::smoothed(5, 1.0)?, par),
        "head-fused-cross-entropy" => head.fused(&CrossEntropy, par),
        _ => bail!("no such contestant"),
    }
}
