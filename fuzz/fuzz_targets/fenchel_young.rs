//! Fenchel–Young losses of any oracle, hard or smoothed.
#![no_main]

use topk_loss::estimator::{Exact, Pathwise};
use topk_loss::loss::FenchelYoung;
use topk_loss::maximizer::{Ranking, TopKMask};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Max, Oracle, SupportFunction, TopKSum};
use topk_loss_fuzz::promises::{both, scratch};
use topk_loss_fuzz::{Float, Input, target};
use topk_loss_laws::reference::{ranking, to_f64};

fn loss<F: Float>(oracle: &dyn Oracle<F>, is_convex: bool, theta: &[F], target: &[F]) {
    let loss = FenchelYoung::new(oracle);
    let needed = loss.scratch_len::<F>(theta.len());
    let value = || loss.value(theta, target, &mut scratch(needed));
    let Ok((value, _)) = both(theta.len(), value, |grad| loss.value_and_grad(theta, target, grad, &mut scratch(needed))) else { return };
    let largest = theta.iter().fold(0.0_f64, |largest, &score| largest.max(to_f64(score.abs())));
    let slack = 16.0 * to_f64(F::epsilon()) * largest * (1.0 + target.iter().map(|&y| to_f64(y.abs())).sum::<f64>());
    assert!(!is_convex || to_f64(value) >= -slack, "{value} is negative");
}

fn fenchel_young<F: Float>(input: &Input) {
    let theta: Vec<F> = input.scores();
    let (len, k) = (theta.len(), input.k.rank(theta.len()));
    // In the convex hull of the sets of k, or anywhere.
    let is_set = input.dice[1] & 1 == 0 && k <= len && theta.iter().all(|score| score.is_finite());
    let target: Vec<F> = if is_set {
        let (order, shift) = (ranking(&theta), usize::from(input.dice[2]));
        let mut target = vec![F::zero(); len];
        (0..k).for_each(|place| target[order[(place + shift) % len]] = F::one());
        target
    } else {
        input.others(len)
    };
    let draws: Vec<F> = input.others(len * 2);
    let (epsilon, key) = (input.epsilon::<F>(), input.key());
    let Ok(mask) = TopKMask::new(k) else { return };
    let sum = TopKSum::new(k).expect("k is a rank");
    match input.which % 6 {
        0 => loss(&Max, is_set && k == 1, &theta, &target),
        1 => loss(&sum, is_set, &theta, &target),
        2 => loss(&SupportFunction::new(mask), is_set, &theta, &target),
        3 => loss(&SupportFunction::new(Ranking), false, &theta, &target),
        4 => _ = Exact::new(KthLargest::new(k).expect("k is a rank"), Normal, epsilon).map(|exact| loss(&exact, false, &theta, &target)),
        _ => {
            let Ok(sampler) = input.sampler::<F>(16, &draws, len) else { return };
            _ = Pathwise::new(SupportFunction::new(mask), &*sampler, epsilon, key).map(|mean| loss(&mean, false, &theta, &target));
        }
    }
}

target!(fenchel_young);
