//! The top-K cross-entropy of every law against a slow quadrature, from labels far below to labels far above the others.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use topk_loss::Error;
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::{Gumbel, Logistic, Noise, Normal};
use topk_loss_laws::Example;
use topk_loss_laws::property::{config, try_evaluate};
use topk_loss_laws::smoothed::label_among_the_top;
use topk_loss_laws::strategies::{clustered, moderate_example, normal, separated, tied};
use topk_loss_laws::tolerances::{LABEL_AMONG_THE_TOP, TINY_LABEL_AMONG_THE_TOP, TINY_LOSS};

/// A loss that is not tiny keeps all its digits; that where the label is nearly certain is a separate promise.
const USUAL: f64 = 1e-3;

/// A label may be moved: 40 units of ε down make probabilities of 1e−17 (Gumbel) to 1e−190 (normal).
fn lifted(shift: impl Strategy<Value = f64>, epsilon: impl Strategy<Value = f64>) -> impl Strategy<Value = (Example<f64>, f64)> {
    (moderate_example::<f64>(), shift, epsilon).prop_map(|(mut example, shift, epsilon)| {
        example.scores[example.label] += shift * epsilon;
        (example, epsilon)
    })
}

/// `reach` is the loss up to which the law must have an answer.
fn agrees(law: impl Noise<f64>, reach: f64, Example { scores, label, k }: &Example<f64>, epsilon: f64) -> Result<(), TestCaseError> {
    let loss = TopKCrossEntropy::new(*k, law, epsilon).unwrap();
    let Some((expected, expected_grad)) = label_among_the_top(scores, *label, *k, law, epsilon) else {
        return Ok(());
    };
    let (value, grad) = match try_evaluate(&loss, scores, *label) {
        Err(Error::Accuracy { .. }) if expected > reach => return Ok(()),
        result => result.unwrap(),
    };
    let tolerance = if expected > USUAL { LABEL_AMONG_THE_TOP } else { TINY_LABEL_AMONG_THE_TOP };
    prop_assert!(tolerance.allows(value, expected, expected.max(TINY_LOSS)), "{} instead of {}", value, expected);
    let largest = expected_grad.iter().fold(TINY_LOSS / epsilon, |largest, g| largest.max(g.abs()));
    for (g, expected) in grad.iter().zip(&expected_grad) {
        prop_assert!(tolerance.allows(*g, *expected, largest), "{} instead of {}", g, expected);
    }
    Ok(())
}

const GUMBEL: (Gumbel, f64) = (Gumbel, f64::INFINITY);
const LOGISTIC: (Logistic, f64) = (Logistic, 70.0);
const NORMAL: (Normal, f64) = (Normal, 500.0);

/// So many examples: the reference takes milliseconds.
fn holds(cases: u32, (law, reach): (impl Noise<f64>, f64), strategy: &impl Strategy<Value = (Example<f64>, f64)>) {
    let mut runner = TestRunner::new(Config { cases, ..config() });
    if let Err(failure) = runner.run(strategy, |(example, epsilon)| agrees(law, reach, &example, epsilon)) {
        panic!("{failure}");
    }
}

fn examples() -> impl Strategy<Value = (Example<f64>, f64)> {
    lifted(prop_oneof![Just(0.0), -15.0..15.0, -40.0..30.0], 0.3..4.0)
}

#[test]
fn under_gumbel_noise() {
    holds(60, GUMBEL, &examples());
}

#[test]
fn under_logistic_noise() {
    holds(60, LOGISTIC, &examples());
}

#[test]
fn under_normal_noise() {
    holds(60, NORMAL, &examples());
}

/// A law of a user's own, of which only the least is known: every class is treated by itself.
#[test]
fn under_noise_of_ones_own() {
    #[derive(Debug, Clone, Copy)]
    struct Own;
    impl Noise<f64> for Own {
        fn quantile(&self, p: f64) -> f64 {
            Logistic.quantile(p)
        }
        fn cdf(&self, z: f64) -> f64 {
            Logistic.cdf(z)
        }
        fn survival(&self, z: f64) -> f64 {
            Logistic.survival(z)
        }
        fn pdf(&self, z: f64) -> f64 {
            Logistic.pdf(z)
        }
        fn score(&self, z: f64) -> f64 {
            Logistic.score(z)
        }
        fn regularity(&self) -> topk_loss::noise::Regularity {
            topk_loss::noise::Regularity::Smooth
        }
    }
    holds(30, (Own, LOGISTIC.1), &lifted(-10.0..10.0, 0.5..2.0));
}

/// Crowds: many classes far below, many ties, clusters.
fn crowds(sizes: core::ops::Range<usize>, deepest: usize) -> impl Strategy<Value = (Example<f64>, f64)> {
    let crowd = sizes.prop_flat_map(|len| prop_oneof![normal(len), tied(len), separated(len), clustered(len)]);
    (crowd, any::<prop::sample::Index>(), 1..=deepest, -8.0..8.0, 0.1..2.0).prop_map(|(mut scores, label, k, shift, epsilon)| {
        let label = label.index(scores.len());
        scores[label] += shift * epsilon;
        (Example { scores, label, k }, epsilon)
    })
}

#[test]
fn in_a_crowd() {
    holds(4, GUMBEL, &crowds(200..300, 6));
    holds(4, LOGISTIC, &crowds(200..300, 6));
    holds(4, NORMAL, &crowds(200..300, 6));
}

/// `cargo test --release -p topk-loss-laws --test loss quadrature -- --ignored`
#[test]
#[ignore = "deep: ten minutes of reference quadratures; run in release"]
fn deep() {
    holds(5000, GUMBEL, &examples());
    holds(5000, LOGISTIC, &examples());
    holds(5000, NORMAL, &examples());
    for (cases, sizes, deepest) in [(10, 900..1100, 20), (1, 9_000..10_000, 5)] {
        holds(cases, GUMBEL, &crowds(sizes.clone(), deepest));
        holds(cases, LOGISTIC, &crowds(sizes.clone(), deepest));
        holds(cases, NORMAL, &crowds(sizes, deepest));
    }
}
