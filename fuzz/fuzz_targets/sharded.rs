//! The exact form over shards: any partition of the classes, merged in any order, is the whole.
#![no_main]

use topk_loss::Result;
use topk_loss::estimator::{Certified, Exact};
use topk_loss::noise::Noise;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sharded::{largest, merge_largest};
use topk_loss_fuzz::promises::{self, assert_finite, buffer, scratch};
use topk_loss_fuzz::{Float, Input, target, with_smooth_law};
use topk_loss_laws::reference::to_f64;

/// The value, the bound on its error, and the gradients of the shards.
type Merged<F> = (F, F, Vec<Vec<F>>);

fn merged<F: Float, N: Noise<F>>(exact: &Exact<KthLargest, N, F>, k: usize, shards: &[Vec<F>]) -> Result<Merged<F>> {
    let num_classes = shards.iter().map(Vec::len).sum();
    let mut best = vec![F::neg_infinity(); k];
    for shard in shards {
        let mut own = buffer(k);
        largest(shard, &mut own)?;
        merge_largest(&mut best, &own)?;
    }
    let mut histogram = exact.histogram(best[k - 1], num_classes)?;
    for shard in shards {
        let mut own = exact.histogram(best[k - 1], num_classes)?;
        own.add(shard)?;
        histogram.merge(own.counts())?;
    }
    let partition = histogram.partition(&mut scratch(histogram.scratch_len()))?;
    let (mut room, mut firsts) = (scratch(partition.room_len(num_classes)), vec![]);
    let mut whole = partition.summary(&mut room)?;
    for shard in shards {
        let mut room = scratch(partition.room_len(shard.len()));
        let mut own = partition.summary(&mut room)?;
        own.add(shard)?;
        firsts.push(whole.merge(own.part())?);
    }
    let mut room = scratch(whole.scratch_len());
    let solution = whole.solve(&mut room)?;
    let grad_of = |(shard, first): (&Vec<F>, usize)| {
        let mut grad = vec![F::zero(); shard.len()];
        solution.add_grad(shard, first, F::one(), &mut grad).map(|_| grad)
    };
    let grads = shards.iter().zip(firsts).map(grad_of).collect::<Result<_>>()?;
    Ok((solution.value(), solution.error_bound(), grads))
}

fn agree<F: Float, N: Noise<F>>(law: N, scores: &[F], k: usize, input: &Input) {
    let exact = KthLargest::new(k).and_then(|oracle| Exact::new(oracle, law, input.epsilon::<F>()));
    let Ok(exact) = exact else { return };
    let home = |class: usize| (input.seed >> (2 * (class % 32)) & 3) as usize;
    let shard = |name| scores.iter().enumerate().filter(|&(class, _)| home(class) == name).map(|(_, &score)| score).collect();
    let mut names = [0, 1, 2, 3];
    names.rotate_left(usize::from(input.dice[0] % 4));
    let shards = names.map(shard);

    let (value, bound, grads) = match merged(&exact, k, &shards) {
        Ok(merged) => merged,
        Err(error) => {
            let is_bad = scores.iter().any(|score| !score.is_finite());
            assert!(is_bad || k > scores.len() || promises::is_of_the_computation(&error), "{error:?}");
            return;
        }
    };
    assert_finite("value and bound", &[value, bound]);
    grads.iter().for_each(|grad| assert_finite("gradient of a shard", grad));
    let mut expected = vec![F::zero(); scores.len()];
    let whole = exact.certified(scores, F::one(), &mut expected, &mut scratch(exact.scratch_len(scores.len())));
    let Ok(Certified { value: expected_value, error_bound }) = whole else { return };
    let rounding = to_f64(F::epsilon()) * 1e3 * (1.0 + scores.len() as f64 / 64.0);
    let tolerance = to_f64(bound) + to_f64(error_bound) + rounding;
    let mut distance = 0.0;
    for (name, grad) in names.into_iter().zip(&grads) {
        let whole = expected.iter().enumerate().filter(|&(class, _)| home(class) == name);
        distance += grad.iter().zip(whole).map(|(&a, (_, &b))| (to_f64(a) - to_f64(b)).abs()).sum::<f64>();
    }
    assert!(distance <= tolerance, "the gradient is {distance} off, {tolerance} allowed");
    let error = (to_f64(value) - to_f64(expected_value)).abs();
    let size = to_f64(input.epsilon::<F>()) + to_f64(expected_value.abs());
    assert!(error <= 8.0 * tolerance * size, "{value} instead of {expected_value}");
}

fn sharded<F: Float>(input: &Input) {
    let scores: Vec<F> = input.scores();
    let k = input.k.rank(scores.len());
    // More of the largest than there are classes are not kept.
    if k <= scores.len() {
        with_smooth_law!(input.law, law => agree(law, &scores, k, input));
    }
}

target!(sharded);
