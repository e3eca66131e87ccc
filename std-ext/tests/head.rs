//! The linear head against its definition and finite differences.

use faer::prelude::*;
use faer::{Par, mat};
use topk_loss::{Error, Real};
use topk_loss_batch::{BatchError, BatchReal, HeadGrads, LinearHead, Similarity};

/// (num_classes, batch, dim); the larger ones are more than one tile in every product.
const SIZES: [(usize, usize, usize); 5] = [(1, 1, 1), (5, 3, 4), (100, 64, 33), (77, 37, 300), (1000, 130, 16)];

fn matrix<F: Real>(rows: usize, columns: usize, seed: usize) -> Mat<F> {
    Mat::from_fn(rows, columns, |i, j| F::from_f64(((i * 37 + j * 101 + seed * 53 + i * j) % 211) as f64 / 128.0 - 0.8))
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

fn forward<F: BatchReal>(head: &LinearHead<F>, features: MatRef<'_, F>, par: Par) -> Mat<F> {
    let mut scores = Mat::from_fn(head.num_classes(), features.ncols(), |_, _| F::nan());
    head.forward(features, scores.as_mut(), par).unwrap();
    scores
}

/// The gradients of the weights, the bias (empty without one) and the features.
type Grads<F> = (Mat<F>, Vec<F>, Mat<F>);

fn backward<F: BatchReal>(head: &LinearHead<F>, features: MatRef<'_, F>, score_grads: MatRef<'_, F>, par: Par) -> Grads<F> {
    let scores = forward(head, features, par);
    let mut weights = Mat::from_fn(head.dim(), head.num_classes(), |_, _| F::nan());
    let mut bias = vec![F::nan(); head.bias().map_or(0, <[F]>::len)];
    let mut below = Mat::from_fn(head.dim(), features.ncols(), |_, _| F::nan());
    let grads = HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: Some(below.as_mut()) };
    head.backward(features, scores.as_ref(), score_grads, grads, par).unwrap();
    (weights, bias, below)
}

fn dot(a: ColRef<'_, f64>, b: ColRef<'_, f64>) -> f64 {
    a.iter().zip(b.iter()).map(|(a, b)| a * b).sum()
}

/// The definition, one score at a time.
fn naive(head: &LinearHead<f64>, features: MatRef<'_, f64>) -> Mat<f64> {
    Mat::from_fn(head.num_classes(), features.ncols(), |j, b| {
        let (w, x) = (head.weights().col(j), features.col(b));
        match head.similarity() {
            Similarity::Inner => dot(w, x) + head.bias().map_or(0.0, |bias| bias[j]),
            Similarity::Cosine => dot(w, x) / (dot(w, w) * dot(x, x)).sqrt(),
        }
    })
}

fn assert_close(actual: MatRef<'_, f64>, expected: MatRef<'_, f64>, tolerance: f64) {
    let difference = (actual - expected).norm_max();
    let scale = expected.norm_max().max(1.0);
    assert!(difference <= tolerance * scale, "off by {difference} where entries are up to {scale}");
}

#[test]
fn scores_are_those_of_the_definition() {
    for (num_classes, batch, dim) in SIZES {
        let features = matrix(dim, batch, 3);
        for head in heads::<f64>(num_classes, dim) {
            assert_close(forward(&head, features.as_ref(), Par::rayon(2)).as_ref(), naive(&head, features.as_ref()).as_ref(), 1e-13);
        }
    }
}

fn threads_do_not_matter<F: BatchReal>() {
    for (num_classes, batch, dim) in SIZES {
        let (features, score_grads) = (matrix::<F>(dim, batch, 3), matrix::<F>(num_classes, batch, 4));
        for head in heads(num_classes, dim) {
            let scores = forward(&head, features.as_ref(), Par::Seq);
            let grads = backward(&head, features.as_ref(), score_grads.as_ref(), Par::Seq);
            for par in [Par::rayon(1), Par::rayon(2), Par::rayon(3), Par::rayon(64)] {
                assert_eq!(forward(&head, features.as_ref(), par), scores);
                assert_eq!(backward(&head, features.as_ref(), score_grads.as_ref(), par), grads);
            }
        }
    }
}

#[test]
fn results_are_the_same_bits_for_any_number_of_threads() {
    threads_do_not_matter::<f32>();
    threads_do_not_matter::<f64>();
}

/// Central differences of ⟨G, S⟩ in whatever the step moves.
fn finite_difference(score_grads: MatRef<'_, f64>, scores_after: impl Fn(f64) -> Mat<f64>) -> f64 {
    const STEP: f64 = 1e-5;
    let objective = |scores: Mat<f64>| score_grads.col_iter().zip(scores.col_iter()).map(|(g, s)| dot(g, s)).sum::<f64>();
    (objective(scores_after(STEP)) - objective(scores_after(-STEP))) / (2.0 * STEP)
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let (num_classes, batch, dim) = (7, 5, 4);
    let (features, score_grads) = (matrix(dim, batch, 3), matrix(num_classes, batch, 4));
    for head in heads::<f64>(num_classes, dim) {
        let (weights, bias, below) = backward(&head, features.as_ref(), score_grads.as_ref(), Par::Seq);
        let expected_weights = Mat::from_fn(dim, num_classes, |i, j| {
            finite_difference(score_grads.as_ref(), |step| {
                let mut head = head.clone();
                head.weights_mut()[(i, j)] += step;
                naive(&head, features.as_ref())
            })
        });
        assert_close(weights.as_ref(), expected_weights.as_ref(), 1e-9);
        for (j, &actual) in bias.iter().enumerate() {
            let expected = finite_difference(score_grads.as_ref(), |step| {
                let mut head = head.clone();
                head.bias_mut().unwrap()[j] += step;
                naive(&head, features.as_ref())
            });
            assert!((actual - expected).abs() < 1e-9);
        }
        let expected_below = Mat::from_fn(dim, batch, |i, b| {
            finite_difference(score_grads.as_ref(), |step| {
                let mut features = features.clone();
                features[(i, b)] += step;
                naive(&head, features.as_ref())
            })
        });
        assert_close(below.as_ref(), expected_below.as_ref(), 1e-9);
    }
}

/// Lengths from the smallest number to beyond the largest: entries that are a few of the smallest steps, or within a factor of two of the
/// end, and a length of 1 beside them.
#[test]
fn a_cosine_ignores_lengths_however_extreme() {
    let small_integers = |rows, columns, seed| Mat::from_fn(rows, columns, |i, j| ((i * 7 + j * 5 + seed + i * j) % 9) as f32 - 4.0);
    let (weights, features): (Mat<f32>, Mat<f32>) = (small_integers(5, 6, 1), small_integers(5, 4, 3));
    let score_grads = matrix::<f32>(6, 4, 4);
    let cosine = |weights| LinearHead::new(weights, None, Similarity::Cosine).unwrap();
    let expected = forward(&cosine(weights.clone()), features.as_ref(), Par::Seq);
    let (expected_weights, _, expected_below) = backward(&cosine(weights.clone()), features.as_ref(), score_grads.as_ref(), Par::Seq);
    let near = |actual: Mat<f32>, expected: &Mat<f32>| {
        let apart = (&actual - expected).norm_max();
        assert!(apart <= 1e-6 * expected.norm_max(), "{actual:?} instead of {expected:?}");
    };
    let scales = [-149, -148, -140, -126, -120, -100, -64, -63, -20, 0, 20, 61, 64, 100, 125].map(|e| (2.0_f64.powi(e) as f32, e));
    for (scale, exponent) in scales {
        // Some of the columns alone, so that ordinary ones stand beside them.
        let scaled = |matrix: &Mat<f32>| Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * factor(scale, j));
        let (weights, features) = (scaled(&weights), scaled(&features));
        let head = cosine(weights);
        near(forward(&head, features.as_ref(), Par::Seq), &expected);

        let (mut weights, mut below) = (Mat::full(5, 6, f32::NAN), Mat::full(5, 4, f32::NAN));
        let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
        let outcome = head.backward(features.as_ref(), expected.as_ref(), score_grads.as_ref(), grads, Par::Seq);
        if exponent < -126 {
            // The gradient is of the size of one over the length.
            assert_eq!(outcome, Err(BatchError::Overflow { what: "feature gradient" }));
            continue;
        }
        assert_eq!(outcome, Ok(()));
        // Gradients shrink as lengths grow; below the smallest normal number they have fewer digits.
        if exponent < 100 {
            let back = |grads: Mat<f32>| Mat::from_fn(grads.nrows(), grads.ncols(), |i, j| grads[(i, j)] * factor(scale, j));
            near(back(weights), &expected_weights);
            near(back(below), &expected_below);
        }
    }
}

fn factor(scale: f32, column: usize) -> f32 {
    if column % 3 == 1 { 1.0 } else { scale }
}

#[test]
fn a_zero_column_has_no_direction_and_no_gradient() {
    let head = LinearHead::new(mat![[0.0, 3.0], [0.0, 4.0]], None, Similarity::Cosine).unwrap();
    let features = mat![[3.0, 0.0], [4.0, 0.0]];
    assert_eq!(forward(&head, features.as_ref(), Par::Seq), mat![[0.0, 0.0], [1.0, 0.0]]);
    let (weights, bias, below) = backward(&head, features.as_ref(), mat![[1.0, 1.0], [0.0, 1.0]].as_ref(), Par::Seq);
    assert_eq!((weights, bias, below), (Mat::zeros(2, 2), vec![], Mat::zeros(2, 2)));
}

#[test]
fn views_may_be_strided_reversed_or_row_major() {
    let (num_classes, batch, dim) = (150, 37, 20);
    let (features, score_grads) = (matrix::<f64>(dim, batch, 3), matrix::<f64>(num_classes, batch, 4));
    for head in heads(num_classes, dim) {
        let expected_scores = forward(&head, features.as_ref(), Par::Seq);
        let (expected_weights, _, expected_below) = backward(&head, features.as_ref(), score_grads.as_ref(), Par::Seq);

        // Every matrix is stored transposed and with its rows and columns from last to first, beside columns that must stay.
        let stored = |matrix: &Mat<f64>| matrix.as_ref().reverse_rows_and_cols().transpose().to_owned();
        let wide = |matrix: &Mat<f64>| Mat::full(matrix.ncols(), matrix.nrows() + 3, -7.0);
        let view = |matrix: &Mat<f64>, rows: usize| matrix.subcols(0, rows).transpose().reverse_rows_and_cols().to_owned();
        let (features, score_grads) = (stored(&features), stored(&score_grads));
        let mut scores = wide(&expected_scores);
        let (mut weights, mut below) = (wide(&expected_weights), wide(&expected_below));

        let features = features.transpose().reverse_rows_and_cols();
        head.forward(features, reversed_mut(&mut scores, num_classes), Par::rayon(2)).unwrap();
        assert_close(view(&scores, num_classes).as_ref(), expected_scores.as_ref(), 1e-14);
        let grads = HeadGrads { weights: reversed_mut(&mut weights, dim), bias: None, features: Some(reversed_mut(&mut below, dim)) };
        let scores_view = scores.subcols(0, num_classes).transpose().reverse_rows_and_cols();
        head.backward(features, scores_view, score_grads.transpose().reverse_rows_and_cols(), grads, Par::rayon(2)).unwrap();
        assert_close(view(&weights, dim).as_ref(), expected_weights.as_ref(), 1e-14);
        assert_close(view(&below, dim).as_ref(), expected_below.as_ref(), 1e-14);
        for (matrix, rows) in [(&scores, num_classes), (&weights, dim), (&below, dim)] {
            assert!(matrix.subcols(rows, 3).col_iter().all(|column| column.iter().all(|&entry| entry == -7.0)));
        }
    }
}

fn reversed_mut(matrix: &mut Mat<f64>, rows: usize) -> MatMut<'_, f64> {
    matrix.as_mut().subcols_mut(0, rows).transpose_mut().reverse_rows_and_cols_mut()
}

#[test]
fn bad_parameters_make_no_head() {
    let new = |weights: Mat<f64>, bias, similarity| LinearHead::new(weights, bias, similarity).unwrap_err();
    assert_eq!(new(Mat::zeros(0, 3), None, Similarity::Inner), BatchError::Empty { what: "feature" });
    assert_eq!(new(Mat::zeros(3, 0), None, Similarity::Inner), BatchError::Empty { what: "class" });
    let length = BatchError::Length { what: "bias", expected: 3, actual: 2 };
    assert_eq!(new(Mat::zeros(2, 3), Some(vec![0.0; 2]), Similarity::Inner), length);
    let parameter = BatchError::Parameter { name: "bias", must: "absent from a cosine" };
    assert_eq!(new(Mat::zeros(2, 3), Some(vec![0.0; 3]), Similarity::Cosine), parameter);
    let not_finite = |what, position| BatchError::NotFinite { what, position };
    assert_eq!(new(mat![[0.0, 0.0], [0.0, f64::NAN]], None, Similarity::Cosine), not_finite("weights", (1, 1)));
    assert_eq!(new(Mat::zeros(1, 2), Some(vec![0.0, f64::INFINITY]), Similarity::Inner), not_finite("bias", (1, 0)));
}

#[test]
fn bad_inputs_are_refused_before_anything_is_written() {
    const UNTOUCHED: f64 = -7.0;
    let untouched = |matrix: &Mat<f64>| matrix.col_iter().all(|column| column.iter().all(|&entry| entry == UNTOUCHED));
    for head in heads::<f64>(3, 2) {
        let forward = |features: Mat<f64>, shape: (usize, usize)| {
            let mut scores = Mat::full(shape.0, shape.1, UNTOUCHED);
            let error = head.forward(features.as_ref(), scores.as_mut(), Par::rayon(2)).unwrap_err();
            assert!(untouched(&scores));
            error
        };
        let shape = |what, expected, actual| BatchError::Shape { what, expected, actual };
        let nan = |what, example, index| BatchError::Example { example, error: Error::NotFinite { what, index } };
        assert_eq!(forward(Mat::zeros(2, 0), (3, 0)), BatchError::Empty { what: "example" });
        assert_eq!(forward(Mat::zeros(5, 4), (3, 4)), shape("features", (2, 4), (5, 4)));
        assert_eq!(forward(Mat::zeros(2, 4), (4, 3)), shape("scores", (3, 4), (4, 3)));
        assert_eq!(forward(mat![[0.0, f64::NAN], [0.0, 0.0]], (3, 2)), nan("features", 1, 0));

        let backward = |features: &Mat<f64>, scores: &Mat<f64>, score_grads: &Mat<f64>, weights: (usize, usize), below: (usize, usize)| {
            let (mut weights, mut below) = (Mat::full(weights.0, weights.1, UNTOUCHED), Mat::full(below.0, below.1, UNTOUCHED));
            let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
            let error = head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::rayon(2)).unwrap_err();
            assert!(untouched(&weights) && untouched(&below));
            error
        };
        let (features, scores) = (Mat::zeros(2, 4), Mat::zeros(3, 4));
        let transposed = Mat::zeros(4, 3);
        assert_eq!(backward(&transposed, &scores, &scores, (2, 3), (2, 4)), shape("features", (2, 3), (4, 3)));
        assert_eq!(backward(&features, &transposed, &scores, (2, 3), (2, 4)), shape("scores", (3, 4), (4, 3)));
        assert_eq!(backward(&features, &scores, &transposed, (2, 3), (2, 4)), shape("score gradients", (3, 4), (4, 3)));
        assert_eq!(backward(&features, &scores, &scores, (3, 2), (2, 4)), shape("weight gradients", (2, 3), (3, 2)));
        assert_eq!(backward(&features, &scores, &scores, (2, 3), (4, 2)), shape("feature gradients", (2, 4), (4, 2)));
        let mut bad = scores.clone();
        bad[(2, 3)] = f64::INFINITY;
        assert_eq!(backward(&features, &scores, &bad, (2, 3), (2, 4)), nan("score gradients", 3, 2));
        if head.similarity() == Similarity::Cosine {
            assert_eq!(backward(&features, &bad, &Mat::ones(3, 4), (2, 3), (2, 4)), nan("scores", 3, 2));
        }

        let mut diverged = head.clone();
        diverged.weights_mut()[(1, 2)] = f64::NAN;
        let mut out = Mat::full(3, 4, UNTOUCHED);
        let error = diverged.forward(features.as_ref(), out.as_mut(), Par::Seq);
        assert_eq!(error, Err(BatchError::NotFinite { what: "weights", position: (1, 2) }));
        assert!(untouched(&out));
    }
}

#[test]
fn a_bias_gradient_is_as_long_as_the_bias() {
    let (features, scores) = (Mat::<f64>::zeros(2, 4), Mat::zeros(3, 4));
    for (head, expected) in heads::<f64>(3, 2).iter().zip([0, 3, 0]) {
        let (mut weights, mut bias) = (Mat::zeros(2, 3), [0.0; 2]);
        let grads = HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: None };
        let error = head.backward(features.as_ref(), scores.as_ref(), scores.as_ref(), grads, Par::Seq);
        assert_eq!(error, Err(BatchError::Length { what: "bias gradient", expected, actual: 2 }));
    }
}

#[test]
fn results_beyond_the_range_are_an_error() {
    let head = LinearHead::new(mat![[f32::MAX], [f32::MAX]], None, Similarity::Inner).unwrap();
    let (features, mut scores) = (mat![[2.0_f32], [0.0]], Mat::zeros(1, 1));
    assert_eq!(head.forward(features.as_ref(), scores.as_mut(), Par::Seq), Err(BatchError::Overflow { what: "score" }));
}
