//! The losses of a batch against a loop over its columns.

mod refused;

use faer::prelude::*;
use faer::{Par, mat};
use topk_loss::loss::{ClassWeighted, Focal, Ldam, LogitAdjusted, SmoothTopKSvm, TopKCrossEntropy, TopKHinges};
use topk_loss::noise::{Gumbel, Normal};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{Compensated, CrossEntropy, Error, FoldIn, Key, Loss, Margins, Smoothing, TopKHinge};
use topk_loss_batch::{BatchError, BatchLoss, BatchReal, Reduction, Targets, Threads, objective_and_grads, values, values_and_grads};

const SIZES: [(usize, usize); 4] = [(7, 3), (100, 64), (77, 37), (1000, 130)];
const IGNORED: usize = usize::MAX;

/// Threads that must not matter: as many as the library thinks right, fewer, as many and more than there are processors.
fn parallelisms() -> [Par; 6] {
    [Par::Seq, Par::rayon(0), Par::rayon(1), Par::rayon(2), Par::rayon(3), Par::rayon(64)]
}

fn matrix<F: BatchReal>(rows: usize, columns: usize) -> Mat<F> {
    Mat::from_fn(rows, columns, |i, j| F::from_f64(((i * 37 + j * 101) % 211) as f64 / 64.0 - 1.5))
}

fn labels(num_classes: usize, batch: usize) -> Vec<usize> {
    (0..batch).map(|b| if b % 5 == 3 { IGNORED } else { b * 31 % num_classes }).collect()
}

fn noised<F: BatchReal>() -> TopKHinge<F> {
    let smoothing = Smoothing::Pathwise { epsilon: F::from_f64(0.5), num_samples: 3, key: Key::new(11) };
    TopKHinge::new(5).unwrap().with_smoothing(smoothing).unwrap()
}

/// The definition: the loss's kernel, column by column.
fn naive<F: BatchReal, L: BatchLoss<F>>(loss: &L, scores: MatRef<'_, F>, labels: &[usize]) -> (Vec<F>, Mat<F>) {
    let mut values = vec![F::zero(); scores.ncols()];
    let mut grads = Mat::from_fn(scores.nrows(), scores.ncols(), |_, _| F::zero());
    for (b, &label) in labels.iter().enumerate().filter(|&(_, &label)| label != IGNORED) {
        let column: Vec<F> = scores.col(b).iter().copied().collect();
        let mut grad = vec![F::zero(); column.len()];
        values[b] = loss.kernel(column.len(), Threads::ONE).value_and_grad(b as u64, &column, label, F::one(), &mut grad).unwrap();
        grad.into_iter().enumerate().for_each(|(i, entry)| grads[(i, b)] = entry);
    }
    (values, grads)
}

/// Rows of masked classes, which no kernel takes, are core's business: a loss that is zero is zero.
fn masked_classes_cost_nothing<F: BatchReal>(loss: &impl BatchLoss<F>) {
    let scores = Mat::from_fn(40, 3, |i, b| if i % 13 == b { F::from_usize(9 * i + 1) } else { F::min_value() });
    let (mut values, mut grads) = (vec![F::nan(); 3], Mat::from_fn(40, 3, |_, _| F::nan()));
    let targets = Targets::new(&[39, 27, 28]);
    values_and_grads(loss, scores.as_ref(), &targets, &mut values, grads.as_mut(), Par::rayon(2)).unwrap();
    assert_eq!(values, [F::zero(); 3]);
    assert!(grads.col_iter().all(|grad| grad.iter().all(|&g| g == F::zero())));
}

#[test]
fn masked_classes_cost_nothing_in_a_batch() {
    let (epsilon, num_samples, key) = (0.1, 3, Key::new(11));
    let smoothings = [
        Smoothing::None,
        Smoothing::Exact { epsilon },
        Smoothing::Pathwise { epsilon, num_samples, key },
        Smoothing::Conditional { epsilon, num_samples, key },
    ];
    for k in [1, 2, 5] {
        for smoothing in smoothings {
            masked_classes_cost_nothing(&TopKHinge::new(k).unwrap().with_scale(40.0).unwrap().with_smoothing(smoothing).unwrap());
        }
        for epsilon in [None, Some(0.1)] {
            let shares: Vec<f32> = (1..=k).map(|i| f32::from(u8::from(i == k))).collect();
            masked_classes_cost_nothing(&TopKHinges::new(&shares).unwrap().with_scale(40.0).unwrap().with_epsilon(epsilon).unwrap());
        }
    }
}

/// A number for every class.
const PER_CLASS: [f32; 1000] = {
    let (mut numbers, mut class) = ([0.0; 1000], 0);
    while class < numbers.len() {
        numbers[class] = (class * 5 % 8 + 1) as f32 / 8.0;
        class += 1;
    }
    numbers
};

fn agrees_with_the_loop<F: BatchReal, L: BatchLoss<F>>(loss_of: impl Fn(usize) -> L) {
    for (num_classes, batch) in SIZES {
        let loss = &loss_of(num_classes);
        let (scores, labels) = (matrix::<F>(num_classes, batch), labels(num_classes, batch));
        let targets = Targets::new(&labels).ignoring(IGNORED);
        let (expected_values, expected_grads) = naive(loss, scores.as_ref(), &labels);
        for par in parallelisms() {
            let mut only_values = vec![F::nan(); batch];
            values(loss, scores.as_ref(), &targets, &mut only_values, par).unwrap();
            assert_eq!(only_values, expected_values);
            let (mut values, mut grads) = (vec![F::nan(); batch], Mat::from_fn(num_classes, batch, |_, _| F::nan()));
            values_and_grads(loss, scores.as_ref(), &targets, &mut values, grads.as_mut(), par).unwrap();
            assert_eq!(values, expected_values);
            assert_eq!(grads, expected_grads);
        }
    }
}

#[test]
fn every_loss_agrees_with_the_loop_for_any_number_of_threads() {
    agrees_with_the_loop::<f32, _>(|_| noised());
    agrees_with_the_loop::<f64, _>(|_| noised());
    agrees_with_the_loop::<f32, _>(|_| CrossEntropy);
    agrees_with_the_loop::<f64, _>(|_| CrossEntropy);
    agrees_with_the_loop(|_| Focal::new(2.0_f64).unwrap());
    agrees_with_the_loop(|num_classes| Ldam::new(Margins::PerClass(&PER_CLASS[..num_classes]), 30.0).unwrap());
    agrees_with_the_loop(|num_classes| ClassWeighted::new(noised(), &PER_CLASS[..num_classes]).unwrap());
    agrees_with_the_loop(|num_classes| LogitAdjusted::new(noised(), &PER_CLASS[..num_classes]).unwrap());
    agrees_with_the_loop(|_| TopKCrossEntropy::mixture(&[0.5, 0.0, 0.5], Gumbel, 1.0_f64).unwrap());
    agrees_with_the_loop(|_| TopKHinges::new(&[0.5, 0.0, 0.5]).unwrap().with_epsilon(Some(0.5)).unwrap());
}

fn objective_is_the_weighted_sum<F: BatchReal>() {
    for (num_classes, batch) in SIZES {
        let (scores, labels, loss) = (matrix::<F>(num_classes, batch), labels(num_classes, batch), noised());
        let weights: Vec<F> = (0..batch).map(|b| F::from_f64((b % 4) as f64 / 2.0)).collect();
        let targets = Targets::new(&labels).with_weights(&weights).unwrap().ignoring(IGNORED);
        let (values, unweighted) = naive(&loss, scores.as_ref(), &labels);
        for reduction in [Reduction::Sum, Reduction::Mean, Reduction::WeightedMean] {
            let mut c = vec![F::nan(); batch];
            targets.coefficients(reduction, &mut c).unwrap();
            let expected = Compensated::of(c.iter().zip(&values).map(|(&c, &value)| c * value));
            let expected_grads = Mat::from_fn(num_classes, batch, |i, b| c[b] * unweighted[(i, b)]);
            for par in parallelisms() {
                let mut grads = Mat::from_fn(num_classes, batch, |_, _| F::nan());
                let objective = objective_and_grads(&loss, scores.as_ref(), &targets, reduction, grads.as_mut(), par).unwrap();
                assert_eq!(objective, expected);
                assert_eq!(grads, expected_grads);
            }
        }
    }
}

#[test]
fn the_objective_is_the_weighted_sum_of_the_losses() {
    objective_is_the_weighted_sum::<f32>();
    objective_is_the_weighted_sum::<f64>();
}

#[test]
fn views_may_be_strided_reversed_or_row_major() {
    let (weights, shares) = ([0.5, 1.0, 0.25, 2.0].repeat(20), [0.5, 0.0, 0.5]);
    any_view(&noised());
    any_view(&ClassWeighted::new(LogitAdjusted::new(noised(), &weights[..77]).unwrap(), &weights[..77]).unwrap());
    any_view(&Focal::new(2.0).unwrap());
    any_view(&Ldam::new(Margins::PerClass(&weights[..77]), 30.0).unwrap());
    any_view(&TopKCrossEntropy::mixture(&shares, Gumbel, 1.0).unwrap());
    any_view(&TopKHinges::new(&shares).unwrap());
}

fn any_view(loss: &impl BatchLoss<f64>) {
    let (num_classes, batch) = (77, 37);
    let (storage, labels) = (matrix::<f64>(batch, 2 * num_classes), labels(num_classes, batch));
    let targets = Targets::new(&labels).ignoring(IGNORED);
    let row_major = |m: MatRef<'_, f64>| m.subcols(0, num_classes).transpose().to_owned();
    let reversed = |m: MatRef<'_, f64>| m.subcols(0, num_classes).transpose().reverse_rows_and_cols().to_owned();
    let evaluate = |scores: MatRef<'_, f64>, grads: MatMut<'_, f64>| {
        let mut values = vec![f64::NAN; batch];
        values_and_grads(loss, scores, &targets, &mut values, grads, Par::rayon(2)).unwrap();
        let mut again = vec![f64::NAN; batch];
        crate::values(loss, scores, &targets, &mut again, Par::rayon(2)).unwrap();
        assert_eq!(values, again);
        values
    };

    let mut grads = Mat::full(batch, 2 * num_classes, f64::NAN);
    let view = storage.subcols(0, num_classes).transpose();
    let (expected_values, expected_grads) = naive(loss, view, &labels);
    assert_eq!(evaluate(view, grads.as_mut().subcols_mut(0, num_classes).transpose_mut()), expected_values);
    assert_eq!(row_major(grads.as_ref()), expected_grads);
    assert!(grads.subcols(num_classes, num_classes).col_iter().all(|column| column.iter().all(|x| x.is_nan())));

    let view = view.reverse_rows_and_cols();
    let (expected_values, expected_grads) = naive(loss, view, &labels);
    let out = grads.as_mut().subcols_mut(0, num_classes).transpose_mut().reverse_rows_and_cols_mut();
    assert_eq!(evaluate(view, out), expected_values);
    assert_eq!(reversed(grads.as_ref()), expected_grads);
}

/// Rows of several pieces, the last of them short: near core, and the same bits whoever shares them.
fn a_long_row_is_shared<F: BatchReal>() {
    let (num_classes, k) = (150_001, 5);
    let mut scores = Mat::<F>::zeros(num_classes, 3);
    for (row, scores) in scores.as_mut().col_iter_mut().enumerate() {
        let scores = scores.try_as_col_major_mut().unwrap().as_slice_mut();
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(row as u64), 0, scores).unwrap();
    }
    // A label in each piece, the last one ahead of all.
    let labels = [1, 70_000, 150_000];
    scores[(150_000, 2)] = F::from_f64(4.0);
    let hinge = |smoothing| TopKHinge::new(k).unwrap().with_smoothing(smoothing).unwrap();
    let (epsilon, key) = (F::one(), Key::new(3));
    shared(&hinge(Smoothing::None), &scores, &labels);
    shared(&hinge(Smoothing::Pathwise { epsilon, num_samples: 3, key }), &scores, &labels);
    shared(&hinge(Smoothing::Conditional { epsilon, num_samples: 2, key }), &scores, &labels);
    shared(&hinge(Smoothing::Exact { epsilon }), &scores, &labels);
    shared(&CrossEntropy, &scores, &labels);
    shared(&TopKCrossEntropy::new(k, Gumbel, epsilon).unwrap(), &scores, &labels);
}

fn shared<F: BatchReal>(loss: &(impl BatchLoss<F> + Loss<F> + FoldIn), scores: &Mat<F>, labels: &[usize]) {
    let evaluate = |scores: MatRef<'_, F>, labels: &[usize], par| {
        let (mut values, mut only_values) = (vec![F::nan(); labels.len()], vec![F::nan(); labels.len()]);
        let mut grads = Mat::full(scores.nrows(), labels.len(), F::nan());
        values_and_grads(loss, scores, &Targets::new(labels), &mut values, grads.as_mut(), par).unwrap();
        crate::values(loss, scores, &Targets::new(labels), &mut only_values, par).unwrap();
        assert_eq!(values, only_values);
        (values, grads)
    };
    let (values, grads) = evaluate(scores.as_ref(), labels, Par::Seq);
    for par in parallelisms() {
        assert_eq!(evaluate(scores.as_ref(), labels, par), (values.clone(), grads.clone()));
        // Alone, the example is example 0.
        let (value, grad) = evaluate(scores.subcols(0, 1), &labels[..1], par);
        assert_eq!((value[0], grad.as_ref()), (values[0], grads.subcols(0, 1)));
    }
    let mut scratch = vec![F::zero(); loss.scratch_len(scores.nrows())];
    for (example, &label) in labels.iter().enumerate() {
        let (scores, mut grad) = (scores.col(example).try_as_col_major().unwrap().as_slice(), vec![F::nan(); scores.nrows()]);
        let value = loss.fold_in(example as u64).value_and_grad(scores, label, &mut grad, &mut scratch).unwrap();
        let tolerance = F::from_f64(if F::epsilon() < F::from_f64(1e-10) { 1e-7 } else { 1e-4 });
        assert!((value - values[example]).abs() <= tolerance * (F::one() + value), "{value} {}", values[example]);
        let apart = grad.iter().zip(grads.col(example).iter()).fold(F::zero(), |sum, (&a, &b)| sum + (a - b).abs());
        assert!(apart <= tolerance, "example {example}: {apart}");
    }
}

#[test]
fn a_long_row_is_the_same_whoever_shares_it() {
    a_long_row_is_shared::<f32>();
    a_long_row_is_shared::<f64>();
}

#[test]
fn the_scores_of_an_ignored_example_are_not_read() {
    let scores = mat![[0.0, f64::NAN], [0.0, f64::INFINITY]];
    let targets = Targets::new(&[0, 9]).ignoring(9);
    let mut grads = Mat::full(2, 2, f64::NAN);
    let objective = objective_and_grads(&CrossEntropy, scores.as_ref(), &targets, Reduction::Mean, grads.as_mut(), Par::Seq);
    assert_eq!(objective, Ok(2.0_f64.ln()));
    assert_eq!(grads, mat![[-0.5, 0.0], [0.5, 0.0]]);
}
