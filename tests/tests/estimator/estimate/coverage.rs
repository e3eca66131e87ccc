//! Standard errors against how far the estimates really are from the limit.

use super::*;

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
