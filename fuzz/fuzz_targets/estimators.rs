//! Estimators of any oracle by any draws, with their errors, until those are small enough.
#![no_main]

use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Estimate, Estimator, Exact, Pathwise, ScoreFunction, Until};
use topk_loss::noise::Normal;
use topk_loss::oracle::KthLargest;
use topk_loss::{Error, Result};
use topk_loss_fuzz::promises::{self, assert_finite, assert_untouched, buffer, scratch};
use topk_loss_fuzz::{Float, Input, target};

/// The most draws of an estimate, just past the fewest after which to stop.
const MOST_DRAWS: usize = 48;

fn keeps_promises<F: Float>(estimator: &dyn Estimator<F>, theta: &[F], input: &Input) {
    let (weight, tolerance) = (if input.dice[1] & 1 == 0 { F::one() } else { input.factor() }, input.factor());
    let value = promises::oracle(estimator, theta, weight);
    let needed = estimator.estimate_scratch_len(theta.len());
    let checked = |estimate: &mut dyn FnMut(&mut [F]) -> Result<Estimate<F>>| {
        let mut grad = buffer(theta.len());
        let estimate = estimate(&mut grad).inspect_err(|error: &Error| assert_untouched(&grad, error))?;
        let Estimate { standard_error, gradient_standard_error, .. } = estimate;
        assert_finite("estimate", &[estimate.value]);
        assert_finite("gradient of the estimate", &grad);
        for error in [standard_error, gradient_standard_error] {
            assert!(error >= F::zero(), "standard error {error}");
        }
        assert_eq!(standard_error.is_finite(), gradient_standard_error.is_finite());
        Ok::<_, Error>(estimate)
    };
    let all = checked(&mut |grad| estimator.estimate(theta, weight, grad, &mut scratch(needed)));
    if let (Ok(all), Ok((value, _))) = (all, &value) {
        promises::assert_same("value of the estimate", &[all.value], &[*value]);
    }
    let until = if input.dice[1] & 2 == 0 { Until::Value(tolerance) } else { Until::Gradient(tolerance) };
    let some = checked(&mut |grad| estimator.estimate_until(theta, until, weight, grad, &mut scratch(needed)));
    if let (Ok(some), Ok(all)) = (some, all) {
        assert!((1..=all.num_samples).contains(&some.num_samples));
        let reached = match until {
            Until::Value(tolerance) => some.standard_error <= tolerance,
            Until::Gradient(tolerance) => some.gradient_standard_error <= tolerance,
        };
        assert!(reached || some.num_samples == all.num_samples, "stopped early at {some:?}");
    }
}

fn estimators<F: Float>(input: &Input) {
    let theta: Vec<F> = input.scores();
    let Ok(oracle) = input.order_statistics::<F>(theta.len()) else { return };
    let draws: Vec<F> = input.others(theta.len() * usize::from(input.num_samples).min(MOST_DRAWS));
    let Ok(sampler) = input.sampler::<F>(MOST_DRAWS, &draws, theta.len()) else { return };
    let (oracle, sampler, epsilon, key) = (&*oracle, &*sampler, input.epsilon::<F>(), input.key());
    let baseline = [Baseline::None, Baseline::Mean, Baseline::LeaveOneOut][usize::from(input.dice[2] >> 4) % 3];
    match input.dice[2] % 4 {
        0 => _ = Pathwise::new(oracle, sampler, epsilon, key).map(|estimator| keeps_promises(&estimator, &theta, input)),
        1 => _ = Conditional::new(oracle, sampler, epsilon, key).map(|estimator| keeps_promises(&estimator, &theta, input)),
        2 => _ = ScoreFunction::new(oracle, sampler, epsilon, baseline, key).map(|estimator| keeps_promises(&estimator, &theta, input)),
        _ => {
            let control = KthLargest::new(1).expect("1 is a rank");
            let Ok(expectation) = Exact::new(control, Normal, epsilon) else { return };
            let estimator = ControlVariate::new(oracle, control, expectation, sampler, epsilon, key);
            let estimator = estimator.and_then(|estimator| estimator.with_coefficient(input.factor.to()));
            _ = estimator.map(|estimator| keeps_promises(&estimator, &theta, input));
        }
    }
}

target!(estimators);
