//! Results at the end of a float's range: a typed error by one name, never an infinity, a NaN or a silent number.

use topk_loss::dual::Dual;
use topk_loss::epsilon::{bias_interval, epsilon_for_effective_classes};
use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Estimator, Exact, Pathwise, ScoreFunction, Until};
use topk_loss::loss::{
    ExpectedLoss, Focal, Hinge, Ldam, MeanOfHinge, PolyhedralHinge, SmoothTopKSvm, SoftLabelLoss, TopKCrossEntropy, TopKHinges,
    TopKMarginCrossEntropy,
};
use topk_loss::maximizer::Ranking;
use topk_loss::metrics::TopKCounts;
use topk_loss::noise::{Gumbel, Normal};
use topk_loss::oracle::{KthLargest, Max, Oracle, RankSum, SupportFunction, TopKSum};
use topk_loss::sampler::{Antithetic, MonteCarlo};
use topk_loss::{CrossEntropy, Error, Key, Loss, Margins, Real, Result, Smoothing, TopKHinge};

const MAX: f32 = f32::MAX;
const SENTINEL: f32 = 0.75;

/// A number that is one, and a gradient of such, or an error; value alone says the same as with a gradient unless that overflows.
fn oracle_is_total(name: &str, oracle: &dyn Oracle<f32>, theta: &[f32], weight: f32) {
    let mut scratch = vec![0.0; oracle.scratch_len(theta.len())];
    let value = oracle.value(theta, &mut scratch);
    let mut grad = vec![0.0; theta.len()];
    let with_grad = oracle.value_and_add_grad(theta, weight, &mut grad, &mut scratch);
    assert!(value.is_err() || value.is_ok_and(f32::is_finite), "{name} at {theta:?}: {value:?}");
    if with_grad.is_ok() {
        assert!(grad.iter().all(|g| g.is_finite()), "{name} at {theta:?}, weight {weight}: {grad:?}");
    }
    let agree = with_grad == value || with_grad == Err(Error::Overflow { what: "gradient" });
    assert!(agree, "{name} at {theta:?}, weight {weight}: {value:?}, with its gradient {with_grad:?}");
}

fn loss_is_total<F: Real>(name: &str, loss: &dyn Loss<F>, scores: &[F]) {
    let mut scratch = vec![F::zero(); loss.scratch_len(scores.len())];
    for label in 0..scores.len() {
        let value = loss.value(scores, label, &mut scratch);
        let mut grad = vec![F::zero(); scores.len()];
        let with_grad = loss.value_and_grad(scores, label, &mut grad, &mut scratch);
        assert!(value.is_err() || value.is_ok_and(F::is_finite), "{name} at {scores:?}: {value:?}");
        if with_grad.is_ok() {
            assert!(grad.iter().all(|g| g.is_finite()), "{name} at {scores:?}: {grad:?}");
        }
        let agree = with_grad == value || with_grad == Err(Error::Overflow { what: "gradient" });
        assert!(agree, "{name} at {scores:?}, label {label}: {value:?}, with its gradient {with_grad:?}");
    }
}

const POINTS: [[f32; 3]; 8] = [
    [0.0, 0.0, 0.0],
    [1.0, 0.5, -2.0],
    [3e38, 1e38, 0.0],
    [2e38, 2e38, 2e38],
    [MAX, MAX, MAX],
    [MAX, -MAX, MAX],
    [-MAX, -MAX, -MAX],
    [-MAX, 0.0, MAX],
];

const WEIGHTS: [f32; 6] = [1.0, -1.0, 1e20, -1e38, MAX, -MAX];

#[test]
fn oracles_return_numbers_or_errors() -> Result<()> {
    let (key, sampler) = (Key::new(7), MonteCarlo::new(Normal, 3)?);
    for theta in &POINTS {
        for weight in WEIGHTS {
            for epsilon in [1.0, 1e-25, 1e-40, 1e30, MAX] {
                oracle_is_total("exact sum", &Exact::new(TopKSum::new(2)?, Normal, epsilon)?, theta, weight);
                oracle_is_total("exact ranks", &Exact::new(RankSum::new([2.0, -2.0])?, Normal, epsilon)?, theta, weight);
                oracle_is_total("plain ranks", &Exact::new(RankSum::new([2.0, -2.0])?, Normal, epsilon)?.plain(), theta, weight);
                oracle_is_total("pathwise", &Pathwise::new(TopKSum::new(2)?, sampler, epsilon, key)?, theta, weight);
                oracle_is_total("pathwise ranks", &Pathwise::new(RankSum::new([2.0, -2.0])?, sampler, epsilon, key)?, theta, weight);
                oracle_is_total("conditional", &Conditional::new(RankSum::new([2.0, -2.0])?, sampler, epsilon, key)?, theta, weight);
                for baseline in [Baseline::None, Baseline::Mean, Baseline::LeaveOneOut] {
                    oracle_is_total("score", &ScoreFunction::new(Max, sampler, epsilon, baseline, key)?, theta, weight);
                }
                let (first, smoothed) = (KthLargest::new(1)?, Exact::new(KthLargest::new(1)?, Normal, epsilon)?);
                for coefficient in [1.0, MAX] {
                    let variate = ControlVariate::new(Max, first, smoothed, sampler, epsilon, key)?.with_coefficient(coefficient)?;
                    oracle_is_total("variate", &variate, theta, weight);
                }
            }
            for ranks in [[2.0, -2.0], [MAX, 1.0], [MAX, -MAX], [1e30, 1e30]] {
                oracle_is_total("ranks", &RankSum::new(ranks)?, theta, weight);
            }
            oracle_is_total("sum", &TopKSum::new(2)?, theta, weight);
            oracle_is_total("support", &SupportFunction::new(Ranking), theta, weight);
        }
    }
    Ok(())
}

#[test]
fn losses_return_numbers_or_errors() -> Result<()> {
    let (key, sampler) = (Key::new(7), MonteCarlo::new(Normal, 3)?);
    for scores in &POINTS {
        for scale in [1.0, 1e30, MAX] {
            for margin in [1.0, MAX, -MAX] {
                let margins = Margins::Uniform(margin);
                for epsilon in [1.0, 1e-40, MAX] {
                    for smoothing in [
                        Smoothing::None,
                        Smoothing::Exact { epsilon },
                        Smoothing::Pathwise { epsilon, num_samples: 3, key },
                        Smoothing::Conditional { epsilon, num_samples: 3, key },
                    ] {
                        let loss = TopKHinge::new(1)?.with_margins(margins)?.with_scale(scale)?.with_smoothing(smoothing)?;
                        loss_is_total(&format!("{loss:?}"), &loss, scores);
                    }
                    let mean = MeanOfHinge::new(RankSum::new([2.0])?, sampler, epsilon, key)?;
                    loss_is_total("mean", &mean.with_margins(margins)?.with_scale(scale)?, scores);
                    let several = TopKHinges::new([0.25, 0.75])?.with_margins(margins)?.with_scale(scale)?;
                    loss_is_total("several", &several, scores);
                    loss_is_total("several, exact", &several.with_epsilon(Some(epsilon))?, scores);
                }
                for ranks in [[2.0, 0.0], [2.0, -2.0], [MAX, -MAX]] {
                    loss_is_total("ranks", &Hinge::new(RankSum::new(ranks)?, margins, scale)?, scores);
                }
                loss_is_total(
                    "polyhedral",
                    &PolyhedralHinge::new(2)?.with_margins(Margins::Uniform(margin.abs()))?.with_scale(scale)?,
                    scores,
                );
            }
        }
        for epsilon in [1.0, 1e-40, MAX] {
            loss_is_total("top-K cross-entropy", &TopKCrossEntropy::new(1, Gumbel, epsilon)?, scores);
            loss_is_total("mixture", &TopKCrossEntropy::mixture([0.5, 0.5], Gumbel, epsilon)?, scores);
            loss_is_total("mixture", &TopKCrossEntropy::mixture([0.5, 0.5], Normal, epsilon)?, scores);
        }
        let expected = ExpectedLoss::new(TopKHinge::new(1)?.with_scale(MAX)?);
        let (target, mut grad) = ([0.5, 0.25, 0.25], [0.0; 3]);
        let mut scratch = vec![0.0; SoftLabelLoss::<f32>::soft_scratch_len(&expected, 3)];
        let value = expected.soft_value(scores, &target, &mut scratch);
        let with_grad = expected.soft_value_and_grad(scores, &target, &mut grad, &mut scratch);
        let agree = with_grad == value || with_grad == Err(Error::Overflow { what: "gradient" });
        assert!(agree, "{scores:?}: {value:?}, with its gradient {with_grad:?}");
        assert!(with_grad.is_err() || grad.iter().all(|g| g.is_finite()));
        loss_is_total("cross-entropy", &CrossEntropy, scores);
    }
    Ok(())
}

/// An estimate that fails has not touched the gradient, wherever the fault is found.
#[test]
fn an_estimate_that_fails_leaves_the_gradient() -> Result<()> {
    fn check(name: &str, estimator: &impl Estimator<f32>, theta: &[f32], weight: f32) {
        let mut scratch = vec![0.0; estimator.estimate_scratch_len(theta.len())];
        for until in [None, Some(Until::Value(1e-3)), Some(Until::Gradient(1e-3))] {
            let mut grad = vec![SENTINEL; theta.len()];
            let estimate = match until {
                None => estimator.estimate(theta, weight, &mut grad, &mut scratch),
                Some(until) => estimator.estimate_until(theta, until, weight, &mut grad, &mut scratch),
            };
            match estimate {
                Err(_) => assert_eq!(grad, vec![SENTINEL; theta.len()], "{name} at {theta:?}, weight {weight}: {estimate:?}"),
                Ok(_) => assert!(grad.iter().all(|g| g.is_finite()), "{name} at {theta:?}, weight {weight}: {grad:?}"),
            }
        }
    }
    let key = Key::new(7);
    for sampler in [MonteCarlo::new(Normal, 2)?, MonteCarlo::new(Normal, 40)?] {
        for theta in &POINTS {
            for weight in WEIGHTS {
                for epsilon in [1.0, 1e-40, MAX] {
                    check("pathwise", &Pathwise::new(TopKSum::new(2)?, sampler, epsilon, key)?, theta, weight);
                    check("conditional", &Conditional::new(TopKSum::new(2)?, sampler, epsilon, key)?, theta, weight);
                    check("ranks", &Pathwise::new(RankSum::new([MAX, 1.0])?, sampler, epsilon, key)?, theta, weight);
                    for baseline in [Baseline::None, Baseline::Mean, Baseline::LeaveOneOut] {
                        check("score", &ScoreFunction::new(TopKSum::new(2)?, sampler, epsilon, baseline, key)?, theta, weight);
                    }
                    let (first, smoothed) = (KthLargest::new(1)?, Exact::new(KthLargest::new(1)?, Normal, epsilon)?);
                    for coefficient in [1.0, MAX] {
                        let variate = ControlVariate::new(Max, first, smoothed, sampler, epsilon, key)?.with_coefficient(coefficient)?;
                        check("variate", &variate, theta, weight);
                    }
                }
            }
        }
    }
    let pairs = Antithetic::new(Normal, 4)?;
    check("pairs", &Pathwise::new(TopKSum::new(2)?, pairs, MAX, key)?, &[0.0; 3], 1.0);
    Ok(())
}

/// At ε = 1e−25 as at 1: noise of that scale about equal scores is the same picture in another unit.
#[test]
fn leave_one_out_is_honest_at_any_scale_of_noise() -> Result<()> {
    let at = |epsilon: f32| -> Result<_> {
        let smoothed = ScoreFunction::new(Max, MonteCarlo::new(Normal, 64)?, epsilon, Baseline::LeaveOneOut, Key::new(3))?;
        let (mut grad, mut scratch) = ([0.0; 3], vec![0.0; smoothed.estimate_scratch_len(3)]);
        let estimate = smoothed.estimate(&[0.0; 3], 1.0, &mut grad, &mut scratch)?;
        Ok((grad, estimate))
    };
    let (grad, estimate) = at(1.0)?;
    assert!(estimate.gradient_standard_error > 0.1, "{estimate:?}");
    for epsilon in [1e-10, 1e-25, 1e-30, 1e25] {
        let (other_grad, other) = at(epsilon)?;
        for (a, b) in grad.iter().zip(other_grad).chain([(&estimate.gradient_standard_error, other.gradient_standard_error)]) {
            assert!((a - b).abs() <= 1e-4, "{epsilon}: {a} {b}");
        }
        assert!((other.standard_error / epsilon - estimate.standard_error).abs() <= 1e-4, "{epsilon}: {other:?}");
    }
    Ok(())
}

#[test]
fn what_is_derived_from_epsilon_is_a_number_or_an_error() {
    for epsilon in [1.0, 1e30, MAX] {
        let interval = bias_interval(Normal, epsilon, 1, 1000);
        assert!(interval.is_err() || interval.is_ok_and(|(low, high)| low.is_finite() && high.is_finite()), "{epsilon}: {interval:?}");
    }
    assert_eq!(bias_interval(Normal, MAX, 1, 1000), Err(Error::Overflow { what: "bias interval" }));
    let (mut grad, mut scratch) = ([0.0; 3], [0.0_f32; 4000]);
    for scale in [1e-38, 1e-42, 1e-30, 1e30, 1e38] {
        let theta = [scale, 0.5 * scale, 0.0];
        let epsilon = epsilon_for_effective_classes(KthLargest::new(2).unwrap(), Normal, &theta, 2.0, &mut grad, &mut scratch);
        // The parameters that were given are wanted and theta.
        assert!(!matches!(epsilon, Err(Error::Parameter { name: "epsilon", .. })), "{scale}: {epsilon:?}");
        assert!(epsilon.is_err() || epsilon.is_ok_and(f32::is_finite), "{scale}: {epsilon:?}");
    }
}

#[test]
fn a_sum_of_ranks_has_a_mass() {
    let heavy = RankSum::new([MAX, MAX]);
    assert_eq!(heavy, Err(Error::Overflow { what: "sum of the weights" }));
}

#[test]
fn counts_do_not_wrap() -> Result<()> {
    let (mut examples, mut correct, mut guessed) = ([u64::MAX, 1, 0], [u64::MAX, 0, 0], [u64::MAX, 1, 0]);
    let mut counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    assert_eq!(counts.metrics().accuracy(), Some(1.0));
    assert_eq!(counts.metrics().occupancy(0), Some(1.0));
    counts.add(&[1.0_f32, 0.0, 0.0], 0, &mut [0.0; 3])?;
    assert_eq!(counts.metrics().accuracy(), Some(1.0));
    assert_eq!(counts.metrics().class_accuracy(0), Some(1.0));
    Ok(())
}

/// Where the loss is in the range its derivative along a direction may not be.
#[test]
fn derivatives_are_numbers_or_errors() -> Result<()> {
    let tiny = [1e-203, 1e-300, 1e-160, 1e150].map(Dual::constant);
    let points = [[1.0, 0.5, -2.0], [1.0, 1.0, 1.0], [1e-203, 0.0, -1e-203], [1e150, 0.0, -1e150]];
    for point in points.map(|point| point.map(|score: f64| Dual::new(score, 1.0 + score.abs().min(4.0)))) {
        loss_is_total("cross-entropy", &CrossEntropy, &point);
        for size in tiny {
            loss_is_total("smooth top-K SVM", &SmoothTopKSvm::new(2, size, Dual::constant(1.0))?, &point);
            loss_is_total("focal loss", &Focal::new(size)?, &point);
            loss_is_total("LDAM", &Ldam::new(Margins::Uniform(Dual::constant(0.5)), size)?, &point);
            loss_is_total("top-K margin cross-entropy", &TopKMarginCrossEntropy::new(2, size)?, &point);
            loss_is_total("top-K cross-entropy", &TopKCrossEntropy::new(2, Gumbel, size)?, &point);
            loss_is_total("exact hinge", &TopKHinge::smoothed(2, size)?, &point);
        }
    }
    Ok(())
}
