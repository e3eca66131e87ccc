//! The exact estimator against a slow, independent quadrature, on scores of every shape.

use topk_loss::{Exact, Gumbel, Key, KthLargest, Logistic, MonteCarlo, Noise, Normal, Oracle, Real, Sampler};
use topk_loss_laws::smoothed::smoothed_kth_largest;

/// The families of the accuracy grid, each with spread about 1.
fn family(name: &str, len: usize) -> Vec<f64> {
    let mut z = vec![0.0; len];
    MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(len as u64), 0, &mut z).unwrap();
    let share = |i: usize| i as f64 / len as f64;
    match name {
        "random" => z,
        "tied" => vec![0.25; len],
        "clustered" => z.iter().enumerate().map(|(i, z)| (i % 3) as f64 + 1e-3 * z).collect(),
        "separated" => (0..len).map(|i| share(i) + if i % 7 == 0 { 1.0 } else { 0.0 }).collect(),
        "geometric" => (0..len).map(|i| 0.9_f64.powi(i as i32)).collect(),
        _ => (0..len).map(|i| if i < 6 { 1.0 } else { 0.0 }).collect(),
    }
}

const FAMILIES: [&str; 6] = ["random", "tied", "clustered", "separated", "geometric", "crowd"];

/// The largest errors seen over a grid.
#[derive(Debug, Default)]
struct Worst {
    cases: usize,
    plain: f64,
    fast: f64,
    single: f64,
    value: f64,
    sum: f64,
    bound: f64,
    bound_single: f64,
    refused: usize,
}

fn run<F: Real, N: Noise<F>>(exact: Exact<KthLargest, N, F>, scores: &[F]) -> Option<(f64, f64, Vec<f64>)> {
    let mut scratch = vec![F::nan(); exact.scratch_len(scores.len())];
    let mut grad = vec![F::zero(); scores.len()];
    let result = exact.certified(scores, F::one(), &mut grad, &mut scratch).ok()?;
    let wide = |x: &F| x.to_f64().unwrap();
    assert!(grad.iter().all(|g| *g >= F::zero()));
    Some((wide(&result.value), wide(&result.error_bound), grad.iter().map(wide).collect()))
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

fn compare<N: Noise<f64> + Noise<f32> + core::fmt::Debug>(worst: &mut Worst, law: N, scores: &[f64], k: usize, epsilon: f64) {
    let scores32: Vec<f32> = scores.iter().map(|&s| s as f32).collect();
    // The reference sees the rounded scores, so that the rounding of the input is nobody's error.
    let scores: Vec<f64> = scores32.iter().map(|&s| f64::from(s)).collect();
    let epsilon = f64::from(epsilon as f32);
    let (value, reference) = smoothed_kth_largest(&scores, k, law, epsilon);
    let exact = Exact::new(KthLargest::new(k).unwrap(), law, epsilon).unwrap();
    let exact32 = Exact::new(KthLargest::new(k).unwrap(), law, epsilon as f32).unwrap();
    let name = format!("{law:?} L {} k {k} epsilon {epsilon:e}", scores.len());

    let (plain_value, plain_bound, plain) = run(exact.plain(), &scores).unwrap_or_else(|| panic!("{name}: plain refused"));
    let Some((fast_value, fast_bound, fast)) = run(exact, &scores) else { panic!("{name}: refused") };
    worst.cases += 1;
    let offset = (plain_value - value).abs().max((fast_value - value).abs()) / epsilon;
    let floor = 4.0 * f64::EPSILON * scores.iter().fold(0.0_f64, |m, s| m.max(s.abs())) / epsilon;
    worst.value = worst.value.max(offset - floor);
    let (plain_error, fast_error) = (distance(&plain, &reference), distance(&fast, &reference));
    assert!(
        plain_error <= plain_bound && fast_error <= fast_bound,
        "{name}: {plain_error:e} > {plain_bound:e} or {fast_error:e} > {fast_bound:e}"
    );
    worst.plain = worst.plain.max(plain_error);
    worst.fast = worst.fast.max(fast_error);
    worst.bound = worst.bound.max(fast_bound);
    worst.sum = worst.sum.max((fast.iter().sum::<f64>() - 1.0).abs());
    match run(exact32, &scores32) {
        Some((_, bound, single)) => {
            let error = distance(&single, &reference);
            assert!(error <= bound, "{name}: f32 {error:e} > {bound:e}");
            if error > worst.single || bound > worst.bound_single {
                println!("{name}: f32 {error:.1e} bound {bound:.1e}");
            }
            worst.single = worst.single.max(error);
            worst.bound_single = worst.bound_single.max(bound);
        }
        None => {
            println!("{name}: f32 refused");
            worst.refused += 1;
        }
    }
}

fn grid(lens: &[usize], ranks: impl Fn(usize) -> Vec<usize>, epsilons: &[f64]) -> Worst {
    let mut worst = Worst::default();
    for &len in lens {
        for name in FAMILIES {
            let scores = family(name, len);
            for k in ranks(len) {
                for &epsilon in epsilons {
                    compare(&mut worst, Normal, &scores, k, epsilon);
                    compare(&mut worst, Logistic, &scores, k, epsilon);
                    compare(&mut worst, Gumbel, &scores, k, epsilon);
                }
            }
        }
    }
    worst
}

impl Worst {
    fn assert_bars(&self) {
        println!("{self:?}");
        assert!(self.value <= 1e-9, "value: {self:?}");
        assert!(self.plain <= 1e-8 && self.fast <= 1e-7 && self.single <= 1e-5, "gradient: {self:?}");
        assert!(self.sum <= 1e-9, "sum of the gradient: {self:?}");
    }
}

#[test]
fn small_grid() {
    grid(&[2, 7, 60], |len| (1..=len).filter(|k| k % 7 == 1 || *k == 2 || *k == len).collect(), &[1e-3, 0.3, 30.0]).assert_bars();
}

/// `cargo test --release -p topk-loss-laws --test estimator_exact -- --ignored --nocapture`
#[test]
#[ignore = "deep: an hour of reference quadratures; run in release"]
fn full_grid() {
    let epsilons = [1e-3, 0.03, 0.3, 1.0, 30.0, 1e3];
    grid(&[2, 3, 7, 31], |len| (1..=len).collect(), &epsilons).assert_bars();
    grid(&[300], |len| (1..=len).filter(|k| k % 23 == 1 || k + 2 > len).collect(), &epsilons).assert_bars();
    grid(&[1000], |len| vec![1, 2, 6, 51, 200, len - 199, len - 5, len], &[1e-3, 0.3, 1.0, 1e3]).assert_bars();
    grid(&[10_000], |len| vec![1, 6, 50, len], &[0.03, 1.0]).assert_bars();
    grid(&[10_000], |len| vec![200, len - 199], &[0.3]).assert_bars();
}
