//! Every rank, noise law and shape of scores of a grid, against a quadrature.

use super::*;

const FAMILIES: [&str; 6] = ["random", "tied", "clustered", "separated", "geometric", "crowd"];

/// The largest errors seen over a grid.
#[derive(Debug, Default)]
struct Worst {
    cases: usize,
    plain: f64,
    fast: f64,
    single: f64,
    plain_value: f64,
    fast_value: f64,
    sum: f64,
    bound: f64,
    bound_single: f64,
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
    // Beside large scores a value is as good as their last digit.
    let floor = 4.0 * f64::EPSILON * scores.iter().fold(0.0_f64, |m, s| m.max(s.abs())) / epsilon;
    worst.plain_value = worst.plain_value.max((plain_value - value).abs() / epsilon - floor);
    worst.fast_value = worst.fast_value.max((fast_value - value).abs() / epsilon - floor);
    let (plain_error, fast_error) = (distance(&plain, &reference), distance(&fast, &reference));
    assert!(
        plain_error <= plain_bound && fast_error <= fast_bound,
        "{name}: {plain_error:e} > {plain_bound:e} or {fast_error:e} > {fast_bound:e}"
    );
    worst.plain = worst.plain.max(plain_error);
    worst.fast = worst.fast.max(fast_error);
    worst.bound = worst.bound.max(fast_bound);
    worst.sum = worst.sum.max((fast.iter().sum::<f64>() - 1.0).abs());
    let Some((_, bound, single)) = run(exact32, &scores32) else { panic!("{name}: f32 refused") };
    let error = distance(&single, &reference);
    assert!(error <= bound, "{name}: f32 {error:e} > {bound:e}");
    worst.single = worst.single.max(error);
    worst.bound_single = worst.bound_single.max(bound);
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
    fn assert_bars(&self, single: f64) {
        println!("{self:?}");
        assert!(self.plain_value <= 1e-9 && self.fast_value <= 1e-8, "value: {self:?}");
        assert!(self.plain <= 1e-8 && self.fast <= 1e-7 && self.single <= single, "gradient: {self:?}");
        assert!(self.sum <= 1e-9, "sum of the gradient: {self:?}");
    }
}

#[test]
fn small_grid() {
    grid(&[2, 7, 60], |len| (1..=len).filter(|k| k % 7 == 1 || *k == 2 || *k == len).collect(), &[1e-3, 0.3, 30.0]).assert_bars(1e-5);
}

/// Where a crowd is at the rank, so many classes are above t that the chance of none is no number of the float. In place of a quadrature,
/// which takes minutes, a double is what a single is held against.
#[test]
fn deep_ranks_are_served_in_every_float() {
    fn is_served<N: Noise<f64> + Noise<f32> + core::fmt::Debug>(law: N, scores: &[f64], k: usize) {
        let scores32: Vec<f32> = scores.iter().map(|&s| s as f32).collect();
        let scores: Vec<f64> = scores32.iter().map(|&s| f64::from(s)).collect();
        let (_, bound, double) = run(Exact::new(KthLargest::new(k).unwrap(), law, 0.25).unwrap(), &scores).unwrap();
        let (_, bound32, single) = run(Exact::new(KthLargest::new(k).unwrap(), law, 0.25).unwrap(), &scores32).unwrap();
        assert!(bound <= 1e-6 && bound32 <= 1e-3, "{law:?} {k}: {bound:e} {bound32:e}");
        let error = distance(&single, &double);
        // Where every class is by itself, as under Gumbel noise counted from below, each adds its rounding.
        assert!(error <= bound32 && error <= 2e-5, "{law:?} {k}: {error:e} {bound32:e}");
    }
    for name in FAMILIES {
        let scores = family(name, 5000);
        for k in [200, 4801] {
            is_served(Normal, &scores, k);
            is_served(Logistic, &scores, k);
            is_served(Gumbel, &scores, k);
        }
    }
}

/// `cargo test --release -p topk-loss-laws --test estimator exact -- --ignored --nocapture`
#[test]
#[ignore = "deep: ten minutes of reference quadratures; run in release"]
fn full_grid() {
    let epsilons = [1e-3, 0.03, 0.3, 1.0, 30.0, 1e3];
    grid(&[2, 3, 7, 31], |len| (1..=len).collect(), &epsilons).assert_bars(1e-5);
    grid(&[300], |len| (1..=len).filter(|k| k % 23 == 1 || k + 2 > len).collect(), &epsilons).assert_bars(1e-5);
    grid(&[1000], |len| vec![1, 2, 6, 51, 200, len - 199, len - 5, len], &[1e-3, 0.3, 1.0, 1e3]).assert_bars(1e-5);
    grid(&[10_000], |len| vec![1, 6, 50, len], &[0.03, 1.0]).assert_bars(1e-5);
}

#[test]
#[ignore = "deep: minutes of reference quadratures; run in release"]
fn ranks_of_two_hundred_in_ten_thousand() {
    // Under Gumbel noise counted from below every class is by itself, and adds its rounding.
    grid(&[10_000], |len| vec![200, len - 199], &[0.3]).assert_bars(1e-4);
}

#[test]
#[ignore = "deep: a quarter of an hour of reference quadratures; run in release"]
fn every_rank_of_three_hundred() {
    grid(&[100, 300], |len| (1..=len).collect(), &[1e-3, 0.3, 1e3]).assert_bars(1e-5);
}
