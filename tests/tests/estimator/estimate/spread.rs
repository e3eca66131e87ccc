//! Standard errors against plain sums over single draws.

use super::*;

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
