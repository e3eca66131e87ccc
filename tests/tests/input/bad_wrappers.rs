//! Bad input to what wraps a loss, and bad targets: the error names what was wrong, and the caller's gradient stays as it was.

use proptest::prelude::*;
use topk_loss::imbalance::log_priors;
use topk_loss::loss::{ClassWeighted, ExpectedLoss, Focal, Ldam, LogitAdjusted, SoftLabelLoss, TopKSvm, TopKSvmForm};
use topk_loss::{CrossEntropy, Error, Loss, Margins, Real};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::{Example, both_floats};

fn sentinel<F: Real>() -> F {
    F::from_f64(-7.25)
}

fn parameter<T>(name: &'static str, must: &'static str) -> topk_loss::Result<T> {
    Err(Error::Parameter { name, must })
}

/// A call that fails with or without a gradient, and leaves the gradient alone.
fn error_of<F: Real>(value: topk_loss::Result<F>, grad: &mut [F], value_and_grad: impl FnOnce(&mut [F]) -> topk_loss::Result<F>) -> Error {
    grad.fill(sentinel());
    let error = value_and_grad(grad).unwrap_err();
    assert!(grad.iter().all(|&g| g == sentinel()), "the gradient was touched");
    assert_eq!(value, Err(error));
    error
}

fn loss_error<F: Real>(loss: &impl Loss<F>, scores: &[F], label: usize) -> Error {
    let (mut grad, mut scratch) = (scores.to_vec(), vec![F::zero(); loss.scratch_len(scores.len())]);
    let value = loss.value(scores, label, &mut scratch);
    error_of(value, &mut grad, |grad| loss.value_and_grad(scores, label, grad, &mut scratch))
}

fn soft_error<F: Real>(loss: &dyn SoftLabelLoss<F>, scores: &[F], target: &[F]) -> Error {
    let (mut grad, mut scratch) = (scores.to_vec(), vec![F::zero(); loss.soft_scratch_len(scores.len())]);
    let value = loss.soft_value(scores, target, &mut scratch);
    error_of(value, &mut grad, |grad| loss.soft_value_and_grad(scores, target, grad, &mut scratch))
}

fn soft_losses<'a, F: Real>(adjustments: &'a [F]) -> [Box<dyn SoftLabelLoss<F> + 'a>; 4] {
    let svm = TopKSvm::new(1, TopKSvmForm::MeanInside).unwrap();
    [
        Box::new(CrossEntropy),
        Box::new(ExpectedLoss::new(svm)),
        Box::new(LogitAdjusted::new(CrossEntropy, adjustments).unwrap()),
        Box::new(LogitAdjusted::new(ExpectedLoss::new(CrossEntropy), adjustments).unwrap()),
    ]
}

fn one_hot<F: Real>(len: usize, label: usize) -> Vec<F> {
    (0..len).map(|class| if class == label { F::one() } else { F::zero() }).collect()
}

fn wrappers_pass_errors_on<F: Real>(Example { mut scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let num_classes = scores.len();
    let ones = vec![F::one(); num_classes];
    let (weighted, adjusted) = (ClassWeighted::new(CrossEntropy, &ones).unwrap(), LogitAdjusted::new(CrossEntropy, &ones).unwrap());
    for label in [num_classes, usize::MAX] {
        let error = Error::Label { label, num_classes };
        prop_assert_eq!(loss_error(&weighted, &scores, label), error);
        prop_assert_eq!(loss_error(&adjusted, &scores, label), error);
    }
    scores[label] = F::nan();
    let error = Error::NotFinite { what: "scores", index: label };
    prop_assert_eq!(loss_error(&weighted, &scores, label), error);
    prop_assert_eq!(loss_error(&adjusted, &scores, label), error);
    for loss in soft_losses(&ones) {
        prop_assert_eq!(soft_error(&*loss, &scores, &one_hot(num_classes, label)), error);
    }
    Ok(())
}

fn a_wrong_length_is_named<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let expected = scores.len();
    let ones = vec![F::one(); expected];
    for actual in [0, expected - 1, expected + 1] {
        let wrong = vec![F::one(); actual];
        let error = |what| Error::Length { what, expected, actual };
        prop_assert_eq!(loss_error(&ClassWeighted::new(CrossEntropy, &wrong).unwrap(), &scores, label), error("weights"));
        prop_assert_eq!(loss_error(&LogitAdjusted::new(CrossEntropy, &wrong).unwrap(), &scores, label), error("adjustments"));
        let mut grad = vec![sentinel(); actual];
        for loss in soft_losses(&ones) {
            prop_assert_eq!(soft_error(&*loss, &scores, &wrong), error("target"));
            let mut scratch = vec![F::zero(); loss.soft_scratch_len(expected)];
            let result = loss.soft_value_and_grad(&scores, &one_hot(expected, label), &mut grad, &mut scratch);
            prop_assert_eq!(result, Err(error("grad")));
            prop_assert!(grad.iter().all(|&g| g == sentinel()));
        }
    }
    let mut grad = vec![sentinel(); expected];
    for loss in soft_losses(&ones) {
        if let Some(actual) = loss.soft_scratch_len(expected).checked_sub(1) {
            let error = Error::Length { what: "scratch", expected: actual + 1, actual };
            let (target, mut scratch) = (one_hot(expected, label), vec![F::zero(); actual]);
            prop_assert_eq!(loss.soft_value(&scores, &target, &mut scratch), Err(error));
            prop_assert_eq!(loss.soft_value_and_grad(&scores, &target, &mut grad, &mut scratch), Err(error));
            prop_assert!(grad.iter().all(|&g| g == sentinel()));
        }
    }
    Ok(())
}

fn a_target_that_is_no_distribution_is_named<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let len = scores.len();
    let ones = vec![F::one(); len];
    let other = (label + 1) % len;
    let with = |own: F, others: F| {
        let mut target = one_hot(len, label);
        (target[label], target[other]) = (own, others);
        target
    };
    let (half, slack) = (F::from_f64(0.5), F::epsilon() * F::from_usize(2 * len));
    let not_1 = Error::Parameter { name: "target", must: "of entries that sum to 1" };
    let negative = Error::Parameter { name: "target", must: "of entries that are at least 0" };
    let not_finite = Error::NotFinite { what: "target", index: other };
    for loss in soft_losses(&ones) {
        prop_assert_eq!(soft_error(&*loss, &scores, &vec![F::zero(); len]), not_1);
        prop_assert_eq!(soft_error(&*loss, &scores, &with(half, half + slack + slack)), not_1);
        prop_assert_eq!(soft_error(&*loss, &scores, &with(half, half - slack - slack)), not_1);
        prop_assert_eq!(soft_error(&*loss, &scores, &with(F::one() + half, -half)), negative);
        for bad in [F::nan(), F::infinity(), F::neg_infinity()] {
            prop_assert_eq!(soft_error(&*loss, &scores, &with(F::one(), bad)), not_finite);
        }
        // What rounding may have done is forgiven.
        let mut scratch = vec![F::zero(); loss.soft_scratch_len(len)];
        prop_assert!(loss.soft_value(&scores, &with(half, half - F::epsilon()), &mut scratch).is_ok());
    }
    Ok(())
}

both_floats! {
    wrappers_pass_errors_on in moderate_example;
    a_wrong_length_is_named in moderate_example;
    a_target_that_is_no_distribution_is_named in moderate_example;
}

#[test]
fn parameters_outside_their_domain_are_refused() {
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Focal::new(x), parameter("gamma", "at least 0 and finite"));
        assert_eq!(Ldam::new(Margins::Uniform(x), 1.0), parameter("margin", "finite"));
        assert_eq!(Ldam::new(Margins::Uniform(1.0), x), parameter("scale", "positive and finite"));
        assert_eq!(
            TopKSvm::new(1, TopKSvmForm::KthOther).and_then(|loss| loss.with_margins(Margins::Uniform(x))),
            parameter("margin", "finite")
        );
        assert_eq!(TopKSvm::new(1, TopKSvmForm::KthOther).and_then(|loss| loss.with_scale(x)), parameter("scale", "positive and finite"));
        let listed = [1.0, x];
        assert_eq!(Ldam::new(Margins::PerClass(&listed), 1.0), Err(Error::NotFinite { what: "margins", index: 1 }));
        assert_eq!(ClassWeighted::new(CrossEntropy, &listed), Err(Error::NotFinite { what: "weights", index: 1 }));
        assert_eq!(LogitAdjusted::new(CrossEntropy, &listed), Err(Error::NotFinite { what: "adjustments", index: 1 }));
    }
    assert_eq!(Focal::new(-0.5), parameter("gamma", "at least 0 and finite"));
    assert_eq!(ClassWeighted::new(CrossEntropy, &[1.0, -0.5]), parameter("weights", "of entries that are at least 0"));
    assert_eq!(TopKSvm::<f64>::new(0, TopKSvmForm::KthOther), parameter("k", "at least 1"));
    for scale in [0.0, -1.0] {
        assert_eq!(Ldam::new(Margins::Uniform(1.0), scale), parameter("scale", "positive and finite"));
        assert_eq!(
            TopKSvm::new(1, TopKSvmForm::KthOther).and_then(|loss| loss.with_scale(scale)),
            parameter("scale", "positive and finite")
        );
    }
}

#[test]
fn priors_need_an_example_of_every_class() {
    let mut priors = [sentinel::<f64>(); 3];
    for counts in [[0, 1, 2], [1, 2, 0], [0; 3]] {
        assert_eq!(log_priors(&counts, 1.0, &mut priors), parameter("counts", "positive for every class"));
    }
    assert_eq!(log_priors::<f64>(&[], 1.0, &mut []), parameter("counts", "positive for every class"));
    assert_eq!(log_priors(&[1, 2], 1.0, &mut priors), Err(Error::Length { what: "adjustments", expected: 2, actual: 3 }));
    for temperature in [f64::NAN, f64::INFINITY] {
        assert_eq!(log_priors(&[1, 2, 3], temperature, &mut priors), parameter("temperature", "finite"));
    }
    assert_eq!(log_priors(&[1, 2, 3], f64::MAX, &mut priors), Err(Error::Overflow { what: "adjustments" }));
    assert_eq!(priors, [sentinel(); 3]);
    assert_eq!(log_priors(&[usize::MAX; 3], 1.0, &mut priors), Ok(()));
    assert!((priors[0] + 3.0_f64.ln()).abs() < 1e-15);
}

/// Finite input whose result is not: an error too, never an infinite loss.
#[test]
fn overflow_is_an_error() {
    const HUGE: f32 = f32::MAX;
    let overflow = |what| Error::Overflow { what };
    let (scores, near) = ([HUGE, -HUGE, HUGE], [0.0, 1.0, 2.0]);
    assert_eq!(loss_error(&Focal::new(2.0).unwrap(), &scores, 1), overflow("range of the scores"));
    assert_eq!(loss_error(&Ldam::new(Margins::Uniform(0.5), 1.0).unwrap(), &scores, 1), overflow("scaled scores"));
    assert_eq!(loss_error(&Ldam::new(Margins::Uniform(0.5), HUGE).unwrap(), &near, 1), overflow("scaled scores"));
    assert_eq!(loss_error(&Ldam::new(Margins::Uniform(HUGE), 30.0).unwrap(), &near, 1), overflow("scaled scores"));
    assert_eq!(loss_error(&LogitAdjusted::new(CrossEntropy, &scores).unwrap(), &scores, 1), overflow("adjusted scores"));
    assert_eq!(soft_error(&CrossEntropy, &scores, &[0.5, 0.5, 0.0]), overflow("range of the scores"));
    for form in [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside] {
        assert_eq!(loss_error(&TopKSvm::new(2, form).unwrap(), &scores, 1), overflow("loss"));
        assert_eq!(loss_error(&TopKSvm::new(2, form).unwrap().with_scale(HUGE).unwrap(), &near, 0), overflow("loss"));
    }

    // Only the weighting finds this one, so the gradient is unspecified.
    let weighted = ClassWeighted::new(CrossEntropy, &[HUGE; 3]).unwrap();
    assert_eq!(weighted.value_and_grad(&[0.0, 0.0, 9.0], 0, &mut [0.0; 3], &mut []), Err(overflow("loss")));
}
