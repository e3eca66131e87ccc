//! What the samplers do to the estimate of a smoothed order statistic: no bias, and less variance where they promise it.

use rand_pcg::Pcg64Dxsm;
use topk_loss::Key;
use topk_loss::estimator::Pathwise;
use topk_loss::noise::{Noise, Normal};
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::{Antithetic, MonteCarlo, RandomizedLattice, Sampler, Sequential};
use topk_loss_laws::reference::ValueAndGrad;
use topk_loss_laws::statistics::{compare_variances, reject};
use topk_loss_laws::tolerances::DETECTABLE_BIAS;
use topk_loss_laws::unbiased::{Sample, evaluate};

/// Values and gradients over independent keys.
fn estimates(
    sampler: &dyn Sampler<f64, Law = Normal>,
    scores: &[f64],
    k: usize,
    epsilon: f64,
    repetitions: u64,
    seed: u64,
) -> impl Iterator<Item = ValueAndGrad<f64>> {
    let smoothed = move |step| Pathwise::new(KthLargest::new(k).unwrap(), sampler, epsilon, Key::new(seed).fold_in(step)).unwrap();
    (0..repetitions).map(move |step| evaluate(&smoothed(step), scores))
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
    let mut z_scores = Vec::new();
    for (num_classes, epsilon) in [(7, 0.5), (60, 1.0)] {
        let scores = scattered(num_classes);
        let one_by_one = MonteCarlo::new(Normal, 1).unwrap();
        let reference: Sample = estimates(&one_by_one, &scores, 2, epsilon, 300_000, 1).collect();
        for (kind, sampler) in samplers {
            let sample: Sample = estimates(sampler, &scores, 2, epsilon, 10_000, 2).collect();
            z_scores.push(sample.value.z_score_from(&reference.value));
            for factor in [1.0 - DETECTABLE_BIAS, 1.0 + DETECTABLE_BIAS] {
                let z = sample.value.scaled(factor).z_score_from(&reference.value);
                assert!(reject(&[z]), "{kind}, {num_classes} classes: an error of 5 % passes");
            }
        }
    }
    assert!(!reject(&z_scores), "{z_scores:?}");
}

#[test]
fn the_lattice_and_the_mirror_lower_the_variance_of_the_value() {
    let scores = scattered(100);
    let estimates = |sampler: &dyn Sampler<f64, Law = Normal>, k, seed| estimates(sampler, &scores, k, 1.0, 1000, seed).collect::<Vec<_>>();
    let (independent, mirrored) = (MonteCarlo::new(Normal, 64).unwrap(), Antithetic::new(Normal, 64).unwrap());
    let lattice = RandomizedLattice::new(Normal, 64).unwrap();
    let gain = compare_variances(&estimates(&lattice, 6, 3), &estimates(&independent, 6, 4)).value;
    assert!(gain.interval[1] < 0.6, "{gain:?}");
    // A median is nearly odd about its center; far from the middle mirrors gain little.
    let gain = compare_variances(&estimates(&mirrored, 50, 5), &estimates(&independent, 50, 6)).value;
    assert!(gain.interval[1] < 0.6, "{gain:?}");
}

/// The table in the documentation of `RandomizedLattice`.
#[test]
#[ignore = "a measurement of a minute"]
fn table_of_variances() {
    for (num_classes, draws) in [(10, 8), (10, 64), (100, 8), (100, 64), (1000, 8), (1000, 64)] {
        let scores: Vec<f64> = (1..=num_classes).map(|i| Normal.quantile((f64::from(i) - 0.5) / f64::from(num_classes))).collect();
        for epsilon in [0.2, 1.0] {
            let repetitions = (8_000_000 / (num_classes as u64 * draws as u64)).max(2000);
            let measure = |sampler: &dyn Sampler<f64, Law = Normal>, seed| {
                estimates(sampler, &scores, 6, epsilon, repetitions, seed).collect::<Vec<_>>()
            };
            let independent = measure(&MonteCarlo::new(Normal, draws).unwrap(), 7);
            let antithetic = compare_variances(&measure(&Antithetic::new(Normal, draws).unwrap(), 8), &independent);
            let lattice = compare_variances(&measure(&RandomizedLattice::new(Normal, draws).unwrap(), 9), &independent);
            println!(
                "L {num_classes} ε {epsilon} B {draws}: value {:.2} antithetic {:.2} lattice, gradient {:.2} antithetic {:.2} lattice",
                antithetic.value.ratio, lattice.value.ratio, antithetic.gradient.ratio, lattice.gradient.ratio,
            );
        }
    }
}
