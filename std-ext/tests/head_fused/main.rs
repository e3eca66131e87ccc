//! The fused head against the head that stores its scores.

mod entries;
mod errors;
mod filter;
mod inputs;
mod losses;

use faer::Par;
use faer::prelude::*;
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{Key, Real, Smoothing, TopKHinge};
use topk_loss_batch::{
    BatchError, BatchLoss, BatchReal, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets, objective_and_grads,
};

/// (num_classes, batch, dim): one class more than guesses, one strip, several strips, strips of one tile.
const SIZES: [(usize, usize, usize); 5] = [(3, 1, 2), (100, 64, 33), (1500, 130, 16), (2000, 70, 8), (700, 600, 5)];
const IGNORED: usize = usize::MAX;

/// Standard normal entries.
fn matrix<F: Real>(rows: usize, columns: usize, seed: u64) -> Mat<F> {
    let (sampler, mut entries) = (MonteCarlo::new(Normal, 1).unwrap(), vec![F::zero(); rows * columns]);
    sampler.sample(Key::new(seed), 0, &mut entries).unwrap();
    Mat::from_fn(rows, columns, |i, j| entries[j * rows + i])
}

fn heads<F: BatchReal>(num_classes: usize, dim: usize) -> [LinearHead<F>; 3] {
    let weights = matrix(dim, num_classes, 1);
    let bias = matrix(num_classes, 1, 2).col(0).iter().copied().collect();
    [
        LinearHead::new(weights.clone(), None, Similarity::Inner).unwrap(),
        LinearHead::new(weights.clone(), Some(bias), Similarity::Inner).unwrap(),
        LinearHead::new(weights, None, Similarity::Cosine).unwrap(),
    ]
}

/// The objective and the gradients of the weights, the bias (empty without one) and the features.
#[derive(Debug, Clone, PartialEq)]
struct Step<F> {
    objective: F,
    weights: Mat<F>,
    bias: Vec<F>,
    below: Mat<F>,
}

impl<F: BatchReal> Step<F> {
    fn new(head: &LinearHead<F>, batch: usize, write: impl FnOnce(HeadGrads<'_, F>) -> Result<F, BatchError>) -> Result<Self, BatchError> {
        let nan = |_, _| F::nan();
        let mut weights = Mat::from_fn(head.dim(), head.num_classes(), nan);
        let mut bias = vec![F::nan(); head.bias().map_or(0, <[F]>::len)];
        let mut below = Mat::from_fn(head.dim(), batch, nan);
        let objective = write(HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: Some(below.as_mut()) })?;
        Ok(Self { objective, weights, bias, below })
    }

    /// The largest difference of two gradients, relative to the largest entry of the expected one.
    fn distance(&self, expected: &Self) -> f64 {
        let columns = |step: &Self| [step.weights.clone(), column(&step.bias), step.below.clone()];
        let pairs = columns(self).into_iter().zip(columns(expected));
        let gradients = pairs.map(|(a, b)| relative(to_f64((&a - &b).norm_max()), to_f64(b.norm_max())));
        gradients.fold(relative(to_f64(self.objective - expected.objective).abs(), to_f64(expected.objective)), f64::max)
    }
}

fn column<F: BatchReal>(entries: &[F]) -> Mat<F> {
    Mat::from_fn(entries.len(), 1, |i, _| entries[i])
}

fn relative(difference: f64, scale: f64) -> f64 {
    assert!(difference.is_finite() && scale.is_finite());
    if difference == 0.0 { 0.0 } else { difference / scale }
}

fn to_f64<F: Real>(x: F) -> f64 {
    x.to_f64().unwrap()
}

fn unfused<F: BatchReal, L: BatchLoss<F>>(
    head: &LinearHead<F>,
    loss: &L,
    features: MatRef<'_, F>,
    targets: &Targets<'_, F>,
    reduction: Reduction,
) -> Step<F> {
    let (mut scores, mut score_grads) =
        (Mat::zeros(head.num_classes(), features.ncols()), Mat::zeros(head.num_classes(), features.ncols()));
    Step::new(head, features.ncols(), |grads| {
        head.forward(features, scores.as_mut(), Par::Seq)?;
        let objective = objective_and_grads(loss, scores.as_ref(), targets, reduction, score_grads.as_mut(), Par::Seq)?;
        head.backward(features, scores.as_ref(), score_grads.as_ref(), grads, Par::Seq)?;
        Ok(objective)
    })
    .unwrap()
}

/// The fused step, which must not depend on the number of threads, and whose objective is that of the call for the objective alone.
fn fused<F: BatchReal>(
    head: &LinearHead<F>,
    loss: &impl HeadLoss<F>,
    features: MatRef<'_, F>,
    targets: &Targets<'_, F>,
    reduction: Reduction,
) -> Step<F> {
    let step =
        |par| Step::new(head, features.ncols(), |grads| head.objective_and_grads(loss, features, targets, reduction, grads, par)).unwrap();
    let alone = step(Par::Seq);
    assert_eq!(step(Par::rayon(2)), alone);
    assert_eq!(step(Par::rayon(7)), alone);
    assert_eq!(head.objective(loss, features, targets, reduction, Par::rayon(2)), Ok(alone.objective));
    alone
}

/// Every head, every size, with ignored labels and weights under each reduction.
fn agree<F: BatchReal, L: HeadLoss<F> + BatchLoss<F>>(loss_of: impl Fn(usize) -> L, tolerance: f64) {
    for (num_classes, batch, dim) in SIZES {
        let features = matrix::<F>(dim, batch, 3);
        let labels: Vec<_> = (0..batch).map(|b| if b % 5 == 2 { IGNORED } else { (b * 389 + 1) % num_classes }).collect();
        let weights: Vec<_> = (0..batch).map(|b| F::from_f64((b % 4) as f64 * 0.5)).collect();
        let weights = if batch == 1 { vec![F::one()] } else { weights };
        let targets = Targets::new(&labels).ignoring(IGNORED).with_weights(&weights).unwrap();
        for (head, reduction) in heads(num_classes, dim).iter().zip([Reduction::Mean, Reduction::Sum, Reduction::WeightedMean]) {
            let loss = loss_of(num_classes);
            let expected = unfused(head, &loss, features.as_ref(), &targets, reduction);
            let distance = fused(head, &loss, features.as_ref(), &targets, reduction).distance(&expected);
            assert!(distance <= tolerance, "off by {distance} for {num_classes} classes, {:?}", head.similarity());
        }
    }
}

/// Sums of another order: of up to 2000 classes for the features, of up to 600 examples for the weights.
fn rounding<F: Real>() -> f64 {
    256.0 * to_f64(F::epsilon())
}

fn hinge<F: Real>(k: usize, smoothing: Smoothing<F>) -> TopKHinge<F> {
    TopKHinge::new(k).unwrap().with_scale(F::from_f64(2.0)).unwrap().with_smoothing(smoothing).unwrap()
}

fn pathwise<F: Real>(k: usize, epsilon: f64, num_samples: usize) -> TopKHinge<F> {
    hinge(k, Smoothing::Pathwise { epsilon: F::from_f64(epsilon), num_samples, key: Key::new(11) })
}
