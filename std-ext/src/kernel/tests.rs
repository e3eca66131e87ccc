//! Tests: every kernel on every instruction set against core's scalar code.

mod composed;
mod softmax;

use proptest::prelude::*;
use topk_loss::noise::{Noise, Normal};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key, Loss, Margins, Result, Smoothing, TopKHinge};

use super::Kernel;
use super::attempt::{Attempt, OrScalar, Weighted};
use super::conditional::Conditional;
use super::hinge::Hard;
use super::noise::normals_of;
use super::noised::{Leaders, Screening};
use super::pathwise::{Draws, Pathwise};
use super::scalar::Scalar;
use super::workers::Workers;
use crate::Threads;
use crate::elementary::Elementary;
use crate::instruction_sets::available;
use crate::variate::{Variate, normal_quantiles};

/// A row of scores and all that a loss of it depends on.
#[derive(Debug, Clone)]
struct Case {
    scores: Vec<f64>,
    label: usize,
    k: usize,
    epsilon: f64,
    num_samples: usize,
    margin: f64,
    scale: f64,
    weight: f64,
    seed: u64,
}

/// Scores of many shapes: random, tied, of two clusters, sorted, of a huge common offset, of a huge spread, all equal.
fn scores(len: usize) -> impl Strategy<Value = Vec<f64>> {
    (0..8_u8, any::<u64>()).prop_map(move |(family, seed)| {
        let mut normal = vec![0.0; len];
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed), 0, &mut normal).unwrap();
        let shape = |z: f64| match family {
            1 => (2.0 * z).round(),
            2 => {
                if z > 1.5 {
                    10.0 + z
                } else {
                    z
                }
            }
            3 => 1e6 + z,
            4 => {
                if z > 2.0 {
                    1e30
                } else if z < -1.0 {
                    -1e30
                } else {
                    z
                }
            }
            5 => 0.5,
            6 => 1e-3 * z,
            _ => z,
        };
        normal.iter_mut().for_each(|z| *z = shape(*z));
        if family == 7 {
            normal.sort_by(f64::total_cmp);
        }
        normal
    })
}

fn cases() -> impl Strategy<Value = Case> {
    cases_of(prop_oneof![4 => 2..40_usize, 4 => 40..700_usize, 1 => 700..5000_usize])
}

fn cases_of(len: impl Strategy<Value = usize>) -> impl Strategy<Value = Case> {
    len.prop_flat_map(|len| {
        let k = prop_oneof![3 => 1..len.min(8), 1 => 1..len];
        let epsilon = prop_oneof![Just(1.0), Just(0.2), Just(0.01), (-9.0..4.0).prop_map(|x| f64::powf(10.0, x))];
        let weight = prop_oneof![Just(1.0), Just(0.0), 0.0..3.0];
        let rest = (1..40_usize, -6.0..3.0, prop_oneof![Just(1.0), 0.1..60.0], weight, any::<u64>());
        (scores(len), 0..len, k, epsilon, rest).prop_map(|(scores, label, k, epsilon, (num_samples, margin, scale, weight, seed))| Case {
            scores,
            label,
            k,
            epsilon,
            num_samples,
            margin,
            scale,
            weight,
            seed,
        })
    })
}

impl Case {
    fn scores<F: Elementary>(&self) -> Vec<F> {
        self.scores.iter().map(|&score| F::from_f64(score)).collect()
    }

    fn draws<F: Elementary>(&self) -> Draws<F> {
        Draws { epsilon: F::from_f64(self.epsilon), num_samples: self.num_samples, key: Key::new(self.seed) }
    }

    fn hinge<F: Elementary>(&self, smoothing: Smoothing<F>) -> TopKHinge<F> {
        TopKHinge::new(self.k)
            .unwrap()
            .with_margins(Margins::Uniform(F::from_f64(self.margin)))
            .unwrap()
            .with_scale(F::from_f64(self.scale))
            .unwrap()
            .with_smoothing(smoothing)
            .unwrap()
    }

    fn pathwise<F: Elementary>(&self) -> TopKHinge<F> {
        let Draws { epsilon, num_samples, key } = self.draws();
        self.hinge(Smoothing::Pathwise { epsilon, num_samples, key })
    }

    fn conditional<F: Elementary>(&self) -> TopKHinge<F> {
        let Draws { epsilon, num_samples, key } = self.draws();
        self.hinge(Smoothing::Conditional { epsilon, num_samples, key })
    }

    /// Value and gradient by a kernel.
    fn by<F: Elementary>(&self, kernel: &mut dyn Kernel<F>) -> Result<(F, Vec<F>)> {
        let (scores, mut grad) = (self.scores::<F>(), vec![F::nan(); self.scores.len()]);
        let value = kernel.value_and_grad(7, &scores, self.label, F::from_f64(self.weight), &mut grad)?;
        assert_eq!(kernel.value(7, &scores, self.label), Ok(value));
        Ok((value, grad))
    }

    /// The same by core.
    fn by_core<F: Elementary>(&self, loss: &(impl Loss<F> + FoldIn)) -> Result<(F, Vec<F>)> {
        self.by(&mut Scalar::new(self.scores.len(), |example| loss.fold_in(example)))
    }

    /// Whether the fast computation serves it.
    fn is_served<F: Elementary>(&self, mut attempt: impl Attempt<F>) -> bool {
        let (scores, mut grad) = (self.scores::<F>(), vec![F::nan(); self.scores.len()]);
        let weighted = Weighted { weight: F::from_f64(self.weight), grad: &mut grad };
        attempt.attempt(7, &scores, self.label, Some(weighted)).is_some()
    }
}

/// Every instruction set on one thread, and several threads.
fn workers() -> impl Iterator<Item = Workers> {
    available().into_iter().map(Workers::of).chain([Workers::new(Threads::new(2)), Workers::new(Threads::new(3))])
}

/// Value, gradient and errors; a zero has no sign.
fn has_the_bits_of_core<F: Elementary, K: Kernel<F>>(case: &Case, loss: &(impl Loss<F> + FoldIn), kernel: impl Fn(Workers) -> K) {
    let expected = case.by_core(loss);
    for workers in workers() {
        assert!(case.by(&mut kernel(workers)) == expected, "{case:?}");
    }
}

fn hard_and_pathwise_are_core<F: Elementary>(case: &Case) {
    let (hard, pathwise) = (case.hinge::<F>(Smoothing::None), case.pathwise::<F>());
    let (expected_hard, expected_pathwise) = (case.by_core(&hard), case.by_core(&pathwise));
    for arch in available() {
        let mut kernel = OrScalar { attempt: Hard::new(hard, Workers::of(arch)), loss: hard };
        assert_eq!(case.by(&mut kernel), expected_hard);
        for screening in [Screening::Usual, Screening::Off, Screening::TooHigh] {
            let leaders = Leaders::new(Workers::of(arch), screening);
            let attempt = Pathwise::new(pathwise, case.draws(), leaders, Workers::of(arch));
            assert_eq!(case.by(&mut OrScalar { attempt, loss: pathwise }), expected_pathwise);
        }
        assert!(case.is_served(Hard::new(hard, Workers::of(arch))));
        assert!(case.is_served(Pathwise::new(
            pathwise,
            case.draws(),
            Leaders::new(Workers::of(arch), Screening::Usual),
            Workers::of(arch)
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
        for screening in [Screening::Usual, Screening::Off, Screening::TooHigh] {
            let leaders = Leaders::new(Workers::of(arch), screening);
            let attempt = Conditional::new(loss, case.draws(), leaders, Workers::of(arch));
            let (ours, entries) = case.by(&mut OrScalar { attempt, loss }).unwrap();
            assert_eq!(ours, value);
            for (class, (&entry, &expected)) in entries.iter().zip(&grad).enumerate() {
                assert!((entry - expected).abs() <= tolerance, "class {class}: {entry} where core has {expected}");
            }
            assert_eq!(&entries, first.get_or_insert(entries.clone()));
        }
        assert!(case.is_served(Conditional::new(loss, case.draws(), Leaders::new(Workers::of(arch), Screening::Usual), Workers::of(arch))));
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

/// A row of 100 classes that nothing is wrong with.
fn ordinary() -> Case {
    Case {
        scores: (0..100).map(|i| f64::from(i % 13)).collect(),
        label: 3,
        k: 5,
        epsilon: 1.0,
        num_samples: 5,
        margin: 1.0,
        scale: 1.0,
        weight: 1.0,
        seed: 1,
    }
}

/// What single precision refuses, and rows near the end of its range.
fn extremes() -> Vec<Case> {
    let with = |change: &dyn Fn(&mut Case)| {
        let mut case = ordinary();
        change(&mut case);
        case
    };
    let most = f64::from(f32::MAX);
    vec![
        with(&|case| case.k = 100),
        with(&|case| case.label = 100),
        with(&|case| case.scores[50] = f64::NAN),
        with(&|case| case.scores[99] = f64::INFINITY),
        with(&|case| case.scores[7] = -most),
        with(&|case| case.scores[3] = 0.9 * most),
        with(&|case| case.scores.iter_mut().for_each(|score| *score = if *score > 6.0 { most } else { -most })),
        with(&|case| case.epsilon = 0.3 * most),
        with(&|case| case.epsilon = 1e-40),
        with(&|case| (case.scale, case.margin) = (1e30, 1e30)),
        with(&|case| (case.scale, case.weight) = (1e30, 1e30)),
        with(&|case| case.weight = f64::INFINITY),
        with(&|case| case.scores.truncate(1)),
    ]
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
                normals_of(Workers::of(arch), key, &vec![draw; len], &classes, &mut z);
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
