//! The head that stores no scores: the same for any number of threads, and the head that stores them but for rounding.
#![no_main]

use faer::{Mat, Par};
use topk_loss::config::BaseLoss;
use topk_loss_batch::{
    BatchError, BatchLoss, BatchReal, HeadGrads, HeadLoss, LinearHead, Reduction, Similarity, Targets, objective_and_grads,
};
use topk_loss_fuzz::promises::{assert_finite, assert_same};
use topk_loss_fuzz::{Float, Input, target};
use topk_loss_laws::reference::to_f64;

const BEFORE: f64 = 77.0;

/// Objective, then the gradients of weights, bias and features, one after the other.
fn step<F: BatchReal>(
    head: &LinearHead<F>,
    batch: usize,
    write: impl FnOnce(HeadGrads<'_, F>) -> Result<F, BatchError>,
) -> Result<Vec<F>, BatchError> {
    let before = F::from_f64(BEFORE);
    let mut weights = Mat::from_fn(head.dim(), head.num_classes(), |_, _| before);
    let mut bias = vec![before; head.bias().map_or(0, <[F]>::len)];
    let mut below = Mat::from_fn(head.dim(), batch, |_, _| before);
    let outcome = write(HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: Some(below.as_mut()) });
    let columns = || weights.col_iter().chain(below.col_iter()).flat_map(|column| column.iter());
    let gradients = || columns().chain(&bias).copied();
    match outcome {
        Ok(objective) => Ok([objective].into_iter().chain(gradients()).collect()),
        Err(error) => {
            let is_late = matches!(error, BatchError::Overflow { .. } | BatchError::Example { .. });
            assert!(is_late || gradients().all(|entry| entry == before), "written to in spite of {error:?}");
            Err(error)
        }
    }
}

fn agree<F: Float + BatchReal, L: HeadLoss<F> + BatchLoss<F>>(loss: &L, input: &Input, slack: f64) {
    let (dim, batch) = (usize::from(input.dice[0] % 4) + 1, usize::from(input.dice[1] >> 5) + 1);
    let entries: Vec<F> = input.scores();
    let num_classes = entries.len() / dim;
    let others: Vec<F> = input.others((dim * batch).max(num_classes));
    if others.len() < (dim * batch).max(num_classes) {
        return;
    }
    let weights = Mat::from_fn(dim, num_classes, |i, j| entries[j * dim + i]);
    let features = Mat::from_fn(dim, batch, |i, j| others[j * dim + i]);
    let (bias, similarity) = match input.dice[0] >> 2 & 3 {
        0 => (Some(others[..num_classes].to_vec()), Similarity::Inner),
        1 => (None, Similarity::Cosine),
        _ => (None, Similarity::Inner),
    };
    let Ok(head) = LinearHead::new(weights, bias, similarity) else { return };
    let labels: Vec<usize> = (0..batch).map(|b| if b % 4 == 3 { usize::MAX } else { input.label.label(num_classes) }).collect();
    let targets = Targets::new(&labels).ignoring(usize::MAX).from_example(input.seed);
    let reduction = [Reduction::Mean, Reduction::Sum, Reduction::WeightedMean][usize::from(input.dice[0] >> 4) % 3];
    let fused = |par| step(&head, batch, |grads| head.objective_and_grads(loss, features.as_ref(), &targets, reduction, grads, par));
    let alone = fused(Par::Seq);
    let shared = fused(Par::rayon(3));
    let objective = head.objective(loss, features.as_ref(), &targets, reduction, Par::Seq);
    let Ok(alone) = alone else {
        assert!(shared.is_err());
        return;
    };
    assert_finite("objective and gradients", &alone);
    assert_same("by three threads", &shared.expect("as by one"), &alone);
    assert_same("objective", &[objective.expect("as with gradients")], &alone[..1]);

    let stored = step(&head, batch, |grads| {
        let (mut scores, mut score_grads) = (Mat::zeros(num_classes, batch), Mat::zeros(num_classes, batch));
        head.forward(features.as_ref(), scores.as_mut(), Par::Seq)?;
        let objective = objective_and_grads(loss, scores.as_ref(), &targets, reduction, score_grads.as_mut(), Par::Seq)?;
        head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::Seq)?;
        Ok(objective)
    });
    let size = |numbers: &[F]| numbers.iter().fold(0.0_f64, |largest, &x| largest.max(to_f64(x.abs())));
    let moderate = |numbers: &[F]| numbers.iter().all(|&x| x == F::zero() || (1e-3..1e3).contains(&to_f64(x.abs())));
    if let (Ok(stored), true) = (stored, moderate(&entries) && moderate(&others) && moderate(&[input.factor(), input.epsilon()])) {
        let allowed = slack * (1.0 + size(&alone).max(size(&stored)) + size(&entries) * size(&others) * size(&[input.factor()]).max(1.0));
        for (&a, &b) in alone.iter().zip(&stored) {
            assert!((to_f64(a) - to_f64(b)).abs() <= allowed, "{a} instead of {b}, {allowed} allowed");
        }
    }
}

fn head<F: Float + BatchReal>(input: &Input) {
    let num_classes = input.scores::<F>().len() / (usize::from(input.dice[0] % 4) + 1);
    let rounding = 1e3 * to_f64(F::epsilon());
    match input.base::<F>(num_classes).build() {
        Ok(BaseLoss::CrossEntropy(loss)) => agree::<F, _>(&loss, input, rounding),
        // Ties are broken by the last bit of a noised score, and exact gradients are within their tolerance.
        Ok(BaseLoss::TopKHinge(loss)) => agree::<F, _>(&loss, input, if input.dice[2] % 4 == 0 { rounding } else { f64::INFINITY }),
        Ok(BaseLoss::PolyhedralHinge(loss)) => agree::<F, _>(&loss, input, rounding),
        Ok(BaseLoss::TopKMarginCrossEntropy(loss)) => agree::<F, _>(&loss, input, rounding),
        _ => {}
    }
}

target!(head);
