//! Value and gradient of one row by core's scalar code, beside cross-entropy: `cargo bench --bench speed`.
//!
//! The losses take turns, so that whatever else the machine does falls on all of them; medians of ns per class.

use std::time::Instant;

use topk_loss::{CrossEntropy, Key, Loss, Margins, MonteCarlo, Normal, Real, Sampler, Smoothing, TopKHinge};

const ROUNDS: usize = 31;

fn losses<F: Real>(k: usize) -> Vec<(&'static str, Box<dyn Loss<F>>)> {
    let (epsilon, key) = (F::one(), Key::new(1));
    let hinge = |smoothing| Box::new(TopKHinge::new(k, Margins::Uniform(F::one()), F::one(), smoothing).expect("valid parameters"));
    vec![
        ("cross-entropy", Box::new(CrossEntropy) as Box<dyn Loss<F>>),
        ("hard hinge", hinge(Smoothing::None)),
        ("pathwise, 5 draws", hinge(Smoothing::Pathwise { epsilon, num_samples: 5, key })),
        ("conditional, 1 draw", hinge(Smoothing::Conditional { epsilon, num_samples: 1, key })),
        ("exact", hinge(Smoothing::Exact { epsilon })),
    ]
}

fn medians<F: Real>(len: usize, k: usize) -> Vec<(&'static str, f64)> {
    let mut scores = vec![F::zero(); len];
    MonteCarlo::new(Normal, 1).and_then(|normal| normal.sample(Key::new(2), 0, &mut scores)).expect("a normal sample");
    let losses = losses::<F>(k);
    let longest = losses.iter().map(|(_, loss)| loss.scratch_len(len)).max().unwrap_or(0);
    let (mut grad, mut scratch) = (vec![F::zero(); len], vec![F::zero(); longest]);
    let calls = (20_000 / len).max(1);
    let mut times = vec![Vec::new(); losses.len()];
    for _ in 0..ROUNDS {
        for ((_, loss), times) in losses.iter().zip(&mut times) {
            let start = Instant::now();
            for call in 0..calls {
                loss.value_and_grad(&scores, call % len, &mut grad, &mut scratch).expect("finite scores");
            }
            times.push(start.elapsed().as_nanos() as f64 / (calls * len) as f64);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    losses.iter().zip(times).map(|((name, _), times)| (*name, median(times))).collect()
}

fn main() {
    for (float, measure) in [("f32", medians::<f32> as fn(usize, usize) -> _), ("f64", medians::<f64>)] {
        for k in [5, 50] {
            for len in [100, 1_000, 10_000, 100_000] {
                println!("{float}, K = {k}, L = {len}, epsilon 1, scores N(0, 1)");
                let medians = measure(len, k);
                let cross_entropy = medians[0].1;
                for (name, time) in medians {
                    println!("    {name:20} {time:9.1} ns a class, {:7.2} x cross-entropy", time / cross_entropy);
                }
            }
        }
    }
}
