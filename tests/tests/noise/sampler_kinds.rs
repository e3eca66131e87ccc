//! The samplers: each has its law, can be addressed, and refuses what it cannot serve.

use rand_pcg::Pcg64Dxsm;
use statrs::distribution::{ChiSquared, ContinuousCDF};
use topk_loss::estimator::Pathwise;
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::{Antithetic, MonteCarlo, RandomizedLattice, Sampler, Sequential};
use topk_loss::{Error, Key, Real};
use topk_loss_laws::broken::ConstantLaw;

/// Every test of this file may reject a correct sampler with probability 1e−6 in total, shared over the comparisons it makes.
const FAMILY_LEVEL: f64 = 1e-6;

type Named<F, N> = (&'static str, Box<dyn Sampler<F, Law = N>>);

/// Every sampler of ten draws from a law.
fn samplers<F: Real, N: Noise<F> + 'static>(law: N) -> [Named<F, N>; 4] {
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

/// The p-value of Pearson's test that all outcomes are equally likely.
fn equal_chances(observed: &[usize]) -> f64 {
    let expected = observed.iter().sum::<usize>() as f64 / observed.len() as f64;
    let sum = observed.iter().map(|&o| (o as f64 - expected).powi(2) / expected).sum::<f64>();
    ChiSquared::new(observed.len() as f64 - 1.0).unwrap().sf(sum)
}

#[test]
fn every_cell_is_equally_likely_in_every_draw_of_a_lattice() {
    for b in [2, 4, 8, 24] {
        for cells in first_two_cells(b, 100_000) {
            let mut counts = vec![0; b];
            cells.iter().for_each(|&cell| counts[cell] += 1);
            assert!(equal_chances(&counts) > FAMILY_LEVEL / 8.0, "{b} draws: {counts:?}");
            counts.iter_mut().zip([105, 95].into_iter().cycle()).for_each(|(count, percent)| *count = *count * percent / 100);
            assert!(equal_chances(&counts) < FAMILY_LEVEL / 8.0, "{b} draws: an error of 5 % passes");
        }
    }
}

#[test]
fn lattice_points_are_pairwise_as_random_as_a_latin_hypercube() {
    const CLASSES: usize = 100_000;
    for b in [5, 7] {
        let [first, second] = first_two_cells(b, CLASSES);
        let mut pairs = vec![0; b * b];
        first.iter().zip(&second).for_each(|(x, y)| pairs[x * b + y] += 1);
        assert!((0..b).all(|x| pairs[x * b + x] == 0));
        let distinct: Vec<usize> = (0..b * b).filter(|i| i / b != i % b).map(|i| pairs[i]).collect();
        let p = equal_chances(&distinct);
        assert!(p > FAMILY_LEVEL / 4.0, "two draws, {b} cells: p = {p}");

        // Two neighbouring classes of one lattice: a shared generating vector would show in both draws together.
        let mut steps = vec![0; b * b];
        let step = |i: usize| (second[i] + b - first[i]) % b;
        (0..CLASSES - 1).step_by(2).for_each(|i| steps[step(i) * b + step(i + 1)] += 1);
        let moved: Vec<usize> = (0..b * b).filter(|i| i / b != 0 && i % b != 0).map(|i| steps[i]).collect();
        let p = equal_chances(&moved);
        assert!(p > FAMILY_LEVEL / 4.0, "two classes, {b} cells: p = {p}");
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

#[test]
fn a_law_that_returns_nan_or_infinity_is_an_error_under_every_sampler() {
    for value in [f64::NAN, f64::INFINITY] {
        for (kind, sampler) in samplers(ConstantLaw(value)) {
            let smoothed = Pathwise::new(KthLargest::new(1).unwrap(), &*sampler, 1.0, Key::new(0)).unwrap();
            let result = smoothed.value(&[1.0, 2.0], &mut [0.0; 4]);
            assert_eq!(result, Err(Error::NotFinite { what: "noise", index: 0 }), "{kind}");
        }
    }
}
