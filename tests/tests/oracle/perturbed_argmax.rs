//! The expected argmax and the products with its Jacobian: against plain loops over the draws, and in expectation.

use proptest::prelude::*;
use topk_loss::maximizer::{Maximizer, PerturbedArgmax, Ranking, TopKMask};
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key, Real};
use topk_loss_laws::problems::ShortestPath;
use topk_loss_laws::reference::{normal_pdf, normal_survival};
use topk_loss_laws::smoothed::smoothed_kth_largest;
use topk_loss_laws::statistics::{Moments, reject};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{DETECTABLE_BIAS, MEAN, SMOOTH_STEP, SUM};
use topk_loss_laws::{Example, both_floats};

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    weights: [Vec<F>; 2],
    epsilon: F,
    num_samples: usize,
    key: Key,
}

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let epsilon = prop::sample::select(vec![0.05, 0.5, 3.0]);
    (moderate_example::<F>(), epsilon, 1..=16_usize, any::<u64>()).prop_map(|(example, epsilon, num_samples, seed)| {
        let mut weights = [(); 2].map(|()| vec![F::zero(); example.scores.len()]);
        let unit = MonteCarlo::new(Normal, 2).unwrap();
        weights.iter_mut().enumerate().for_each(|(index, w)| unit.sample(Key::new(seed).fold_in(9), index, w).unwrap());
        Case { example, weights, epsilon: F::from_f64(epsilon), num_samples, key: Key::new(seed) }
    })
}

fn argmax<F: Real>(maximizer: &impl Maximizer<F>, theta: &[F]) -> Vec<F> {
    let (mut y, mut scratch) = (vec![F::nan(); theta.len()], vec![F::nan(); maximizer.scratch_len(theta.len())]);
    maximizer.argmax(theta, &mut y, &mut scratch).unwrap();
    y
}

type Soft<M, N, F> = PerturbedArgmax<M, MonteCarlo<N>, F>;

fn products<M: Maximizer<F>, N: Noise<F>, F: Real>(soft: &Soft<M, N, F>, theta: &[F], v: &[F], w: &[F]) -> [Vec<F>; 3] {
    let mut outs = [(); 3].map(|()| vec![F::nan(); theta.len()]);
    let mut scratch = vec![F::nan(); soft.scratch_len(theta.len())];
    let [y, jvp, vjp] = &mut outs;
    soft.expected_argmax(theta, y, &mut scratch).unwrap();
    soft.jvp(theta, v, jvp, &mut scratch).unwrap();
    soft.vjp(theta, w, vjp, &mut scratch).unwrap();
    outs
}

fn dot<F: Real>(a: &[F], b: &[F]) -> F {
    a.iter().zip(b).fold(F::zero(), |sum, (&a, &b)| sum + a * b)
}

/// The mean argmax, the B-draw matrix of the Jacobian, and the sum of the magnitudes that were added up for each of its entries.
fn naive<M: Maximizer<F>, N: Noise<F>, F: Real>(maximizer: &M, law: N, case: &Case<F>) -> (Vec<F>, Vec<Vec<F>>, Vec<Vec<F>>) {
    let (theta, len) = (&case.example.scores, case.example.scores.len());
    let sampler = MonteCarlo::new(law, case.num_samples).unwrap();
    let center = maximizer.translation(theta, &mut vec![F::zero(); maximizer.scratch_len(len)]).unwrap().center;
    let count = F::from_usize(case.num_samples);
    let baseline = argmax(maximizer, theta);
    let (mut mean, mut matrix) = (vec![F::zero(); len], vec![vec![F::zero(); len]; len]);
    let mut sizes = matrix.clone();
    for draw in 0..case.num_samples {
        let mut z = vec![F::nan(); len];
        sampler.sample(case.key, draw, &mut z).unwrap();
        let perturbed: Vec<F> = theta.iter().zip(&z).map(|(&t, &z)| (t - center) + case.epsilon * z).collect();
        let y = argmax(maximizer, &perturbed);
        for i in 0..len {
            mean[i] += y[i] / count;
            for j in 0..len {
                let score = law.score(z[j]) / (count * case.epsilon);
                matrix[i][j] += (y[i] - baseline[i]) * score;
                sizes[i][j] += (y[i].abs() + baseline[i].abs()) * score.abs();
            }
        }
    }
    (mean, matrix, sizes)
}

fn agrees<M: Maximizer<F> + Copy, N: Noise<F>, F: Real>(maximizer: M, law: N, case: &Case<F>) -> Result<(), TestCaseError> {
    let Case { example: Example { scores: theta, .. }, weights: [v, w], .. } = case;
    let soft = PerturbedArgmax::new(maximizer, MonteCarlo::new(law, case.num_samples).unwrap(), case.epsilon, case.key).unwrap();
    let [y, jvp, vjp] = products(&soft, theta, v, w);
    let (mean, matrix, sizes) = naive(&maximizer, law, case);
    let absolute = |x: &[F]| x.iter().map(|x| x.abs()).collect::<Vec<F>>();
    let (v_sizes, w_sizes) = (absolute(v), absolute(w));
    let column = |matrix: &[Vec<F>], j: usize| matrix.iter().map(|row| row[j]).collect::<Vec<F>>();
    for i in 0..theta.len() {
        prop_assert!(MEAN.allows(y[i], mean[i], F::from_usize(theta.len())), "{} instead of {}", y[i], mean[i]);
        let (expected, size) = (dot(&matrix[i], v), dot(&sizes[i], &v_sizes));
        prop_assert!(SUM.allows(jvp[i], expected, size), "{} instead of {}", jvp[i], expected);
        let (expected, size) = (dot(&column(&matrix, i), w), dot(&column(&sizes, i), &w_sizes));
        prop_assert!(SUM.allows(vjp[i], expected, size), "{} instead of {}", vjp[i], expected);
    }
    let size: F = (0..theta.len()).fold(F::zero(), |sum, i| sum + w_sizes[i] * dot(&sizes[i], &v_sizes));
    prop_assert!(SUM.allows(dot(w, &jvp), dot(&vjp, v), size));

    // The same key gives the same numbers, another key others.
    prop_assert_eq!(&products(&soft.clone(), theta, v, w), &[y, jvp, vjp]);
    let folded =
        PerturbedArgmax::new(maximizer, MonteCarlo::new(law, case.num_samples).unwrap(), case.epsilon, case.key.fold_in(5)).unwrap();
    prop_assert_eq!(products(&soft.fold_in(5), theta, v, w), products(&folded, theta, v, w));
    Ok(())
}

fn products_are_those_of_the_draws_matrix<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    agrees(TopKMask::new(case.example.k).unwrap(), Normal, &case)?;
    agrees(TopKMask::new(case.example.k).unwrap(), Gumbel, &case)?;
    agrees(Ranking, Normal, &case)?;
    agrees(Ranking, Laplace, &case)?;
    // A grid of whole rows.
    let (mut case, columns) = (case.clone(), 1 + case.example.label);
    let len = case.example.scores.len() / columns * columns;
    case.example.scores.truncate(len);
    case.weights.iter_mut().for_each(|w| w.truncate(len));
    agrees(ShortestPath { columns }, Logistic, &case)
}

both_floats!(products_are_those_of_the_draws_matrix in case);

/// The expected argmax of the k largest under a law: a sum of smoothed order statistics' gradients.
fn soft_mask(theta: &[f64], k: usize, law: impl Noise<f64>, epsilon: f64) -> Vec<f64> {
    let mut sum = vec![0.0; theta.len()];
    for j in 1..=k {
        sum.iter_mut().zip(smoothed_kth_largest(theta, j, law, epsilon).1).for_each(|(sum, g)| *sum += g);
    }
    sum
}

/// E yᵢ = 1 + Σ_j P(i above j), for normal noise.
fn soft_ranking(theta: &[f64], epsilon: f64) -> Vec<f64> {
    let above = |a: f64, b: f64| normal_survival((b - a) / (epsilon * 2.0_f64.sqrt()));
    (0..theta.len()).map(|i| 1.0 + (0..theta.len()).filter(|&j| j != i).map(|j| above(theta[i], theta[j])).sum::<f64>()).collect()
}

/// Of the three paths of a 2 × 2 grid the best is that over the larger of cells 1 and 2, or the diagonal where neither is positive.
fn soft_path(theta: &[f64], epsilon: f64) -> Vec<f64> {
    let through = |own: f64, other: f64| {
        let (low, high) = (-own / epsilon, 12.0 + other.abs() / epsilon);
        let step = (high - low) / 2000.0;
        let density = |z: f64| normal_pdf(z) * normal_survival((other - own) / epsilon - z);
        let simpson = |i: i32| if i == 0 || i == 2000 { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
        (0..=2000).map(|i| simpson(i) * density(low + f64::from(i) * step)).sum::<f64>() * step / 3.0
    };
    vec![1.0, through(theta[1], theta[2]), through(theta[2], theta[1]), 1.0]
}

/// J by central differences of the exact expectation; it is symmetric.
fn derivative(expectation: &impl Fn(&[f64]) -> Vec<f64>, theta: &[f64]) -> Vec<Vec<f64>> {
    let step = 10.0 * SMOOTH_STEP;
    let columns: Vec<Vec<f64>> = (0..theta.len())
        .map(|j| {
            let at = |shift: f64| {
                let mut moved = theta.to_vec();
                moved[j] += shift;
                expectation(&moved)
            };
            at(step).into_iter().zip(at(-step)).map(|(a, b)| (a - b) / (2.0 * step)).collect()
        })
        .collect();
    let rows: Vec<Vec<f64>> = (0..theta.len()).map(|i| columns.iter().map(|column| column[i]).collect()).collect();
    assert!(rows.iter().flatten().zip(columns.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-7), "{rows:?}");
    rows
}

/// z-scores of the argmax, J v and Jᵀw against expectations that are `wrong_by` a share.
fn bias_scores<M: Maximizer<f64> + Copy, N: Noise<f64>>(
    maximizer: M,
    law: N,
    theta: &[f64],
    expectation: impl Fn(&[f64]) -> Vec<f64>,
    wrong_by: f64,
) -> Vec<f64> {
    const DRAWS: usize = 30;
    const REPETITIONS: u64 = 4000;
    let len = theta.len();
    let (v, w): (Vec<f64>, Vec<f64>) = (0..len).map(|i| (1.0 - 0.7 * i as f64, 0.4 + 0.5 * (i % 3) as f64)).unzip();
    let soft = PerturbedArgmax::new(maximizer, MonteCarlo::new(law, DRAWS).unwrap(), EPSILON, Key::new(len as u64)).unwrap();
    let mut moments = vec![Moments::default(); 3 * len];
    for step in 0..REPETITIONS {
        let outs = products(&soft.fold_in(step), theta, &v, &w);
        moments.iter_mut().zip(outs.iter().flatten()).for_each(|(m, &x)| m.extend([x]));
    }
    let matrix = derivative(&expectation, theta);
    let forward = matrix.iter().map(|row| dot(row, &v));
    let backward = (0..len).map(|j| (0..len).map(|i| matrix[i][j] * w[i]).sum::<f64>());
    let expected: Vec<f64> = expectation(theta).into_iter().chain(forward).chain(backward).collect();
    // An entry that no draw changes has no standard error and must be exact.
    let (random, certain): (Vec<_>, Vec<_>) = moments.iter().zip(&expected).partition(|(m, _)| m.standard_error() > 0.0);
    assert!(certain.iter().all(|(m, e)| (m.mean() - **e).abs() < 1e-9), "{certain:?}");
    random.into_iter().map(|(m, e)| m.z_score(e * (1.0 + wrong_by))).collect()
}

const EPSILON: f64 = 0.5;

fn all_bias_scores(wrong_by: f64) -> Vec<Vec<f64>> {
    let theta = [0.3, -0.2, 0.45, 0.0];
    let mask = |k| TopKMask::new(k).unwrap();
    vec![
        bias_scores(mask(1), Normal, &theta, |t| soft_mask(t, 1, Normal, EPSILON), wrong_by),
        bias_scores(mask(2), Gumbel, &theta, |t| soft_mask(t, 2, Gumbel, EPSILON), wrong_by),
        bias_scores(mask(3), Logistic, &theta, |t| soft_mask(t, 3, Logistic, EPSILON), wrong_by),
        bias_scores(mask(1), Laplace, &theta[..2], laplace_pair, wrong_by),
        bias_scores(Ranking, Normal, &theta, |t| soft_ranking(t, EPSILON), wrong_by),
        bias_scores(ShortestPath { columns: 2 }, Normal, &theta, |t| soft_path(t, EPSILON), wrong_by),
    ]
}

/// P(θ₀ + εZ₀ > θ₁ + εZ₁) for Laplace noise: the difference of two has the tail ½ e^(−d) (1 + d/2).
fn laplace_pair(theta: &[f64]) -> Vec<f64> {
    let d = (theta[0] - theta[1]) / EPSILON;
    let tail = 0.5 * (-d.abs()).exp() * (1.0 + 0.5 * d.abs());
    if d > 0.0 { vec![1.0 - tail, tail] } else { vec![tail, 1.0 - tail] }
}

#[test]
fn expected_argmax_and_products_are_unbiased() {
    let families = all_bias_scores(0.0);
    assert!(!reject(&families.concat()), "{families:?}");
    for wrong_by in [DETECTABLE_BIAS, -DETECTABLE_BIAS] {
        assert!(all_bias_scores(wrong_by).iter().all(|family| reject(family)));
    }
}

/// On a larger grid, whose expectation has no formula: ⟨w, J v⟩ against a difference of expected argmaxes that share their draws.
fn larger_grid() -> impl Fn(f64) -> [f64; 2] {
    const DRAWS: usize = 20;
    const STEP: f64 = 0.1;
    let (grid, len) = (ShortestPath { columns: 4 }, 12);
    let (theta, v): (Vec<f64>, Vec<f64>) = (0..len).map(|i| (-0.1 * (i % 5) as f64, [1.0, -0.5, 0.25][i % 3])).unzip();
    let w: Vec<f64> = v.iter().rev().map(|v| v + 0.2).collect();
    let moved = |step: f64| theta.iter().zip(&v).map(|(t, v)| t + step * v).collect::<Vec<f64>>();
    let (above, below) = (moved(STEP), moved(-STEP));
    let soft = PerturbedArgmax::new(grid, MonteCarlo::new(Normal, DRAWS).unwrap(), 1.0, Key::new(77)).unwrap();
    let (mut differences, mut forward, mut backward) = (Moments::default(), Moments::default(), Moments::default());
    for step in 0..30_000 {
        let (soft, mut y, mut scratch) = (soft.fold_in(step), vec![0.0; len], vec![0.0; soft.scratch_len(len)]);
        let mut along = |theta: &[f64]| {
            soft.expected_argmax(theta, &mut y, &mut scratch).unwrap();
            dot(&y, &w)
        };
        differences.extend([(along(&above) - along(&below)) / (2.0 * STEP)]);
        let [_, jvp, vjp] = products(&soft, &theta, &v, &w);
        forward.extend([dot(&jvp, &w)]);
        backward.extend([dot(&vjp, &v)]);
    }
    move |wrong_by| {
        let expected = differences.mean() * (1.0 + wrong_by);
        [forward, backward].map(|m| (m.mean() - expected) / m.standard_error().hypot(differences.standard_error()))
    }
}

#[test]
fn products_are_the_slope_of_the_expected_argmax() {
    let judge = larger_grid();
    let z_scores = judge(0.0);
    assert!(!reject(&z_scores), "{z_scores:?}");
    assert!([DETECTABLE_BIAS, -DETECTABLE_BIAS].iter().all(|&wrong_by| reject(&judge(wrong_by))));
}

/// Subtracting y*(θ) changes no expectation, and saves the more the fewer draws change the argmax.
#[test]
fn the_baseline_reduces_the_variance() {
    let theta = [0.0, 1.0, 2.0, 3.0, 4.0];
    for (epsilon, factor) in [(0.01, f64::INFINITY), (0.2, 3000.0), (0.5, 20.0), (2.0, 5.0)] {
        let sampler = MonteCarlo::new(Normal, 1).unwrap();
        let soft = PerturbedArgmax::new(Ranking, sampler, epsilon, Key::new(8)).unwrap();
        let mut scratch = [0.0; 25];
        let (mut with, mut without) = (Moments::default(), Moments::default());
        for step in 0..20_000 {
            let (soft, mut y, mut jvp, mut z) = (soft.fold_in(step), [0.0; 5], [0.0; 5], [0.0; 5]);
            soft.expected_argmax(&theta, &mut y, &mut scratch).unwrap();
            soft.jvp(&theta, &[0.0, 0.0, 1.0, 0.0, 0.0], &mut jvp, &mut scratch).unwrap();
            sampler.sample(Key::new(8).fold_in(step), 0, &mut z).unwrap();
            with.extend([jvp[2]]);
            without.extend([y[2] * z[2] / epsilon]);
        }
        let ratio = (without.standard_error() / with.standard_error()).powi(2);
        assert!(ratio >= factor, "{ratio} times less variance at {epsilon}");
    }
}
