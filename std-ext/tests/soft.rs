//! Soft labels in batches, against core example by example; and class weights in a weighted mean.

use half::f16;
use proptest::prelude::*;
use topk_loss::loss::{ClassWeighted, ExpectedLoss, LogitAdjusted, SoftLabelLoss};
use topk_loss::{Compensated, CrossEntropy, Error, FoldIn, Key, Loss, Smoothing, TopKHinge};
use topk_loss_batch::{
    BatchError, Reduction, Rows, RowsMut, SoftTargets, Targets, Threads, coefficients, objective, objective_and_grads, soft_objective,
    soft_objective_and_grads, soft_values, soft_values_and_grads, values,
};

const L: usize = 5;

#[derive(Debug, Clone)]
struct Batch {
    scores: Vec<f64>,
    soft: Vec<f64>,
    weights: Vec<f64>,
    labels: Vec<usize>,
    first: u64,
}

fn batches() -> impl Strategy<Value = Batch> {
    (1..400_usize, any::<u64>()).prop_flat_map(|(len, first)| {
        let list = |len, range| prop::collection::vec(range, len);
        (list(len * L, -3.0..3.0), list(len * L, 0.1..1.0), list(len, 0.1..2.0), prop::collection::vec(0..L, len)).prop_map(
            move |(scores, mut soft, weights, labels)| {
                for target in soft.chunks_mut(L) {
                    let sum: f64 = target.iter().sum();
                    target.iter_mut().for_each(|share| *share /= sum);
                }
                Batch { scores, soft, weights, labels, first }
            },
        )
    })
}

fn agrees(batch: &Batch, loss: &(impl SoftLabelLoss<f64> + FoldIn + Sync)) -> Result<(), TestCaseError> {
    let Batch { scores, soft, weights, first, .. } = batch;
    let rows = Rows::new(scores, L).unwrap();
    let targets = SoftTargets::new(Rows::new(soft, L).unwrap()).with_weights(weights).unwrap().from_example(*first);
    for reduction in [Reduction::Sum, Reduction::Mean, Reduction::WeightedMean] {
        let divisor = match reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean => weights.len() as f64,
            Reduction::WeightedMean => Compensated::of(weights.iter().copied()),
        };
        let (mut values, mut expected, mut scratch) = (vec![], vec![0.0; scores.len()], vec![0.0; loss.soft_scratch_len(L)]);
        for (example, weight) in weights.iter().enumerate() {
            let of = example * L..(example + 1) * L;
            let (loss, grad) = (loss.fold_in(first.wrapping_add(example as u64)), &mut expected[of.clone()]);
            let value = loss.soft_value_and_grad(&scores[of.clone()], &soft[of], grad, &mut scratch).unwrap();
            grad.iter_mut().for_each(|entry| *entry *= weight / divisor);
            values.push(weight / divisor * value);
        }
        let expected = (Compensated::of(values), expected);
        for threads in [1, 3] {
            let mut grads = vec![f64::NAN; scores.len()];
            let into = RowsMut::new(&mut grads, L).unwrap();
            let value = soft_objective_and_grads(loss, rows, &targets, reduction, into, Threads::new(threads)).unwrap();
            prop_assert_eq!(&(value, grads), &expected);
            prop_assert_eq!(soft_objective(loss, rows, &targets, reduction, Threads::new(threads)).unwrap(), value);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn soft_labels_are_those_of_core(batch in batches()) {
        let smoothing = Smoothing::Pathwise { epsilon: 0.5, num_samples: 2, key: Key::new(3) };
        agrees(&batch, &CrossEntropy)?;
        agrees(&batch, &LogitAdjusted::new(CrossEntropy, [0.1, 0.2, 0.3, 0.4, 0.5]).unwrap())?;
        agrees(&batch, &ExpectedLoss::new(TopKHinge::new(2).unwrap().with_smoothing(smoothing).unwrap()))?;
    }

    /// A distribution that is one label is that label.
    #[test]
    fn certain_labels_are_labels(batch in batches()) {
        let Batch { scores, labels, .. } = &batch;
        let (rows, loss) = (Rows::new(scores, L).unwrap(), TopKHinge::new(2).unwrap());
        let certain: Vec<f64> = labels.iter().flat_map(|&label| (0..L).map(move |class| f64::from(class == label))).collect();
        let targets = SoftTargets::new(Rows::new(&certain, L).unwrap());
        let soft = soft_objective(&ExpectedLoss::new(loss), rows, &targets, Reduction::Mean, Threads::ONE).unwrap();
        prop_assert_eq!(soft, objective(&loss, rows, &Targets::new(labels), Reduction::Mean, Threads::ONE).unwrap());
    }

    /// Σ w v ℓ / Σ w v, v the weight of the label's class: torch's `CrossEntropyLoss(weight=v, reduction="mean")`.
    #[test]
    fn class_weights_count_in_a_weighted_mean(batch in batches()) {
        let Batch { scores, labels, weights, .. } = &batch;
        let by_class = [0.5, 1.0, 2.0, 4.0, 8.0];
        let class_weighted = ClassWeighted::new(LogitAdjusted::new(CrossEntropy, by_class).unwrap(), by_class).unwrap();
        let (rows, targets) = (Rows::new(scores, L).unwrap(), Targets::new(labels).with_weights(weights).unwrap());
        let mut grads = vec![f64::NAN; scores.len()];
        let into = RowsMut::new(&mut grads, L).unwrap();
        let value = objective_and_grads(&class_weighted, rows, &targets, Reduction::WeightedMean, into, Threads::ONE).unwrap();
        let (mut sum, mut divisor) = (0.0, 0.0);
        for ((scores, &label), weight) in scores.chunks(L).zip(labels).zip(weights) {
            let weight = weight * by_class[label];
            sum += weight * class_weighted.loss().value(scores, label, &mut [0.0; L]).unwrap();
            divisor += weight;
        }
        prop_assert!((value - sum / divisor).abs() < 1e-12 * value.abs(), "{value} {}", sum / divisor);
        prop_assert!(grads.iter().sum::<f64>().abs() < 1e-12);
    }
}

/// Losses that are weighted and summed by the caller are the objective, labels or distributions.
#[test]
fn losses_and_their_coefficients_make_the_objective() {
    let (scores, labels) = ([1.0_f64, 0.0, 0.0, 0.0, 2.0, 0.0], [0_i64, 1, -1]);
    let (rows, targets) = (Rows::new(&scores, 2).unwrap(), Targets::new(&labels).ignoring(-1));
    let loss = ClassWeighted::new(CrossEntropy, [1.0, 4.0]).unwrap();
    let mut losses = [f64::NAN; 3];
    values(&loss, rows, &targets, &mut losses, Threads::ONE).unwrap();
    for (reduction, expected) in [(Reduction::Sum, [1.0, 1.0, 0.0]), (Reduction::WeightedMean, [0.2, 0.2, 0.0])] {
        let coefficients = coefficients(&loss, &targets, reduction).unwrap();
        assert_eq!(coefficients, expected);
        let sum = Compensated::of(losses.iter().zip(coefficients).map(|(&loss, c)| c * loss));
        assert_eq!(sum, objective(&loss, rows, &targets, reduction, Threads::ONE).unwrap());
    }

    let soft = SoftTargets::new(Rows::new(&[0.5, 0.5, 0.1, 0.9, 1.0, 0.0], 2).unwrap());
    let (mut alone, mut grads, mut expected) = ([f64::NAN; 3], [f64::NAN; 6], [f64::NAN; 6]);
    soft_values(&CrossEntropy, rows, &soft, &mut alone, Threads::ONE).unwrap();
    soft_values_and_grads(&CrossEntropy, rows, &soft, &mut losses, RowsMut::new(&mut grads, 2).unwrap(), Threads::ONE).unwrap();
    let into = RowsMut::new(&mut expected, 2).unwrap();
    let sum = soft_objective_and_grads(&CrossEntropy, rows, &soft, Reduction::Sum, into, Threads::ONE).unwrap();
    assert_eq!((Compensated::of(losses), losses, grads), (sum, alone, expected));
}

/// By hand, what torch documents of `cross_entropy(scores, labels, weight=[1, 4])`.
#[test]
fn a_weighted_mean_is_torchs() {
    let (scores, labels) = ([1.0_f64, 0.0, 0.0, 0.0, 2.0, 0.0], [0_i64, 1, 1]);
    let loss = ClassWeighted::new(CrossEntropy, [1.0, 4.0]).unwrap();
    let mean = objective(&loss, Rows::new(&scores, 2).unwrap(), &Targets::new(&labels), Reduction::WeightedMean, Threads::ONE).unwrap();
    let [first, second, third] = [(1.0 + (-1.0_f64).exp()).ln(), 2.0_f64.ln(), 2.0 + (1.0 + (-2.0_f64).exp()).ln()];
    assert!((mean - (first + 4.0 * second + 4.0 * third) / 9.0).abs() < 1e-15);
}

#[test]
fn what_is_no_distribution_is_refused() {
    let (scores, mut grads) = ([0.0_f32; 4], [7.0; 4]);
    let mut refused = |soft: &[f32], num_classes| {
        let targets = SoftTargets::new(Rows::new(soft, num_classes).unwrap());
        let into = RowsMut::new(&mut grads, 2).unwrap();
        soft_objective_and_grads(&CrossEntropy, Rows::new(&scores, 2).unwrap(), &targets, Reduction::Mean, into, Threads::ONE).unwrap_err()
    };
    let error = Error::Parameter { name: "target", must: "of entries that sum to 1" };
    assert_eq!(refused(&[0.5, 0.5, 0.5, 0.6], 2), BatchError::Example { example: 1, error });
    assert_eq!(refused(&[0.5; 4], 4), BatchError::Shape { what: "distributions", expected: (2, 2), actual: (4, 1) });
}

#[test]
fn distributions_may_be_of_half_precision() {
    let (scores, soft) = ([0.0_f32; 2], [0.25, 0.75].map(f16::from_f32));
    let targets = SoftTargets::new(Rows::new(&soft, 2).unwrap());
    let value = soft_objective(&CrossEntropy, Rows::new(&scores, 2).unwrap(), &targets, Reduction::Mean, Threads::ONE).unwrap();
    assert_eq!(value, 2.0_f32.ln());
}
