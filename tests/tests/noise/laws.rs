//! The noise laws against a high-precision source and against each other's definitions.

use std::collections::BTreeMap;

use topk_loss::Real;
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};

/// Written by `../data/noise_laws.py`.
const REFERENCE: &str = include_str!("../data/noise_laws.tsv");

/// Relative error per unit of condition number: 8 units in the last place, because the longest chain (AS 241: two polynomials of
/// degree 7, a square root, a logarithm) rounds some twenty times, mostly in its small terms. Over 280 000 arguments
/// (`noise_laws.py 3000`) the worst is 3, that of the normal quantile.
const TOLERANCE_F64: f64 = 8.0 * f64::EPSILON;
const TOLERANCE_F32: f64 = 8.0 * f32::EPSILON as f64;

fn evaluate<F: Real>(law: impl Noise<F>, function: &str, x: F) -> F {
    match function {
        "quantile" => law.quantile(x),
        "cdf" => law.cdf(x),
        "survival" => law.survival(x),
        "pdf" => law.pdf(x),
        "score" => law.score(x),
        "ln_pdf" => law.ln_pdf(x),
        "ln_cdf" => law.ln_cdf(x),
        "ln_survival" => law.ln_survival(x),
        other => panic!("no function {other}"),
    }
}

fn evaluate_by_name<F: Real>(law: &str, function: &str, x: F) -> F {
    match law {
        "normal" => evaluate(Normal, function, x),
        "gumbel" => evaluate(Gumbel, function, x),
        "logistic" => evaluate(Logistic, function, x),
        "laplace" => evaluate(Laplace, function, x),
        "uniform" => evaluate(Uniform, function, x),
        other => panic!("no law {other}"),
    }
}

#[test]
fn every_function_meets_the_reference_in_both_tails() {
    let mut worst: BTreeMap<[&str; 3], (f64, f64)> = BTreeMap::new();
    for line in REFERENCE.lines().skip(1) {
        let [law, function, float, bits, value, condition] = *line.split('\t').collect::<Vec<_>>() else { panic!("{line}") };
        let bits = u64::from_str_radix(bits, 16).unwrap();
        let (value, condition): (f64, f64) = (value.parse().unwrap(), condition.parse().unwrap());
        let (x, computed, tolerance) = if float == "f32" {
            let x = f32::from_bits(bits as u32);
            (f64::from(x), f64::from(evaluate_by_name(law, function, x)), TOLERANCE_F32)
        } else {
            let x = f64::from_bits(bits);
            (x, evaluate_by_name(law, function, x), TOLERANCE_F64)
        };
        let error = if computed == value { 0.0 } else { (computed - value).abs() / (value.abs() * condition) };
        assert!(error <= tolerance, "{law} {function} {float} at {x}: {computed} is not {value}, {error:e} per unit of condition");
        let entry = worst.entry([law, function, float]).or_default();
        if error > entry.0 {
            *entry = (error, x);
        }
    }
    assert_eq!(worst.len(), 5 * 8 * 2, "a law, function or float is missing from the reference");
    for ([law, function, float], (error, x)) in worst {
        println!("{law:9} {function:9} {float} {error:.1e} at {x}");
    }
}

/// Every law, in `f32` and `f64`, with a z beyond which its tails are no longer normal numbers.
macro_rules! for_each_law {
    ($check:ident) => {
        $check("normal", Normal, -12.0, 12.0);
        $check("gumbel", Gumbel, -4.4, 80.0);
        $check("logistic", Logistic, -80.0, 80.0);
        $check("laplace", Laplace, -80.0, 80.0);
        $check("uniform", Uniform, -1.0, 1.0);
    };
}

/// `count` points from low to high, both included.
fn grid(low: f64, high: f64, count: u32) -> impl Iterator<Item = f64> {
    (0..=count).map(move |i| low + (high - low) * f64::from(i) / f64::from(count))
}

#[test]
fn the_cdf_and_the_survival_function_sum_to_one_and_are_monotone() {
    fn check(name: &str, law: impl Noise<f64> + Noise<f32>, low: f64, high: f64) {
        let mut previous = (0.0, 1.0, 0.0_f32);
        for z in grid(low, high, 4001) {
            let (below, above) = (law.cdf(z), law.survival(z));
            assert!((below + above - 1.0).abs() <= 2.0 * f64::EPSILON, "{name} at {z}: {below} + {above}");
            assert!(below >= previous.0 && above <= previous.1, "{name} at {z}");
            let in_f32 = law.cdf(z as f32);
            assert!((f64::from(in_f32) - below).abs() < 1e-6, "{name} at {z}");
            assert!(in_f32 >= previous.2, "{name} in f32 at {z}");
            previous = (below, above, in_f32);
        }
    }
    for_each_law!(check);
}

#[test]
fn the_quantile_inverts_the_cdf_and_the_survival_function() {
    fn check(name: &str, law: impl Noise<f64> + Noise<f32>, low: f64, high: f64) {
        let mut previous = f64::NEG_INFINITY;
        for z in grid(low, high, 997) {
            let p: f64 = law.cdf(z);
            if !(1e-300..=0.6).contains(&p) {
                continue;
            }
            // What half a unit in the last place of p does to z, and the tolerance of both functions.
            let slack = TOLERANCE_F64 * (1.0 + z.abs() + p / law.pdf(z));
            let back = law.quantile(p);
            assert!((back - z).abs() <= slack, "{name}: {z} came back as {back}");
            assert!(back >= previous, "{name}: the quantile falls at {p}");
            previous = back;

            let p32 = law.cdf(z as f32);
            let slack = TOLERANCE_F32 * (1.0 + z.abs() + p / law.pdf(z));
            assert!((f64::from(law.quantile(p32)) - z).abs() <= slack, "{name} in f32: {z}");
        }
    }
    for_each_law!(check);
}

#[test]
fn the_density_is_the_derivative_and_the_score_is_its_logarithmic_one() {
    const STEP: f64 = 1e-4;
    fn check(name: &str, law: impl Noise<f64>, low: f64, high: f64) {
        for z in grid(low.max(-6.0), high.min(6.0), 601) {
            // Not across a kink or a jump.
            if (name == "laplace" && z.abs() < STEP) || (name == "uniform" && z.abs() > 1.0 - STEP) {
                continue;
            }
            let slope = (law.cdf(z + STEP) - law.cdf(z - STEP)) / (2.0 * STEP);
            assert!((slope - law.pdf(z)).abs() < 1e-8, "{name} at {z}: {slope} is not {}", law.pdf(z));
            let falls = (law.pdf(z - STEP).ln() - law.pdf(z + STEP).ln()) / (2.0 * STEP);
            assert!((falls - law.score(z)).abs() < 1e-6 * (1.0 + falls.abs()), "{name} at {z}: {falls} is not {}", law.score(z));
        }
    }
    for_each_law!(check);
}

#[test]
fn symmetric_laws_are_symmetric_bit_for_bit() {
    fn check(name: &str, law: impl Noise<f64> + Noise<f32>, low: f64, high: f64) {
        if name == "gumbel" {
            return;
        }
        for z in grid(low, high, 333) {
            assert_eq!(law.cdf(-z), law.survival(z), "{name} at {z}");
            assert_eq!(law.pdf(-z), law.pdf(z), "{name} at {z}");
            assert_eq!(law.score(-z), -law.score(z), "{name} at {z}");
        }
        for word in (0..1000_u32).map(|i| i.wrapping_mul(0x9E37_79B9)) {
            let (u, v) = (f64::open_uniform([word, word]), f32::open_uniform([word, 0]));
            assert_eq!(law.quantile(1.0 - u), -law.quantile(u), "{name} at {u}");
            assert_eq!(law.quantile(1.0 - v), -law.quantile(v), "{name} at {v}");
        }
    }
    for_each_law!(check);
}

#[test]
fn no_argument_gives_a_nan() {
    fn check(name: &str, law: impl Noise<f64> + Noise<f32>, _: f64, _: f64) {
        for magnitude in [0.0, f64::MIN_POSITIVE, 1e-30, 1.0, 100.0, 750.0, 1e30, f64::MAX, f64::INFINITY] {
            for z in [magnitude, -magnitude] {
                for function in ["cdf", "survival", "pdf", "score", "ln_pdf", "ln_cdf", "ln_survival"] {
                    assert!(!evaluate(law, function, z).is_nan(), "{name} {function} at {z}");
                    assert!(!evaluate(law, function, z as f32).is_nan(), "{name} {function} in f32 at {z}");
                }
                assert!((0.0..=1.0).contains(&law.cdf(z)) && law.pdf(z) >= 0.0, "{name} at {z}");
            }
        }
        for p in [f64::from_bits(1), f64::MIN_POSITIVE, 0.5, 1.0 - f64::EPSILON / 2.0] {
            assert!(Noise::<f64>::quantile(&law, p).is_finite(), "{name} at {p}");
        }
        for p in [f32::from_bits(1), f32::MIN_POSITIVE, 0.5, 1.0 - f32::EPSILON / 2.0] {
            assert!(Noise::<f32>::quantile(&law, p).is_finite(), "{name} at {p}");
        }
        let ends = [0.0, 1.0].map(|p| Noise::<f64>::quantile(&law, p));
        let support = if name == "uniform" { 1.0 } else { f64::INFINITY };
        assert_eq!(ends, [-support, support], "{name}");
    }
    for_each_law!(check);
}
