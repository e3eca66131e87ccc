//! Keys: the same data the same key, other data another; what is drawn under them is strictly inside (0, 1).
#![no_main]

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;
use topk_loss::Key;
use topk_loss::noise::Uniform;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss_fuzz::{Float, Input, promises, target};

fn key<F: Float>(input: &Input) {
    let (key, data) = (input.key(), u64::from_le_bytes([input.dice, input.dice].concat().try_into().expect("eight bytes")));
    let [high, low] = key.words();
    assert_eq!(u64::from(high) << 32 | u64::from(low), input.seed);
    let (folded, other) = (key.fold_in(data), key.fold_in(data.wrapping_add(input.which.into())));
    assert_eq!(folded == other, input.which == 0, "64 bits collide");
    assert_eq!(folded, Key::new(input.seed).fold_in(data));
    let numbers = |key: Key| {
        let mut rng: Pcg32 = key.rng();
        [rng.next_u64(), rng.next_u64()]
    };
    assert_eq!(numbers(key), numbers(key));
    assert_ne!(numbers(key), numbers(folded));
    let (mut rng, mut again): (Pcg32, Pcg32) = (key.rng(), key.rng());
    assert_eq!(Key::from_rng(&mut rng), Key::from_rng(&mut again));
    let text = serde_json::to_string(&key).expect("a key is text");
    assert_eq!(serde_json::from_str::<Key>(&text).expect("as it was written"), key);

    // From −1 to 1, exactly what the uniform is.
    let sampler = MonteCarlo::new(Uniform, 1).expect("one draw");
    let draw = |index: usize, len: usize| {
        let mut z = vec![F::nan(); len];
        sampler.sample(key, index, &mut z).expect("any draw");
        z
    };
    let (len, index) = (usize::from(input.num_samples), input.k.rank(0));
    let z = draw(index, len);
    assert!(z.iter().all(|z| z.abs() < F::one()));
    let short = len / 2;
    promises::assert_same("draws of fewer classes", &draw(index, short), &z[..short]);
}

target!(key);
