//! Bad input to perturbed optimizers and losses under noise: the error names what was wrong, and the outputs stay as they were.

use topk_loss::loss::{Hinge, MeanOfHinge, SmoothedLoss};
use topk_loss::maximizer::{Maximizer, PerturbedArgmax, Ranking, TopKMask};
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::{KthLargest, Max, Oracle, SupportFunction, Translation};
use topk_loss::sampler::{GivenDraws, MonteCarlo, Sampler};
use topk_loss::{CrossEntropy, Error, Key, Loss, Margins, Real, Result};
use topk_loss_laws::problems::ShortestPath;

const SENTINEL: f64 = -7.25;
const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const THETA: [f64; 3] = [0.5, 1.0, 2.0];
const LAW: Error = Error::Parameter { name: "law", must: "of a density without jumps, for products with the Jacobian" };

type Drawn<M, N> = PerturbedArgmax<M, MonteCarlo<N>, f64>;

fn drawn<M, N: Noise<f64>>(maximizer: M, law: N) -> Drawn<M, N> {
    PerturbedArgmax::new(maximizer, MonteCarlo::new(law, 3).unwrap(), 0.5, Key::new(0)).unwrap()
}

/// The errors of the expected argmax, J v and Jᵀw, which leave their outputs alone.
fn errors<M: Maximizer<f64>, S: Sampler<f64>>(soft: &PerturbedArgmax<M, S, f64>, theta: &[f64]) -> [Option<Error>; 3] {
    let vector = vec![1.0; theta.len()];
    let mut outs = [(); 3].map(|()| vec![SENTINEL; theta.len()]);
    let mut scratch = vec![0.0; soft.scratch_len(theta.len())];
    let [y, jvp, vjp] = &mut outs;
    let results = [
        soft.expected_argmax(theta, y, &mut scratch),
        soft.jvp(theta, &vector, jvp, &mut scratch),
        soft.vjp(theta, &vector, vjp, &mut scratch),
    ];
    for (result, out) in results.iter().zip(&outs) {
        assert_eq!(result.is_err(), out.iter().all(|&x| x == SENTINEL), "{result:?} {out:?}");
    }
    results.map(Result::err)
}

#[test]
fn perturbed_argmax_names_bad_input() {
    let soft = drawn(TopKMask::new(2).unwrap(), Normal);
    assert_eq!(errors(&soft, &THETA), [None; 3]);
    for x in NOT_FINITE {
        assert_eq!(errors(&soft, &[0.5, x, 2.0]), [Some(Error::NotFinite { what: "scores", index: 1 }); 3]);
    }
    assert_eq!(errors(&soft, &[]), [Some(Error::Length { what: "scores", expected: 1, actual: 0 }); 3]);
    assert_eq!(errors(&soft, &[1.0]), [Some(Error::K { k: 2, max: 1 }); 3]);
    assert_eq!(errors(&drawn(ShortestPath { columns: 2 }, Normal), &THETA).map(|e| e.is_some()), [true; 3]);
    let draws = [0.0; 8];
    let given = PerturbedArgmax::new(Ranking, GivenDraws::new(Normal, &draws, 4).unwrap(), 0.5, Key::new(0)).unwrap();
    assert_eq!(errors(&given, &THETA), [Some(Error::Length { what: "draws", expected: 3, actual: 4 }); 3]);

    let (mut out, mut scratch) = ([SENTINEL; 3], [0.0; 30]);
    let needed = soft.scratch_len(3);
    let short = Err(Error::Length { what: "scratch", expected: needed, actual: needed - 1 });
    assert_eq!(soft.expected_argmax(&THETA, &mut out, &mut scratch[..needed - 1]), short);
    assert_eq!(soft.jvp(&THETA, &THETA, &mut out, &mut scratch[..needed - 1]), short);
    assert_eq!(soft.vjp(&THETA, &THETA, &mut out, &mut scratch[..needed - 1]), short);
    let length = |what| Err(Error::Length { what, expected: 3, actual: 2 });
    assert_eq!(soft.expected_argmax(&THETA, &mut out[..2], &mut scratch), length("y"));
    assert_eq!(soft.jvp(&THETA, &THETA, &mut out[..2], &mut scratch), length("product"));
    assert_eq!(soft.vjp(&THETA, &THETA, &mut out[..2], &mut scratch), length("product"));
    assert_eq!(soft.jvp(&THETA, &THETA[..2], &mut out, &mut scratch), length("v"));
    assert_eq!(soft.vjp(&THETA, &THETA[..2], &mut out, &mut scratch), length("w"));
    for x in NOT_FINITE {
        assert_eq!(soft.jvp(&THETA, &[x, 0.0, 0.0], &mut out, &mut scratch), Err(Error::NotFinite { what: "v", index: 0 }));
        assert_eq!(soft.vjp(&THETA, &[0.0, 0.0, x], &mut out, &mut scratch), Err(Error::NotFinite { what: "w", index: 2 }));
    }
    assert_eq!(out, [SENTINEL; 3]);
}

/// A law of the user's own: an exponential one, whose density jumps, or one that is broken in its quantile or its score alone.
#[derive(Debug, Clone, Copy)]
enum Odd {
    Exponential,
    Quantile(f64),
    Score(f64),
}

impl Noise<f64> for Odd {
    fn quantile(&self, p: f64) -> f64 {
        match *self {
            Self::Exponential => -(-p).ln_1p(),
            Self::Quantile(x) => x,
            Self::Score(_) => Normal.quantile(p),
        }
    }
    fn cdf(&self, z: f64) -> f64 {
        1.0 - self.survival(z)
    }
    fn survival(&self, z: f64) -> f64 {
        self.pdf(z)
    }
    fn pdf(&self, z: f64) -> f64 {
        if matches!(self, Self::Exponential) { (-z).exp() } else { Normal.pdf(z) }
    }
    fn score(&self, _: f64) -> f64 {
        if let Self::Score(x) = *self { x } else { 1.0 }
    }
}

/// Whether a law's products with the Jacobian are refused, in both floats; its expected argmax never is.
fn refused(law: impl Noise<f32> + Noise<f64>) -> bool {
    fn in_one<F: Real>(law: impl Noise<F>) -> bool {
        let soft = PerturbedArgmax::new(Ranking, MonteCarlo::new(law, 3).unwrap(), F::one(), Key::new(0)).unwrap();
        let (theta, mut out, mut scratch) = ([F::zero(), F::one()], [F::zero(); 2], [F::zero(); 10]);
        assert_eq!(soft.expected_argmax(&theta, &mut out, &mut scratch), Ok(()));
        let results = [soft.jvp(&theta, &theta, &mut out, &mut scratch), soft.vjp(&theta, &theta, &mut out, &mut scratch)];
        assert!(results == [Ok(()); 2] || results == [Err(LAW); 2], "{results:?}");
        results[0].is_err()
    }
    let (narrow, wide) = (in_one::<f32>(law), in_one::<f64>(law));
    assert_eq!(narrow, wide);
    wide
}

#[test]
fn a_density_that_jumps_has_no_score_identity() {
    assert!(!refused(Normal) && !refused(Gumbel) && !refused(Logistic) && !refused(Laplace));
    assert!(refused(Uniform));
    assert_eq!(errors(&drawn(Ranking, Odd::Exponential), &THETA), [None, Some(LAW), Some(LAW)]);
}

#[test]
fn a_law_that_returns_no_number_is_an_error() {
    let (mut out, mut scratch) = ([SENTINEL; 3], [0.0; 30]);
    for x in NOT_FINITE {
        let soft = drawn(Ranking, Odd::Quantile(x));
        let noise = Error::NotFinite { what: "noise", index: 0 };
        assert_eq!(soft.expected_argmax(&THETA, &mut out, &mut scratch), Err(noise));
        assert_eq!(soft.jvp(&THETA, &THETA, &mut out, &mut scratch), Err(noise));
        assert_eq!(soft.vjp(&THETA, &THETA, &mut out, &mut scratch), Err(noise));
        let soft = drawn(Ranking, Odd::Score(x));
        let score = Error::NotFinite { what: "score of the law", index: 0 };
        assert_eq!(soft.jvp(&THETA, &THETA, &mut out, &mut scratch), Err(score));
        assert_eq!(soft.vjp(&THETA, &THETA, &mut out, &mut scratch), Err(score));

        let sampler = MonteCarlo::new(Odd::Quantile(x), 2).unwrap();
        let hinge = MeanOfHinge::new(Max, sampler, 1.0, Key::new(0)).unwrap();
        let smoothed = SmoothedLoss::new(CrossEntropy, sampler, 1.0, Key::new(0)).unwrap();
        assert_eq!(hinge.value(&THETA, 0, &mut scratch), Err(noise));
        assert_eq!(hinge.value_and_grad(&THETA, 0, &mut out, &mut scratch), Err(noise));
        assert_eq!(smoothed.value(&THETA, 0, &mut scratch), Err(noise));
        assert_eq!(smoothed.value_and_grad(&THETA, 0, &mut out, &mut scratch), Err(noise));
    }
}

/// A maximizer of the user's own that goes wrong.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Forgets,
    Writes(f64),
    Refuses,
}

const REFUSAL: Error = Error::Parameter { name: "theta", must: "feasible" };

impl Maximizer<f64> for Wrong {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }
    fn argmax(&self, theta: &[f64], y: &mut [f64], _: &mut [f64]) -> Result<()> {
        (y[0], y[2]) = (theta[0], theta[2]);
        match *self {
            Self::Forgets => Ok(()),
            Self::Writes(x) => {
                y[1] = x;
                Ok(())
            }
            Self::Refuses => Err(REFUSAL),
        }
    }
}

#[test]
fn a_maximizer_that_goes_wrong_is_an_error() {
    let not_finite = Error::NotFinite { what: "argmax", index: 1 };
    let cases = [(Wrong::Forgets, not_finite), (Wrong::Writes(f64::INFINITY), not_finite), (Wrong::Refuses, REFUSAL)];
    for (maximizer, error) in cases {
        assert_eq!(errors(&drawn(maximizer, Normal), &THETA), [Some(error); 3]);
        let (oracle, mut grad, mut scratch) = (SupportFunction::new(maximizer), [SENTINEL; 3], [0.0; 3]);
        assert_eq!(oracle.value(&THETA, &mut scratch), Err(error));
        assert_eq!(oracle.value_and_add_grad(&THETA, 1.0, &mut grad, &mut scratch), Err(error));
        assert_eq!(grad, [SENTINEL; 3]);
    }
    let huge = drawn(Wrong::Writes(f64::MAX), Normal);
    let mut out = [SENTINEL; 3];
    let overflow = Err(Error::Overflow { what: "mean over the draws" });
    assert_eq!(huge.expected_argmax(&THETA, &mut out, &mut [0.0; 9]), overflow);
}

#[test]
fn support_functions_name_bad_input() {
    let oracle = SupportFunction::new(Ranking);
    let (mut grad, mut scratch) = ([SENTINEL; 3], [0.0; 9]);
    let short = Err(Error::Length { what: "scratch", expected: 9, actual: 8 });
    assert_eq!(oracle.value(&THETA, &mut scratch[..8]), short);
    assert_eq!(oracle.value_and_add_grad(&THETA, 1.0, &mut grad, &mut scratch[..8]), short);
    let translation: Result<Translation<f64>> = oracle.translation(&THETA, &mut scratch[..8]);
    assert_eq!(translation.map(|_| 0.0), short);
    let wrong = Err(Error::Length { what: "grad", expected: 3, actual: 2 });
    assert_eq!(oracle.value_and_add_grad(&THETA, 1.0, &mut grad[..2], &mut scratch), wrong);
    let poisoned = Err(Error::NotFinite { what: "scores", index: 2 });
    assert_eq!(oracle.value_and_add_grad(&[0.0, 1.0, f64::NAN], 1.0, &mut grad, &mut scratch), poisoned);
    assert_eq!(oracle.value(&[], &mut scratch), Err(Error::Length { what: "scores", expected: 1, actual: 0 }));
    assert_eq!(oracle.value(&[f64::MAX; 3], &mut scratch), Err(Error::Overflow { what: "optimum" }));
    assert_eq!(grad, [SENTINEL; 3]);

    assert_eq!(TopKMask::new(0), Err(Error::Parameter { name: "k", must: "at least 1" }));
    let mut y = [SENTINEL; 3];
    let (mask, wrong) = (TopKMask::new(2).unwrap(), Err(Error::Length { what: "y", expected: 3, actual: 2 }));
    assert_eq!(mask.argmax(&THETA, &mut y[..2], &mut scratch), wrong);
    assert_eq!(Ranking.argmax(&THETA, &mut y[..2], &mut scratch), wrong);
    assert_eq!(mask.argmax(&THETA, &mut y, &mut scratch[..2]), Err(Error::Length { what: "scratch", expected: 3, actual: 2 }));
    assert_eq!(Ranking.argmax(&THETA, &mut y, &mut scratch[..5]), Err(Error::Length { what: "scratch", expected: 6, actual: 5 }));
    assert_eq!(mask.argmax(&[1.0, f64::NAN, 0.0], &mut y, &mut scratch), Err(Error::NotFinite { what: "scores", index: 1 }));
    assert_eq!(Ranking.argmax(&[1.0, f64::NAN, 0.0], &mut y, &mut scratch), Err(Error::NotFinite { what: "scores", index: 1 }));
    assert_eq!(y, [SENTINEL; 3]);
}

/// The error of a loss, the same whether a gradient is asked for or not, with the gradient left alone.
fn loss_error(loss: &dyn Loss<f64>, scores: &[f64], label: usize) -> Error {
    let (mut grad, mut scratch) = (vec![SENTINEL; scores.len()], vec![0.0; loss.scratch_len(scores.len())]);
    let error = loss.value_and_grad(scores, label, &mut grad, &mut scratch).unwrap_err();
    assert!(grad.iter().all(|&g| g == SENTINEL), "the gradient was touched");
    assert_eq!(loss.value(scores, label, &mut scratch), Err(error));
    error
}

#[test]
fn losses_under_noise_name_bad_input() {
    let (two, four) = ([1.0; 2], [0.0; 4]);
    let third = KthLargest::new(3).unwrap();
    let sampler = MonteCarlo::new(Normal, 3).unwrap();
    let wrong_draws = GivenDraws::new(Normal, &four, 2).unwrap();
    let uniform = Margins::Uniform(1.0);
    let mean = MeanOfHinge::new(third, sampler, 0.5, Key::new(0)).unwrap().with_margins(uniform).unwrap();
    let listed = MeanOfHinge::new(third, sampler, 0.5, Key::new(0)).unwrap().with_margins(Margins::PerClass(&two)).unwrap();
    let given = MeanOfHinge::new(third, wrong_draws, 0.5, Key::new(0)).unwrap().with_margins(uniform).unwrap();
    let inner = Hinge::new(third, uniform, 1.0).unwrap();
    let smoothed = SmoothedLoss::new(inner, sampler, 0.5, Key::new(0)).unwrap();
    let centered = smoothed.shift_invariant();
    let smoothed_listed = SmoothedLoss::new(Hinge::new(third, Margins::PerClass(&two), 1.0).unwrap(), sampler, 0.5, Key::new(0)).unwrap();
    let smoothed_given = SmoothedLoss::new(inner, wrong_draws, 0.5, Key::new(0)).unwrap();

    let losses: [&dyn Loss<f64>; 3] = [&mean, &smoothed, &centered];
    for loss in losses {
        for x in NOT_FINITE {
            assert_eq!(loss_error(loss, &[x, 1.0, 2.0], 1), Error::NotFinite { what: "scores", index: 0 });
        }
        assert_eq!(loss_error(loss, &[], 0), Error::Length { what: "scores", expected: 1, actual: 0 });
        assert_eq!(loss_error(loss, &THETA, 3), Error::Label { label: 3, num_classes: 3 });
        assert_eq!(loss_error(loss, &[1.0, 2.0], 0), Error::K { k: 3, max: 2 });
        let (mut grad, mut scratch, needed) = ([SENTINEL; 3], [0.0; 20], loss.scratch_len(3));
        let short = Err(Error::Length { what: "scratch", expected: needed, actual: needed - 1 });
        assert_eq!(loss.value(&THETA, 0, &mut scratch[..needed - 1]), short);
        assert_eq!(loss.value_and_grad(&THETA, 0, &mut grad, &mut scratch[..needed - 1]), short);
        let wrong = Err(Error::Length { what: "grad", expected: 3, actual: 2 });
        assert_eq!(loss.value_and_grad(&THETA, 0, &mut grad[..2], &mut scratch), wrong);
        assert_eq!(grad, [SENTINEL; 3]);
    }
    for loss in [&listed as &dyn Loss<f64>, &smoothed_listed] {
        assert_eq!(loss_error(loss, &THETA, 0), Error::Length { what: "margins", expected: 3, actual: 2 });
    }
    for loss in [&given as &dyn Loss<f64>, &smoothed_given] {
        assert_eq!(loss_error(loss, &THETA, 0), Error::Length { what: "draws", expected: 3, actual: 2 });
    }

    let huge = [f64::MAX, -f64::MAX, f64::MAX];
    let second = MeanOfHinge::new(KthLargest::new(2).unwrap(), sampler, 0.5, Key::new(0)).unwrap().with_margins(uniform).unwrap();
    assert_eq!(loss_error(&second, &huge, 1), Error::Overflow { what: "perturbed scores" });
    assert_eq!(loss_error(&centered, &huge, 1), Error::Overflow { what: "perturbed scores" });
}

#[test]
fn parameters_are_checked_when_made() {
    let sampler = MonteCarlo::new(Normal, 1).unwrap();
    let key = Key::new(0);
    for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let epsilon = Error::Parameter { name: "epsilon", must: "positive and finite" };
        assert_eq!(PerturbedArgmax::new(Ranking, sampler, x, key), Err(epsilon));
        assert_eq!(SmoothedLoss::new(CrossEntropy, sampler, x, key), Err(epsilon));
        assert_eq!(MeanOfHinge::new(Max, sampler, x, key), Err(epsilon));
        let scale = Error::Parameter { name: "scale", must: "positive and finite" };
        assert_eq!(MeanOfHinge::new(Max, sampler, 1.0, key).and_then(|loss| loss.with_scale(x)), Err(scale));
    }
    for x in NOT_FINITE {
        let margin = Error::Parameter { name: "margin", must: "finite" };
        assert_eq!(MeanOfHinge::new(Max, sampler, 1.0, key).and_then(|loss| loss.with_margins(Margins::Uniform(x))), Err(margin));
    }
}
