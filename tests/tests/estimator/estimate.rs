//! Standard errors: against plain sums over single draws, and against how far the estimates really are from the limit.

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

#[derive(Debug, Clone)]
struct Case<F> {
    example: Example<F>,
    epsilon: F,
    draws: Vec<F>,
    block_len: usize,
}

impl<F: Real> Case<F> {
    fn given<'a>(&self, draws: &'a [F]) -> InBlocks<GivenDraws<'a, Normal, F>> {
        InBlocks(GivenDraws::new(Normal, draws, self.example.scores.len()).unwrap(), self.block_len)
    }

    fn num_samples(&self) -> usize {
        self.draws.len() / self.example.scores.len()
    }

    /// What is rounded: scores and noise of at most 9 standard deviations.
    fn largest(&self) -> F {
        self.example.scores.iter().fold(self.epsilon * F::from_f64(9.0), |largest, s| largest + s.abs())
    }
}

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let epsilon = prop::sample::select(vec![0.2, 1.0, 5.0]);
    (moderate_example(), epsilon, 2..=16_usize, 1..=3_usize, any::<u64>()).prop_map(
        |(example, epsilon, blocks, block_len, seed): (Example<F>, _, _, _, _)| {
            let (dim, count) = (example.scores.len(), blocks * block_len);
            let mut draws = vec![F::nan(); dim * count];
            let sampler = MonteCarlo::new(Normal, count).unwrap();
            draws.chunks_mut(dim).enumerate().for_each(|(index, z)| sampler.sample(Key::new(seed), index, z).unwrap());
            Case { example, epsilon: F::from_f64(epsilon), draws, block_len }
        },
    )
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

/// The standard errors of the mean of some terms, by two passes.
fn two_passes<F: Real>(terms: &[ValueAndGrad<F>]) -> (F, F) {
    let count = F::from_usize(terms.len());
    let spread = |entries: Vec<F>| {
        let mean = entries.iter().fold(F::zero(), |sum, &x| sum + x) / count;
        entries.iter().fold(F::zero(), |sum, &x| sum + (x - mean) * (x - mean))
    };
    let value = spread(terms.iter().map(|t| t.0).collect());
    let gradient = (0..terms[0].1.len()).fold(F::zero(), |sum, i| sum + spread(terms.iter().map(|t| t.1[i]).collect()));
    let scale = count * (count - F::one());
    ((value / scale).sqrt(), (gradient / scale).sqrt())
}

/// `whole` averages all draws, `parts` one block each; `size` bounds the gradient.
fn check<F: Real, E: Estimator<F>>(case: &Case<F>, whole: E, parts: &[E], size: F) -> core::result::Result<(), TestCaseError> {
    let scores = &case.example.scores;
    let (estimate, grad) = estimate(&whole, scores);
    let terms: Vec<_> = parts.iter().map(|part| evaluate(part, scores)).collect();
    let (value_error, gradient_error) = two_passes(&terms);
    let close = ESTIMATE.allows(estimate.standard_error, value_error, case.largest() * size);
    prop_assert!(close, "{:?}, not {}", estimate, value_error);
    let close = ESTIMATE.allows(estimate.gradient_standard_error, gradient_error, size + gradient_error);
    prop_assert!(close, "{:?}, not {}", estimate, gradient_error);
    prop_assert_eq!(estimate.num_samples, case.num_samples());

    // The estimator's own value to the last bit, and its gradient but for the order of the sum.
    let (value, expected) = evaluate(&whole, scores);
    prop_assert_eq!(estimate.value, value);
    for (&actual, &expected) in grad.iter().zip(&expected) {
        prop_assert!(ESTIMATE.allows(actual, expected, size + gradient_error), "{} instead of {}", actual, expected);
    }

    // The gradient is added, with its weight; the surplus of the scratch and its contents do not matter.
    let mut scratch = vec![F::from_f64(1e9); whole.estimate_scratch_len(scores.len()) + 3];
    let mut twice: Vec<F> = vec![F::one(); scores.len()];
    prop_assert_eq!(whole.estimate(scores, F::from_usize(2), &mut twice, &mut scratch), Ok(estimate));
    for (&actual, &once) in twice.iter().zip(&grad) {
        prop_assert!(ESTIMATE.allows(actual, F::one() + once + once, F::one() + size + gradient_error));
    }
    Ok(())
}

fn it_is_the_spread_of_the_blocks<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    let (epsilon, key) = (case.epsilon, Key::new(0));
    let (kth, sum) = (KthLargest::new(case.example.k).unwrap(), TopKSum::new(case.example.k).unwrap());
    let (whole, size) = (case.given(&case.draws), F::from_usize(case.example.k));
    let parts: Vec<_> = case.draws.chunks(case.block_len * case.example.scores.len()).map(|block| case.given(block)).collect();
    macro_rules! check {
        ($make:expr, $size:expr) => {
            let make = $make;
            let parts: Vec<_> = parts.iter().map(|&part| make(part).unwrap()).collect();
            check(&case, make(whole).unwrap(), &parts, $size)?;
        };
    }
    check!(|s| Pathwise::new(kth, s, epsilon, key), F::one());
    check!(|s| Conditional::new(sum, s, epsilon, key), size);
    check!(|s| ControlVariate::new(sum, Max, kth, s, epsilon, key), size + F::from_usize(2));
    check!(|s| ScoreFunction::new(kth, s, epsilon, Baseline::Mean, key), F::one() + case.largest() / epsilon);
    Ok(())
}

/// With leave-one-out the terms are (f_b − mean of the others) ψ_b / ε.
fn it_is_the_spread_around_the_others<F: Real>(case: Case<F>) -> core::result::Result<(), TestCaseError> {
    let (scores, epsilon, kth) = (&case.example.scores, case.epsilon, KthLargest::new(case.example.k).unwrap());
    let given = GivenDraws::new(Normal, &case.draws, scores.len()).unwrap();
    let whole = ScoreFunction::new(kth, given, epsilon, Baseline::LeaveOneOut, Key::new(0)).unwrap();
    let values: Vec<F> = case
        .draws
        .chunks(scores.len())
        .map(|z| {
            let given = GivenDraws::new(Normal, z, scores.len()).unwrap();
            evaluate(&Pathwise::new(kth, given, epsilon, Key::new(0)).unwrap(), scores).0
        })
        .collect();
    let total = values.iter().fold(F::zero(), |sum, &v| sum + v);
    let count = F::from_usize(values.len());
    let term = |(&value, z): (&F, &[F])| {
        let gain = (value - (total - value) / (count - F::one())) / epsilon;
        (value, z.iter().map(|&z| gain * Noise::<F>::score(&Normal, z)).collect())
    };
    let terms: Vec<ValueAndGrad<F>> = values.iter().zip(case.draws.chunks(scores.len())).map(term).collect();
    let (value_error, gradient_error) = two_passes(&terms);
    let (estimate, grad) = estimate(&whole, scores);
    prop_assert!(ESTIMATE.allows(estimate.standard_error, value_error, case.largest()));
    let size = F::one() + case.largest() / epsilon;
    // A square root of a difference: digits are lost where the terms nearly agree, as they may for two draws.
    let close = (estimate.gradient_standard_error.powi(2) - gradient_error.powi(2)).abs() <= F::from_f64(1e-3) * size * size;
    prop_assert!(close, "{:?}, not {}", estimate, gradient_error);
    prop_assert_eq!(evaluate(&whole, scores), (estimate.value, grad));
    Ok(())
}

both_floats! {
    it_is_the_spread_of_the_blocks in case;
    it_is_the_spread_around_the_others in case;
}

/// An expectation that is computed once.
#[derive(Debug, Clone)]
struct KnownAt(ValueAndGrad<f64>);

impl Oracle<f64> for KnownAt {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, _: &[f64], _: &mut [f64]) -> Result<f64> {
        Ok(self.0.0)
    }

    fn value_and_add_grad(&self, _: &[f64], weight: f64, grad: &mut [f64], _: &mut [f64]) -> Result<f64> {
        grad.iter_mut().zip(&self.0.1).for_each(|(entry, &g)| *entry += weight * g);
        Ok(self.0.0)
    }
}

impl FoldIn for KnownAt {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}

const SCORES: [f64; 6] = [0.9, 0.4, 0.6, 1.3, 0.5, 1.0];
const EPSILON: f64 = 0.7;

type Reported = Vec<(Estimate<f64>, Vec<f64>)>;

fn limit() -> ValueAndGrad<f64> {
    evaluate(&Exact::new(KthLargest::new(3).unwrap(), Normal, EPSILON).unwrap(), &SCORES)
}

fn reported<E: Estimator<f64> + FoldIn>(estimator: &E, num_keys: u64) -> Reported {
    (0..num_keys).map(|step| estimate(&estimator.fold_in(step), &SCORES)).collect()
}

fn assert_covers<E: Estimator<f64> + FoldIn>(estimator: &E) {
    let (limit, reported) = (limit(), reported(estimator, 20_000));
    let coverage = covers(&limit, &reported).unwrap_or_else(|miscovered| panic!("{miscovered}"));
    assert!(coverage.detectable.iter().all(|&error| error < DETECTABLE_BIAS), "{coverage:?}");
    // Power: standard errors that are off by 5 % are seen, of the value and of the gradient.
    for factor in [1.0 - DETECTABLE_BIAS, 1.0 + DETECTABLE_BIAS] {
        let spoilt = |spoil: fn(&mut Estimate<f64>, f64)| -> Reported {
            let mut reported = reported.clone();
            reported.iter_mut().for_each(|(estimate, _)| spoil(estimate, factor));
            reported
        };
        assert!(covers(&limit, &spoilt(|estimate, factor| estimate.standard_error *= factor)).is_err());
        assert!(covers(&limit, &spoilt(|estimate, factor| estimate.gradient_standard_error *= factor)).is_err());
    }
}

#[test]
fn standard_errors_cover() {
    let (third, key) = (KthLargest::new(3).unwrap(), Key::new(1));
    let sampler = MonteCarlo::new(Normal, 150).unwrap();
    assert_covers(&Pathwise::new(third, sampler, EPSILON, key).unwrap());
    assert_covers(&Conditional::new(third, sampler, EPSILON, key).unwrap());
    assert_covers(&ScoreFunction::new(third, sampler, EPSILON, Baseline::LeaveOneOut, key).unwrap());
    let twin = KthLargest::new(2).unwrap();
    let exact = Exact::new(twin, Normal, EPSILON).unwrap();
    assert_covers(&ControlVariate::new(third, twin, KnownAt(evaluate(&exact, &SCORES)), sampler, EPSILON, key).unwrap());
    let pairs = Antithetic::new(Normal, 300).unwrap();
    assert_covers(&Pathwise::new(third, pairs, EPSILON, key).unwrap());
    // Pairs taken for independent draws: their errors cancel and the spread does not show it.
    let taken_for_independent = Pathwise::new(third, InBlocks(pairs, 1), EPSILON, key).unwrap();
    let miscovered = covers(&limit(), &reported(&taken_for_independent, 2000)).unwrap_err();
    assert!(miscovered.error_ratios[0] < 0.9, "{miscovered}");
}

/// What the samplers say of their draws, by value and by reference.
#[test]
fn dependent_draws_are_known() {
    let (third, key) = (KthLargest::new(3).unwrap(), Key::new(7));
    let (pairs, lattice) = (Antithetic::new(Normal, 64).unwrap(), RandomizedLattice::new(Normal, 64).unwrap());
    let one_term = estimate(&Pathwise::new(third, &lattice, EPSILON, key).unwrap(), &SCORES).0;
    assert_eq!((one_term.standard_error, one_term.num_samples), (f64::INFINITY, 64));
    let by_value = estimate(&Pathwise::new(third, pairs, EPSILON, key).unwrap(), &SCORES);
    assert_eq!(estimate(&Pathwise::new(third, &pairs, EPSILON, key).unwrap(), &SCORES), by_value);
    let error = Error::Parameter { name: "sampler", must: "one of independent draws for the leave-one-out baseline" };
    assert_eq!(ScoreFunction::new(third, &pairs, EPSILON, Baseline::LeaveOneOut, key).map(|_| ()), Err(error));
    assert_eq!(ScoreFunction::new(third, lattice, EPSILON, Baseline::LeaveOneOut, key).map(|_| ()), Err(error));

    // A reference asks for the dimension too.
    let given = GivenDraws::new(Normal, &[0.0, 1.0], 2).unwrap();
    let by_reference = Pathwise::new(third, &given, EPSILON, key).unwrap();
    let error = Error::Length { what: "draws", expected: 6, actual: 2 };
    assert_eq!(by_reference.value(&SCORES, &mut [0.0; 12]), Err(error));
    assert_eq!(by_reference.translation(&SCORES, &mut [0.0; 12]), Err(error));
}

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
