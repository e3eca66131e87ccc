//! The samplers: each has its law, can be addressed, averages without bias, and refuses what it cannot serve.

use rand_pcg::Pcg64Dxsm;
use statrs::distribution::{ChiSquared, ContinuousCDF};
use topk_loss::{
    Antithetic, Error, Gumbel, Key, KthLargest, Laplace, Logistic, MonteCarlo, Noise, Normal, Oracle, Pathwise, RandomizedLattice, Real,
    Sampler, Sequential, Uniform,
};

/// Every test of this file may reject a correct sampler with probability 1e−6 in total, shared over the comparisons it makes.
const FAMILY_LEVEL: f64 = 1e-6;

/// The |z| that a standard normal exceeds with probability `level`.
fn critical_z(level: f64) -> f64 {
    statrs::distribution::Normal::standard().inverse_cdf(1.0 - level / 2.0)
}

/// Every sampler of ten draws from a law, by name.
fn samplers<F: Real, N: Noise<F> + 'static>(law: N) -> [(&'static str, Box<dyn Sampler<F, Law = N>>); 4] {
    [
        ("Monte Carlo", Box::new(MonteCarlo::new(law, 10).unwrap())),
        ("antithetic", Box::new(Antithetic::new(law, 10).unwrap())),
        ("lattice", Box::new(RandomizedLattice::new(law, 10).unwrap())),
        ("sequential", Box::new(Sequential::<_, Pcg64Dxsm>::new(law, 10).unwrap())),
    ]
}

/// √n times the largest distance between the empirical distribution function and `cdf`.
fn kolmogorov_smirnov(sample: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distances = sample.iter().enumerate().map(|(i, &z)| {
        let p = cdf(z);
        (p - i as f64 / n).max((i + 1) as f64 / n - p)
    });
    n.sqrt() * distances.fold(0.0, f64::max)
}

/// The Dvoretzky–Kiefer–Wolfowitz bound: exceeded with probability at most `level`.
fn critical_distance(level: f64) -> f64 {
    ((2.0 / level).ln() / 2.0).sqrt()
}

#[test]
fn every_entry_has_the_law() {
    const CLASSES: usize = 1000;
    const KEYS: u64 = 200;
    fn check<N: Noise<f64> + Noise<f32> + 'static>(name: &str, law: N) {
        let critical = critical_distance(FAMILY_LEVEL / (5.0 * 4.0 * 2.0));
        let doubles = samplers::<f64, N>(law);
        let singles = samplers::<f32, N>(law);
        for ((kind, double), (_, single)) in doubles.iter().zip(&singles) {
            // One draw a key, for within a key the draws of a lattice or a pair are dependent.
            let (mut z, mut z32) = (vec![0.0; CLASSES * KEYS as usize], vec![0.0_f32; CLASSES * KEYS as usize]);
            for (i, (z, z32)) in (0..KEYS).zip(z.chunks_mut(CLASSES).zip(z32.chunks_mut(CLASSES))) {
                double.sample(Key::new(17).fold_in(i), i as usize % 10, z).unwrap();
                single.sample(Key::new(18).fold_in(i), i as usize % 10, z32).unwrap();
            }
            let mut widened: Vec<f64> = z32.into_iter().map(f64::from).collect();
            for sample in [&mut z, &mut widened] {
                let distance = kolmogorov_smirnov(sample, |z| law.cdf(z));
                assert!(distance < critical, "{name}, {kind}: {distance} against {critical}");
                let wrong = kolmogorov_smirnov(sample, |z| law.cdf(z * 1.05));
                assert!(wrong > critical, "{name}, {kind}: a scale wrong by 5 % passes with {wrong}");
            }
        }
    }
    check("normal", Normal);
    check("gumbel", Gumbel);
    check("logistic", Logistic);
    check("laplace", Laplace);
    check("uniform", Uniform);
}

#[test]
fn an_entry_depends_on_the_key_the_draw_and_the_class_alone() {
    for (kind, sampler) in samplers::<f64, _>(Normal) {
        let draw = |key: Key, index: usize, len: usize| {
            let mut z = vec![f64::NAN; len];
            sampler.sample(key, index, &mut z).unwrap();
            z
        };
        let (key, long) = (Key::new(3), draw(Key::new(3), 7, 101));
        for len in [0, 1, 2, 3, 50] {
            assert_eq!(draw(key, 7, len), long[..len], "{kind}");
        }
        assert_ne!(draw(key, 6, 101), long, "{kind}: another draw");
        assert_ne!(draw(key.fold_in(0), 7, 101), long, "{kind}: another key");
    }
}

#[test]
fn the_mirror_is_exact() {
    fn check<N: Noise<f64> + Noise<f32>>(law: N) {
        let sampler = Antithetic::new(law, 6).unwrap();
        let plain = MonteCarlo::new(law, 6).unwrap();
        for pair in 0..3 {
            let [mut z, mut mirror, mut independent] = [[0.0_f32; 257]; 3];
            sampler.sample(Key::new(5), 2 * pair, &mut z).unwrap();
            sampler.sample(Key::new(5), 2 * pair + 1, &mut mirror).unwrap();
            plain.sample(Key::new(5), pair, &mut independent).unwrap();
            assert_eq!(mirror, z.map(|z| -z));
            assert_eq!(z, independent, "pairs are independent draws and their mirrors");
        }
    }
    check(Normal);
    check(Logistic);
    check(Laplace);
    check(Uniform);
}

/// The cells, of `b` equally probable ones, that the first two draws put every class in.
fn first_two_cells(b: usize, classes: usize) -> [Vec<usize>; 2] {
    let sampler = RandomizedLattice::new(Uniform, b).unwrap();
    [0, 1].map(|draw| {
        let mut z = vec![0.0_f64; classes];
        sampler.sample(Key::new(11), draw, &mut z).unwrap();
        z.iter().map(|z| (Uniform.cdf(*z) * b as f64) as usize).collect()
    })
}

#[test]
fn every_cell_of_a_lattice_holds_one_draw() {
    for b in [1, 2, 3, 4, 5, 6, 10, 12, 64, 100] {
        let sampler = RandomizedLattice::new(Uniform, b).unwrap();
        let mut counts = vec![[0; 37]; b];
        for draw in 0..b {
            let mut z = [0.0_f64; 37];
            sampler.sample(Key::new(11), draw, &mut z).unwrap();
            for (class, z) in z.iter().enumerate() {
                counts[(Uniform.cdf(*z) * b as f64) as usize][class] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|&count| count == 1), "{b} draws");
    }
}

#[test]
fn lattice_points_are_pairwise_as_random_as_a_latin_hypercube() {
    const CLASSES: usize = 100_000;
    let chi_squared = |observed: &[usize], expected: f64| {
        let sum = observed.iter().map(|&o| (o as f64 - expected).powi(2) / expected).sum::<f64>();
        1.0 - ChiSquared::new(observed.len() as f64 - 1.0).unwrap().cdf(sum)
    };
    for b in [5, 7] {
        let [first, second] = first_two_cells(b, CLASSES);
        let mut pairs = vec![0; b * b];
        first.iter().zip(&second).for_each(|(x, y)| pairs[x * b + y] += 1);
        assert!((0..b).all(|x| pairs[x * b + x] == 0));
        let distinct: Vec<usize> = (0..b * b).filter(|i| i / b != i % b).map(|i| pairs[i]).collect();
        let p = chi_squared(&distinct, CLASSES as f64 / distinct.len() as f64);
        assert!(p > FAMILY_LEVEL / 4.0, "two draws, {b} cells: p = {p}");

        // Two neighbouring classes of one lattice: a shared generating vector would show in both draws together.
        let mut steps = vec![0; b * b];
        let step = |i: usize| (second[i] + b - first[i]) % b;
        (0..CLASSES - 1).step_by(2).for_each(|i| steps[step(i) * b + step(i + 1)] += 1);
        let moved: Vec<usize> = (0..b * b).filter(|i| i / b != 0 && i % b != 0).map(|i| steps[i]).collect();
        let p = chi_squared(&moved, (CLASSES / 2) as f64 / moved.len() as f64);
        assert!(p > FAMILY_LEVEL / 4.0, "two classes, {b} cells: p = {p}");
    }
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
    let critical = critical_z(FAMILY_LEVEL / 8.0);
    for (num_classes, epsilon) in [(7, 0.5), (60, 1.0)] {
        let scores = scattered(num_classes);
        let one_by_one = MonteCarlo::new(Normal, 1).unwrap();
        let reference = moments(&one_by_one, &scores, 2, epsilon, 300_000);
        for (kind, sampler) in samplers(Normal) {
            let repetitions = 10_000;
            let estimate = moments(&*sampler, &scores, 2, epsilon, repetitions);
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

#[test]
fn bad_inputs_are_errors() {
    let parameter = |name, must| Err(Error::Parameter { name, must });
    assert_eq!(MonteCarlo::new(Normal, 0).map(|_| ()), parameter("num_samples", "at least 1"));
    assert_eq!(Sequential::<_, Pcg64Dxsm>::new(Normal, 0).map(|_| ()), parameter("num_samples", "at least 1"));
    for odd in [0, 1, 7] {
        assert_eq!(Antithetic::new(Normal, odd).map(|_| ()), parameter("num_samples", "even and at least 2"));
    }
    for beyond in [0, (1 << 31) + 1, usize::MAX] {
        assert_eq!(RandomizedLattice::new(Normal, beyond).map(|_| ()), parameter("num_samples", "from 1 to 2^31"));
    }
    let largest = RandomizedLattice::new(Normal, 1 << 31).unwrap();
    assert_eq!(largest.sample(Key::new(0), (1 << 31) - 1, &mut [0.0_f64; 4]), Ok(()));
    let three = RandomizedLattice::new(Normal, 3).unwrap();
    assert_eq!(three.sample(Key::new(0), 3, &mut [0.0_f64; 4]), parameter("index", "below the number of draws"));
}

/// A law whose quantile is broken.
#[derive(Clone, Copy)]
struct Broken(f64);

impl Noise<f64> for Broken {
    fn quantile(&self, _: f64) -> f64 {
        self.0
    }
    fn cdf(&self, _: f64) -> f64 {
        self.0
    }
    fn survival(&self, _: f64) -> f64 {
        self.0
    }
    fn pdf(&self, _: f64) -> f64 {
        self.0
    }
    fn score(&self, _: f64) -> f64 {
        self.0
    }
}

#[test]
fn a_law_that_returns_nan_or_infinity_is_an_error_under_every_sampler() {
    for value in [f64::NAN, f64::INFINITY] {
        for (kind, sampler) in samplers(Broken(value)) {
            let smoothed = Pathwise::new(KthLargest::new(1).unwrap(), &*sampler, 1.0, Key::new(0)).unwrap();
            let result = smoothed.value(&[1.0, 2.0], &mut [0.0; 4]);
            assert_eq!(result, Err(Error::NotFinite { what: "noise", index: 0 }), "{kind}");
        }
    }
}
