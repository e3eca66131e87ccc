//! The top-K cross-entropy against the softmax, the Plackett–Luce model and a slow quadrature.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use topk_loss::{CrossEntropy, Gumbel, Logistic, Noise, Normal, TopKCrossEntropy};
use topk_loss_laws::Example;
use topk_loss_laws::property::evaluate;
use topk_loss_laws::smoothed::label_among_the_top;
use topk_loss_laws::strategies::moderate_example;

fn l1(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

#[test]
fn survey() {
    let mut worst: (f64, f64) = (0.0_f64, 0.0_f64);
    let strategy = moderate_example::<f64>();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..300 {
        let Example { scores, label, k } = strategy.new_tree(&mut runner).unwrap().current();
        let loss = TopKCrossEntropy::new(1, Gumbel, 1.0).unwrap();
        let (value, grad) = evaluate(&loss, &scores, label);
        let (expected, expected_grad) = evaluate(&CrossEntropy, &scores, label);
        let e: (f64, f64) = (f64::abs(value - expected), l1(&grad, &expected_grad));
        if e.0 > worst.0 {
            println!("SM {e:?} {value} {expected} label {label} {scores:?}");
        }
        worst = (worst.0.max(e.0), worst.1.max(e.1));
        for epsilon in [0.3, 1.0, 4.0] {
            check("gumbel", Gumbel, &scores, label, k, epsilon);
            check("logistic", Logistic, &scores, label, k, epsilon);
            check("normal", Normal, &scores, label, k, epsilon);
        }
    }
    println!("softmax: {worst:?}");
}

fn check(name: &str, law: impl Noise<f64> + core::fmt::Debug + PartialEq, scores: &[f64], label: usize, k: usize, epsilon: f64) {
    let loss = TopKCrossEntropy::new(k, law, epsilon).unwrap();
    let mut grad = vec![0.0; scores.len()];
    let mut scratch = vec![0.0; topk_loss::Loss::scratch_len(&loss, scores.len())];
    let value = match topk_loss::Loss::value_and_grad(&loss, scores, label, &mut grad, &mut scratch) {
        Ok(v) => v,
        Err(e) => return println!("{name} eps {epsilon} k {k} label {label}: {e} {:?}", scores),
    };
    let Some((expected, expected_grad)) = label_among_the_top(scores, label, k, law, epsilon) else {
        return println!("{name} underflow: {value}");
    };
    let e = ((value - expected).abs() / (1.0 + expected), l1(&grad, &expected_grad) * epsilon);
    if e.0 > 1e-10 || e.1 > 1e-8 {
        println!("{name} eps {epsilon} k {k} label {label} L {}: {e:?} loss {expected} {value} {:?}", scores.len(), scores);
    }
}
