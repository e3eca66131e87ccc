//! Bad input to every public function: the error names what was wrong, and the caller's buffers stay as they were.

use proptest::prelude::*;
use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Pathwise, ScoreFunction};
use topk_loss::loss::{Focal, Hinge, Ldam, TopKSvm, TopKSvmForm};
use topk_loss::metrics::TopKCounts;
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Max, Oracle, TopKSum};
use topk_loss::sampler::{GivenDraws, MonteCarlo, Sampler};
use topk_loss::select::{kth_largest, rank_of};
use topk_loss::{CrossEntropy, Error, Key, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::{Example, both_floats};

/// What the buffers hold before a call, and must hold after an error.
fn sentinel<F: Real>() -> F {
    F::from_f64(-7.25)
}

fn noise<O, F: Real>(oracle: O) -> Pathwise<O, MonteCarlo<Normal>, F> {
    Pathwise::new(oracle, MonteCarlo::new(Normal, 3).unwrap(), F::one(), Key::new(0)).unwrap()
}

fn oracles<F: Real>(k: usize) -> Vec<Box<dyn Oracle<F>>> {
    let (kth, sum) = (KthLargest::new(k).unwrap(), TopKSum::new(k).unwrap());
    let (sampler, one, key) = (MonteCarlo::new(Normal, 3).unwrap(), F::one(), Key::new(0));
    let score = |baseline| ScoreFunction::new(kth, sampler, one, baseline, key).unwrap();
    vec![
        Box::new(kth),
        Box::new(sum),
        Box::new(noise(kth)),
        Box::new(noise(sum)),
        Box::new(Conditional::new(kth, sampler, one, key).unwrap()),
        Box::new(Conditional::new(sum, sampler, one, key).unwrap()),
        Box::new(score(Baseline::None)),
        Box::new(score(Baseline::Mean)),
        Box::new(score(Baseline::LeaveOneOut)),
        Box::new(ControlVariate::new(sum, kth, noise(kth), sampler, one, key).unwrap()),
    ]
}

/// Top-K hinges, then losses for which K means nothing.
fn losses<'a, F: Real>(k: usize, margins: Margins<'a, F>) -> [Vec<Box<dyn Loss<F> + 'a>>; 2] {
    let smoothing = Smoothing::Pathwise { epsilon: F::one(), num_samples: 3, key: Key::new(0) };
    let top_k = |smoothing| Box::new(TopKHinge::new(k).unwrap().with_margins(margins).unwrap().with_smoothing(smoothing).unwrap());
    let max = Hinge::new(Max, margins, F::one()).unwrap();
    let smoothed_max = Hinge::new(noise(Max), margins, F::one()).unwrap();
    let svm = |form| Box::new(TopKSvm::new(k, form).unwrap().with_margins(margins).unwrap());
    let ldam = Ldam::new(margins, F::one()).unwrap();
    [
        vec![top_k(Smoothing::None), top_k(smoothing), svm(TopKSvmForm::KthOther), svm(TopKSvmForm::MeanWithLabel)],
        vec![Box::new(max), Box::new(smoothed_max), Box::new(ldam)],
    ]
}

/// Losses without margins.
fn softmax_losses<F: Real>() -> Vec<Box<dyn Loss<F>>> {
    vec![Box::new(CrossEntropy), Box::new(Focal::new(F::one()).unwrap())]
}

/// The error of an oracle, the same whether a gradient is asked for or not.
fn oracle_error<F: Real>(oracle: &dyn Oracle<F>, theta: &[F]) -> Error {
    let (mut grad, mut scratch) = (vec![sentinel(); theta.len()], vec![F::zero(); oracle.scratch_len(theta.len())]);
    let error = oracle.value_and_add_grad(theta, F::one(), &mut grad, &mut scratch).unwrap_err();
    assert!(grad.iter().all(|&g| g == sentinel()), "the gradient was touched");
    assert_eq!(oracle.value(theta, &mut scratch), Err(error));
    assert_eq!(oracle.translation(theta, &mut scratch), Err(error));
    error
}

/// The error of a loss, the same whether a gradient is asked for or not.
fn loss_error<F: Real>(loss: &dyn Loss<F>, scores: &[F], label: usize) -> Error {
    let (mut grad, mut scratch) = (vec![sentinel(); scores.len()], vec![F::zero(); loss.scratch_len(scores.len())]);
    let error = loss.value_and_grad(scores, label, &mut grad, &mut scratch).unwrap_err();
    assert!(grad.iter().all(|&g| g == sentinel()), "the gradient was touched");
    assert_eq!(loss.value(scores, label, &mut scratch), Err(error));
    error
}

fn counts_error<F: Real>(k: usize, num_classes: usize, scores: &[F], label: usize, scratch: usize) -> Error {
    let mut counts = [vec![3; num_classes], vec![2; num_classes], vec![4; num_classes]];
    let before = counts.clone();
    let [examples, correct, guessed] = &mut counts;
    let error =
        TopKCounts::new(k, examples, correct, guessed).and_then(|mut counts| counts.add(scores, label, &mut vec![F::zero(); scratch]));
    assert_eq!(counts, before, "the counts were touched");
    error.unwrap_err()
}

/// An example with a score that is no number, and where the first such stands.
fn poisoned<F: Real>() -> impl Strategy<Value = (Example<F>, usize)> {
    let bad = prop::sample::select(vec![F::nan(), F::infinity(), F::neg_infinity()]);
    (moderate_example(), any::<prop::sample::Index>(), bad).prop_map(|(mut example, place, bad): (Example<F>, _, _)| {
        let index = place.index(example.scores.len());
        let last = example.scores.len() - 1;
        (example.scores[index], example.scores[last]) = (bad, bad);
        (example, index)
    })
}

fn a_score_that_is_no_number_is_named<F: Real>((Example { scores, label, k }, index): (Example<F>, usize)) -> Result<(), TestCaseError> {
    let (num_classes, error) = (scores.len(), Error::NotFinite { what: "scores", index });
    prop_assert_eq!(kth_largest(&scores, k, &mut vec![F::zero(); num_classes]), Err(error));
    prop_assert_eq!(rank_of(&scores, label), Err(error));
    prop_assert_eq!(counts_error(k, num_classes, &scores, label, num_classes), error);
    for oracle in oracles(k) {
        prop_assert_eq!(oracle_error(&*oracle, &scores), error);
    }
    prop_assert_eq!(oracle_error(&Max, &scores), error);
    for loss in losses(k, Margins::Uniform(F::one())).iter().chain([&softmax_losses()]).flatten() {
        prop_assert_eq!(loss_error(&**loss, &scores, label), error);
    }
    Ok(())
}

fn a_rank_that_does_not_exist_is_named<F: Real>(Example { scores, label, .. }: Example<F>) -> Result<(), TestCaseError> {
    let num_classes = scores.len();
    for k in [num_classes + 1, usize::MAX] {
        let error = Error::K { k, max: num_classes };
        prop_assert_eq!(kth_largest(&scores, k, &mut vec![F::zero(); num_classes]), Err(error));
        for oracle in oracles(k) {
            prop_assert_eq!(oracle_error(&*oracle, &scores), error);
        }
    }
    prop_assert_eq!(kth_largest(&scores, 0, &mut vec![F::zero(); num_classes]), Err(Error::K { k: 0, max: num_classes }));
    prop_assert_eq!(counts_error(0, num_classes, &scores, label, num_classes), Error::K { k: 0, max: num_classes - 1 });
    for k in [num_classes, usize::MAX] {
        let error = Error::K { k, max: num_classes - 1 };
        prop_assert_eq!(counts_error(k, num_classes, &scores, label, num_classes), error);
        for loss in &losses(k, Margins::Uniform(F::one()))[0] {
            prop_assert_eq!(loss_error(&**loss, &scores, label), error);
        }
    }
    Ok(())
}

fn a_label_that_is_no_class_is_named<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    let num_classes = scores.len();
    for label in [num_classes, usize::MAX] {
        let error = Error::Label { label, num_classes };
        prop_assert_eq!(rank_of(&scores, label), Err(error));
        prop_assert_eq!(counts_error(k, num_classes, &scores, label, num_classes), error);
        for loss in losses(k, Margins::Uniform(F::one())).iter().chain([&softmax_losses()]).flatten() {
            prop_assert_eq!(loss_error(&**loss, &scores, label), error);
        }
    }
    Ok(())
}

fn a_wrong_length_is_named<F: Real>(Example { scores, label, k }: Example<F>) -> Result<(), TestCaseError> {
    let num_classes = scores.len();
    let short = |expected| Error::Length { what: "scratch", expected, actual: expected - 1 };
    prop_assert_eq!(kth_largest(&scores, k, &mut vec![F::zero(); num_classes - 1]), Err(short(num_classes)));
    prop_assert_eq!(counts_error(k, num_classes, &scores, label, num_classes - 1), short(num_classes));
    let error = Error::Length { what: "scores", expected: num_classes + 1, actual: num_classes };
    prop_assert_eq!(counts_error(k, num_classes + 1, &scores, label, num_classes + 1), error);

    let wrong_grads = [0, num_classes - 1, num_classes + 1].map(|actual| (vec![sentinel::<F>(); actual], num_classes, actual));
    for oracle in oracles(k) {
        let needed = oracle.scratch_len(num_classes);
        let mut grad = vec![sentinel(); num_classes];
        let mut scratch = vec![F::zero(); needed - 1];
        prop_assert_eq!(oracle.value(&scores, &mut scratch), Err(short(needed)));
        prop_assert_eq!(oracle.value_and_add_grad(&scores, F::one(), &mut grad, &mut scratch), Err(short(needed)));
        prop_assert!(grad.iter().all(|&g| g == sentinel()));
        for (mut grad, expected, actual) in wrong_grads.clone() {
            let result = oracle.value_and_add_grad(&scores, F::one(), &mut grad, &mut vec![F::zero(); needed]);
            prop_assert_eq!(result, Err(Error::Length { what: "grad", expected, actual }));
            prop_assert!(grad.iter().all(|&g| g == sentinel()));
        }
    }
    for loss in losses(k, Margins::Uniform(F::one())).iter().chain([&softmax_losses()]).flatten() {
        let needed = loss.scratch_len(num_classes);
        if let Some(too_short) = needed.checked_sub(1) {
            let (mut grad, mut scratch) = (vec![sentinel(); num_classes], vec![F::zero(); too_short]);
            prop_assert_eq!(loss.value(&scores, label, &mut scratch), Err(short(needed)));
            prop_assert_eq!(loss.value_and_grad(&scores, label, &mut grad, &mut scratch), Err(short(needed)));
            prop_assert!(grad.iter().all(|&g| g == sentinel()));
        }
        for (mut grad, expected, actual) in wrong_grads.clone() {
            let result = loss.value_and_grad(&scores, label, &mut grad, &mut vec![F::zero(); needed]);
            prop_assert_eq!(result, Err(Error::Length { what: "grad", expected, actual }));
            prop_assert!(grad.iter().all(|&g| g == sentinel()));
        }
    }
    for actual in [0, num_classes - 1, num_classes + 1] {
        let margins = vec![F::one(); actual];
        for loss in losses(k, Margins::PerClass(&margins)).iter().flatten() {
            let error = Error::Length { what: "margins", expected: num_classes, actual };
            prop_assert_eq!(loss_error(&**loss, &scores, label), error);
        }
    }
    Ok(())
}

/// Draws of another dimension are found before anything is written.
fn draws_that_do_not_fit_are_named<F: Real>(Example { scores, label, k }: Example<F>) -> Result<(), TestCaseError> {
    let (num_classes, dim) = (scores.len(), scores.len() + 1);
    let draws = vec![F::one(); 2 * dim];
    let given = GivenDraws::new(Normal, &draws, dim).unwrap();
    let oracle = Pathwise::new(KthLargest::new(k).unwrap(), given, F::one(), Key::new(0)).unwrap();
    let error = Error::Length { what: "draws", expected: num_classes, actual: dim };
    prop_assert_eq!(oracle_error(&oracle, &scores), error);
    prop_assert_eq!(loss_error(&Hinge::new(oracle, Margins::Uniform(F::one()), F::one()).unwrap(), &scores, label), error);

    let mut z = vec![sentinel(); num_classes];
    prop_assert_eq!(given.sample(Key::new(0), 0, &mut z), Err(Error::Length { what: "z", expected: dim, actual: num_classes }));
    let mut z = vec![sentinel(); dim];
    prop_assert_eq!(given.sample(Key::new(0), 2, &mut z), Err(Error::Parameter { name: "index", must: "below the number of draws" }));
    prop_assert!(z.iter().all(|&z| z == sentinel()));
    Ok(())
}

both_floats! {
    a_score_that_is_no_number_is_named in poisoned;
    a_rank_that_does_not_exist_is_named in moderate_example;
    a_label_that_is_no_class_is_named in moderate_example;
    a_wrong_length_is_named in moderate_example;
    draws_that_do_not_fit_are_named in moderate_example;
}
