//! Every loss, whatever the head.

use faer::Par;
use faer::prelude::*;
use topk_loss::imbalance::ldam_margins;
use topk_loss::loss::{ClassWeighted, LogitAdjusted, PolyhedralHinge, TopKMarginCrossEntropy};
use topk_loss::{CrossEntropy, FoldIn, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_batch::{LinearHead, Reduction, Similarity, Targets};

use crate::{agree, fused, heads, hinge, matrix, pathwise, rounding, unfused};

#[test]
fn cross_entropy() {
    agree::<f32, _>(|_| CrossEntropy, rounding::<f32>());
    agree::<f64, _>(|_| CrossEntropy, rounding::<f64>());
}

fn polyhedral<F: Real>(k: usize, margin: f64) -> PolyhedralHinge<F> {
    let loss = PolyhedralHinge::new(k).unwrap().with_margins(Margins::Uniform(F::from_f64(margin))).unwrap();
    loss.with_scale(F::from_f64(2.0)).unwrap()
}

/// Margins of which few classes share, many, and all.
#[test]
fn polyhedral_hinge() {
    for (k, margin) in [(1, 0.1), (2, 1.0), (2, 1000.0)] {
        agree::<f32, _>(|_| polyhedral(k, margin), rounding::<f32>());
        agree::<f64, _>(|_| polyhedral(k, margin), rounding::<f64>());
    }
    agree::<f64, _>(|num_classes| polyhedral(num_classes - 1, 0.1), rounding::<f64>());
}

fn margin_cross_entropy<F: Real>(k: usize, margin: f64) -> TopKMarginCrossEntropy<F> {
    TopKMarginCrossEntropy::new(k, F::from_f64(margin)).unwrap().with_scale(F::from_f64(1.5)).unwrap()
}

#[test]
fn top_k_margin_cross_entropy() {
    for (k, margin) in [(1, 0.1), (2, 1.0), (2, 1000.0)] {
        agree::<f32, _>(|_| margin_cross_entropy(k, margin), rounding::<f32>());
        agree::<f64, _>(|_| margin_cross_entropy(k, margin), rounding::<f64>());
    }
    agree::<f64, _>(|num_classes| margin_cross_entropy(num_classes - 1, 0.1), rounding::<f64>());
}

/// A number a class, from 0.5 up.
fn numbers<F: Real>(num_classes: usize) -> Vec<F> {
    (0..num_classes).map(|class| F::from_f64(0.5 + (class * 7 % 11) as f64 * 0.3)).collect()
}

#[test]
fn adjusted_and_weighted_losses() {
    agree::<f32, _>(|l| LogitAdjusted::new(CrossEntropy, numbers::<f32>(l)).unwrap(), rounding::<f32>());
    agree::<f64, _>(|l| ClassWeighted::new(CrossEntropy, numbers::<f64>(l)).unwrap(), rounding::<f64>());
    agree::<f64, _>(|l| LogitAdjusted::new(hinge(2, Smoothing::None), numbers::<f64>(l)).unwrap(), rounding::<f64>());
    let both = |l| ClassWeighted::new(LogitAdjusted::new(polyhedral(2, 1.0), numbers::<f64>(l)).unwrap(), numbers::<f64>(l)).unwrap();
    agree::<f64, _>(both, rounding::<f64>());
    let twice = |l| LogitAdjusted::new(ClassWeighted::new(both(l), numbers::<f64>(l)).unwrap(), numbers::<f64>(l)).unwrap();
    agree::<f64, _>(twice, rounding::<f64>());
}

#[test]
fn hard_hinge() {
    for k in [1, 2] {
        agree::<f32, _>(|_| hinge(k, Smoothing::None), rounding::<f32>());
        agree::<f64, _>(|_| hinge(k, Smoothing::None), rounding::<f64>());
    }
    agree::<f64, _>(|num_classes| hinge(num_classes - 1, Smoothing::None), rounding::<f64>());
}

/// Another class at a near tie would show: it moves an entry of a gradient by a share of itself.
#[test]
fn pathwise_hinge() {
    for (k, epsilon, num_samples) in [(1, 1.0, 5), (2, 0.01, 1), (2, 100.0, 3)] {
        agree::<f32, _>(|_| pathwise(k, epsilon, num_samples), rounding::<f32>());
        agree::<f64, _>(|_| pathwise(k, epsilon, num_samples), rounding::<f64>());
    }
    agree::<f32, _>(|num_classes| pathwise(num_classes - 1, 0.5, 2), rounding::<f32>());
}

/// Twice what either may be off by (see [`topk_loss::estimator::Exact`]), relative to gradients that several examples share.
#[test]
fn exact_hinge() {
    agree::<f32, _>(|_| hinge(1, Smoothing::Exact { epsilon: 1.0 }), 1e-4);
    agree::<f32, _>(|_| hinge(2, Smoothing::Exact { epsilon: 0.01 }), 1e-4);
    agree::<f64, _>(|_| hinge(2, Smoothing::Exact { epsilon: 30.0 }), 1e-6);
}

/// Core's own code counts such ranks from the other end.
#[test]
fn exact_hinge_of_a_deep_rank() {
    let (features, labels) = (matrix(8, 6, 3), [0, 1, 2, 3, 4, 5]);
    for head in heads::<f64>(60, 8) {
        for k in [20, 40, 59] {
            let (loss, targets) = (hinge(k, Smoothing::Exact { epsilon: 0.5 }), Targets::new(&labels));
            let expected = unfused(&head, &loss, features.as_ref(), &targets, Reduction::Mean);
            let distance = fused(&head, &loss, features.as_ref(), &targets, Reduction::Mean).distance(&expected);
            assert!(distance < 1e-6, "off by {distance} for k = {k}");
        }
    }
}

#[test]
fn margins_of_the_classes() {
    let counts: Vec<_> = (0..100).map(|j| 1 + j * j).collect();
    let mut margins = [0.0; 100];
    ldam_margins(&counts, 0.5, &mut margins).unwrap();
    let loss = TopKHinge::smoothed(5, 0.05).unwrap().with_margins(Margins::PerClass(&margins)).unwrap().with_scale(30.0).unwrap();
    let (features, labels) = (matrix(8, 20, 3), (0..20).map(|b| b * 5).collect::<Vec<_>>());
    for head in heads::<f64>(100, 8) {
        let targets = Targets::new(&labels);
        let expected = unfused(&head, &loss, features.as_ref(), &targets, Reduction::Mean);
        assert!(fused(&head, &loss, features.as_ref(), &targets, Reduction::Mean).distance(&expected) < 1e-6);
    }
}

/// Example b draws what the loss with b folded in draws.
#[test]
fn every_example_has_its_own_draws() {
    let loss = pathwise::<f64>(2, 1.0, 3);
    let head = LinearHead::new(matrix(1, 50, 1), None, Similarity::Inner).unwrap();
    let features = Mat::full(1, 4, 1.0);
    let value = |b: u64| {
        let scores: Vec<_> = head.weights().row(0).iter().copied().collect();
        loss.fold_in(b).value(&scores, 0, &mut vec![0.0; loss.scratch_len(50)]).unwrap()
    };
    let expected: f64 = (0..4).map(value).sum();
    let objective = head.objective(&loss, features.as_ref(), &Targets::new(&[0; 4]), Reduction::Sum, Par::Seq).unwrap();
    assert!((objective - expected).abs() < 1e-13 && value(0) != value(1));
}
