//! The Fenchel–Young loss: its definition, its minimum, its convexity.

use proptest::prelude::*;
use topk_loss::estimator::{Exact, Pathwise};
use topk_loss::loss::FenchelYoung;
use topk_loss::maximizer::{Maximizer, Ranking, TopKMask};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Oracle, SupportFunction, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Error, FoldIn, Key, Real};
use topk_loss_laws::problems::ShortestPath;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::SUM;
use topk_loss_laws::{Example, both_floats};

fn gradient<F: Real>(oracle: &impl Oracle<F>, theta: &[F]) -> (F, Vec<F>) {
    let (mut grad, mut scratch) = (vec![F::zero(); theta.len()], vec![F::nan(); oracle.scratch_len(theta.len())]);
    let value = oracle.value_and_add_grad(theta, F::one(), &mut grad, &mut scratch).unwrap();
    (value, grad)
}

fn evaluate<F: Real>(loss: &FenchelYoung<impl Oracle<F>>, theta: &[F], target: &[F]) -> (F, Vec<F>) {
    let (mut grad, mut scratch) = (vec![F::nan(); theta.len()], vec![F::nan(); loss.scratch_len(theta.len())]);
    let value = loss.value_and_grad(theta, target, &mut grad, &mut scratch).unwrap();
    assert_eq!(loss.value(theta, target, &mut scratch), Ok(value));
    (value, grad)
}

fn smoothed<M: Maximizer<F>, F: Real>(maximizer: M) -> Pathwise<SupportFunction<M>, MonteCarlo<Normal>, F> {
    Pathwise::new(SupportFunction::new(maximizer), MonteCarlo::new(Normal, 6).unwrap(), F::from_f64(0.7), Key::new(12)).unwrap()
}

fn dot<F: Real>(a: &[F], b: &[F]) -> F {
    a.iter().zip(b).fold(F::zero(), |sum, (&a, &b)| sum + a * b)
}

/// For one oracle: the definition, the stationary point, and convexity between two θ, where the loss to the gradient at the other is no
/// smaller than at the other itself.
fn is_the_loss_of<F: Real>(oracle: &(impl Oracle<F> + Copy), theta: &[F], other: &[F]) -> Result<(), TestCaseError> {
    let loss = FenchelYoung::new(oracle);
    let ((value, own), (other_value, target)) = (gradient(oracle, theta), gradient(oracle, other));
    let magnitude = theta.iter().chain(other).fold(F::from_f64(7.0), |sum, t| sum + t.abs()) * F::from_usize(theta.len());

    let (actual, grad) = evaluate(&loss, theta, &target);
    prop_assert!(SUM.allows(actual, value - dot(theta, &target), magnitude), "{actual}");
    for ((&g, &own), &y) in grad.iter().zip(&own).zip(&target) {
        prop_assert!(SUM.allows(g, own - y, F::from_usize(theta.len())));
    }
    let least = other_value - dot(other, &target);
    prop_assert!(actual >= least || SUM.allows(actual, least, magnitude), "{actual} below {least}");
    let (_, at_rest) = evaluate(&loss, other, &target);
    prop_assert!(at_rest.iter().all(|&g| SUM.allows(g, F::zero(), F::from_usize(theta.len()))), "{at_rest:?}");
    Ok(())
}

fn it_is_convex_with_its_least_value_at_the_target<F: Real>(Example { scores, label, k }: Example<F>) -> Result<(), TestCaseError> {
    let other: Vec<F> = scores.iter().rev().map(|&s| s * F::from_f64(0.5)).collect();
    is_the_loss_of(&smoothed(TopKMask::new(k).unwrap()), &scores, &other)?;
    is_the_loss_of(&smoothed(Ranking), &scores, &other)?;
    is_the_loss_of(&TopKSum::new(k).unwrap(), &scores, &other)?;
    let columns = 1 + label;
    let len = scores.len() / columns * columns;
    is_the_loss_of(&smoothed(ShortestPath { columns }), &scores[..len], &other[..len])
}

/// At 1e6 the grid of `f32` has the step 1/16, wider than the noise and the loss.
#[test]
fn a_common_offset_cancels() {
    const OFFSET: f32 = 1e6;
    let near = [0.25_f32, 0.0, 0.125, 0.1875, -0.5];
    let far = near.map(|s| OFFSET + s);
    fn check(oracle: impl Oracle<f32>, near: &[f32], far: &[f32], target: &[f32]) {
        let loss = FenchelYoung::new(oracle);
        assert_eq!(evaluate(&loss, far, target), evaluate(&loss, near, target));
    }
    check(smoothed(TopKMask::new(2).unwrap()), &near, &far, &[0.5, 0.0, 0.75, 0.5, 0.25]);
    check(smoothed(Ranking), &near, &far, &[5.0, 1.0, 2.0, 4.0, 3.0]);
    check(Exact::new(KthLargest::new(1).unwrap(), Normal, 0.05).unwrap(), &near, &far, &[0.2; 5]);
}

/// Descending the loss finds scores whose expected argmax is the target.
#[test]
fn descent_finds_the_target() {
    let (target, mut theta, mut grad) = ([0.9, 0.6, 0.4, 0.1], [0.0; 4], [0.0; 4]);
    let sampler = MonteCarlo::new(Normal, 4000).unwrap();
    let loss = FenchelYoung::new(Pathwise::new(TopKSum::new(2).unwrap(), sampler, 1.0, Key::new(4)).unwrap());
    let mut scratch = vec![0.0; loss.scratch_len::<f64>(4)];
    for _ in 0..60 {
        loss.value_and_grad(&theta, &target, &mut grad, &mut scratch).unwrap();
        theta.iter_mut().zip(&grad).for_each(|(t, g)| *t -= 1.5 * g);
    }
    // The mean of 4000 masks moves in steps of 1/4000.
    assert!(grad.iter().all(|g| g.abs() < 2e-3), "{grad:?}");
    assert!(theta.is_sorted_by(|a, b| a > b));
}

#[test]
fn folding_reaches_the_draws() {
    let loss = FenchelYoung::new(smoothed(Ranking));
    let (theta, target) = ([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]);
    assert_ne!(evaluate(&loss.fold_in(1), &theta, &target), evaluate(&loss, &theta, &target));
    assert_eq!(evaluate(&loss.fold_in(1), &theta, &target), evaluate(&FenchelYoung::new(smoothed(Ranking).fold_in(1)), &theta, &target));
}

const SENTINEL: f64 = -7.25;

fn error(loss: &FenchelYoung<impl Oracle<f64>>, theta: &[f64], target: &[f64]) -> Error {
    let (mut grad, mut scratch) = (vec![SENTINEL; theta.len()], vec![0.0; loss.scratch_len(theta.len())]);
    let error = loss.value_and_grad(theta, target, &mut grad, &mut scratch).unwrap_err();
    assert!(grad.iter().all(|&g| g == SENTINEL));
    assert_eq!(loss.value(theta, target, &mut scratch), Err(error));
    error
}

#[test]
fn bad_input_is_named() {
    let loss = FenchelYoung::new(smoothed(TopKMask::new(2).unwrap()));
    let (theta, target) = ([0.5, 1.0, 2.0], [1.0, 0.5, 0.5]);
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(error(&loss, &[0.5, x, 2.0], &target), Error::NotFinite { what: "scores", index: 1 });
        assert_eq!(error(&loss, &theta, &[1.0, 1.0, x]), Error::NotFinite { what: "target", index: 2 });
    }
    assert_eq!(error(&loss, &[], &[]), Error::Length { what: "scores", expected: 1, actual: 0 });
    assert_eq!(error(&loss, &theta, &[1.0; 2]), Error::Length { what: "target", expected: 3, actual: 2 });
    assert_eq!(error(&loss, &[1.0], &[2.0]), Error::K { k: 2, max: 1 });
    let (mut scratch, mut grad) = ([0.0; 20], [SENTINEL; 2]);
    let expected = Err(Error::Length { what: "grad", expected: 3, actual: 2 });
    assert_eq!(loss.value_and_grad(&theta, &target, &mut grad, &mut scratch), expected);
    let needed = loss.scratch_len::<f64>(3);
    let expected = Err(Error::Length { what: "scratch", expected: needed, actual: needed - 1 });
    assert_eq!(loss.value(&theta, &target, &mut scratch[..needed - 1]), expected);

    let mass = Error::Parameter { name: "target", must: "of entries that sum to the oracle's mass" };
    assert_eq!(error(&loss, &theta, &[1.0, 0.5, 0.5 + 1e-12]), mass);
    assert_eq!(error(&loss, &theta, &[1.0, 0.0, 0.0]), mass);
    assert_eq!(error(&FenchelYoung::new(smoothed(Ranking)), &theta, &[1.0; 3]), mass);
    // Thirds do not sum to 2 exactly; that is rounding, not a mistake.
    assert!(loss.value(&theta, &[2.0 / 3.0; 3], &mut scratch).is_ok());
    // Nothing is known about the masses of a grid's paths.
    let paths = FenchelYoung::new(smoothed(ShortestPath { columns: 3 }));
    assert!(paths.value(&theta, &[1.0, 0.0, 1.0], &mut scratch).is_ok());
    let huge = [f64::MAX, -f64::MAX, f64::MAX];
    assert_eq!(error(&loss, &huge, &[1.0, 1.0, 0.0]), Error::Overflow { what: "range of the scores" });
}

both_floats!(it_is_convex_with_its_least_value_at_the_target in moderate_example);
