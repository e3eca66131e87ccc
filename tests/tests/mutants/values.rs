//! Values that are not those of the loss they are called.

use topk_loss::loss::{TopKSvm, TopKSvmForm};
use topk_loss::oracle::KthLargest;
use topk_loss::{CrossEntropy, Loss, Margins, Smoothing, TopKHinge};
use topk_loss_laws::certificate::Cells;
use topk_loss_laws::laws::{agrees_in_single_precision, draws_follow_the_key};
use topk_loss_laws::tolerances::ROUNDING;
use topk_loss_laws::{Example, OfScores, loss_fn};

use crate::plant::{Row, altered, calls, judged, losses};

fn hinge_of(k: usize, margin: f64) -> TopKHinge<f64> {
    TopKHinge::new(k).unwrap().with_margins(Margins::Uniform(margin)).unwrap()
}

fn hinge(example: &Example<f64>) -> TopKHinge<f64> {
    hinge_of(example.k, 1.0)
}

/// m + s₍ₖ₎ − s_y, not cut at zero.
fn lead(k: usize, margin: f64) -> impl Loss<f64> {
    altered(OfScores(KthLargest::new(k).unwrap()), move |scores, label, value, grad| {
        *value += margin - scores[label];
        grad[label] -= 1.0;
    })
}

/// The cross-entropy with every operation in `f32`.
fn accumulated_in_f32() -> impl Loss<f64> {
    altered(CrossEntropy, |scores, label, value, _| {
        let total: f32 = scores.iter().map(|&s| ((s - scores[label]) as f32).exp()).sum();
        *value = f64::from(total.ln());
    })
}

pub fn rows() -> Vec<Row> {
    let mut rows = losses! {
        "K in place of K + 1", vanishes_with_the_lead(1.0, ROUNDING): hinge => |e| altered(lead(e.k, 1.0), |_, _, value, _| *value = value.max(0.0));
        "the rank after K + 1", vanishes_with_the_lead(1.0, ROUNDING): hinge => |e| hinge_of((e.k + 1).min(e.scores.len() - 1), 1.0);
        "the margin is missing", vanishes_with_the_lead(1.0, ROUNDING): hinge => |e| hinge_of(e.k, 0.0);
        "the margin has the wrong sign", vanishes_with_the_lead(1.0, ROUNDING): hinge => |e| hinge_of(e.k, -1.0);
        "the largest rival whatever K is", vanishes_with_the_lead(1.0, ROUNDING):
            hinge => |_| TopKSvm::new(1, TopKSvmForm::KthOther).unwrap();
        "the hinge bends beyond the margin", is_linear_in_cells(Cells::of_kth, 1.0, ROUNDING): hinge => |e| hinge_of(e.k, 1.25);
        "the hinge is not cut at zero", is_never_negative(): hinge => |e| lead(e.k + 1, 1.0);
        "the label's score has the wrong sign", falls_with_the_label_score(ROUNDING): hinge => |e| altered(hinge(e), |scores, label, value, grad| {
            *value += 2.0 * scores[label];
            grad[label] += 2.0;
        });
        "the label is penalised", falls_with_the_label_score(ROUNDING): |_| CrossEntropy => |_| altered(CrossEntropy, |scores, label, value, grad| {
            *value += 0.01 * scores[label].powi(2);
            grad[label] += 0.02 * scores[label];
        });
        "a decay of the scores creeps in", ignores_a_common_offset(ROUNDING): |_| CrossEntropy => |_| altered(CrossEntropy, |scores, _, value, grad| {
            *value += 1e-6 * scores.iter().map(|s| s * s).sum::<f64>();
            grad.iter_mut().zip(scores).for_each(|(g, s)| *g += 2e-6 * s);
        });
        "sums are accumulated in f32", treats_classes_alike(ROUNDING): |_| CrossEntropy => |_| accumulated_in_f32();
        "scores are rounded to f32", ignores_a_common_offset(ROUNDING): |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            let rounded: Vec<f64> = scores.iter().map(|&s| f64::from(s as f32)).collect();
            CrossEntropy.value_and_grad(&rounded, label, grad, &mut [])
        });
        "a class is skipped", treats_classes_alike(ROUNDING): |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            let mut without = scores.to_vec();
            if label > 0 { without[0] -= 100.0 }
            CrossEntropy.value_and_grad(&without, label, grad, &mut [])
        });
        "a margin is built in", is_homogeneous(ROUNDING): |e| hinge_of(e.k, 0.0) => |e| hinge_of(e.k, 0.25);
        "the probability, not its logarithm, is called convex", is_convex(ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, |_, _, value, grad| {
                let probability = (-*value).exp();
                grad.iter_mut().for_each(|g| *g *= probability);
                *value = 1.0 - probability;
            });
        "the calibrated hinge is called convex", is_convex(ROUNDING):
            |e| TopKSvm::new(e.k, TopKSvmForm::MeanInside).unwrap() => hinge;
        "the loss is capped", is_convex(ROUNDING): |_| CrossEntropy => |_| altered(CrossEntropy, |_, _, value, _| *value = value.min(3.0));
        "−0 ranks below 0", zeros_of_both_signs_are_equal(): |e| OfScores(KthLargest::new(e.k).unwrap()) => |e| {
            let k = e.k;
            calls(0, move |scores, label, grad, _| {
                CrossEntropy.value(scores, label, &mut [])?;
                let mut order: Vec<usize> = (0..scores.len()).collect();
                order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
                grad.fill(0.0);
                grad[order[k - 1]] = 1.0;
                Ok(scores[order[k - 1]])
            })
        };
    };
    rows.push(Row::new(
        "exponentials are of half precision",
        "agrees_in_single_precision",
        || single(CrossEntropy),
        || {
            let half = |x: f32| f32::from_bits(x.to_bits() & !0x1FFF);
            let value = move |scores: &[f32], label: usize| scores.iter().map(|s| half((s - scores[label]).exp())).sum::<f32>().ln();
            single(loss_fn(value, move |scores: &[f32], label| {
                let mut grad = vec![0.0; scores.len()];
                let _ = CrossEntropy.value_and_grad(scores, label, &mut grad, &mut []);
                (value(scores, label), grad)
            }))
        },
    ));
    rows.push(Row::new(
        "the key is not folded in",
        "draws_follow_the_key",
        || judged(|example: &Example<f64>| draws_follow_the_key(&drawn(example), example)),
        || judged(|example: &Example<f64>| draws_follow_the_key(&hinge(example), example)),
    ));
    rows
}

fn drawn(example: &Example<f64>) -> TopKHinge<f64> {
    let smoothing = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: topk_loss::Key::new(1) };
    TopKHinge::new(example.k).unwrap().with_smoothing(smoothing).unwrap()
}

fn single(loss: impl Loss<f32>) -> Result<(), topk_loss_laws::Violation> {
    judged(|example: &Example<f32>| agrees_in_single_precision(&loss, &CrossEntropy, example, ROUNDING))
}
