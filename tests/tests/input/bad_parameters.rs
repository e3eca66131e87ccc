//! Bad parameters: refused when an object is made, or where only the computation finds them.

use topk_loss::estimator::Pathwise;
use topk_loss::imbalance::ldam_margins;
use topk_loss::loss::Hinge;
use topk_loss::metrics::{Frequency, FrequencyGroups, TopKCounts};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Max, Oracle, TopKSum};
use topk_loss::sampler::{GivenDraws, MonteCarlo};
use topk_loss::select::{kth_largest, rank_of};
use topk_loss::{CrossEntropy, Error, Key, Loss, Margins, Result, Smoothing, TopKHinge};
use topk_loss_laws::broken::ConstantLaw;

const SENTINEL: f64 = -7.25;

fn parameter<T>(name: &'static str, must: &'static str) -> Result<T> {
    Err(Error::Parameter { name, must })
}

const NOT_POSITIVE: [f64; 6] = [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

fn pathwise(epsilon: f64, num_samples: usize) -> Smoothing<f64> {
    Smoothing::Pathwise { epsilon, num_samples, key: Key::new(0) }
}

#[test]
fn zero_guesses_or_draws_are_refused() {
    assert_eq!(KthLargest::new(0), parameter("k", "at least 1"));
    assert_eq!(TopKSum::new(0), parameter("k", "at least 1"));
    assert_eq!(TopKHinge::<f64>::new(0), parameter("k", "at least 1"));
    assert_eq!(MonteCarlo::new(Normal, 0), parameter("num_samples", "at least 1"));
    assert_eq!(TopKHinge::new(1).and_then(|loss| loss.with_smoothing(pathwise(1.0, 0))), parameter("num_samples", "at least 1"));
}

#[test]
fn scales_must_be_positive_and_finite() {
    for x in NOT_POSITIVE {
        let must = "positive and finite";
        let sampler = MonteCarlo::new(Normal, 1).unwrap();
        assert_eq!(Pathwise::new(Max, sampler, x, Key::new(0)), parameter("epsilon", must));
        assert_eq!(TopKHinge::new(1).and_then(|loss| loss.with_smoothing(pathwise(x, 1))), parameter("epsilon", must));
        assert_eq!(TopKHinge::new(1).and_then(|loss| loss.with_scale(x)), parameter("scale", must));
        assert_eq!(Hinge::new(Max, Margins::Uniform(1.0), x), parameter("scale", must));
        let mut margins = [SENTINEL; 2];
        assert_eq!(ldam_margins(&[1, 2], x, &mut margins), parameter("max_margin", must));
        assert_eq!(margins, [SENTINEL; 2]);
    }
}

#[test]
fn margins_must_be_finite() {
    for x in NOT_FINITE {
        assert_eq!(Hinge::new(Max, Margins::Uniform(x), 1.0), parameter("margin", "finite"));
        assert_eq!(TopKHinge::new(1).and_then(|loss| loss.with_margins(Margins::Uniform(x))), parameter("margin", "finite"));
        let listed = [1.0, 1.0, x];
        let error = Error::NotFinite { what: "margins", index: 2 };
        assert_eq!(Hinge::new(Max, Margins::PerClass(&listed), 1.0), Err(error));
        assert_eq!(TopKHinge::new(1).and_then(|loss| loss.with_margins(Margins::PerClass(&listed))), Err(error));
    }
}

#[test]
fn class_counts_must_fit() {
    let mut margins = [SENTINEL; 3];
    assert_eq!(ldam_margins(&[1, 2], 0.5, &mut margins), Err(Error::Length { what: "margins", expected: 2, actual: 3 }));
    assert_eq!(ldam_margins(&[0, 0, 0], 0.5, &mut margins), parameter("counts", "positive for at least one class"));
    assert_eq!(ldam_margins(&[], 0.5, &mut []), parameter::<()>("counts", "positive for at least one class"));
    assert_eq!(margins, [SENTINEL; 3]);

    // A class without examples is not an error: it has the largest margin.
    assert_eq!(ldam_margins(&[0, 81, 0], 0.5, &mut margins), Ok(()));
    assert_eq!(margins, [0.5; 3]);
    assert_eq!(ldam_margins(&[usize::MAX, 1, 0], 0.5, &mut margins), Ok(()));
    assert_eq!(margins, [0.5_f64.powi(17), 0.5, 0.5]);
}

#[test]
fn no_score_is_an_error() {
    let none: [f64; 0] = [];
    let error = Error::Length { what: "scores", expected: 1, actual: 0 };
    assert_eq!(kth_largest(&none, 1, &mut []), Err(error));
    assert_eq!(rank_of(&none, 0), Err(error));
    assert_eq!(Max.value(&none, &mut []), Err(error));
    assert_eq!(KthLargest::new(1).unwrap().value(&none, &mut []), Err(error));
    assert_eq!(TopKSum::new(1).unwrap().value_and_add_grad(&none, 1.0, &mut [], &mut []), Err(error));
    assert_eq!(Hinge::new(Max, Margins::Uniform(1.0), 1.0).unwrap().value(&none, 0, &mut []), Err(error));
    assert_eq!(CrossEntropy.value(&none, 0, &mut []), Err(error));
    let top_k = TopKHinge::new(1).unwrap();
    assert_eq!(top_k.value(&none, 0, &mut []), Err(Error::K { k: 1, max: 0 }));
    assert_eq!(TopKCounts::new(1, &mut [], &mut [], &mut []).map(|_| ()), Err(Error::K { k: 1, max: 0 }));

    // One class leaves nothing to tell apart.
    assert_eq!(CrossEntropy.value(&[1.0], 0, &mut []), Err(Error::Length { what: "scores", expected: 2, actual: 1 }));
    assert_eq!(top_k.value(&[1.0], 0, &mut [0.0; 2]), Err(Error::K { k: 1, max: 0 }));
}

#[test]
fn given_draws_must_be_whole_and_finite() {
    let none: [f64; 0] = [];
    assert_eq!(GivenDraws::new(Normal, &none, 3), Err(Error::Length { what: "draws", expected: 3, actual: 0 }));
    assert_eq!(GivenDraws::new(Normal, &[0.0; 4], 3), Err(Error::Length { what: "draws", expected: 6, actual: 4 }));
    assert_eq!(GivenDraws::new(Normal, &[0.0; 4], 0), parameter("dim", "at least 1"));
    for x in NOT_FINITE {
        assert_eq!(GivenDraws::new(Normal, &[0.0, x], 2), Err(Error::NotFinite { what: "draws", index: 1 }));
    }
}

#[test]
fn a_law_that_returns_no_number_is_an_error() {
    for x in NOT_FINITE {
        let oracle = Pathwise::new(Max, MonteCarlo::new(ConstantLaw(x), 2).unwrap(), 1.0, Key::new(0)).unwrap();
        let (mut grad, mut scratch) = ([SENTINEL; 2], [0.0; 6]);
        let error = Error::NotFinite { what: "noise", index: 0 };
        assert_eq!(oracle.value(&[1.0, 2.0], &mut scratch), Err(error));
        assert_eq!(oracle.value_and_add_grad(&[1.0, 2.0], 1.0, &mut grad, &mut scratch), Err(error));
        let hinge = Hinge::new(oracle, Margins::Uniform(1.0), 1.0).unwrap();
        assert_eq!(hinge.value(&[1.0, 2.0], 0, &mut scratch), Err(error));
        assert_eq!(hinge.value_and_grad(&[1.0, 2.0], 0, &mut grad, &mut scratch), Err(error));
    }
}

/// Finite input whose result is not: an error too, never an infinite loss.
#[test]
fn overflow_is_an_error() {
    const HUGE: f32 = f32::MAX;
    let (scores, mut scratch) = ([HUGE, -HUGE, HUGE], [0.0; 9]);
    let overflow = |what| Err(Error::Overflow { what });
    let top_k = |scale, smoothing| TopKHinge::new(1).unwrap().with_scale(scale).unwrap().with_smoothing(smoothing).unwrap();
    assert_eq!(top_k(1.0, Smoothing::None).value(&scores, 1, &mut scratch), overflow("loss"));
    assert_eq!(top_k(10.0, Smoothing::None).value(&[HUGE / 2.0, 0.0, HUGE / 2.0], 1, &mut scratch), overflow("loss"));
    let wide = Smoothing::Pathwise { epsilon: HUGE, num_samples: 9, key: Key::new(0) };
    assert_eq!(top_k(1.0, wide).value(&[0.0; 3], 1, &mut scratch), overflow("perturbed scores"));
    assert_eq!(TopKSum::new(2).unwrap().value(&scores, &mut scratch), overflow("sum of the k largest"));
    assert_eq!(CrossEntropy.value(&scores, 1, &mut []), overflow("range of the scores"));
}

#[test]
fn metrics_of_nothing_are_none() {
    let (mut examples, mut correct, mut guessed) = ([0; 3], [0; 3], [0; 3]);
    let short = Error::Length { what: "correct", expected: 3, actual: 2 };
    assert_eq!(TopKCounts::new(1, &mut examples, &mut [0; 2], &mut guessed).map(|_| ()), Err(short));
    let long = Error::Length { what: "guessed", expected: 3, actual: 4 };
    assert_eq!(TopKCounts::new(1, &mut examples, &mut correct, &mut [0; 4]).map(|_| ()), Err(long));

    let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed).unwrap();
    let metrics = counts.metrics();
    assert_eq!((metrics.accuracy(), metrics.macro_accuracy()), (None, None));
    assert_eq!((metrics.class_accuracy(0), metrics.class_accuracy(3)), (None, None));
    assert_eq!((metrics.occupancy(0), metrics.occupancy(usize::MAX)), (None, None));
    let groups = FrequencyGroups::default();
    assert_eq!(metrics.group_accuracy(&[1, 2, 3], groups, Frequency::Few), Ok(None));
    let counts_error = Error::Length { what: "training_counts", expected: 3, actual: 2 };
    assert_eq!(metrics.group_accuracy(&[1, 2], groups, Frequency::Few), Err(counts_error));
    assert_eq!(FrequencyGroups::new(10, 11), parameter("few_below", "at most many_above"));
    assert!(FrequencyGroups::new(10, 10).is_ok());
}
