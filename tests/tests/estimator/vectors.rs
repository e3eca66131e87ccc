//! The official implementations' numbers, reproduced in `f64` to 1e−12 relative. Where they come from: `../data/README.md`.

use crate::data::{Case, section};
use topk_loss::estimator::Pathwise;
use topk_loss::imbalance::ldam_margins;
use topk_loss::loss::{Focal, Hinge, Ldam, SmoothTopKSvm};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::GivenDraws;
use topk_loss::select::kth_largest;
use topk_loss::{CrossEntropy, Error, Key, Loss, Margins, TopKHinge};
use topk_loss_laws::tolerances::{VECTORS, VECTORS_ROUNDING};

fn assert_close(actual: f64, expected: f64, magnitude: f64, what: &Case) {
    let close = VECTORS.allows(actual, expected, expected) || VECTORS_ROUNDING.allows(actual, expected, magnitude);
    assert!(close, "{what}: {actual} instead of {expected}");
}

fn assert_all_close(actual: &[f64], expected: &[f64], magnitude: f64, what: &Case) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    actual.iter().zip(expected).for_each(|(&a, &e)| assert_close(a, e, magnitude, what));
}

fn magnitude(scores: &[f64]) -> f64 {
    scores.iter().fold(0.0, |largest, s| largest.max(s.abs()))
}

/// An example of a case: its scores, its label, and where it stands in the batch.
struct Row {
    index: usize,
    scores: Vec<f64>,
    label: usize,
}

fn rows_of(case: &Case) -> impl Iterator<Item = Row> {
    let labels = case.numbers("labels");
    case.rows("scores").into_iter().zip(labels).enumerate().map(|(index, (scores, label))| Row { index, scores, label: label as usize })
}

/// The loss of an example and its share of the gradient of the batch mean.
fn evaluate(loss: &dyn Loss<f64>, row: &Row, batch: f64) -> (f64, Vec<f64>) {
    let mut grad = vec![f64::NAN; row.scores.len()];
    let mut scratch = vec![f64::NAN; loss.scratch_len(row.scores.len())];
    let value = loss.value_and_grad(&row.scores, row.label, &mut grad, &mut scratch).unwrap();
    assert_eq!(loss.value(&row.scores, row.label, &mut scratch), Ok(value));
    (value, grad.into_iter().map(|g| g / batch).collect())
}

/// Compares per-example values and their mean with the case; `check_grad` sees every example.
fn compare<'a>(case: &Case, loss_of: impl Fn(&Row) -> Box<dyn Loss<f64> + 'a>, check_grad: impl Fn(&Row, Vec<f64>)) {
    let (batch, scale) = (case.number("batch"), case.0["scale"].as_f64().unwrap_or(1.0));
    let (mut sum, mut largest) = (0.0, 0.0_f64);
    for (row, expected) in rows_of(case).zip(case.numbers("per_sample")) {
        let (value, grad) = evaluate(&*loss_of(&row), &row, batch);
        assert_close(value, expected, scale * magnitude(&row.scores), case);
        check_grad(&row, grad);
        sum += value;
        largest = largest.max(magnitude(&row.scores));
    }
    assert_close(sum / batch, case.number("loss"), scale * largest, case);
}

#[test]
fn hard() {
    for case in section("hard") {
        let k = case.number("K") as usize;
        let (batch, kinks) = (case.number("batch"), case.numbers("at_kink"));
        let (grads, missed) = (case.rows("grad"), case.numbers("kp1_index"));
        let loss = TopKHinge::new(k).unwrap();
        compare(
            &case,
            |_| Box::new(loss),
            |row, grad| {
                let ranked = kth_largest(&row.scores, k + 1, &mut vec![0.0; row.scores.len()]).unwrap();
                assert_eq!(ranked.index, missed[row.index] as usize, "{case}");
                let mut expected = grads[row.index].clone();
                let lead = row.scores[row.label] - ranked.value;
                if kinks[row.index] == 1.0 && lead != 1.0 {
                    // A kink by rounding alone: beside scores of 1e30 the official sum 1 + s₍K+1₎ − s_y loses its margin. Ours keeps it.
                    expected[ranked.index] += 1.0 / batch;
                    expected[row.label] -= 1.0 / batch;
                }
                assert_all_close(&grad, &expected, 1.0 / batch, &case);
            },
        );
    }
}

/// The draws of example `index`, one after the other; the file has them class by class.
fn draws(case: &Case, index: usize) -> Vec<f64> {
    let (num_classes, num_draws) = (case.number("L") as usize, case.number("B") as usize);
    let entry = |draw: usize, class: usize| case.0["Z"][index][class][draw].as_f64().unwrap();
    (0..num_draws).flat_map(|draw| (0..num_classes).map(move |class| (draw, class))).map(|(draw, class)| entry(draw, class)).collect()
}

fn noised(section_name: &str, margins_of: impl Fn(&Case) -> Vec<f64>) {
    for case in section(section_name) {
        let (k, num_classes) = (case.number("K") as usize, case.number("L") as usize);
        let (epsilon, scale) = (case.number("eps"), case.0["scale"].as_f64().unwrap_or(1.0));
        let margins = margins_of(&case);
        let all_draws: Vec<Vec<f64>> = (0..case.number("batch") as usize).map(|index| draws(&case, index)).collect();
        let smoothed = |row: &Row| {
            let given = GivenDraws::new(Normal, &all_draws[row.index], num_classes).unwrap();
            Pathwise::new(KthLargest::new(k + 1).unwrap(), given, epsilon, Key::new(0))
        };
        let grads = case.rows("grad");
        let check_grad = |row: &Row, grad: Vec<f64>| {
            // How often a class ranks K + 1 is the order statistic's gradient, the mean over the draws its value.
            if let Ok(oracle) = smoothed(row) {
                let (mut counts, mut scratch) = (vec![0.0; num_classes], vec![f64::NAN; oracle.scratch_len(num_classes)]);
                let value = oracle.value_and_add_grad(&row.scores, case.number("B"), &mut counts, &mut scratch).unwrap();
                assert_close(value, case.numbers("skp1")[row.index], magnitude(&row.scores), &case);
                if case.number("tie_at_rank") == 0.0 {
                    assert_all_close(&counts, &case.rows("counts")[row.index], case.number("B"), &case);
                }
            }
            if case.number("tie_at_rank") == 0.0 {
                assert_all_close(&grad, &grads[row.index], scale / case.number("batch"), &case);
            }
        };
        if epsilon == 0.0 {
            rows_of(&case).for_each(|row| {
                assert_eq!(smoothed(&row), Err(Error::Parameter { name: "epsilon", must: "positive and finite" }));
            });
            let hard = TopKHinge::new(k).unwrap().with_margins(Margins::PerClass(&margins)).unwrap().with_scale(scale).unwrap();
            compare(&case, |_| Box::new(hard), check_grad);
        } else {
            let loss_of = |row: &Row| -> Box<dyn Loss<f64> + '_> {
                Box::new(Hinge::new(smoothed(row).unwrap(), Margins::PerClass(&margins), scale).unwrap())
            };
            compare(&case, loss_of, check_grad);
        }
    }
}

#[test]
fn noised_balanced() {
    noised("noised_bal", |case| vec![1.0; case.number("L") as usize]);
}

#[test]
fn noised_imbalanced() {
    noised("noised_imbal", |case| {
        let counts: Vec<usize> = case.numbers("counts_per_class").into_iter().map(|n| n as usize).collect();
        let mut margins = vec![f64::NAN; counts.len()];
        ldam_margins(&counts, case.number("max_m"), &mut margins).unwrap();
        assert_all_close(&margins, &case.numbers("margins"), 0.0, case);
        margins
    });
}

#[test]
fn cross_entropy() {
    for case in section("ce_focal_ldam") {
        let grads = case.rows("grad");
        compare(&case, |_| Box::new(CrossEntropy), |row, grad| assert_all_close(&grad, &grads[row.index], 0.0, &case));
    }
}

/// The same batch with other parameters.
fn variants(case: &Case, field: &str) -> impl Iterator<Item = Case> {
    case.0[field].as_array().unwrap().iter().cloned().map(Case)
}

/// The mean of a loss over a case's batch and its gradient are what a variant of the case expects; `rounding` is the magnitude at which the
/// official implementation rounds the logits.
fn compare_variant(case: &Case, variant: &Case, loss: &dyn Loss<f64>, rounding: impl Fn(&Row) -> f64) {
    let batch = case.number("batch");
    let (mut sum, mut largest) = (0.0, 0.0_f64);
    for (row, expected) in rows_of(case).zip(variant.rows("grad")) {
        let (value, grad) = evaluate(loss, &row, batch);
        let scale = variant.0["scale"].as_f64().unwrap_or(1.0);
        assert_all_close(&grad, &expected, scale * rounding(&row), case);
        sum += value;
        largest = largest.max(rounding(&row));
    }
    assert_close(sum / batch, variant.number("loss"), largest, case);
}

/// With 60 digits, which agree with an enumeration of the subsets; the official gradient is off by up to 8e−5.
#[test]
fn smooth_top_k_svm() {
    for case in section("smooth_topk_svm") {
        let grads = case.rows("grad");
        let loss = SmoothTopKSvm::new(case.number("K") as usize, case.number("tau"), case.number("alpha")).unwrap();
        compare(&case, |_| Box::new(loss), |row, grad| assert_all_close(&grad, &grads[row.index], 1.0, &case));
    }
}

#[test]
fn focal() {
    for case in section("ce_focal_ldam") {
        for variant in variants(&case, "focal") {
            let loss = Focal::new(variant.number("gamma")).unwrap();
            compare_variant(&case, &variant, &loss, |_| 1.0);
        }
    }
}

#[test]
fn ldam() {
    for case in section("ce_focal_ldam") {
        for variant in variants(&case, "ldam") {
            let counts: Vec<usize> = variant.numbers("counts_per_class").into_iter().map(|n| n as usize).collect();
            let (mut margins, scale) = (vec![f64::NAN; counts.len()], variant.number("scale"));
            ldam_margins(&counts, variant.number("max_m"), &mut margins).unwrap();
            assert_all_close(&margins, &variant.numbers("margins"), 0.0, &case);
            let loss = Ldam::new(Margins::PerClass(&margins), scale).unwrap();
            compare_variant(&case, &variant, &loss, |row| scale * magnitude(&row.scores).max(1.0));
        }
    }
}
