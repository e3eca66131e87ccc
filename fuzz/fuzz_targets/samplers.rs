//! Draws: finite, the same again, each class on its own, pairs that mirror, lattices that fill their cells.
#![no_main]

use topk_loss::noise::Noise;
use topk_loss_fuzz::{Float, Input, promises, target};

fn samplers<F: Float>(input: &Input) {
    let dim = usize::from(input.dice[1]);
    let given: Vec<F> = input.scores();
    let Ok(sampler) = input.sampler::<F>(usize::MAX, &given, dim) else { return };
    let (count, block) = (sampler.num_samples(), sampler.block_len());
    assert!(count >= 1 && block >= 1 && count.is_multiple_of(block));
    sampler.check_dim(dim).expect("the dimension it was made for");
    let draw = |index: usize| {
        let mut z = promises::buffer::<F>(dim);
        let outcome = sampler.sample(input.key(), index, &mut z);
        outcome.map(|()| z)
    };
    let index = usize::from(input.dice[2]) % count;
    let z = draw(index).expect("one of its draws");
    promises::assert_finite("draw", &z);
    promises::assert_same("the same draw again", &draw(index).expect("one of its draws"), &z);
    if input.dice[0] % 5 == 1 {
        let law = input.law();
        let mirrored = draw(index ^ 1).expect("the other of the pair");
        for (&z, mirrored) in z.iter().zip(mirrored) {
            let (p, q) = (law.cdf(z), law.survival(mirrored));
            assert!((p - q).abs() <= F::from_f64(1e-3), "{z} and {mirrored} are no pair");
        }
    }
    // Beyond its draws, whatever it does it does not panic.
    let _ = draw(input.label.rank(count));
}

target!(samplers);
