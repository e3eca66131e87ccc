//! The fused head against the head that stores its scores.

use faer::prelude::*;
use faer::{Par, mat};
use topk_loss::imbalance::ldam_margins;
use topk_loss::loss::{ClassWeighted, LogitAdjusted, PolyhedralHinge, TopKMarginCrossEntropy};
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{CrossEntropy, Error, FoldIn, Key, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_batch::{
    BatchError, BatchLoss, BatchReal, HeadGrads, HeadLoss, LinearHead, Reduction, ScoreGrad, Similarity, Targets, objective_and_grads,
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
fn adjusted_and_weighted_losses_refuse_what_they_cannot_use() {
    fn error(loss: &impl HeadLoss<f32>) -> BatchError {
        let head = LinearHead::new(mat![[1.0, 2.0]], None, Similarity::Inner).unwrap();
        head.objective(loss, mat![[1.0]].as_ref(), &Targets::new(&[1]), Reduction::Mean, Par::Seq).unwrap_err()
    }
    let within = |error| BatchError::Example { example: 0, error };
    let length = |what| within(Error::Length { what, expected: 2, actual: 3 });
    assert_eq!(error(&LogitAdjusted::new(CrossEntropy, [0.0_f32; 3]).unwrap()), length("adjustments"));
    assert_eq!(error(&ClassWeighted::new(CrossEntropy, [1.0_f32; 3]).unwrap()), length("weights"));
    let adjusted = LogitAdjusted::new(LogitAdjusted::new(CrossEntropy, [f32::MAX; 2]).unwrap(), [f32::MAX; 2]).unwrap();
    assert_eq!(error(&adjusted), within(Error::Overflow { what: "adjusted scores" }));
    let weighted = ClassWeighted::new(ClassWeighted::new(CrossEntropy, [f32::MAX; 2]).unwrap(), [f32::MAX; 2]).unwrap();
    assert_eq!(error(&weighted), within(Error::Overflow { what: "loss" }));
}

fn hinge<F: Real>(k: usize, smoothing: Smoothing<F>) -> TopKHinge<F> {
    TopKHinge::new(k).unwrap().with_scale(F::from_f64(2.0)).unwrap().with_smoothing(smoothing).unwrap()
}

#[test]
fn hard_hinge() {
    for k in [1, 2] {
        agree::<f32, _>(|_| hinge(k, Smoothing::None), rounding::<f32>());
        agree::<f64, _>(|_| hinge(k, Smoothing::None), rounding::<f64>());
    }
    agree::<f64, _>(|num_classes| hinge(num_classes - 1, Smoothing::None), rounding::<f64>());
}

fn pathwise<F: Real>(k: usize, epsilon: f64, num_samples: usize) -> TopKHinge<F> {
    hinge(k, Smoothing::Pathwise { epsilon: F::from_f64(epsilon), num_samples, key: Key::new(11) })
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

#[test]
fn bad_inputs_are_refused_before_anything_is_written() {
    const UNTOUCHED: f64 = -7.0;
    let features = matrix::<f64>(2, 4, 3);
    let hard = hinge::<f64>(1, Smoothing::None);
    for head in heads::<f64>(3, 2) {
        let refused = |loss: &TopKHinge<f64, Margins<'_, f64>>,
                       features: MatRef<'_, f64>,
                       targets: Targets<'_, f64>,
                       weights: (usize, usize),
                       below: (usize, usize)| {
            let (mut weights, mut below) = (Mat::full(weights.0, weights.1, UNTOUCHED), Mat::full(below.0, below.1, UNTOUCHED));
            let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
            let error = head.objective_and_grads(loss, features, &targets, Reduction::Mean, grads, Par::rayon(2)).unwrap_err();
            assert!([weights, below].iter().all(|matrix| matrix.col_iter().all(|column| column.iter().all(|&entry| entry == UNTOUCHED))));
            error
        };
        let labels = [0, 1, 2, 0];
        let (good, x) = (Targets::new(&labels), features.as_ref());
        let shape = |what, expected, actual| BatchError::Shape { what, expected, actual };
        assert_eq!(
            refused(&hard, Mat::zeros(2, 0).as_ref(), Targets::new(&[0_usize; 0]), (2, 3), (2, 0)),
            BatchError::Empty { what: "example" }
        );
        assert_eq!(refused(&hard, Mat::zeros(5, 4).as_ref(), good, (2, 3), (2, 4)), shape("features", (2, 4), (5, 4)));
        assert_eq!(refused(&hard, x, good, (3, 2), (2, 4)), shape("weight gradients", (2, 3), (3, 2)));
        assert_eq!(refused(&hard, x, good, (2, 3), (4, 2)), shape("feature gradients", (2, 4), (4, 2)));
        let length = BatchError::Length { what: "labels", expected: 4, actual: 3 };
        assert_eq!(refused(&hard, x, Targets::new(&[0, 1, 2]), (2, 3), (2, 4)), length);
        let label = BatchError::Example { example: 2, error: Error::Label { label: 3, num_classes: 3 } };
        assert_eq!(refused(&hard, x, Targets::new(&[0, 9, 3, 0]).ignoring(9), (2, 3), (2, 4)), label);
        let none = BatchError::Empty { what: "example whose label is not ignored" };
        assert_eq!(refused(&hard, x, Targets::new(&[9; 4]).ignoring(9), (2, 3), (2, 4)), none);
        let mut bad = features.clone();
        bad[(1, 2)] = f64::NAN;
        let not_finite = BatchError::Example { example: 2, error: Error::NotFinite { what: "features", index: 1 } };
        assert_eq!(refused(&hard, bad.as_ref(), good, (2, 3), (2, 4)), not_finite);

        let example = |error| BatchError::Example { example: 1, error };
        let first_ignored = Targets::new(&[9, 1, 2, 0]).ignoring(9);
        for smoothing in [Smoothing::None, Smoothing::Exact { epsilon: 1.0 }] {
            assert_eq!(refused(&hinge(3, smoothing), x, first_ignored, (2, 3), (2, 4)), example(Error::K { k: 3, max: 2 }));
            let margins = TopKHinge::new(1).unwrap().with_margins(Margins::PerClass(&[1.0; 2])).unwrap().with_smoothing(smoothing).unwrap();
            let length = Error::Length { what: "margins", expected: 3, actual: 2 };
            assert_eq!(refused(&margins, x, first_ignored, (2, 3), (2, 4)), example(length));
        }
        let conditional = hinge(1, Smoothing::Conditional { epsilon: 1.0, num_samples: 1, key: Key::new(0) });
        let parameter = |must| BatchError::Parameter { name: "smoothing", must };
        assert_eq!(refused(&conditional, x, good, (2, 3), (2, 4)), parameter("none, exact or pathwise where scores are not stored"));
        let exact = hinge(1, Smoothing::Exact { epsilon: 1.0 });
        let entries = head.objective_and_score_grads(&exact, x, &good, Reduction::Mean, Par::Seq);
        assert_eq!(entries, Err(parameter("none or pathwise for a sparse gradient")));
    }
}

#[test]
fn a_parameter_that_is_not_finite_is_named() {
    let (features, labels) = (matrix::<f32>(4, 130, 3), vec![0; 130]);
    for bad in [f32::NAN, f32::INFINITY] {
        for mut head in heads::<f32>(2000, 4) {
            head.weights_mut()[(2, 1900)] = bad;
            let error = head.objective(&CrossEntropy, features.as_ref(), &Targets::new(&labels), Reduction::Mean, Par::rayon(2));
            assert_eq!(error, Err(BatchError::NotFinite { what: "weights", position: (2, 1900) }));
        }
        let [_, mut head, _] = heads::<f32>(2000, 4);
        head.bias_mut().unwrap()[1500] = bad;
        let error = head.objective(&CrossEntropy, features.as_ref(), &Targets::new(&labels), Reduction::Mean, Par::Seq);
        assert_eq!(error, Err(BatchError::NotFinite { what: "bias", position: (1500, 0) }));
    }
}

/// What one example of one feature and label 0 makes of these weights.
fn error(weights: Mat<f32>, feature: f32, loss: &impl HeadLoss<f32>) -> BatchError {
    let head = LinearHead::new(weights, None, Similarity::Inner).unwrap();
    head.objective(loss, mat![[feature]].as_ref(), &Targets::new(&[0]), Reduction::Mean, Par::Seq).unwrap_err()
}

#[test]
fn results_beyond_the_range_are_an_error() {
    let example = |error| BatchError::Example { example: 0, error };
    let hard = hinge(1, Smoothing::None);
    assert_eq!(error(mat![[f32::MAX, 1.0]], 2.0, &hard), BatchError::Overflow { what: "score" });
    let wide = mat![[f32::MIN, f32::MAX, f32::MAX]];
    assert_eq!(error(wide.clone(), 1.0, &hard), example(Error::Overflow { what: "loss" }));
    let range = example(Error::Overflow { what: "range of the scores" });
    assert_eq!(error(wide.clone(), 1.0, &CrossEntropy), range);
    for loss in [pathwise(1, 1.0, 2), hinge(1, Smoothing::Exact { epsilon: 1.0 })] {
        assert_eq!(error(wide.clone(), 1.0, &loss), range);
    }
    assert_eq!(error(mat![[1.0]], 1.0, &CrossEntropy), example(Error::Length { what: "scores", expected: 2, actual: 1 }));
}

#[test]
fn gradients_beyond_the_range_are_an_error() {
    let steep = TopKHinge::new(1).unwrap().with_scale(1e30_f32).unwrap();
    let head = LinearHead::new(mat![[0.0, 0.0]], None, Similarity::Inner).unwrap();
    let targets = Targets::new(&[0]);
    let error =
        Step::new(&head, 1, |grads| head.objective_and_grads(&steep, mat![[1e30]].as_ref(), &targets, Reduction::Mean, grads, Par::Seq));
    assert_eq!(error.map(|step| step.objective), Err(BatchError::Overflow { what: "weight gradient" }));
    let weighted = targets.with_weights(&[1e10]).unwrap();
    let error = head.objective_and_score_grads(&steep, mat![[1.0]].as_ref(), &weighted, Reduction::Sum, Par::Seq);
    assert_eq!(error, Err(BatchError::Overflow { what: "objective" }));
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
