//! The matrix products of a linear head, class by class.

use core::ops::Range;

const LANES: usize = 16;

/// The weights of some classes, one class after the other.
pub struct Head {
    pub weights: Vec<f32>,
    features: usize,
}

impl Head {
    pub fn new(weights: Vec<f32>, features: usize) -> Self {
        Self { weights, features }
    }

    /// The scores of a batch, one example after the other.
    pub fn write_scores(&self, inputs: &[f32], scores: &mut [f32]) {
        let classes = self.weights.len() / self.features;
        for (class, weights) in self.weights.chunks_exact(self.features).enumerate() {
            for (input, scores) in inputs.chunks_exact(self.features).zip(scores.chunks_exact_mut(classes)) {
                scores[class] = dot(weights, input);
            }
        }
    }

    /// Overwrites `grad` with that of the weights.
    pub fn write_grad(&self, inputs: &[f32], score_grads: &[f32], grad: &mut [f32]) {
        let classes = self.weights.len() / self.features;
        grad.fill(0.0);
        for (class, grad) in grad.chunks_exact_mut(self.features).enumerate() {
            for (input, score_grads) in inputs.chunks_exact(self.features).zip(score_grads.chunks_exact(classes)) {
                let slope = score_grads[class];
                if slope != 0.0 {
                    grad.iter_mut().zip(input).for_each(|(grad, &x)| *grad += slope * x);
                }
            }
        }
    }

    /// Goes down a gradient.
    pub fn step(&mut self, rate: f32, grad: &[f32]) {
        self.weights.iter_mut().zip(grad).for_each(|(weight, &slope)| *weight -= rate * slope);
    }

    /// The weights of some of the classes.
    pub fn part(weights: &[f32], features: usize, classes: Range<usize>) -> &[f32] {
        &weights[classes.start * features..classes.end * features]
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let ((a, a_left), (b, b_left)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let left: f32 = a_left.iter().zip(b_left).map(|(&a, &b)| a * b).sum();
    lanes.iter().sum::<f32>() + left
}
