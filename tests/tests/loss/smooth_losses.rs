//! Every smooth loss: its written gradient is the derivative that the dual numbers of another crate find in the same generic code, the slope of
//! the loss, and in `f32` what it is in `f64`.
//!
//! A loss enters all three by one line of [`smooth_losses!`]; what is known of the derivatives of the others is in `others`.

mod foreign_dual;
mod others;

use foreign_dual::Foreign;
use proptest::prelude::*;
use topk_loss::loss::{ClassWeighted, ExpectedLoss, Focal, Ldam, LogitAdjusted, SmoothTopKSvm, SoftLabelLoss, TopKCrossEntropy};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::{CrossEntropy, Loss, Margins, Real};
use topk_loss_laws::property::{evaluate, holds};
use topk_loss_laws::reference::to_f64;
use topk_loss_laws::strategies::{example, moderate_example};
use topk_loss_laws::tolerances::{FORWARD_MODE, FORWARD_MODE_OF_QUADRATURE, SINGLE_PRECISION, SMOOTH_DIFFERENCE, SMOOTH_STEP};
use topk_loss_laws::{Example, Tolerance};

/// What a loss may be made of. All numbers are exact in `f32`.
struct Given<F> {
    /// A number between 0 and 1 for every class: margins, adjustments, weights.
    per_class: Vec<F>,
    /// A distribution over the classes, with zeros.
    target: Vec<F>,
    /// Guesses, fewer than classes.
    k: usize,
}

impl<F: Real> Given<F> {
    fn new(num_classes: usize, k: usize) -> Self {
        let per_class = (0..num_classes).map(|class| number((class * 7 % 16) as f64 / 16.0)).collect();
        let mut target = vec![F::zero(); num_classes];
        for (share, class) in [0.5, 0.25, 0.25].into_iter().zip([1, 0, 3]) {
            target[class % num_classes] += number(share);
        }
        Self { per_class, target, k }
    }
}

/// What a loss is computed by, and so how far its numbers may be from others.
struct Kind {
    /// The size of what value and gradient are made of, where that does not vanish with them.
    parts: f64,
    forward_mode: Tolerance,
    /// The third derivative, or what else makes a difference quotient inexact.
    curvature: f64,
}

/// None is stretched by more than 4: its third derivative grows by 4³.
const FORMULA: Kind = Kind { parts: 0.0, forward_mode: FORWARD_MODE, curvature: 64.0 };

/// The gradient is a difference of shares, which may be zero where the shares are not.
const SHARES: Kind = Kind { parts: 1.0, ..FORMULA };

/// The digits end at 1e−7 in `f32`; in `f64` the value's error of 5e−12 is divided by the step.
const INTEGRAL: Kind = Kind { parts: 1e-2, forward_mode: FORWARD_MODE_OF_QUADRATURE, curvature: 1000.0 };

fn number<F: Real>(x: f64) -> F {
    F::from_f64(x)
}

/// A loss of a target distribution as a loss, whatever the label.
struct Toward<'a, L, F>(L, &'a [F]);

impl<L: SoftLabelLoss<F>, F: Real> Loss<F> for Toward<'_, L, F> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        self.0.soft_scratch_len(num_classes)
    }
    fn value(&self, scores: &[F], _: usize, scratch: &mut [F]) -> topk_loss::Result<F> {
        self.0.soft_value(scores, self.1, scratch)
    }
    fn value_and_grad(&self, scores: &[F], _: usize, grad: &mut [F], scratch: &mut [F]) -> topk_loss::Result<F> {
        self.0.soft_value_and_grad(scores, self.1, grad, scratch)
    }
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

fn follows_forward_mode(
    loss: &impl Loss<f64>,
    foreign: &impl Loss<Foreign>,
    tolerance: Tolerance,
    example: &Example<f64>,
) -> Result<(), TestCaseError> {
    let Example { scores, label, .. } = example;
    let (value, grad) = evaluate(loss, scores, *label);
    for (class, &entry) in grad.iter().enumerate() {
        let varied = |(i, &s)| if i == class { Foreign::variable(s) } else { Foreign::constant(s) };
        let duals: Vec<Foreign> = scores.iter().enumerate().map(varied).collect();
        let mut scratch = vec![Foreign::constant(f64::NAN); foreign.scratch_len(scores.len())];
        let Foreign(dual) = foreign.value(&duals, *label, &mut scratch).unwrap();
        prop_assert!(tolerance.allows(dual.re, value, value.max(1.0)), "{} instead of {}", dual.re, value);
        prop_assert!(tolerance.allows(entry, dual.eps, largest(&grad).max(1e-3)), "{} instead of {}", entry, dual.eps);
    }
    Ok(())
}

fn is_the_slope(loss: &impl Loss<f64>, curvature: f64, Example { scores, label, .. }: &Example<f64>) -> Result<(), TestCaseError> {
    let (_, grad) = evaluate(loss, scores, *label);
    for (class, &entry) in grad.iter().enumerate() {
        let at = |shift: f64| {
            let mut moved = scores.clone();
            moved[class] += shift;
            evaluate(loss, &moved, *label).0
        };
        let slope = (at(SMOOTH_STEP) - at(-SMOOTH_STEP)) / (2.0 * SMOOTH_STEP);
        prop_assert!(SMOOTH_DIFFERENCE.allows(slope, entry, curvature), "{} instead of {}", entry, slope);
    }
    Ok(())
}

fn survives_single_precision(
    double: &impl Loss<f64>,
    single: &impl Loss<f32>,
    parts: f64,
    example: &Example<f32>,
) -> Result<(), TestCaseError> {
    let Example { scores, label, .. } = example;
    let same: Vec<f64> = scores.iter().map(|&s| to_f64(s)).collect();
    let ((value, grad), (expected, expected_grad)) = (evaluate(single, scores, *label), evaluate(double, &same, *label));
    let close = |tolerance: Tolerance, actual: f32, expected: f64, magnitude: f64| {
        // What would be smaller than that the softmax takes for 0, so that nothing on the way to it is subnormal.
        let negligible = 0.5_f64.powi(100);
        tolerance.allows(f64::from(actual), expected, magnitude.max(negligible / 1e-5))
    };
    prop_assert!(close(SINGLE_PRECISION, value, expected, expected.max(parts)), "value {} instead of {}", value, expected);
    for (&entry, &expected) in grad.iter().zip(&expected_grad) {
        prop_assert!(close(SINGLE_PRECISION, entry, expected, largest(&expected_grad).max(parts)), "{} instead of {}", entry, expected);
    }
    Ok(())
}

macro_rules! smooth_losses {
    ($kind:ident on $examples:ident; $($name:ident: |$given:pat_param| $loss:expr;)+) => {$(
        mod $name {
            use super::*;

            fn loss<F: Real>($given: &Given<F>) -> impl Loss<F> {
                $loss
            }

            #[test]
            fn the_gradient_is_the_forward_mode_derivative() {
                holds($examples(), |example: Example<f64>| {
                    let (len, k) = (example.scores.len(), example.k);
                    follows_forward_mode(&loss(&Given::new(len, k)), &loss(&Given::new(len, k)), $kind.forward_mode, &example)
                });
            }

            #[test]
            fn the_gradient_is_the_slope() {
                holds($examples(), |example: Example<f64>| {
                    is_the_slope(&loss(&Given::new(example.scores.len(), example.k)), $kind.curvature, &example)
                });
            }

            #[test]
            fn single_precision_is_enough() {
                holds(example(), |example: Example<f32>| {
                    let (len, k) = (example.scores.len(), example.k);
                    survives_single_precision(&loss(&Given::new(len, k)), &loss(&Given::new(len, k)), $kind.parts, &example)
                });
            }
        }
    )+};
}

smooth_losses! {
    FORMULA on moderate_example;
    cross_entropy: |_| CrossEntropy;
    focal_0: |_| Focal::new(number(0.0)).unwrap();
    focal_half: |_| Focal::new(number(0.5)).unwrap();
    focal_1: |_| Focal::new(number(1.0)).unwrap();
    focal_2: |_| Focal::new(number(2.0)).unwrap();
    focal_5: |_| Focal::new(number(5.0)).unwrap();
    ldam: |given| Ldam::new(Margins::PerClass(&given.per_class), number(4.0)).unwrap();
    class_weighted: |given| ClassWeighted::new(Focal::new(number(2.0)).unwrap(), &given.per_class).unwrap();
    smooth_top_1_svm: |_| SmoothTopKSvm::new(1, number(1.0), number(1.0)).unwrap();
    cool_smooth_top_1_svm: |_| SmoothTopKSvm::new(1, number(0.25), number(1.0)).unwrap();
    smooth_top_k_svm: |given| SmoothTopKSvm::new(given.k, number(1.0), number(1.0)).unwrap();
    cool_smooth_top_k_svm: |given| SmoothTopKSvm::new(given.k, number(0.25), number(1.0)).unwrap();
    logit_adjusted: |given| LogitAdjusted::new(CrossEntropy, &given.per_class).unwrap().shift_invariant();
}

/// An integral takes long, and a slope many of them.
fn few_classes() -> impl Strategy<Value = Example<f64>> {
    moderate_example().prop_filter("many classes", |example| example.scores.len() < 8)
}

smooth_losses! {
    INTEGRAL on few_classes;
    top_1_cross_entropy: |_| TopKCrossEntropy::new(1, Gumbel, number(1.0)).unwrap();
    top_k_cross_entropy: |given| TopKCrossEntropy::new(given.k, Gumbel, number(0.5)).unwrap();
}

smooth_losses! {
    SHARES on moderate_example;
    soft_labels: |given| Toward(CrossEntropy, &given.target);
    adjusted_soft_labels: |given| Toward(LogitAdjusted::new(CrossEntropy, &given.per_class).unwrap().shift_invariant(), &given.target);
    expected_focal: |given| Toward(ExpectedLoss::new(Focal::new(number(2.0)).unwrap()), &given.target);
}

fn other_laws_follow_forward_mode(example: &Example<f64>) -> Result<(), TestCaseError> {
    let k = example.k;
    let normal = TopKCrossEntropy::new(k, Normal, 1.0).unwrap();
    let foreign = TopKCrossEntropy::new(k, Normal, number(1.0)).unwrap();
    follows_forward_mode(&normal, &foreign, FORWARD_MODE_OF_QUADRATURE, example)?;
    let logistic = TopKCrossEntropy::new(k, Logistic, 1.0).unwrap();
    let foreign = TopKCrossEntropy::new(k, Logistic, number(1.0)).unwrap();
    follows_forward_mode(&logistic, &foreign, FORWARD_MODE_OF_QUADRATURE, example)
}

/// Other laws than Gumbel's do not reach every score in `f32`.
#[test]
fn any_law_follows_forward_mode() {
    holds(few_classes(), |example| other_laws_follow_forward_mode(&example));
}

/// Where a node of the rule stands exactly on a score, both branches of a law on the sign of z have the same slope.
#[test]
fn a_law_follows_forward_mode_at_zero() {
    let scores = vec![-0.0, -0.0, -1.0, 0.5, 0.0, 0.5];
    other_laws_follow_forward_mode(&Example { scores, label: 5, k: 1 }).unwrap();
}

/// A scale for cosines stretches the scores too much for differences, but not for `f32`.
#[test]
fn cosine_ldam_survives_single_precision() {
    fn loss<F: Real>(given: &Given<F>) -> Ldam<F, Margins<'_, F>> {
        Ldam::new(Margins::PerClass(&given.per_class), number(60.0)).unwrap()
    }
    holds(example(), |example: Example<f32>| {
        let (len, k) = (example.scores.len(), example.k);
        survives_single_precision(&loss(&Given::new(len, k)), &loss(&Given::new(len, k)), 0.0, &example)
    });
}
