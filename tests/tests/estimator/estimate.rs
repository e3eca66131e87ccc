//! Standard errors: against plain sums over single draws, and against how far the estimates really are from the limit.

mod coverage;
mod spread;

use proptest::prelude::*;
use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Estimate, Estimator, Exact, Pathwise, ScoreFunction, Until};
use topk_loss::noise::{Noise, Normal};
use topk_loss::oracle::{KthLargest, Max, Oracle, TopKSum};
use topk_loss::sampler::{Antithetic, GivenDraws, MonteCarlo, RandomizedLattice, Sampler};
use topk_loss::{Error, FoldIn, Key, Real, Result};
use topk_loss_laws::reference::ValueAndGrad;
use topk_loss_laws::statistics::covers;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{DETECTABLE_BIAS, ESTIMATE};
use topk_loss_laws::unbiased::evaluate;
use topk_loss_laws::{Example, both_floats};

/// Draws that come in blocks of some length.
#[derive(Debug, Clone, Copy)]
struct InBlocks<S>(S, usize);

impl<F: Real, S: Sampler<F>> Sampler<F> for InBlocks<S> {
    type Law = S::Law;

    fn law(&self) -> S::Law {
        self.0.law()
    }

    fn num_samples(&self) -> usize {
        self.0.num_samples()
    }

    fn block_len(&self) -> usize {
        self.1
    }

    fn sample(&self, key: Key, index: usize, z: &mut [F]) -> Result<()> {
        self.0.sample(key, index, z)
    }
}

fn estimate<F: Real>(estimator: &impl Estimator<F>, theta: &[F]) -> (Estimate<F>, Vec<F>) {
    let mut grad = vec![F::zero(); theta.len()];
    let mut scratch = vec![F::nan(); estimator.estimate_scratch_len(theta.len())];
    let estimate = estimator.estimate(theta, F::one(), &mut grad, &mut scratch).unwrap();
    (estimate, grad)
}

fn until<F: Real>(estimator: &impl Estimator<F>, theta: &[F], until: Until<F>) -> (Estimate<F>, Vec<F>) {
    let mut grad = vec![F::zero(); theta.len()];
    let mut scratch = vec![F::nan(); estimator.estimate_scratch_len(theta.len())];
    let estimate = estimator.estimate_until(theta, until, F::one(), &mut grad, &mut scratch).unwrap();
    (estimate, grad)
}

const SCORES: [f64; 6] = [0.9, 0.4, 0.6, 1.3, 0.5, 1.0];
const EPSILON: f64 = 0.7;

#[test]
fn drawing_stops_at_the_tolerance() {
    let (third, most) = (KthLargest::new(3).unwrap(), 4000);
    let sampler = MonteCarlo::new(Normal, most).unwrap();
    fn judge<E: Estimator<f64>>(make: impl Fn(usize) -> E, tolerances: [f64; 2]) {
        let all = estimate(&make(4000), &SCORES).0;
        let [value, gradient] = tolerances;
        type Error = fn(&Estimate<f64>) -> f64;
        let cases: [(Until<f64>, f64, Error); 2] =
            [(Until::Value(value), value, |e| e.standard_error), (Until::Gradient(gradient), gradient, |e| e.gradient_standard_error)];
        for (rule, tolerance, error) in cases {
            let (stopped, grad) = until(&make(4000), &SCORES, rule);
            assert!(error(&stopped) <= tolerance && stopped.num_samples < 4000, "{stopped:?}");
            // It is the estimate of so many draws, and one less would have been too few.
            assert_eq!((stopped, grad), estimate(&make(stopped.num_samples), &SCORES));
            assert!(error(&estimate(&make(stopped.num_samples - 1), &SCORES).0) > tolerance);
        }
        // Out of reach: all draws, and no more.
        assert_eq!(until(&make(4000), &SCORES, Until::Value(1e-12)).0, all);
        assert_eq!(until(&make(4000), &SCORES, Until::Gradient(1e-12)).0, all);
        // At once: but not before the spread means something. (The first choices may all be the same.)
        assert_eq!(until(&make(4000), &SCORES, Until::Value(1e9)).0.num_samples, Until::<f64>::MIN_BLOCKS);
    }
    let draws = |n| MonteCarlo::new(Normal, n).unwrap();
    judge(|n| Pathwise::new(third, draws(n), EPSILON, Key::new(2)).unwrap(), [0.02, 0.05]);
    judge(|n| Conditional::new(third, draws(n), EPSILON, Key::new(2)).unwrap(), [0.02, 0.02]);
    judge(|n| ScoreFunction::new(third, draws(n), EPSILON, Baseline::LeaveOneOut, Key::new(2)).unwrap(), [0.02, 0.1]);

    // Whole blocks are drawn.
    let pairs = Pathwise::new(third, InBlocks(sampler, 2), EPSILON, Key::new(3)).unwrap();
    assert_eq!(until(&pairs, &SCORES, Until::Value(1e9)).0.num_samples, 2 * Until::<f64>::MIN_BLOCKS);
    let lattice = Pathwise::new(third, InBlocks(sampler, most), EPSILON, Key::new(3)).unwrap();
    assert_eq!(until(&lattice, &SCORES, Until::Value(1e9)).0.num_samples, most);
}

#[test]
fn a_single_term_has_no_known_error() {
    let one = Pathwise::new(Max, MonteCarlo::new(Normal, 1).unwrap(), EPSILON, Key::new(4)).unwrap();
    let (estimate, _) = estimate(&one, &SCORES);
    assert_eq!((estimate.standard_error, estimate.gradient_standard_error), (f64::INFINITY, f64::INFINITY));
    assert_eq!((estimate.value, estimate.num_samples), (evaluate(&one, &SCORES).0, 1));
}

/// Beside a common offset of 1e6 the spread of `f32` values is still that of the noise.
#[test]
fn a_common_offset_leaves_the_errors() {
    let near: Vec<f32> = [3, 1, 1, 0, 2, 1, 1].iter().map(|&step| step as f32 / 16.0).collect();
    let far: Vec<f32> = near.iter().map(|s| 1e6 + s).collect();
    let (third, sampler, key) = (KthLargest::new(3).unwrap(), MonteCarlo::new(Normal, 64).unwrap(), Key::new(5));
    fn check(estimator: impl Estimator<f32>, near: &[f32], far: &[f32]) {
        let ((a, a_grad), (b, b_grad)) = (estimate(&estimator, near), estimate(&estimator, far));
        assert_eq!((a.standard_error, a.gradient_standard_error, a_grad), (b.standard_error, b.gradient_standard_error, b_grad));
    }
    check(Pathwise::new(third, sampler, 0.01_f32, key).unwrap(), &near, &far);
    check(Conditional::new(third, sampler, 0.01_f32, key).unwrap(), &near, &far);
    check(ScoreFunction::new(third, sampler, 0.01_f32, Baseline::LeaveOneOut, key).unwrap(), &near, &far);
}

#[test]
fn mistakes_are_named() {
    fn check(estimator: impl Estimator<f64>) {
        let needed = estimator.estimate_scratch_len(3);
        let (mut grad, mut scratch) = ([-7.25; 3], vec![0.0; needed]);
        let mut fails = |theta: &[f64], len: usize, scratch: &mut [f64], rule: Until<f64>| {
            let error = estimator.estimate_until(theta, rule, 1.0, &mut grad[..len], scratch).unwrap_err();
            assert_eq!(grad, [-7.25; 3]);
            error
        };
        let good = Until::Value(1.0);
        for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = Error::Parameter { name: "tolerance", must: "positive and finite" };
            assert_eq!(fails(&SCORES[..3], 3, &mut scratch, Until::Value(x)), error);
            assert_eq!(fails(&SCORES[..3], 3, &mut scratch, Until::Gradient(x)), error);
        }
        let short = Error::Length { what: "scratch", expected: needed, actual: needed - 1 };
        assert_eq!(fails(&SCORES[..3], 3, &mut scratch[1..], good), short);
        assert_eq!(fails(&SCORES[..3], 2, &mut scratch, good), Error::Length { what: "grad", expected: 3, actual: 2 });
        assert_eq!(fails(&[1.0, f64::NAN, 2.0], 3, &mut scratch, good), Error::NotFinite { what: "scores", index: 1 });
        assert_eq!(fails(&SCORES[..2], 2, &mut scratch, good), Error::K { k: 3, max: 2 });
        assert_eq!(fails(&[], 0, &mut scratch, good), Error::Length { what: "scores", expected: 1, actual: 0 });
        assert_eq!(estimator.estimate(&SCORES[..2], 1.0, &mut [0.0; 2], &mut scratch), Err(Error::K { k: 3, max: 2 }));
    }
    let (third, key) = (KthLargest::new(3).unwrap(), Key::new(6));
    for num_samples in [10, 1_000_000] {
        let sampler = MonteCarlo::new(Normal, num_samples).unwrap();
        let pathwise = Pathwise::new(third, sampler, EPSILON, key).unwrap();
        assert_eq!(pathwise.estimate_scratch_len(10), 40);
        check(pathwise);
        check(Conditional::new(third, sampler, EPSILON, key).unwrap());
        check(ControlVariate::new(third, third, third, sampler, EPSILON, key).unwrap());
        check(ScoreFunction::new(third, sampler, EPSILON, Baseline::Mean, key).unwrap());
        check(ScoreFunction::new(third, sampler, EPSILON, Baseline::LeaveOneOut, key).unwrap());
    }

    // A law that fails in the middle leaves the gradient as it was.
    let draws = [f64::MAX, 0.0, f64::MAX, 0.0];
    let overflow = Pathwise::new(Max, GivenDraws::new(Normal, &draws, 2).unwrap(), 4.0, key).unwrap();
    let mut grad = [-7.25; 2];
    let error = Err(Error::Overflow { what: "perturbed scores" });
    assert_eq!(overflow.estimate(&[0.0, 1.0], 1.0, &mut grad, &mut [0.0; 8]), error);
    let spread = Pathwise::new(Max, GivenDraws::new(Normal, &[1e300, 0.0, 0.0, 0.0], 2).unwrap(), 1.0, key).unwrap();
    let error = Err(Error::Overflow { what: "standard error" });
    assert_eq!(spread.estimate(&[0.0, 1.0], 1.0, &mut grad, &mut [0.0; 8]), error);
    assert_eq!(grad, [-7.25; 2]);
}
