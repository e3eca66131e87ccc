//! Class weights are their definition, bit for bit, around any loss.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::loss::ClassWeighted;
use topk_loss::{CrossEntropy, FoldIn, Key, Loss, Real, Smoothing, TopKHinge};
use topk_loss_laws::property::evaluate;
use topk_loss_laws::{Example, both_floats, example};

fn weighted<F: Real>() -> impl Strategy<Value = (Example<F>, Vec<F>)> {
    example().prop_flat_map(|example: Example<F>| {
        let weights = vec(prop::sample::select(vec![0.0, 0.1, 1.0, 7.5]).prop_map(F::from_f64), example.scores.len());
        (Just(example), weights)
    })
}

fn pathwise<F: Real>(k: usize) -> TopKHinge<F> {
    let smoothing = Smoothing::Pathwise { epsilon: F::one(), num_samples: 3, key: Key::new(7) };
    TopKHinge::new(k).unwrap().with_smoothing(smoothing).unwrap()
}

fn it_is_the_loss_times_the_weight<F: Real>((Example { scores, label, k }, weights): (Example<F>, Vec<F>)) -> Result<(), TestCaseError> {
    let times = |(value, grad): (F, Vec<F>)| (weights[label] * value, grad.into_iter().map(|g| weights[label] * g).collect::<Vec<F>>());
    let hinge = pathwise(k);
    for loss in [&CrossEntropy as &dyn Loss<F>, &hinge] {
        let weighted = ClassWeighted::new(loss, &weights).unwrap();
        prop_assert_eq!(evaluate(&weighted, &scores, label), times(evaluate(loss, &scores, label)));
    }
    let folded = ClassWeighted::new(hinge, &weights).unwrap().fold_in(3);
    prop_assert_eq!(folded, ClassWeighted::new(hinge.fold_in(3), &weights).unwrap());
    Ok(())
}

both_floats!(it_is_the_loss_times_the_weight in weighted);
