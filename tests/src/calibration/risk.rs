//! The conditional risk of a loss, on all scores or on those that allow a selection.

use topk_loss::Loss;
use topk_loss::loss::{ExpectedLoss, SoftLabelLoss};

use super::selection::Selection;

/// s ↦ Σ_y η_y ℓ(P s, y), P the identity or what [imposes](Selection::impose) a selection; infinite where two scores are further apart
/// than the radius or the loss is an error.
pub(super) struct Risk<'a, L> {
    loss: ExpectedLoss<&'a L>,
    shares: &'a [f64],
    radius: f64,
    /// A typical slope.
    pub steepness: f64,
    pub selection: Option<Selection>,
    scratch: Vec<f64>,
}

impl<'a, L: Loss<f64>> Risk<'a, L> {
    /// On all scores.
    pub fn new(loss: &'a L, shares: &'a [f64], radius: f64, steepness: f64) -> Self {
        let loss = ExpectedLoss::new(loss);
        let scratch = vec![0.0; SoftLabelLoss::<f64>::soft_scratch_len(&loss, shares.len())];
        Self { loss, shares, radius, steepness, selection: None, scratch }
    }

    /// P s.
    pub fn admitted(&self, scores: &[f64]) -> Vec<f64> {
        let mut admitted = scores.to_vec();
        self.selection.map(|selection| selection.impose(&mut admitted));
        admitted
    }

    pub fn value(&mut self, scores: &[f64]) -> f64 {
        let admitted = self.admitted(scores);
        match self.is_near(&admitted) {
            true => self.loss.soft_value(&admitted, self.shares, &mut self.scratch).unwrap_or(f64::INFINITY),
            false => f64::INFINITY,
        }
    }

    /// The gradient is that of the loss, by the chain rule: a class that was raised moves with the one it was raised to.
    pub fn value_and_grad(&mut self, scores: &[f64], grad: &mut [f64]) -> f64 {
        let mut admitted = scores.to_vec();
        let leader = self.selection.map(|selection| selection.impose(&mut admitted));
        if !self.is_near(&admitted) {
            return f64::INFINITY;
        }
        let value = self.loss.soft_value_and_grad(&admitted, self.shares, grad, &mut self.scratch).unwrap_or(f64::INFINITY);
        for class in (0..scores.len()).filter(|&class| admitted[class] > scores[class]) {
            let moved = core::mem::take(&mut grad[class]);
            leader.into_iter().for_each(|leader| grad[leader] += moved);
        }
        value
    }

    fn is_near(&self, scores: &[f64]) -> bool {
        let (least, largest) = scores.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &s| (low.min(s), high.max(s)));
        largest - least <= self.radius
    }
}
