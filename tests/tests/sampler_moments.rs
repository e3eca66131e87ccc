//! What the samplers do to the estimate of a smoothed order statistic: no bias, and less variance where they promise it.

use rand_pcg::Pcg64Dxsm;
use statrs::distribution::ContinuousCDF;
use topk_loss::{Antithetic, Key, KthLargest, MonteCarlo, Noise, Normal, Oracle, Pathwise, RandomizedLattice, Sampler, Sequential};

/// The test of bias may reject correct samplers with probability 1e−6 in total, shared over the comparisons it makes.
const FAMILY_LEVEL: f64 = 1e-6;

/// The |z| that a standard normal exceeds with probability `level`.
fn critical_z(level: f64) -> f64 {
    statrs::distribution::Normal::standard().inverse_cdf(1.0 - level / 2.0)
}

/// Over independent keys: the mean and the variance of the value, and the trace of the covariance of the gradient.
struct Moments {
    mean: f64,
    variance: f64,
    gradient: f64,
}

fn moments(sampler: &dyn Sampler<f64, Law = Normal>, scores: &[f64], k: usize, epsilon: f64, repetitions: u64) -> Moments {
    let oracle = KthLargest::new(k).unwrap();
    let [mut grad, mut sum_of_grads] = [(); 2].map(|()| vec![0.0; scores.len()]);
    let mut scratch = vec![0.0; 2 * scores.len()];
    let [mut sum, mut squares, mut squares_of_grads] = [0.0; 3];
    for repetition in 0..repetitions {
        let smoothed = Pathwise::new(oracle, sampler, epsilon, Key::new(29).fold_in(repetition)).unwrap();
        grad.fill(0.0);
        let value = smoothed.value_and_add_grad(scores, 1.0, &mut grad, &mut scratch).unwrap();
        sum += value;
        squares += value * value;
        sum_of_grads.iter_mut().zip(&grad).for_each(|(sum, g)| *sum += g);
        squares_of_grads += grad.iter().map(|g| g * g).sum::<f64>();
    }
    let n = repetitions as f64;
    let mean = sum / n;
    let unbiased = n / (n - 1.0);
    let square_of_mean_grad = sum_of_grads.iter().map(|s| (s / n).powi(2)).sum::<f64>();
    Moments { mean, variance: (squares / n - mean * mean) * unbiased, gradient: (squares_of_grads / n - square_of_mean_grad) * unbiased }
}

/// Scores 0, 1/L, 2/L, … in a scattered order.
fn scattered(num_classes: usize) -> Vec<f64> {
    (0..num_classes).map(|i| (i * 7 % num_classes) as f64 / num_classes as f64).collect()
}

#[test]
fn no_sampler_biases_the_smoothed_value() {
    let samplers: [(&str, &dyn Sampler<f64, Law = Normal>); 4] = [
        ("Monte Carlo", &MonteCarlo::new(Normal, 10).unwrap()),
        ("antithetic", &Antithetic::new(Normal, 10).unwrap()),
        ("lattice", &RandomizedLattice::new(Normal, 8).unwrap()),
        ("sequential", &Sequential::<_, Pcg64Dxsm>::new(Normal, 10).unwrap()),
    ];
    let critical = critical_z(FAMILY_LEVEL / 8.0);
    for (num_classes, epsilon) in [(7, 0.5), (60, 1.0)] {
        let scores = scattered(num_classes);
        let one_by_one = MonteCarlo::new(Normal, 1).unwrap();
        let reference = moments(&one_by_one, &scores, 2, epsilon, 300_000);
        for (kind, sampler) in samplers {
            let repetitions = 10_000;
            let estimate = moments(sampler, &scores, 2, epsilon, repetitions);
            let standard_error = (reference.variance / 300_000.0 + estimate.variance / repetitions as f64).sqrt();
            let z = |mean: f64| (mean - reference.mean).abs() / standard_error;
            assert!(z(estimate.mean) < critical, "{kind}, {num_classes} classes: z = {}", z(estimate.mean));
            assert!(z(estimate.mean * 1.05) > critical, "{kind}, {num_classes} classes: an error of 5 % passes");
        }
    }
}

#[test]
fn the_lattice_and_the_mirror_lower_the_variance_of_the_value() {
    let scores = scattered(100);
    let variance = |sampler: &dyn Sampler<f64, Law = Normal>, k| moments(sampler, &scores, k, 1.0, 1000).variance;
    let (independent, mirrored) = (MonteCarlo::new(Normal, 64).unwrap(), Antithetic::new(Normal, 64).unwrap());
    let lattice = RandomizedLattice::new(Normal, 64).unwrap();
    assert!(variance(&lattice, 6) < 0.5 * variance(&independent, 6));
    // A median is nearly odd about its center; far from the middle mirrors gain little.
    assert!(variance(&mirrored, 50) < 0.5 * variance(&independent, 50));
}

/// The table in the documentation of `RandomizedLattice`.
#[test]
#[ignore = "a measurement of a minute"]
fn table_of_variances() {
    for (num_classes, draws) in [(10, 8), (10, 64), (100, 8), (100, 64), (1000, 8), (1000, 64)] {
        let scores: Vec<f64> = (1..=num_classes).map(|i| Normal.quantile((f64::from(i) - 0.5) / f64::from(num_classes))).collect();
        for epsilon in [0.2, 1.0] {
            let repetitions = (8_000_000 / (num_classes as u64 * draws as u64)).max(2000);
            let measure = |sampler: &dyn Sampler<f64, Law = Normal>| moments(sampler, &scores, 6, epsilon, repetitions);
            let independent = measure(&MonteCarlo::new(Normal, draws).unwrap());
            let antithetic = measure(&Antithetic::new(Normal, draws).unwrap());
            let lattice = measure(&RandomizedLattice::new(Normal, draws).unwrap());
            println!(
                "L {num_classes} ε {epsilon} B {draws}: value {:.2} antithetic {:.2} lattice, gradient {:.2} antithetic {:.2} lattice",
                antithetic.variance / independent.variance,
                lattice.variance / independent.variance,
                antithetic.gradient / independent.gradient,
                lattice.gradient / independent.gradient,
            );
        }
    }
}
