//! Scores and views of every kind.

use faer::Par;
use faer::prelude::*;
use topk_loss::Smoothing;
use topk_loss_batch::{HeadGrads, LinearHead, Reduction, Similarity, Targets};

use crate::{Step, fused, heads, hinge, matrix, pathwise, unfused};

/// Rows where the center rises with every strip, falls, stays, or where one class leads by far.
#[test]
fn the_exact_hinge_finds_its_center_in_any_order() {
    let num_classes = 3000;
    type Row = fn(usize) -> f64;
    let rows: [Row; 5] = [
        |j| j as f64 * 0.01,
        |j| j as f64 * -3.0,
        |_| 0.0,
        |j| if j == 2500 { 1e4 } else { (j % 11) as f64 },
        |j| (j * j % 97) as f64 * if j > 2800 { 1e8 } else { 1.0 },
    ];
    for row in rows {
        let head = LinearHead::new(Mat::from_fn(1, num_classes, |_, j| row(j)), None, Similarity::Inner).unwrap();
        let (features, labels) = (Mat::full(1, 130, 1.0), (0..130).map(|b| b * 23).collect::<Vec<_>>());
        for (k, epsilon) in [(1, 0.5), (5, 2.0), (30, 0.02)] {
            let loss = hinge(k, Smoothing::Exact { epsilon });
            let targets = Targets::new(&labels);
            let expected = unfused(&head, &loss, features.as_ref(), &targets, Reduction::Mean);
            let distance = fused(&head, &loss, features.as_ref(), &targets, Reduction::Mean).distance(&expected);
            assert!(distance < 1e-6, "off by {distance}");
        }
    }
}

/// An offset of 2²⁰ with scores on a grid of ⅛ that keeps them exact.
#[test]
fn a_common_offset_does_not_drown_the_noise() {
    let num_classes = 1500;
    let grid = |offset: f32| Mat::from_fn(1, num_classes, |_, j| ((j * 67) % 41) as f32 / 8.0 + offset);
    let (features, labels) = (Mat::full(1, 130, 1.0_f32), (0..130).collect::<Vec<_>>());
    for loss in [pathwise(3, 0.1, 5), hinge(3, Smoothing::Exact { epsilon: 0.1 }), hinge(3, Smoothing::None)] {
        let step = |offset| {
            let head = LinearHead::new(grid(offset), None, Similarity::Inner).unwrap();
            fused(&head, &loss, features.as_ref(), &Targets::new(&labels), Reduction::Mean)
        };
        let (near, far) = (step(0.0), step(1_048_576.0));
        assert_eq!((near.objective, near.weights), (far.objective, far.weights));
    }
}

#[test]
fn views_may_be_strided_reversed_or_row_major() {
    let (num_classes, batch, dim) = (150, 37, 20);
    let features = matrix::<f64>(dim, batch, 3);
    let labels: Vec<_> = (0..batch).collect();
    let stored = features.as_ref().reverse_rows_and_cols().transpose().to_owned();
    for head in heads::<f64>(num_classes, dim) {
        for loss in [pathwise(3, 0.5, 4), hinge(3, Smoothing::Exact { epsilon: 0.5 })] {
            let targets = Targets::new(&labels);
            let expected = fused(&head, &loss, features.as_ref(), &targets, Reduction::Mean);
            let (mut weights, mut below) = (Mat::full(num_classes, dim + 3, -7.0), Mat::full(batch, dim + 3, -7.0));
            let mut bias = expected.bias.clone();
            let grads = HeadGrads {
                weights: weights.as_mut().subcols_mut(0, dim).transpose_mut().reverse_rows_and_cols_mut(),
                bias: Some(&mut bias),
                features: Some(below.as_mut().subcols_mut(0, dim).transpose_mut().reverse_rows_and_cols_mut()),
            };
            let reversed = stored.transpose().reverse_rows_and_cols();
            let objective = head.objective_and_grads(&loss, reversed, &targets, Reduction::Mean, grads, Par::rayon(2)).unwrap();
            let view = |matrix: &Mat<f64>| matrix.subcols(0, dim).transpose().reverse_rows_and_cols().to_owned();
            let actual = Step { objective, weights: view(&weights), bias, below: view(&below) };
            assert!(actual.distance(&expected) < 1e-12);
            for matrix in [&weights, &below] {
                assert!(matrix.subcols(dim, 3).col_iter().all(|column| column.iter().all(|&entry| entry == -7.0)));
            }
        }
    }
}
