//! Samplers: given draws are handed back, Monte Carlo draws are independent and of the law.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::noise::{Noise, Normal};
use topk_loss::sampler::{GivenDraws, MonteCarlo, Sampler};
use topk_loss::{Key, Real};
use topk_loss_laws::both_floats;
use topk_loss_laws::property::config;
use topk_loss_laws::reference::to_f64;
use topk_loss_laws::statistics::{Moments, follows_law, reject};
use topk_loss_laws::tolerances::DETECTABLE_BIAS;

const CLASSES: usize = 1000;
const DRAWS: usize = 200;

fn sample<F: Real>(key: Key, index: usize) -> Vec<F> {
    let mut z = vec![F::nan(); CLASSES];
    MonteCarlo::new(Normal, DRAWS).unwrap().sample(key, index, &mut z).unwrap();
    z
}

fn all_draws<F: Real>(key: Key) -> Vec<f64> {
    (0..DRAWS).flat_map(|index| sample::<F>(key, index)).map(to_f64).collect()
}

fn seed<F: Real>() -> impl Strategy<Value = (u64, usize, usize, F)> {
    (any::<u64>(), 0..1_usize << 40, 1..50_usize, Just(F::zero()))
}

/// Entry i of draw b depends on the key, b and i alone: not on the dimension, and not on the number of draws.
fn draws_are_addressable<F: Real>((seed, index, len, zero): (u64, usize, usize, F)) -> Result<(), TestCaseError> {
    let (mut long, mut short) = (vec![zero; 50], vec![zero; len]);
    MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed), index, &mut long).unwrap();
    MonteCarlo::new(Normal, 9).unwrap().sample(Key::new(seed), index, &mut short).unwrap();
    prop_assert_eq!(&long[..len], &short[..]);
    prop_assert!(long.iter().all(|z| z.is_finite()));
    // All 64 bits of the index count.
    for other in [index + 1, index ^ 1 << 32] {
        MonteCarlo::new(Normal, 9).unwrap().sample(Key::new(seed), other, &mut short).unwrap();
        prop_assert_ne!(&long[..len], &short[..]);
    }
    MonteCarlo::new(Normal, 9).unwrap().sample(Key::new(seed).fold_in(1), index, &mut short).unwrap();
    prop_assert_ne!(&long[..len], &short[..]);
    Ok(())
}

both_floats!(draws_are_addressable in seed);

proptest! {
    #![proptest_config(config())]

    #[test]
    fn given_draws_are_handed_back(draws in vec(-3.0..3.0_f64, 1..7).prop_flat_map(|draw| vec(Just(draw), 1..5)), seed: u64) {
        let (flat, dim) = (draws.concat(), draws[0].len());
        let sampler = GivenDraws::new(Normal, &flat, dim).unwrap();
        prop_assert_eq!(sampler.num_samples(), draws.len());
        let mut z = vec![f64::NAN; dim];
        for (index, draw) in draws.iter().enumerate() {
            sampler.sample(Key::new(seed), index, &mut z).unwrap();
            prop_assert_eq!(&z, draw);
        }
    }
}

/// z-scores of the first four moments of standard normal numbers.
fn moment_scores(sample: &[f64]) -> Vec<f64> {
    [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)]
        .map(|(power, expected)| sample.iter().map(|z| z.powi(power)).collect::<Moments>().z_score(expected))
        .into()
}

fn normal_cdf(z: f64) -> f64 {
    Normal.cdf(z)
}

#[test]
fn monte_carlo_is_standard_normal() {
    for sample in [all_draws::<f32>(Key::new(1)), all_draws::<f64>(Key::new(2))] {
        assert!(!reject(&moment_scores(&sample)), "{:?}", moment_scores(&sample));
        assert_eq!(follows_law(sample.clone(), normal_cdf), Ok(()));

        // Power: a scale or a location that is off by 5 % is seen.
        let wider: Vec<f64> = sample.iter().map(|z| (1.0 + DETECTABLE_BIAS) * z).collect();
        let moved: Vec<f64> = sample.iter().map(|z| z + DETECTABLE_BIAS).collect();
        assert!(reject(&moment_scores(&wider)) && follows_law(wider, normal_cdf).is_err());
        assert!(reject(&moment_scores(&moved)) && follows_law(moved, normal_cdf).is_err());
    }
}

/// The z-score of the correlation of two standardised sequences.
fn correlation_score(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).collect::<Moments>().z_score(0.0)
}

#[test]
fn draws_classes_and_keys_are_uncorrelated() {
    let key = Key::new(3);
    let sample = all_draws::<f32>(key);
    let others = [
        sample[1..].to_vec(),             // the next class
        sample[4..].to_vec(),             // the same place in the next block of the generator
        sample[CLASSES..].to_vec(),       // the next draw
        all_draws::<f32>(key.fold_in(0)), // a key folded once
        all_draws::<f32>(key.fold_in(1)), // and folded with the next number
        all_draws::<f32>(key.fold_in(0).fold_in(0)),
        all_draws::<f32>(Key::new(4)),           // the next seed
        all_draws::<f32>(Key::new(3 | 1 << 32)), // a seed that differs in its upper half
    ];
    let mut scores: Vec<f64> = others.iter().map(|other| correlation_score(&sample, other)).collect();
    scores.push(correlation_score(&all_draws::<f32>(key.fold_in(0)), &all_draws::<f32>(key.fold_in(1))));
    // Dependence without correlation: do large numbers come together?
    let squared = |z: &[f64]| z.iter().map(|z| (z * z - 1.0) / 2.0_f64.sqrt()).collect::<Vec<_>>();
    scores.extend(others.iter().map(|other| correlation_score(&squared(&sample), &squared(other))));
    assert!(!reject(&scores), "{scores:?}");

    // Power: a correlation of 5 % is seen.
    let leaking: Vec<f64> = sample.iter().zip(&others[3]).map(|(a, b)| b + DETECTABLE_BIAS * a).collect();
    assert!(reject(&[correlation_score(&sample, &leaking)]));
}
