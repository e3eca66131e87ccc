//! The statistical tests themselves: silent where nothing is wrong, and as powerful as they say.

use statrs::distribution::ContinuousCDF;
use topk_loss::estimator::{Conditional, Exact, Pathwise};
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key};
use topk_loss_laws::reference::ValueAndGrad;
use topk_loss_laws::statistics::{Moments, compare_variances, critical, detectable, detectable_distance, follows_law, judge};
use topk_loss_laws::tolerances::{DETECTABLE_BIAS, POWER};
use topk_loss_laws::unbiased::{Coordinate, Sample, evaluate, unbiased};

const THETA: [f64; 4] = [0.9, 0.4, 0.6, -0.2];
const EPSILON: f64 = 0.5;

fn draws<N: Noise<f64>>(law: N, key: Key, count: usize) -> Vec<f64> {
    let mut z = vec![0.0; count];
    MonteCarlo::new(law, 1).unwrap().sample(key, 0, &mut z).unwrap();
    z
}

fn pathwise(num_samples: usize, seed: u64) -> Pathwise<KthLargest, MonteCarlo<Normal>, f64> {
    Pathwise::new(KthLargest::new(2).unwrap(), MonteCarlo::new(Normal, num_samples).unwrap(), EPSILON, Key::new(seed)).unwrap()
}

fn estimates<O: Oracle<f64> + FoldIn>(estimator: &O, count: u64) -> Vec<ValueAndGrad<f64>> {
    (0..count).map(|step| evaluate(&estimator.fold_in(step), &THETA)).collect()
}

fn exact() -> Sample {
    Sample::exact(&evaluate(&Exact::new(KthLargest::new(2).unwrap(), Normal, EPSILON).unwrap(), &THETA))
}

/// Of 2000 judgements of ten means each, all are silent without a bias, and the share declared sees the bias declared.
#[test]
fn z_scores_have_the_power_they_declare() {
    const JUDGEMENTS: usize = 2000;
    let z = draws(Normal, Key::new(1), 10 * JUDGEMENTS);
    assert!(z.chunks(10).all(|z| judge(z).is_ok()));
    let bias = detectable(10);
    let seen = z.chunks(10).filter(|z| judge(&[&[z[0] + bias], &z[1..]].concat()).is_err_and(|outlier| outlier.index == 0)).count() as f64;
    let share = JUDGEMENTS as f64;
    assert!(judge(&[(seen - POWER * share) / (POWER * (1.0 - POWER) * share).sqrt()]).is_ok(), "{seen}");
}

/// A bias of any one coordinate, as large as declared, is found and named; the declaration is small.
#[test]
fn the_biased_coordinate_is_named() {
    let sample: Sample = estimates(&pathwise(50, 2), 4000).into_iter().collect();
    let (value, gradient) = unbiased(&exact(), &sample).unwrap();
    assert!(value < DETECTABLE_BIAS * sample.value.mean(), "{value}");
    assert!(gradient[0] < DETECTABLE_BIAS * sample.gradient[0].mean(), "{gradient:?}");

    let mut wrong = exact();
    wrong.value = Moments::exact(wrong.value.mean() + 2.0 * value);
    let biased = unbiased(&wrong, &sample).unwrap_err();
    assert!(biased.coordinate == Coordinate::Value && biased.standard_errors < -biased.critical, "{biased}");
    for (class, bias) in gradient.into_iter().enumerate() {
        let mut wrong = exact();
        wrong.gradient[class] = Moments::exact(wrong.gradient[class].mean() - 2.0 * bias);
        let biased = unbiased(&wrong, &sample).unwrap_err();
        assert!(biased.coordinate == Coordinate::Gradient(class) && biased.standard_errors > biased.critical, "{biased}");
    }
}

/// The reference may be an estimate with more draws; noise that is wider by a fifth is then seen still.
#[test]
fn many_draws_serve_as_a_reference() {
    let reference: Sample = estimates(&pathwise(400, 3), 4000).into_iter().collect();
    let few = |epsilon: f64| {
        let estimator = Pathwise::new(KthLargest::new(2).unwrap(), MonteCarlo::new(Normal, 50).unwrap(), epsilon, Key::new(4)).unwrap();
        unbiased(&reference, &estimates(&estimator, 4000).into_iter().collect())
    };
    assert!(few(EPSILON).is_ok());
    assert!(few(1.2 * EPSILON).is_err());
}

#[test]
fn a_coordinate_without_spread_must_be_right() {
    let constant = |g: f64| (0..10).map(|i| (f64::from(i % 2), vec![g])).collect::<Sample>();
    assert!(unbiased(&Sample::exact(&(0.5, vec![1.0])), &constant(1.0)).is_ok());
    let biased = unbiased(&Sample::exact(&(0.5, vec![1.0])), &constant(1.0 + 1e-9)).unwrap_err();
    assert_eq!((biased.coordinate, biased.standard_errors), (Coordinate::Gradient(0), f64::INFINITY));
    assert!(unbiased(&Sample::exact(&(0.5, vec![1.0])), &constant(f64::NAN)).is_err());
}

/// The conditional estimator varies less than the one it is made from, by a factor that is far beyond what can be told; and an estimator
/// with other keys does not vary less than itself.
#[test]
fn variances_are_told_apart() {
    let second = KthLargest::new(2).unwrap();
    let conditional = Conditional::new(second, MonteCarlo::new(Normal, 20).unwrap(), EPSILON, Key::new(5)).unwrap();
    let (fewer, plain, again) = (estimates(&conditional, 2000), estimates(&pathwise(20, 6), 2000), estimates(&pathwise(20, 7), 2000));
    let gain = compare_variances(&fewer, &plain).gradient;
    assert!(gain.interval[1] < 1.0 / gain.detectable, "{gain:?}");
    let same = compare_variances(&again, &plain);
    for ratio in [same.value, same.gradient] {
        assert!(ratio.interval[0] < 1.0 && ratio.interval[1] > 1.0 && ratio.detectable < 1.4, "{ratio:?}");
    }
    // Half of the draws have twice the variance.
    let halves = compare_variances(&estimates(&pathwise(10, 8), 2000), &plain);
    for ratio in [halves.value, halves.gradient] {
        assert!(ratio.interval[0] < 2.0 && ratio.interval[1] > 2.0 && ratio.interval[0] > 1.0, "{ratio:?}");
    }
}

/// Over many comparisons the logarithm of the ratio deviates as much as its interval says, and a ratio as large as declared is found as
/// often.
#[test]
fn intervals_of_variances_have_their_level() {
    const COMPARISONS: usize = 1000;
    const ESTIMATES: usize = 200;
    let z = draws(Normal, Key::new(9), 2 * COMPARISONS * ESTIMATES);
    let (mut squares, mut found) = (Moments::default(), 0.0);
    for pair in z.chunks(2 * ESTIMATES) {
        let of = |z: &[f64], size: f64| z.iter().map(|&z| (size * z, vec![size * z])).collect::<Vec<_>>();
        let (first, second) = pair.split_at(ESTIMATES);
        let even = compare_variances(&of(first, 1.0), &of(second, 1.0)).value;
        let half_width = (even.interval[1] / even.ratio).ln() / critical(1);
        squares.extend([(even.ratio.ln() / half_width).powi(2)]);
        let uneven = compare_variances(&of(first, even.detectable.sqrt()), &of(second, 1.0)).value;
        found += f64::from(u8::from(uneven.interval[0] > 1.0));
    }
    assert!((squares.mean() - 1.0).abs() < 0.2, "{}", squares.mean());
    assert!(found / COMPARISONS as f64 > POWER - 0.02, "{found}");
}

/// Draws of every noise law follow its distribution function and that of another crate; a scale that is off by 5 % is further than what is
/// declared as detectable, and found.
#[test]
fn draws_follow_their_laws() {
    use statrs::distribution as independent;
    const DRAWS: usize = 400_000;
    fn check<N: Noise<f64>>(law: N, seed: u64, cdf: impl Fn(f64) -> f64) {
        let sample = draws(law, Key::new(seed), DRAWS);
        assert_eq!(follows_law(sample.clone(), |z| law.cdf(z)), Ok(()));
        assert_eq!(follows_law(sample.clone(), &cdf), Ok(()));
        let wider = |z: f64| cdf(z / (1.0 + DETECTABLE_BIAS));
        let distance = (-4000..4000).map(|i| f64::from(i) * 1e-3).map(|z| (wider(z) - cdf(z)).abs()).fold(0.0, f64::max);
        assert!(distance > detectable_distance(DRAWS), "{distance}");
        let off = follows_law(sample, wider).unwrap_err();
        assert!((off.distance - distance).abs() < detectable_distance(DRAWS), "{off}");
    }
    let normal = independent::Normal::standard();
    check(Normal, 10, |z| normal.cdf(z));
    let gumbel = independent::Gumbel::new(0.0, 1.0).unwrap();
    check(Gumbel, 11, |z| gumbel.cdf(z));
    check(Logistic, 12, |z| 1.0 / (1.0 + (-z).exp()));
    let laplace = independent::Laplace::new(0.0, 1.0).unwrap();
    check(Laplace, 13, |z| laplace.cdf(z));
    let uniform = independent::Uniform::new(-1.0, 1.0).unwrap();
    check(Uniform, 14, |z| uniform.cdf(z));
}
