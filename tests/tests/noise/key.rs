//! Keys: randomness as a value.

use std::collections::HashSet;

use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Dxsm;
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Max, TopKSum};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{CrossEntropy, FoldIn, Key};
use topk_loss_laws::property::config;

/// A generator that shows its seed.
struct Revealed([u8; 32]);

impl SeedableRng for Revealed {
    type Seed = [u8; 32];

    fn from_seed(seed: [u8; 32]) -> Self {
        Self(seed)
    }
}

/// The published numbers, checked against a Philox and an inverse cdf of Python. A change here is value-breaking and belongs in the
/// changelog.
#[test]
fn draws_are_pinned() {
    let sampler = MonteCarlo::new(Normal, 1).unwrap();
    let (mut single, mut double) = ([0.0_f32; 5], [0.0_f64; 3]);
    let key = Key::new(7).fold_in(3);
    sampler.sample(key, 2, &mut single).unwrap();
    sampler.sample(key, 2, &mut double).unwrap();
    assert_eq!(single, [0.586_039, 1.306_311_4, 2.242_498_2, 0.744_816_54, 1.032_915_4]);
    assert_eq!(double, [0.586_039_136_244_461_1, 2.242_498_761_924_052, 1.032_915_176_587_554]);

    let words = [0x9acd_78ee, 0xc89e_3570, 0xf37d_6bef, 0xb4b2_bf9b, 0x82ad_1df9, 0xf2f9_8c4b, 0x8d2a_c02e, 0x701e_449c_u32];
    assert_eq!(Key::new(7).rng::<Revealed>().0.to_vec(), words.map(u32::to_le_bytes).concat());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn folding_is_a_function_that_separates(seed: u64, a: u64, b: u64) {
        let key = Key::new(seed);
        prop_assert_eq!(key.fold_in(a), Key::new(seed).fold_in(a));
        prop_assert_ne!(key.fold_in(a), key);
        prop_assert_eq!(a == b, key.fold_in(a) == key.fold_in(b));
        // The order of folding matters: (step 1, example 2) is not (step 2, example 1).
        prop_assert_eq!(a == b, key.fold_in(a).fold_in(b) == key.fold_in(b).fold_in(a));
    }

    #[test]
    fn a_key_seeds_generators(seed: u64) {
        let mut rng: Pcg64Dxsm = Key::new(seed).rng();
        let mut other: Pcg64Dxsm = Key::new(seed ^ 1).rng();
        let first = rng.next_u64();
        prop_assert_eq!(first, Key::new(seed).rng::<Pcg64Dxsm>().next_u64());
        prop_assert_ne!(first, other.next_u64());
        // Keys drawn one after the other from a generator differ; through a trait object they are the same.
        let (mut a, mut b) = (rng.clone(), rng);
        let drawn = Key::from_rng(&mut a);
        prop_assert_eq!(drawn, Key::from_rng(&mut b as &mut dyn Rng));
        prop_assert_ne!(drawn, Key::from_rng(&mut a));
    }
}

#[test]
fn nearby_keys_do_not_collide() {
    let seeds = (0..100_u64).map(Key::new);
    let folded: HashSet<Key> = seeds.flat_map(|key| (0..1000).map(move |data| key.fold_in(data))).collect();
    assert_eq!(folded.len(), 100 * 1000);
}

#[test]
fn seeds_use_all_bits_of_data() {
    let key = Key::new(0);
    let folded: HashSet<Key> = (0..64).map(|bit| key.fold_in(1 << bit)).chain((0..64).map(|bit| Key::new(1 << bit))).collect();
    assert_eq!(folded.len(), 128);
}

#[test]
fn deterministic_types_fold_to_themselves() {
    assert_eq!(Max.fold_in(1), Max);
    assert_eq!(CrossEntropy.fold_in(1), CrossEntropy);
    assert_eq!(KthLargest::new(2).unwrap().fold_in(1), KthLargest::new(2).unwrap());
    assert_eq!(TopKSum::new(2).unwrap().fold_in(1), TopKSum::new(2).unwrap());
}
