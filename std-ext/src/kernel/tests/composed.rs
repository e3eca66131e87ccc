//! Tests of the kernels of losses that are made of others, against core's scalar code.

use topk_loss::CrossEntropy;
use topk_loss::compiled::Integrated;
use topk_loss::loss::{ClassWeighted, Focal, Ldam, LogitAdjusted, PolyhedralHinge, TopKCrossEntropy, TopKHinges, TopKMarginCrossEntropy};
use topk_loss::noise::{Gumbel, Logistic};

use super::super::BatchLoss;
use super::super::class_weighted::ByClass;
use super::super::dispatched::Dispatched;
use super::super::evaluated::Evaluated;
use super::super::hinges::HardHinges;
use super::super::logit_adjusted::Adjusted;
use super::*;

/// A number from 1/8 to 1 for every class.
fn per_class<F: Elementary>(case: &Case) -> Vec<F> {
    let seed = case.seed as usize % 8;
    (0..case.scores.len()).map(|class| F::from_f64(((37 * class + seed) % 8 + 1) as f64 / 8.0)).collect()
}

/// Shares of 1, about K/2 and K guesses.
fn shares<F: Elementary>(k: usize) -> Vec<F> {
    let mut shares = vec![F::zero(); k];
    for (place, share) in [(k, 0.5), (1, 0.25), (k.div_ceil(2), 0.25)] {
        shares[place - 1] += F::from_f64(share);
    }
    shares
}

fn wrapped_hinges_are_core<F: Elementary>(case: &Case) {
    let per_class = per_class::<F>(case);
    for hinge in [case.hinge(Smoothing::None), case.pathwise()] {
        let kernel = |executor| F::hinge_kernel(hinge, case.scores.len(), executor);
        let weighted = ClassWeighted::new(hinge, &per_class).unwrap();
        has_the_bits_of_core(case, &weighted, |executor| ByClass::new(&per_class, kernel(executor), executor));
        let adjusted = LogitAdjusted::new(hinge, &per_class).unwrap();
        for adjusted in [adjusted, adjusted.shift_invariant()] {
            has_the_bits_of_core(case, &adjusted, |executor| {
                Adjusted::new(&per_class, adjusted.is_shift_invariant(), kernel(executor), executor)
            });
        }
    }
}

fn hard_hinges_are_core<F: Elementary>(case: &Case) {
    let shares = shares::<F>(case.k);
    let (margins, scale) = (Margins::Uniform(F::from_f64(case.margin)), F::from_f64(case.scale));
    let loss = TopKHinges::new(&shares[..]).unwrap().with_margins(margins).unwrap().with_scale(scale).unwrap();
    has_the_bits_of_core(case, &loss, |executor| WithFallback { fast_path: HardHinges::new(loss, executor), loss });
    for executor in executors() {
        assert!(case.is_served(HardHinges::new(loss, executor)));
    }
}

fn convex_losses_are_core<F: Elementary>(case: &Case) {
    let (per_class, scale, len) = (per_class::<F>(case), F::from_f64(case.scale), case.scores.len());
    let hinge = PolyhedralHinge::new(case.k).unwrap().with_margins(Margins::PerClass(&per_class)).unwrap().with_scale(scale).unwrap();
    has_the_bits_of_core(case, &hinge, |executor| Evaluated::new(hinge, len, executor));
    let softmax = TopKMarginCrossEntropy::new(case.k, F::one()).unwrap().with_margins(Margins::PerClass(&per_class)).unwrap();
    let softmax = softmax.with_scale(scale).unwrap();
    has_the_bits_of_core(case, &softmax, |executor| Evaluated::new(softmax, len, executor));
}

fn integral_is_core<F: Elementary>(case: &Case, loss: impl Loss<F> + Integrated<F> + FoldIn + Copy) {
    has_the_bits_of_core(case, &loss, |executor| Dispatched::new(loss, case.scores.len(), executor));
}

fn integrals_are_core<F: Elementary>(case: &Case) {
    let (epsilon, shares) = (F::from_f64(case.epsilon), shares::<F>(case.k));
    let (margins, scale) = (Margins::Uniform(F::from_f64(case.margin)), F::from_f64(case.scale));
    integral_is_core(case, case.hinge::<F>(Smoothing::Exact { epsilon }));
    integral_is_core(
        case,
        TopKHinges::new(&shares[..])
            .unwrap()
            .with_margins(margins)
            .unwrap()
            .with_scale(scale)
            .unwrap()
            .with_epsilon(Some(epsilon))
            .unwrap(),
    );
    integral_is_core(case, TopKCrossEntropy::new(case.k, Gumbel, epsilon).unwrap());
    integral_is_core(case, TopKCrossEntropy::mixture(&shares, Gumbel, epsilon).unwrap().borrowed());
    integral_is_core(case, TopKCrossEntropy::new(case.k, Normal, epsilon).unwrap());
    integral_is_core(case, TopKCrossEntropy::new(case.k, Logistic, epsilon).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn weighted_and_adjusted_hinges_have_the_bits_of_core(case in cases()) {
        wrapped_hinges_are_core::<f32>(&case);
        wrapped_hinges_are_core::<f64>(&case);
    }

    #[test]
    fn hard_hinges_of_several_k_have_the_bits_of_core(case in cases()) {
        hard_hinges_are_core::<f32>(&case);
        hard_hinges_are_core::<f64>(&case);
    }

    #[test]
    fn convex_losses_have_the_bits_of_core(case in cases()) {
        convex_losses_are_core::<f32>(&case);
        convex_losses_are_core::<f64>(&case);
    }
}

proptest! {
    // A row that is refused in the end has been through the plain form first, which takes nodes · L · k: fewer cases, shorter rows.
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn integrals_have_the_bits_of_core(case in cases_of(prop_oneof![2..40_usize, 40..400_usize])) {
        integrals_are_core::<f32>(&case);
        integrals_are_core::<f64>(&case);
    }
}

fn agree_on_errors(case: &Case, loss: &(impl BatchLoss<f32> + Loss<f32> + FoldIn)) {
    let (ours, expected) = (case.by(&mut *loss.kernel(case.scores.len(), Threads::ONE)), case.by_core(loss));
    assert_eq!(ours.map(|_| ()), expected.map(|_| ()), "{case:?}");
}

#[test]
fn errors_are_those_of_core() {
    let (numbers, most) = (per_class::<f32>(&ordinary()), [f32::MAX; 100]);
    for case in extremes().iter().chain([&ordinary()]) {
        let (hinge, margins) = (case.hinge(Smoothing::None), Margins::PerClass(&numbers));
        let (scale, epsilon, shares) = (case.scale as f32, case.epsilon as f32, shares(case.k));
        for loss in [hinge, case.pathwise(), case.hinge(Smoothing::Exact { epsilon })] {
            agree_on_errors(case, &LogitAdjusted::new(ClassWeighted::new(loss, &numbers).unwrap(), &numbers).unwrap());
        }
        for numbers in [&numbers[..], &numbers[1..], &most] {
            let adjusted = LogitAdjusted::new(CrossEntropy, numbers).unwrap();
            agree_on_errors(case, &adjusted);
            agree_on_errors(case, &adjusted.shift_invariant());
            agree_on_errors(case, &ClassWeighted::new(hinge, numbers).unwrap());
            agree_on_errors(case, &ClassWeighted::new(adjusted, numbers).unwrap());
            agree_on_errors(case, &Ldam::new(Margins::PerClass(numbers), scale).unwrap());
            agree_on_errors(case, &PolyhedralHinge::new(case.k).unwrap().with_margins(numbers).unwrap().with_scale(scale).unwrap());
            agree_on_errors(case, &TopKMarginCrossEntropy::new(case.k, scale).unwrap().with_margins(numbers).unwrap());
            agree_on_errors(
                case,
                &TopKHinges::new(&shares).unwrap().with_margins(Margins::PerClass(numbers)).unwrap().with_scale(scale).unwrap(),
            );
            agree_on_errors(
                case,
                &TopKHinges::new(&shares)
                    .unwrap()
                    .with_margins(Margins::PerClass(numbers))
                    .unwrap()
                    .with_scale(scale)
                    .unwrap()
                    .with_epsilon(Some(epsilon))
                    .unwrap(),
            );
        }
        agree_on_errors(case, &Ldam::new(margins, f32::MAX).unwrap());
        agree_on_errors(case, &Focal::new(f32::MAX).unwrap());
        agree_on_errors(case, &TopKCrossEntropy::new(1, Gumbel, epsilon).unwrap());
        agree_on_errors(case, &TopKCrossEntropy::mixture(&shares, Gumbel, epsilon).unwrap());
    }
}
