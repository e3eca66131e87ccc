//! The exact estimator against a slow, independent quadrature, on scores of every shape.

mod grid;
mod runs;

use crate::data::section;
use topk_loss::dual::Dual;
use topk_loss::estimator::Exact;
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Regularity, Uniform};
use topk_loss::oracle::{KthLargest, Max, Oracle, OrderStatistics, RankSum, TopKSum};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{Error, Key, Real};
use topk_loss_laws::smoothed::smoothed_kth_largest;
use topk_loss_laws::unbiased::evaluate;

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

/// The limit of infinitely many draws, by an independent quadrature in Python.
#[test]
fn the_limit_of_many_draws() {
    for case in section("noised_exact_limit") {
        let exact = Exact::new(KthLargest::new(case.number("K") as usize + 1).unwrap(), Normal, case.number("eps")).unwrap();
        for ((scores, probabilities), value) in case.rows("scores").iter().zip(case.rows("prob")).zip(case.numbers("skp1")) {
            let (actual, _, grad) = run(exact, scores).unwrap();
            assert!((actual - value).abs() <= 1e-9, "{case}: {actual} for {value}");
            assert!(grad.iter().zip(&probabilities).all(|(a, b)| (a - b).abs() <= 1e-9), "{case}: {grad:?} for {probabilities:?}");
        }
    }
}

#[test]
fn finite_over_the_whole_range() {
    for scale in [1e-300, 1e-3, 1.0, 1e30] {
        for epsilon in [5e-324, 1e-300, 1e-6, 1.0, 1e12, 1e300] {
            let scores: Vec<f64> = [1.0, -1.0, 0.3, 0.3, 0.0, -0.7].iter().map(|s| s * scale).collect();
            for k in 1..=6 {
                let (value, _, grad) = run(Exact::new(KthLargest::new(k).unwrap(), Normal, epsilon).unwrap(), &scores).unwrap();
                assert!(value.is_finite() && grad.iter().all(|g| (0.0..=1.0 + 1e-9).contains(g)), "{scale:e} {epsilon:e} {k}: {grad:?}");
                assert!((grad.iter().sum::<f64>() - 1.0).abs() <= 1e-9, "{scale:e} {epsilon:e} {k}: {grad:?}");
            }
        }
    }
}

#[test]
fn a_common_offset_leaves_the_gradient() {
    let scores = [0.0_f32, 0.0625, 0.125, -0.25, 0.0625];
    let far = scores.map(|s| s + 1e6);
    for k in 1..=5 {
        let exact = Exact::new(KthLargest::new(k).unwrap(), Normal, 0.01_f32).unwrap();
        assert_eq!(run(exact, &scores).unwrap().2, run(exact, &far).unwrap().2);
    }
}

#[test]
fn all_equal_scores_share_equally() {
    for len in [2, 17, 1000] {
        for k in [1, len / 2, len] {
            let (_, _, grad) = run(Exact::new(KthLargest::new(k).unwrap(), Logistic, 0.1).unwrap(), &vec![7.0; len]).unwrap();
            assert!(grad.iter().all(|g| (g * len as f64 - 1.0).abs() <= 1e-9), "L {len} k {k}");
        }
    }
}

#[test]
fn the_maximum_is_the_first_rank() {
    let scores = family("random", 40);
    let (max, first) = (Exact::new(Max, Normal, 0.3).unwrap(), Exact::new(KthLargest::new(1).unwrap(), Normal, 0.3).unwrap());
    assert_eq!(evaluate(&max, &scores), evaluate(&first, &scores));
}

/// Several ranks at once, near and far apart, are the sum of the single ones.
#[test]
fn several_ranks_are_their_sum() {
    let scores = family("random", 40);
    for weights in [vec![1.0; 4], vec![0.5, 0.0, 0.25, 0.25], vec![1.0; 7], vec![1.0, -1.0], [vec![0.0; 20], vec![2.0]].concat()] {
        for epsilon in [1e-4, 0.02, 0.05, 0.1, 0.2, 0.5, 20.0] {
            let several = Exact::new(RankSum::new(&weights).unwrap(), Normal, epsilon).unwrap();
            let (value, grad) = evaluate(&several, &scores);
            let mut expected = (0.0, vec![0.0; scores.len()]);
            for (rank, weight) in (1..).zip(&weights) {
                let (value, grad) = evaluate(&Exact::new(KthLargest::new(rank).unwrap(), Normal, epsilon).unwrap(), &scores);
                expected.0 += weight * value;
                expected.1.iter_mut().zip(grad).for_each(|(sum, g)| *sum += weight * g);
            }
            assert!((value - expected.0).abs() <= 1e-8 * (1.0 + epsilon), "{weights:?} {epsilon}: {value} for {}", expected.0);
            assert!(distance(&grad, &expected.1) <= 1e-7, "{weights:?} {epsilon}: {}", distance(&grad, &expected.1));
        }
    }
    let mask = evaluate(&Exact::new(TopKSum::new(7).unwrap(), Normal, 0.5).unwrap(), &scores);
    let sum = evaluate(&Exact::new(RankSum::new(&[1.0; 7]).unwrap(), Normal, 0.5).unwrap(), &scores);
    // One window for all of them, and one for each.
    assert!((mask.0 - sum.0).abs() < 1e-8 && distance(&mask.1, &sum.1) < 2e-7);
    assert!(mask.1.iter().all(|p| (0.0..=1.0).contains(p)), "a mask of probabilities");
}

/// Fast against plain for weights of both signs, and the sums that both must have.
fn compare_signed<N: Noise<f64> + Noise<f32> + core::fmt::Debug>(law: N, scores: &[f64], weights: &[f64], epsilon: f64) {
    let name = format!("{law:?} L {} weights {weights:?} epsilon {epsilon}", scores.len());
    let (scores32, weights32): (Vec<f32>, Vec<f32>) = (narrow(scores), narrow(weights));
    // What is asked of both floats is the same.
    let (scores, weights, epsilon) = (widen(&scores32), widen(&weights32), f64::from(epsilon as f32));
    let mass: f64 = weights.iter().sum();
    let double = Exact::new(RankSum::new(&weights).unwrap(), law, epsilon).unwrap();
    let single = Exact::new(RankSum::new(&weights32).unwrap(), law, epsilon as f32).unwrap();
    let (plain_bound, plain) = certified_gradient(&double.plain(), &scores).unwrap_or_else(|error| panic!("{name}: plain: {error}"));
    for (float, result) in [("f64", certified_gradient(&double, &scores)), ("f32", certified_gradient(&single, &scores32))] {
        let (bound, fast) = result.unwrap_or_else(|error| panic!("{name}: {float}: {error}"));
        let (error, sum) = (distance(&fast, &plain), fast.iter().sum::<f64>());
        assert!(error <= bound + plain_bound, "{name}: {float}: off by {error:e}, certified {bound:e}");
        assert!((sum - mass).abs() <= bound, "{name}: {float}: sums to {sum:e}, not {mass:e}, certified {bound:e}");
    }
}

fn narrow(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|&x| x as f32).collect()
}

fn widen(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// The bound and the gradient.
fn certified_gradient<F: Real, N: Noise<F>, O: OrderStatistics<F>>(exact: &Exact<O, N, F>, scores: &[F]) -> Result<(f64, Vec<f64>), Error> {
    let (mut grad, mut scratch) = (vec![F::zero(); scores.len()], vec![F::nan(); exact.scratch_len(scores.len())]);
    let bound = exact.certified(scores, F::one(), &mut grad, &mut scratch)?.error_bound;
    Ok((bound.to_f64().unwrap(), grad.iter().map(|g| g.to_f64().unwrap()).collect()))
}

/// What one rank adds another takes away again, so a gradient's entries have either sign: the bound holds all the same. The deep ranks of a
/// Gumbel are those of its reflection.
#[test]
fn weights_of_both_signs_keep_their_bound_and_their_sum() {
    for len in [7, 40, 100, 1000] {
        let deep = |weights: &[f64]| [&vec![0.0; len - weights.len()], weights].concat();
        let ladder = [1.0, -1.0, 0.5, -0.25, 2.0];
        for weights in
            [vec![1.0, -1.0], vec![1.0, -2.0, 1.0], vec![0.0, -3.0, 0.0, 1.0], ladder.to_vec(), deep(&[1.0, -1.0]), deep(&ladder)]
        {
            for family in ["random", "tied", "clustered"].map(|name| family(name, len)) {
                for epsilon in [0.01, 0.25, 3.0] {
                    compare_signed(Normal, &family, &weights, epsilon);
                    compare_signed(Gumbel, &family, &weights, epsilon);
                    compare_signed(Logistic, &family, &weights, epsilon);
                }
            }
        }
    }
}

/// The Jacobian's product is the derivative of the gradient, and symmetric.
#[test]
fn jacobian_products_are_differences_of_gradients() {
    let scores = family("random", 30);
    let directions = [family("clustered", 30), family("separated", 30)];
    for epsilon in [0.1, 1.0] {
        let mask = Exact::new(TopKSum::new(4).unwrap(), Normal, epsilon).unwrap();
        let kth = Exact::new(KthLargest::new(4).unwrap(), Gumbel, epsilon).unwrap();
        let mut scratch = vec![Dual::constant(f64::NAN); Oracle::<f64>::scratch_len(&mask, 30) + 60];
        let mut product = |v: &[f64]| {
            let mut products = [vec![0.0; 30], vec![0.0; 30]];
            mask.jacobian_product(&scores, v, 1.0, &mut products[0], &mut scratch).unwrap();
            kth.jacobian_product(&scores, v, 1.0, &mut products[1], &mut scratch).unwrap();
            products
        };
        let [there, back] = [product(&directions[0]), product(&directions[1])];
        let step = 1e-4 * epsilon;
        let moved = |sign: f64| scores.iter().zip(&directions[0]).map(|(s, v)| s + sign * step * v).collect::<Vec<_>>();
        let slope = |ahead: Vec<f64>, behind: Vec<f64>| ahead.iter().zip(behind).map(|(a, b)| (a - b) / (2.0 * step)).collect::<Vec<_>>();
        let slopes = [
            slope(evaluate(&mask, &moved(1.0)).1, evaluate(&mask, &moved(-1.0)).1),
            slope(evaluate(&kth, &moved(1.0)).1, evaluate(&kth, &moved(-1.0)).1),
        ];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for which in 0..2 {
            assert!(distance(&there[which], &slopes[which]) <= 1e-5 / epsilon, "{epsilon}: {:e}", distance(&there[which], &slopes[which]));
            let asymmetry = (dot(&there[which], &directions[1]) - dot(&back[which], &directions[0])).abs();
            assert!(asymmetry <= 1e-8 / epsilon, "{which} at {epsilon}: {asymmetry:e}");
        }
    }
}

#[test]
fn mistakes_are_named() {
    let kth = KthLargest::new(2).unwrap();
    let kink = Error::Parameter { name: "law", must: "smooth for the exact estimator: use the conditional one" };
    assert_eq!(Exact::new(kth, Laplace, 1.0).unwrap_err(), kink);
    assert_eq!(Exact::new(kth, Uniform, 1.0).unwrap_err(), kink);
    for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let positive = |name| Error::Parameter { name, must: "positive and finite" };
        assert_eq!(Exact::new(kth, Normal, x).unwrap_err(), positive("epsilon"));
        assert_eq!(Exact::new(kth, Normal, 1.0).unwrap().with_tolerance(x).unwrap_err(), positive("tolerance"));
    }
    let exact = Exact::new(kth, Normal, 1.0).unwrap();
    let mut grad = [-7.25; 3];
    let mut scratch = [0.0; 1000];
    for (result, error) in [
        (exact.value_and_add_grad(&[1.0, f64::NAN, 0.0], 1.0, &mut grad, &mut scratch), Error::NotFinite { what: "scores", index: 1 }),
        (exact.value_and_add_grad(&[1.0, 0.0], 1.0, &mut grad, &mut scratch), Error::Length { what: "grad", expected: 2, actual: 3 }),
        (exact.value_and_add_grad(&[], 1.0, &mut [], &mut scratch), Error::Length { what: "scores", expected: 1, actual: 0 }),
        (exact.value(&[1.0], &mut scratch), Error::K { k: 2, max: 1 }),
        (exact.value(&[1.0, 2.0, 3.0], &mut []), Error::Length { what: "scratch", expected: exact.scratch_len(3), actual: 0 }),
        (exact.with_tolerance(1e-30).unwrap().value(&[1.0, 0.5, 0.0], &mut scratch), Error::Accuracy { what: "exact smoothing" }),
    ] {
        assert_eq!(result, Err(error));
    }
    assert_eq!(grad, [-7.25; 3]);
    let broken = Exact::new(kth, Broken, 1.0).unwrap();
    assert!(matches!(
        broken.value_and_add_grad(&[1.0, 0.5, 0.0], 1.0, &mut grad, &mut scratch),
        Err(Error::NotFinite { what: "noise law", .. })
    ));
    assert_eq!(grad, [-7.25; 3]);
}

/// A law that calls itself smooth and returns NaN.
#[derive(Debug, Clone, Copy)]
struct Broken;

impl Noise<f64> for Broken {
    fn quantile(&self, _: f64) -> f64 {
        f64::NAN
    }
    fn cdf(&self, z: f64) -> f64 {
        Normal.cdf(z)
    }
    fn survival(&self, z: f64) -> f64 {
        Normal.survival(z)
    }
    fn pdf(&self, _: f64) -> f64 {
        f64::NAN
    }
    fn score(&self, _: f64) -> f64 {
        f64::NAN
    }
    fn regularity(&self) -> Regularity {
        Regularity::Smooth
    }
}

/// A bound that is asked for is kept.
#[test]
fn tolerances_are_kept() {
    let scores = family("random", 300);
    let exact = Exact::new(KthLargest::new(5).unwrap(), Normal, 0.4).unwrap();
    for tolerance in [1e-4, 1e-7, 1e-9] {
        let (_, bound, _) = run(exact.with_tolerance(tolerance).unwrap(), &scores).unwrap();
        assert!(bound <= tolerance);
    }
}
