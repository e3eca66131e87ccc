//! Gradients that are not the slope, and slopes that are not what is claimed.

use core::f64::consts::SQRT_2;

use topk_loss::loss::{Focal, Ldam, TopKSvm, TopKSvmForm};
use topk_loss::oracle::{KthLargest, Max};
use topk_loss::{CrossEntropy, Loss, Margins, TopKHinge};
use topk_loss_laws::tolerances::{ROUNDING, quadrature};
use topk_loss_laws::{Example, OfScores};

use crate::plant::{Mixed, Row, altered, calls, losses};

fn hinge(example: &Example<f64>) -> TopKHinge<f64> {
    TopKHinge::new(example.k).unwrap()
}

fn smoothed(example: &Example<f64>) -> TopKHinge<f64> {
    TopKHinge::smoothed(example.k, 0.5).unwrap()
}

fn kth(k: usize) -> OfScores<KthLargest> {
    OfScores(KthLargest::new(k).unwrap())
}

/// The cross-entropy of `factor` times the scores, with `chain` for the factor that the gradient must have.
fn scaled(factor: f64, chain: f64) -> impl Loss<f64> {
    calls(0, move |scores, label, grad, _| {
        let scaled: Vec<f64> = scores.iter().map(|s| factor * s).collect();
        let value = CrossEntropy.value_and_grad(&scaled, label, grad, &mut [])?;
        grad.iter_mut().for_each(|g| *g *= chain);
        Ok(value)
    })
}

fn times(factor: f64) -> impl Fn(&[f64], usize, &mut f64, &mut [f64]) {
    move |_, _, _, grad| grad.iter_mut().for_each(|g| *g *= factor)
}

pub fn rows() -> Vec<Row> {
    losses! {
        "the gradient has the wrong sign", gradient_is_the_slope(ROUNDING): hinge => |e| altered(hinge(e), times(-1.0));
        "the gradient lacks a half", gradient_is_the_slope(ROUNDING): |_| CrossEntropy => |_| altered(CrossEntropy, times(0.5));
        "the gradient is off by 1 %", gradient_is_the_slope(ROUNDING): |_| CrossEntropy => |_| altered(CrossEntropy, times(1.01));
        "the smoothed gradient is off by 2 %", gradient_is_the_slope(quadrature::<f64>()): smoothed => |e| altered(smoothed(e), times(1.02));
        "the gradient lacks the 1/temperature", gradient_is_the_slope(ROUNDING): |_| scaled(2.0, 2.0) => |_| scaled(2.0, 1.0);
        "the gradient has the temperature twice", gradient_is_the_slope(ROUNDING): |_| scaled(0.5, 0.5) => |_| scaled(0.5, 0.25);
        "the Jacobian of a reflection has the wrong sign", gradient_is_the_slope(ROUNDING): |_| scaled(-1.0, -1.0) => |_| scaled(-1.0, 1.0);
        "the gradient lacks the scale", gradient_is_the_slope(ROUNDING):
            |_| Ldam::new(Margins::Uniform(0.5), 4.0).unwrap() => |_| altered(Ldam::new(Margins::Uniform(0.5), 4.0).unwrap(), times(0.25));
        "the label's −1 is missing", gradient_is_the_slope(ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, |_, label, _, grad| grad[label] += 1.0);
        "the label's −1 is at class 0", gradient_is_the_slope(ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, |_, label, _, grad| { grad[label] += 1.0; grad[0] -= 1.0; });
        "the gradient belongs to the next class", gradient_is_the_slope(ROUNDING):
            hinge => |e| altered(hinge(e), |_, _, _, grad| grad.rotate_right(1));
        "the gradient is of the next rank", gradient_is_the_slope(ROUNDING): |e| kth(e.k) => |e| Mixed(kth(e.k), kth(e.k + 1));
        "a hard gradient for a smoothed value", gradient_is_the_slope(quadrature::<f64>()): smoothed => |e| Mixed(smoothed(e), hinge(e));
        "the focus is not differentiated", gradient_is_the_slope(ROUNDING):
            |_| Focal::new(2.0).unwrap() => |_| calls(0, |scores, label, grad, _| {
            let surprise = CrossEntropy.value_and_grad(scores, label, grad, &mut [])?;
            let focus = (-grad[label]).powi(2);
            grad.iter_mut().for_each(|g| *g *= focus);
            Ok(focus * surprise)
        });
        "a satisfied hinge still pulls", gradient_is_the_slope(ROUNDING):
            hinge => |e| altered(hinge(e), |_, label, value, grad| if *value == 0.0 { grad[label] = -1.0 });
        "the gradient is clipped", gradient_is_the_slope(ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, |_, _, _, grad| grad.iter_mut().for_each(|g| *g = g.clamp(-0.5, 0.5)));
        "small entries are dropped", gradient_is_the_slope(ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, |_, _, _, grad| grad.iter_mut().for_each(|g| if g.abs() < 0.01 { *g = 0.0 }));
        "the value is squared, the gradient not", gradient_is_the_slope(ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, |_, _, value, _| *value *= *value);
        "a hinge is called smooth", has_no_kink(ROUNDING): |_| CrossEntropy => hinge;
        "a normaliser that keeps clear of zero", gradient_sums_to(0.0, ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, |_, label, _, grad| {
            grad[label] += 1.0;
            grad.iter_mut().for_each(|g| *g /= 1.0 + 1e-6);
            grad[label] -= 1.0;
        });
        "a pull on the label alone", gradient_sums_to(0.0, ROUNDING): hinge => |e| altered(hinge(e), |_, label, _, grad| {
            (0..grad.len()).filter(|&class| class != label).for_each(|class| grad[class] = 0.0);
        });
        "the tied share the maximum's gradient without dividing it", lies_above_its_tangents(ROUNDING):
            |_| OfScores(Max) => |_| altered(OfScores(Max), |scores, _, value, grad| {
            grad.iter_mut().zip(scores).for_each(|(g, s)| if s == value { *g = 1.0 });
        });
        "the subgradient of a satisfied hinge is not zero", lies_above_its_tangents(ROUNDING):
            |_| CrossEntropy => |_| altered(CrossEntropy, times(1.5));
        "the scale is forgotten in the constant", is_lipschitz(SQRT_2, ROUNDING):
            hinge => |e| TopKHinge::new(e.k).unwrap().with_scale(40.0).unwrap();
        "logits are sharpened", is_smooth(0.5, ROUNDING): |_| CrossEntropy => |_| scaled(2.0, 2.0);
        "ties go to the highest index", ties_go_to_the_lowest_index():
            |e| kth(e.k) => |e| altered(kth(e.k), |scores, _, value, grad| {
            grad.fill(0.0);
            grad[scores.iter().rposition(|s| s == value).unwrap()] = 1.0;
        });
        "the tied share the gradient", ties_go_to_the_lowest_index():
            |_| OfScores(Max) => |_| altered(OfScores(Max), |scores, _, value, grad| {
            let count = scores.iter().filter(|&s| s == value).count();
            grad.iter_mut().zip(scores).for_each(|(g, s)| *g = if s == value { 1.0 / count as f64 } else { 0.0 });
        });
        "the hinge of the mean for the mean of the hinges, in the gradient", gradient_is_the_slope(ROUNDING):
            |e| svm(e.k, TopKSvmForm::MeanOutside) => |e| Mixed(svm(e.k, TopKSvmForm::MeanOutside), svm(e.k, TopKSvmForm::MeanInside));
    }
}

fn svm(k: usize, form: TopKSvmForm) -> TopKSvm<f64> {
    TopKSvm::new(k, form).unwrap()
}
