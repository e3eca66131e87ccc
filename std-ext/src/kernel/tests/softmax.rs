//! Tests: the cross-entropy and its relatives have the bits of core, on every instruction set and with any number of threads.

use topk_loss::CrossEntropy;
use topk_loss::loss::{ClassWeighted, Focal, Ldam, LogitAdjusted};

use super::super::class_weighted::ByClass;
use super::super::compiled::Compiled;
use super::super::cross_entropy::Exponentials;
use super::super::focal::Focused;
use super::super::ldam::Scaled;
use super::super::logit_adjusted::Adjusted;
use super::*;

fn is_core<F: Elementary, A: FastPath<F>>(case: &Case, loss: impl Loss<F> + FoldIn + Copy, fast_path: impl Fn(Executor) -> A) {
    has_the_bits_of_core(case, &loss, |executor| WithFallback { fast_path: fast_path(executor), loss });
    for executor in executors() {
        assert!(case.is_served(fast_path(executor)));
    }
}

fn all_have_the_bits_of_core<F: Elementary>(case: &Case) {
    let softmax = |executor| F::cross_entropy_kernel(executor);
    let per_class: Vec<F> = (0..case.scores.len()).map(|class| F::from_f64((37 * class % 8 + 1) as f64 / 8.0)).collect();
    is_core::<F, _>(case, CrossEntropy, Exponentials::new);

    let focal = Focal::new(F::from_f64([0.0, 0.5, 2.0, 5.0][case.seed as usize % 4])).unwrap();
    is_core(case, focal, |executor| Focused::new(focal, executor));

    let (margins, scale) = (Margins::Uniform(F::from_f64(case.margin)), F::from_f64(case.scale));
    is_core(case, Ldam::new(margins, scale).unwrap(), |executor| Scaled::new(margins, scale, executor));

    let weighted = ClassWeighted::new(CrossEntropy, &per_class).unwrap();
    has_the_bits_of_core(case, &weighted, |executor| ByClass::new(&per_class, softmax(executor), executor));

    let adjusted = LogitAdjusted::new(CrossEntropy, &per_class).unwrap();
    for adjusted in [adjusted, adjusted.shift_invariant()] {
        has_the_bits_of_core(case, &adjusted, |executor| {
            Adjusted::new(&per_class, adjusted.is_shift_invariant(), softmax(executor), executor)
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_relatives_of_cross_entropy_have_the_bits_of_core(case in cases()) {
        all_have_the_bits_of_core::<f32>(&case);
        all_have_the_bits_of_core::<f64>(&case);
    }
}

/// Rows around the ends of chunks, blocks and pieces, and the label in each of them.
#[test]
fn rows_of_any_length_have_the_bits_of_core() {
    for len in [2, 10, 31, 32, 33, 64, 100, 255, 256, 257, 288, 1000, 65_536, 65_537, 70_000, 131_073] {
        for (label, spread) in [(0, 1.0), (len / 2, 30.0), (len - 1, 0.1), ((len - 1).min(65_536), 10.0)] {
            let mut scores = vec![0.0; len];
            MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(len as u64), 0, &mut scores).unwrap();
            scores.iter_mut().for_each(|score| *score *= spread);
            let case = Case { scores, label, weight: 0.3, scale: 3.0, ..ordinary() };
            all_have_the_bits_of_core::<f32>(&case);
            all_have_the_bits_of_core::<f64>(&case);
        }
    }
}

/// Whatever is refused, the error is core's; rows near the end of the range have core's bits too.
#[test]
fn errors_are_those_of_core() {
    for case in &extremes() {
        has_the_bits_of_core::<f32, _>(case, &CrossEntropy, f32::cross_entropy_kernel);
    }
}
