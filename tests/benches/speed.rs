//! Value and gradient of one row by core's scalar code, as a multiple of cross-entropy: `cargo bench -p topk-loss-laws --bench speed`.
//!
//! The losses take turns, so that whatever else the machine does falls on all of them; medians of ns per class. `-- 1000 10000` restricts
//! the numbers of classes.

use std::time::Instant;

use topk_loss::{
    ClassWeighted, CrossEntropy, Focal, Gumbel, Key, Ldam, LogitAdjusted, Loss, Margins, MonteCarlo, Normal, Real, Sampler, SmoothTopKSvm,
    Smoothing, TopKCrossEntropy, TopKHinge, TopKHinges, TopKSvm, TopKSvmForm,
};

const ROUNDS: usize = 31;
const GUESSES: [usize; 3] = [1, 5, 50];

type Named<'a, F> = (&'static str, Box<dyn Loss<F> + 'a>);

/// What does not depend on K.
fn losses_of_one_guess<F: Real>(per_class: &[F]) -> Vec<Named<'_, F>> {
    let number = F::from_f64;
    vec![
        ("cross-entropy", Box::new(CrossEntropy)),
        ("focal, gamma 2", Box::new(Focal::new(number(2.0)).expect("a valid gamma"))),
        ("LDAM", Box::new(Ldam::new(Margins::PerClass(per_class), number(30.0)).expect("valid margins"))),
        ("cross-entropy, class-weighted", Box::new(ClassWeighted::new(CrossEntropy, per_class).expect("valid weights"))),
        ("cross-entropy, logit-adjusted", Box::new(LogitAdjusted::new(CrossEntropy, per_class).expect("finite adjustments"))),
    ]
}

fn losses_of_k_guesses<F: Real>(k: usize, shares: &[F]) -> Vec<Named<'_, F>> {
    let (one, key) = (F::one(), Key::new(1));
    let hinge = |smoothing| Box::new(TopKHinge::new(k, Margins::Uniform(one), one, smoothing).expect("valid parameters"));
    let hinges = |epsilon| Box::new(TopKHinges::new(shares, Margins::Uniform(one), one, epsilon).expect("valid shares"));
    let svm = |form| Box::new(TopKSvm::new(k, form, Margins::Uniform(one), one).expect("valid parameters"));
    vec![
        ("calibrated hinge", hinge(Smoothing::None)),
        ("top-K SVM, K-th other", svm(TopKSvmForm::KthOther)),
        ("top-K SVM, mean inside", svm(TopKSvmForm::MeanInside)),
        ("top-K SVM, mean outside", svm(TopKSvmForm::MeanOutside)),
        ("noised hinge, pathwise, 5 draws", hinge(Smoothing::Pathwise { epsilon: one, num_samples: 5, key })),
        ("noised hinge, conditional, 1 draw", hinge(Smoothing::Conditional { epsilon: one, num_samples: 1, key })),
        ("noised hinge, exact", hinge(Smoothing::Exact { epsilon: one })),
        ("hinges of 1 and K guesses", hinges(None)),
        ("hinges of 1 and K guesses, exact", hinges(Some(one))),
        ("smooth top-K SVM, temperature 1", Box::new(SmoothTopKSvm::new(k, one, one).expect("valid parameters"))),
        ("smooth top-K SVM, temperature 0.1", Box::new(SmoothTopKSvm::new(k, F::from_f64(0.1), one).expect("valid parameters"))),
        ("top-K cross-entropy", Box::new(TopKCrossEntropy::new(k, Gumbel, one).expect("valid parameters"))),
        ("cross-entropies of 1 and K guesses", Box::new(TopKCrossEntropy::mixture(shares, Gumbel, one).expect("valid shares"))),
    ]
}

/// Half one guess, half K.
fn half_and_half<F: Real>(k: usize) -> Vec<F> {
    let mut shares = vec![F::zero(); k];
    shares[0] = F::from_f64(0.5);
    shares[k - 1] += F::from_f64(0.5);
    shares
}

/// Median times of all losses on one row.
fn medians<F: Real>(scores: &[F], losses: &[&Named<'_, F>]) -> Vec<f64> {
    let len = scores.len();
    let longest = losses.iter().map(|(_, loss)| loss.scratch_len(len)).max().unwrap_or(0);
    let (mut grad, mut scratch) = (vec![F::zero(); len], vec![F::zero(); longest]);
    let calls = (20_000 / len).max(1);
    let mut times = vec![Vec::new(); losses.len()];
    for _ in 0..ROUNDS {
        for ((_, loss), times) in losses.iter().zip(&mut times) {
            let start = Instant::now();
            for call in 0..calls {
                loss.value_and_grad(scores, call % len, &mut grad, &mut scratch).expect("finite scores");
            }
            times.push(start.elapsed().as_nanos() as f64 / (calls * len) as f64);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    times.into_iter().map(median).collect()
}

fn report<F: Real>(float: &str, len: usize) {
    let mut scores = vec![F::zero(); len];
    MonteCarlo::new(Normal, 1).and_then(|normal| normal.sample(Key::new(2), 0, &mut scores)).expect("a normal sample");
    let per_class: Vec<F> = (0..len).map(|class| F::from_f64((class % 8) as f64 / 8.0)).collect();
    let one = losses_of_one_guess(&per_class);
    let shares = GUESSES.map(half_and_half::<F>);
    let of_k: Vec<Vec<Named<'_, F>>> = GUESSES.iter().zip(&shares).map(|(&k, shares)| losses_of_k_guesses(k, shares)).collect();
    let all: Vec<&Named<'_, F>> = one.iter().chain(of_k.iter().flatten()).collect();
    let times = medians(&scores, &all);
    let (of_one, of_several) = times.split_at(one.len());
    println!("{float}, L = {len}, scores N(0, 1), epsilon 1; times cross-entropy's {:.1} ns a class", of_one[0]);
    for ((name, _), time) in one.iter().zip(of_one) {
        println!("    {name:36} {:8.2}", time / of_one[0]);
    }
    println!("    {:36} {}", "K =", GUESSES.map(|k| format!("{k:8}")).concat());
    for (row, (name, _)) in of_k[0].iter().enumerate() {
        let cells: String = of_several.chunks(of_k[0].len()).map(|column| format!("{:8.2}", column[row] / of_one[0])).collect();
        println!("    {name:36} {cells}");
    }
}

fn main() {
    let chosen: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let lengths = if chosen.is_empty() { vec![100, 1_000, 10_000, 100_000] } else { chosen };
    for len in lengths {
        report::<f32>("f32", len);
        report::<f64>("f64", len);
    }
}
