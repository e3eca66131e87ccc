//! The entries of a sparse gradient.

use faer::Par;
use faer::prelude::*;
use topk_loss::{Margins, Smoothing, TopKHinge};
use topk_loss_batch::{BatchReal, LinearHead, Reduction, ScoreGrad, Similarity, Targets, objective_and_grads};

use crate::{SIZES, heads, hinge, matrix, pathwise, rounding, to_f64};

/// The non-zero entries of the gradient with respect to stored scores.
fn dense_entries<F: BatchReal>(
    head: &LinearHead<F>,
    loss: &TopKHinge<F, Margins<'_, F>>,
    features: MatRef<'_, F>,
    targets: &Targets<'_, F>,
) -> (F, Vec<ScoreGrad<F>>) {
    let mut scores = Mat::zeros(head.num_classes(), features.ncols());
    let mut grads = scores.clone();
    head.forward(features, scores.as_mut(), Par::Seq).unwrap();
    let objective = objective_and_grads(loss, scores.as_ref(), targets, Reduction::Mean, grads.as_mut(), Par::Seq).unwrap();
    let entries = (0..features.ncols()).flat_map(|example| (0..head.num_classes()).map(move |class| (class, example)));
    let entries = entries.map(|(class, example)| ScoreGrad { class, example, value: grads[(class, example)] });
    (objective, entries.filter(|entry| entry.value != F::zero()).collect())
}

fn entries_agree<F: BatchReal>() {
    for (num_classes, batch, dim) in SIZES {
        let (features, labels) = (matrix::<F>(dim, batch, 3), (0..batch).map(|b| (b * 7) % num_classes).collect::<Vec<_>>());
        for head in heads::<F>(num_classes, dim) {
            for loss in [hinge(2, Smoothing::None), pathwise(2, 0.3, 7), pathwise(1, 2.0, 4)] {
                let (objective, entries) = head
                    .objective_and_score_grads(&loss, features.as_ref(), &Targets::new(&labels), Reduction::Mean, Par::rayon(2))
                    .unwrap();
                let (expected, expected_entries) = dense_entries(&head, &loss, features.as_ref(), &Targets::new(&labels));
                let entries: Vec<_> = entries.into_iter().filter(|entry| entry.value != F::zero()).collect();
                assert_eq!(entries, expected_entries);
                assert!(to_f64(objective - expected).abs() <= rounding::<F>() * to_f64(expected));
            }
        }
    }
}

#[test]
fn entries_of_a_sparse_gradient_are_those_of_the_dense_one() {
    entries_agree::<f32>();
    entries_agree::<f64>();
}

/// Integers, so that products are exact and ties are ties.
#[test]
fn ties_go_to_the_lowest_class() {
    let (num_classes, batch) = (900, 150);
    let weights = Mat::from_fn(2, num_classes, |i, j| ((j * (i + 3)) % 7) as f32);
    let features = Mat::from_fn(2, batch, |i, b| ((b + i) % 3) as f32 - 1.0);
    let head = LinearHead::new(weights, None, Similarity::Inner).unwrap();
    let labels: Vec<_> = (0..batch).map(|b| b * 6).collect();
    for k in [1, 4, 200, 899] {
        let loss = hinge(k, Smoothing::None);
        let sparse = head.objective_and_score_grads(&loss, features.as_ref(), &Targets::new(&labels), Reduction::Mean, Par::Seq).unwrap();
        assert!(sparse == dense_entries(&head, &loss, features.as_ref(), &Targets::new(&labels)), "k = {k}");
    }
}
