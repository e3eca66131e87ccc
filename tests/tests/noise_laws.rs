//! The noise laws against a high-precision source and against each other's definitions.

use std::collections::BTreeMap;

use topk_loss::{Gumbel, Laplace, Logistic, Noise, Normal, Real, Uniform};

/// Written by `data/noise_laws.py`.
const REFERENCE: &str = include_str!("data/noise_laws.tsv");

/// Relative error per unit of condition number. 1e−14 is what the project promises in `f64`; in `f32`, 8 units of 2⁻²³, because
/// the longest chain (AS 241: two polynomials of degree 7, a square root, a logarithm) rounds some twenty times.
const TOLERANCE_F64: f64 = 1e-14;
const TOLERANCE_F32: f64 = 8.0 * f32::EPSILON as f64;

fn evaluate<F: Real>(law: impl Noise<F>, function: &str, x: F) -> F {
    match function {
        "quantile" => law.quantile(x),
        "cdf" => law.cdf(x),
        "survival" => law.survival(x),
        "pdf" => law.pdf(x),
        "score" => law.score(x),
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
    assert_eq!(worst.len(), 5 * 5 * 2, "a law, function or float is missing from the reference");
    for ([law, function, float], (error, x)) in worst {
        println!("{law:9} {function:9} {float} {error:.1e} at {x}");
    }
}
