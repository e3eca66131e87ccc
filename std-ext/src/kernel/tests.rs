//! Tests: every kernel on every instruction set against core's scalar code.

mod case;
mod composed;
mod softmax;

use proptest::prelude::*;
use topk_loss::noise::{Noise, Normal};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key, Loss, Margins, Result, Smoothing, TopKHinge};

use super::Kernel;
use super::conditional::Conditional;
use super::executor::Executor;
use super::fast_path::{FastPath, ScaledGrad, WithFallback};
use super::hinge::Hard;
use super::noise::normals_of;
use super::noised::{ThresholdPolicy, TopNoised};
use super::pathwise::{Draws, Pathwise};
use super::scalar::Scalar;
use crate::Threads;
use crate::elementary::Elementary;
use crate::instruction_sets::available;
use crate::variate::{Variate, normal_quantiles};
use case::{Case, cases, cases_of, extremes, ordinary};

/// Every instruction set on one thread, and several threads.
fn executors() -> impl Iterator<Item = Executor> {
    available().into_iter().map(Executor::of).chain([Executor::new(Threads::new(2)), Executor::new(Threads::new(3))])
}

/// Value, gradient and errors; a zero has no sign.
fn has_the_bits_of_core<F: Elementary, K: Kernel<F>>(case: &Case, loss: &(impl Loss<F> + FoldIn), kernel: impl Fn(Executor) -> K) {
    let expected = case.by_core(loss);
    for executor in executors() {
        assert!(case.by(&mut kernel(executor)) == expected, "{case:?}");
    }
}

fn hard_and_pathwise_are_core<F: Elementary>(case: &Case) {
    let (hard, pathwise) = (case.hinge::<F>(Smoothing::None), case.pathwise::<F>());
    let (expected_hard, expected_pathwise) = (case.by_core(&hard), case.by_core(&pathwise));
    for arch in available() {
        let mut kernel = WithFallback { fast_path: Hard::new(hard, Executor::of(arch)), loss: hard };
        assert_eq!(case.by(&mut kernel), expected_hard);
        for policy in [ThresholdPolicy::Usual, ThresholdPolicy::Off, ThresholdPolicy::TooHigh] {
            let top_noised = TopNoised::new(Executor::of(arch), policy);
            let fast_path = Pathwise::new(pathwise, case.draws(), top_noised, Executor::of(arch));
            assert_eq!(case.by(&mut WithFallback { fast_path, loss: pathwise }), expected_pathwise);
        }
        assert!(case.is_served(Hard::new(hard, Executor::of(arch))));
        assert!(case.is_served(Pathwise::new(
            pathwise,
            case.draws(),
            TopNoised::new(Executor::of(arch), ThresholdPolicy::Usual),
            Executor::of(arch)
        )));
    }
}

/// The value is core's to the bit. Every entry is a mean over draws of a difference of two tails. A tail P(Z > z) is off by three units in the
/// last place times 1 + z² of its own size, at most 0.6 of a unit, in either code; one rounding of z, which the product with 1/ε
/// in place of a division by ε adds, moves it by at most 0.25 units. Twice two tails, and the label's own subtraction, are within 8
/// units of the scale.
fn conditional_is_near_core<F: Elementary>(case: &Case) {
    let loss = case.conditional::<F>();
    let (value, grad) = case.by_core(&loss).unwrap();
    let tolerance = F::from_f64(8.0) * F::epsilon() * F::from_f64(case.scale * case.weight);
    let mut first = None;
    for arch in available() {
        for policy in [ThresholdPolicy::Usual, ThresholdPolicy::Off, ThresholdPolicy::TooHigh] {
            let top_noised = TopNoised::new(Executor::of(arch), policy);
            let fast_path = Conditional::new(loss, case.draws(), top_noised, Executor::of(arch));
            let (ours, entries) = case.by(&mut WithFallback { fast_path, loss }).unwrap();
            assert_eq!(ours, value);
            for (class, (&entry, &expected)) in entries.iter().zip(&grad).enumerate() {
                assert!((entry - expected).abs() <= tolerance, "class {class}: {entry} where core has {expected}");
            }
            assert_eq!(&entries, first.get_or_insert(entries.clone()));
        }
        assert!(case.is_served(Conditional::new(
            loss,
            case.draws(),
            TopNoised::new(Executor::of(arch), ThresholdPolicy::Usual),
            Executor::of(arch)
        )));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn hard_and_pathwise_hinges_have_the_bits_of_core(case in cases()) {
        hard_and_pathwise_are_core::<f32>(&case);
        hard_and_pathwise_are_core::<f64>(&case);
    }

    #[test]
    fn the_conditional_hinge_is_near_core(case in cases()) {
        conditional_is_near_core::<f32>(&case);
        conditional_is_near_core::<f64>(&case);
    }
}

/// What core refuses is refused with the same error, and what is near the end of the range is as core has it.
#[test]
fn errors_are_those_of_core() {
    let margins = [1.0_f32; 99];
    let ordinary = ordinary();
    for case in &extremes() {
        for loss in [case.hinge::<f32>(Smoothing::None), case.pathwise(), case.conditional()] {
            let expected = case.by_core(&loss);
            let ours = case.by(&mut *super::BatchLoss::kernel(&loss, case.scores.len(), Threads::ONE));
            assert_eq!(ours.is_ok(), expected.is_ok(), "{case:?}");
            assert!(ours == expected || expected.is_ok_and(|(value, _)| ours.is_ok_and(|(ours, _)| ours == value)), "{case:?}");
        }
    }
    let loss = TopKHinge::new(5).unwrap().with_margins(Margins::PerClass(&margins)).unwrap();
    let mut kernel = super::BatchLoss::kernel(&loss, 100, Threads::ONE);
    assert_eq!(ordinary.by(&mut *kernel), ordinary.by_core(&loss));
    let scores = ordinary.scores::<f32>();
    let loss = ordinary.pathwise();
    let expected = Scalar::new(100, |example| loss.fold_in(example)).value_and_grad(0, &scores, 0, 1.0, &mut margins.clone());
    assert_eq!(super::BatchLoss::kernel(&loss, 100, Threads::ONE).value_and_grad(0, &scores, 0, 1.0, &mut margins.clone()), expected);
}

/// No NaN, which would not equal itself.
fn normals_are_those_of_the_sampler<F: Elementary>() {
    let sampler = MonteCarlo::new(Normal, 1).unwrap();
    for (seed, draw) in [(1, 0), (2, 7), (3, 1 << 40)] {
        let key = Key::new(seed).fold_in(seed);
        let mut expected = vec![F::zero(); 5000];
        sampler.sample(key, draw as usize, &mut expected).unwrap();
        for (first, len, step) in [(0, 5000, 1), (1, 1, 1), (5, 777, 3), (1023, 40, 97), (4999, 1, 1), (0, 0, 1)] {
            let classes: Vec<usize> = (first..).step_by(step).take(len).collect();
            for arch in available() {
                let mut z = vec![F::nan(); len];
                normals_of(Executor::of(arch), key, &vec![draw; len], &classes, &mut z);
                assert!(classes.iter().zip(&z).all(|(&class, &z)| z == expected[class]));
            }
        }
    }
}

#[test]
fn draws_are_those_of_the_sampler() {
    normals_are_those_of_the_sampler::<f32>();
    normals_are_those_of_the_sampler::<f64>();
}

/// Every single-precision uniform; as many of double precision on a grid, and the far tails.
#[test]
fn quantiles_have_the_bits_of_core() {
    fn agree<F: Elementary>(uniforms: impl Iterator<Item = F>) {
        let uniforms: Vec<F> = uniforms.collect();
        for block in uniforms.chunks(256) {
            let mut z = block.to_vec();
            normal_quantiles(&mut z);
            block.iter().zip(z).for_each(|(&u, z)| assert_eq!(z, Normal.quantile(u), "{u}"));
        }
    }
    agree((0..1_u32 << 23).map(|n| f32::uniform(n << 9, 0)));
    agree((0..1_u32 << 22).map(|n| f64::uniform(n << 10, n.wrapping_mul(0x9E37_79B9))));
    agree((0..4096_u32).map(|n| f64::uniform(0, n << 16)).chain((0..4096).map(|n| f64::uniform(u32::MAX, n << 20))));
}
