//! Value and gradient of one row by every kernel, as a multiple of cross-entropy: `cargo bench -p topk-loss-batch --bench kernels`.
//!
//! The kernels take turns, so that whatever else the machine does falls on all of them; medians of ns per class, and the least, which a
//! busy machine disturbs least. `-- 1000 10000` restricts the numbers of classes.

use std::time::Instant;

use faer::Par;
use topk_loss::{
    ClassWeighted, CrossEntropy, Focal, Gumbel, Key, Ldam, LogitAdjusted, Margins, MonteCarlo, Normal, Sampler, Smoothing,
    TopKCrossEntropy, TopKHinge, TopKHinges,
};
use topk_loss_batch::{BatchLoss, BatchReal, Kernel};

const ROUNDS: usize = 201;
const ROWS: usize = 16;

fn hinge<F: BatchReal>(k: usize, smoothing: Smoothing<F>) -> TopKHinge<'static, F> {
    TopKHinge::new(k, Margins::Uniform(F::one()), F::one(), smoothing).expect("valid parameters")
}

fn hinges<F: BatchReal>() -> Vec<(&'static str, TopKHinge<'static, F>)> {
    let (one, key) = (F::one(), Key::new(1));
    let pathwise = |epsilon, num_samples| Smoothing::Pathwise { epsilon, num_samples, key };
    let conditional = |epsilon, num_samples| Smoothing::Conditional { epsilon, num_samples, key };
    vec![
        ("calibrated hinge, K = 5", hinge(5, Smoothing::None)),
        ("calibrated hinge, K = 50", hinge(50, Smoothing::None)),
        ("pathwise, K = 5, 1 draw", hinge(5, pathwise(one, 1))),
        ("pathwise, K = 5, 5 draws", hinge(5, pathwise(one, 5))),
        ("pathwise, K = 5, 5 draws, epsilon 0.2", hinge(5, pathwise(F::from_f64(0.2), 5))),
        ("pathwise, K = 5, 5 draws, epsilon 0.01", hinge(5, pathwise(F::from_f64(0.01), 5))),
        ("pathwise, K = 5, 50 draws", hinge(5, pathwise(one, 50))),
        ("pathwise, K = 50, 5 draws", hinge(50, pathwise(one, 5))),
        ("conditional, K = 5, 1 draw", hinge(5, conditional(one, 1))),
        ("conditional, K = 50, 1 draw", hinge(50, conditional(one, 1))),
        ("exact, K = 5", hinge(5, Smoothing::Exact { epsilon: one })),
        ("exact, K = 50", hinge(50, Smoothing::Exact { epsilon: one })),
    ]
}

fn report<F: BatchReal>(float: &str, len: usize) {
    let rows: Vec<Vec<F>> = (0..ROWS)
        .map(|row| {
            let mut scores = vec![F::zero(); len];
            MonteCarlo::new(Normal, ROWS).and_then(|normal| normal.sample(Key::new(2), row, &mut scores)).expect("a normal sample");
            scores
        })
        .collect();
    let (one, hinges) = (F::one(), hinges());
    let (per_class, shares) = (vec![F::from_f64(0.5); len], [0.5, 0.0, 0.0, 0.0, 0.5].map(F::from_f64));
    let focal = Focal::new(F::from_f64(2.0)).expect("a valid gamma");
    let ldam = Ldam::new(Margins::PerClass(&per_class), F::from_f64(30.0)).expect("valid margins");
    let weighted = ClassWeighted::new(CrossEntropy, &per_class).expect("valid weights");
    let adjusted = LogitAdjusted::new(CrossEntropy, &per_class).expect("finite adjustments");
    let [top_1, top_5] = [1, 5].map(|k| TopKCrossEntropy::new(k, Gumbel, one).expect("a valid K"));
    let top_1_and_5 = TopKCrossEntropy::mixture(&shares, Gumbel, one).expect("valid shares");
    let [hard_hinges, exact_hinges] =
        [None, Some(one)].map(|epsilon| TopKHinges::new(&shares, Margins::Uniform(one), one, epsilon).expect("valid shares"));
    let mut kernels: Vec<(&str, Box<dyn Kernel<F> + '_>)> = vec![
        ("cross-entropy", CrossEntropy.kernel(len, Par::Seq)),
        ("focal, gamma 2", focal.kernel(len, Par::Seq)),
        ("LDAM, scale 30", ldam.kernel(len, Par::Seq)),
        ("cross-entropy, class-weighted", weighted.kernel(len, Par::Seq)),
        ("cross-entropy, logit-adjusted", adjusted.kernel(len, Par::Seq)),
        ("top-K cross-entropy, K = 1", top_1.kernel(len, Par::Seq)),
        ("top-K cross-entropy, K = 5", top_5.kernel(len, Par::Seq)),
        ("top-K cross-entropies, K = 1 and 5", top_1_and_5.kernel(len, Par::Seq)),
        ("calibrated hinges, K = 1 and 5", hard_hinges.kernel(len, Par::Seq)),
        ("calibrated hinges, K = 1 and 5, exact", exact_hinges.kernel(len, Par::Seq)),
    ];
    kernels.extend(hinges.iter().map(|(name, loss)| (*name, loss.kernel(len, Par::Seq))));
    let mut grad = vec![F::zero(); len];
    let calls = (5_000 / len).max(1);
    let mut times = vec![Vec::new(); kernels.len()];
    for round in 0..ROUNDS {
        for ((_, kernel), times) in kernels.iter_mut().zip(&mut times) {
            let start = Instant::now();
            for call in 0..calls {
                let example = round * calls + call;
                kernel
                    .value_and_grad(example as u64, &rows[example % ROWS], example * 31 % len, F::one(), &mut grad)
                    .expect("finite scores");
            }
            times.push(start.elapsed().as_nanos() as f64 / (calls * len) as f64);
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    println!("{float}, L = {len}, scores N(0, 1), epsilon 1: ns a class, median and least; the median times cross-entropy's");
    for ((name, _), of_one) in kernels.iter().zip(&times) {
        let (median, least) = (of_one[ROUNDS / 2], of_one[0]);
        println!("    {name:40} {median:8.3} {least:8.3} {:8.2}", median / times[0][ROUNDS / 2]);
    }
}

fn main() {
    let chosen: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let lengths = if chosen.is_empty() { vec![1_000, 10_000, 100_000] } else { chosen };
    for len in lengths {
        report::<f32>("f32", len);
        report::<f64>("f64", len);
    }
}
