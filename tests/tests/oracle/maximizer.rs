//! Maximizers against enumeration, and their support functions.

use proptest::prelude::*;
use topk_loss::estimator::Pathwise;
use topk_loss::maximizer::{Maximizer, PerturbedArgmax, Ranking, TopKMask};
use topk_loss::noise::Normal;
use topk_loss::oracle::{Oracle, SupportFunction, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Key, Real};
use topk_loss_laws::problems::{ShortestPath, all_paths, all_rankings, best};
use topk_loss_laws::property::config;
use topk_loss_laws::reference::ranking;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{MEAN, SUM};
use topk_loss_laws::{Example, both_floats, example};

fn argmax<F: Real>(maximizer: &impl Maximizer<F>, theta: &[F]) -> Vec<F> {
    let (mut y, mut scratch) = (vec![F::nan(); theta.len()], vec![F::nan(); maximizer.scratch_len(theta.len())]);
    maximizer.argmax(theta, &mut y, &mut scratch).unwrap();
    y
}

fn evaluate<F: Real>(oracle: &impl Oracle<F>, theta: &[F]) -> (F, Vec<F>) {
    let (mut grad, mut scratch) = (vec![F::zero(); theta.len()], vec![F::nan(); oracle.scratch_len(theta.len())]);
    let value = oracle.value_and_add_grad(theta, F::one(), &mut grad, &mut scratch).unwrap();
    assert_eq!(oracle.value(theta, &mut scratch), Ok(value));
    (value, grad)
}

/// Ties and every magnitude: the places of a stable sort.
fn ranking_is_the_stable_sort<F: Real>(Example { scores, .. }: Example<F>) -> Result<(), TestCaseError> {
    let mut expected = vec![F::zero(); scores.len()];
    for (above, class) in ranking(&scores).into_iter().enumerate() {
        expected[class] = F::from_usize(scores.len() - above);
    }
    prop_assert_eq!(argmax(&Ranking, &scores), expected);
    Ok(())
}

fn the_mask_is_the_gradient_of_the_sum<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    let (value, grad) = evaluate(&TopKSum::new(k).unwrap(), &scores);
    let mask = TopKMask::new(k).unwrap();
    prop_assert_eq!(argmax(&mask, &scores), grad.clone());
    let (by_support, mask_grad) = evaluate(&SupportFunction::new(mask), &scores);
    let magnitude = scores.iter().fold(F::zero(), |sum, s| sum + s.abs());
    prop_assert!(SUM.allows(by_support, value, magnitude));
    prop_assert_eq!(mask_grad, grad);
    Ok(())
}

/// The perturbed optimum's gradient is the expected argmax.
fn the_gradient_is_the_expected_argmax<F: Real>(Example { scores, k, .. }: Example<F>) -> Result<(), TestCaseError> {
    fn check<F: Real>(maximizer: impl Maximizer<F> + Copy, scores: &[F], largest: F) -> Result<(), TestCaseError> {
        let (sampler, epsilon) = (MonteCarlo::new(Normal, 7).unwrap(), F::from_f64(0.3));
        let smoothed = Pathwise::new(SupportFunction::new(maximizer), sampler, epsilon, Key::new(3)).unwrap();
        let soft = PerturbedArgmax::new(maximizer, sampler, epsilon, Key::new(3)).unwrap();
        let (mut y, mut scratch) = (vec![F::nan(); scores.len()], vec![F::nan(); soft.scratch_len(scores.len())]);
        soft.expected_argmax(scores, &mut y, &mut scratch).unwrap();
        let (_, grad) = evaluate(&smoothed, scores);
        prop_assert!(y.iter().zip(&grad).all(|(&y, &g)| MEAN.allows(y, g, largest)), "{y:?} {grad:?}");
        Ok(())
    }
    check(TopKMask::new(k).unwrap(), &scores, F::one())?;
    check(Ranking, &scores, F::from_usize(scores.len()))
}

/// A common offset moves the optimum by the mass and leaves the argmax, in `f32` too, whose grid at 1e6 is wider than the noise.
#[test]
fn a_common_offset_is_no_noise() {
    const OFFSET: f32 = 1e6;
    let near = [0.25_f32, 0.0, 0.125, 0.1875, -0.5];
    let far = near.map(|s| OFFSET + s);
    fn check(maximizer: impl Maximizer<f32> + Copy, near: &[f32], far: &[f32]) {
        let (sampler, key) = (MonteCarlo::new(Normal, 50).unwrap(), Key::new(4));
        let soft = PerturbedArgmax::new(maximizer, sampler, 0.05, key).unwrap();
        let evaluate = |theta: &[f32]| {
            let (mut outs, mut scratch) = ([[f32::NAN; 5]; 3], vec![f32::NAN; soft.scratch_len(5)]);
            let [y, jvp, vjp] = &mut outs;
            soft.expected_argmax(theta, y, &mut scratch).unwrap();
            soft.jvp(theta, &[1.0, -1.0, 0.5, 0.0, 2.0], jvp, &mut scratch).unwrap();
            soft.vjp(theta, &[1.0, -1.0, 0.5, 0.0, 2.0], vjp, &mut scratch).unwrap();
            outs
        };
        let outs = evaluate(near);
        assert_eq!(outs, evaluate(far));
        assert!(outs.iter().flatten().any(|y| y.fract() != 0.0));
        let smoothed = Pathwise::new(SupportFunction::new(maximizer), sampler, 0.05, key).unwrap();
        let mass = evaluate_mass(&maximizer, near);
        let (value, moved) = (crate::maximizer::evaluate(&smoothed, near).0, crate::maximizer::evaluate(&smoothed, far).0);
        assert!(MEAN.allows(moved, value + OFFSET * mass, OFFSET * mass));
    }
    fn evaluate_mass(maximizer: &impl Maximizer<f32>, theta: &[f32]) -> f32 {
        argmax(maximizer, theta).iter().sum()
    }
    check(TopKMask::new(2).unwrap(), &near, &far);
    check(Ranking, &near, &far);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_optimum_is_the_best_of_all(theta in prop::collection::vec(-2.0..2.0_f64, 12)) {
        let paths = all_paths(3, 4);
        prop_assert_eq!(paths.len(), 25);
        prop_assert_eq!(argmax(&ShortestPath { columns: 4 }, &theta), best(&paths, &theta));
        let rankings = all_rankings(5);
        prop_assert_eq!(rankings.len(), 120);
        prop_assert_eq!(argmax(&Ranking, &theta[..5]), best(&rankings, &theta[..5]));
    }
}

both_floats! {
    ranking_is_the_stable_sort in example;
    the_mask_is_the_gradient_of_the_sum in moderate_example;
    the_gradient_is_the_expected_argmax in moderate_example;
}
