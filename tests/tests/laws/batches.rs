//! The batch calls and the linear head: where all else stands still, a batch's objective is a loss of one example's scores, of the head's
//! weights, of the features.

use core::f64::consts::SQRT_2;

use faer::{Mat, Par};
use topk_loss::loss::{Focal, LogitAdjusted, TopKCrossEntropy};
use topk_loss::noise::Gumbel;
use topk_loss::{Compensated, CrossEntropy, Loss, TopKHinge};
use topk_loss_batch::{BatchLoss, HeadGrads, LinearHead, Reduction, Similarity, Targets, objective_and_grads, values};
use topk_loss_laws::tolerances::{ROUNDING, TOP_K_CROSS_ENTROPY, quadrature};
use topk_loss_laws::{loss_fn, loss_laws};

use crate::losses::PER_CLASS;

/// Where the example stands, among others.
const PLACE: usize = 1;

/// Weights of the examples: the one that moves counts once.
const WEIGHTS: [f64; 3] = [0.5, 1.0, 0.25];

/// The weighted sum of the losses of three examples as a loss of the second one's scores, less that of the others.
fn in_a_batch(loss: impl BatchLoss<f64> + Copy) -> impl Loss<f64> {
    let batch = |scores: &[f64]| Mat::from_fn(scores.len(), WEIGHTS.len(), |class, b| if b == PLACE { scores[class] } else { 0.0 });
    let alone = move |scores: &[f64], label| {
        let mut all = [f64::NAN; WEIGHTS.len()];
        values(&loss, batch(scores).as_ref(), &Targets::new(&[0, label, 0]), &mut all, Par::Seq).unwrap();
        all
    };
    let value = move |scores: &[f64], label| alone(scores, label)[PLACE];
    let value_and_grad = move |scores: &[f64], label| {
        let (labels, mut grads) = ([0, label, 0], Mat::from_fn(scores.len(), WEIGHTS.len(), |_, _| f64::NAN));
        let targets = Targets::new(&labels).with_weights(&WEIGHTS).unwrap();
        let objective = objective_and_grads(&loss, batch(scores).as_ref(), &targets, Reduction::Sum, grads.as_mut(), Par::Seq).unwrap();
        let all = alone(scores, label);
        assert_eq!(objective, Compensated::of(all.iter().zip(WEIGHTS).map(|(value, weight)| weight * value)));
        (all[PLACE], grads.col(PLACE).iter().copied().collect())
    };
    loss_fn(value, value_and_grad)
}

loss_laws! {
    cross_entropy: f64 = |_| in_a_batch(CrossEntropy);
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_convex(ROUNDING), is_lipschitz(SQRT_2, ROUNDING), is_smooth(0.5, ROUNDING),
}

loss_laws! {
    calibrated_hinge: f64 = |example| in_a_batch(TopKHinge::new(example.k).unwrap());
    gradient_is_the_slope(ROUNDING), gradient_sums_to(0.0, ROUNDING), vanishes_with_the_lead(1.0, ROUNDING), ties_go_to_the_lowest_index(),
}

loss_laws! {
    focal: f64 = |_| in_a_batch(Focal::new(2.0).unwrap());
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING),
}

loss_laws! {
    logit_adjusted: f64 =
        |example| in_a_batch(LogitAdjusted::new(CrossEntropy, &PER_CLASS[..example.scores.len()]).unwrap().shift_invariant());
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_convex(ROUNDING),
}

loss_laws! {
    exactly_smoothed_hinge: f64 = |example| in_a_batch(TopKHinge::smoothed(example.k, 0.5).unwrap());
    gradient_is_the_slope(quadrature::<f64>()), ignores_a_common_offset(quadrature::<f64>()), treats_classes_alike(quadrature::<f64>()),
    gradient_sums_to(0.0, quadrature::<f64>()), falls_with_the_label_score(quadrature::<f64>()),
}

loss_laws! {
    top_k_cross_entropy: f64 = |example| in_a_batch(TopKCrossEntropy::new(example.k, Gumbel, 1.0).unwrap());
    gradient_is_the_slope(TOP_K_CROSS_ENTROPY), ignores_a_common_offset(TOP_K_CROSS_ENTROPY), gradient_sums_to(0.0, TOP_K_CROSS_ENTROPY),
}

/// What of a step through the head is looked at.
#[derive(Clone, Copy)]
enum Input {
    Weights,
    Bias,
    Features,
}

/// The mean cross-entropy of two examples, as a loss of one row of the head's weights, of its bias, of the second example's features.
fn through_a_head(similarity: Similarity, input: Input) -> impl Loss<f64> {
    const CLASSES: usize = 3;
    let fixed = |i: usize, j: usize| ((3 * i + 5 * j + 1) % 7) as f64 / 7.0;
    let step = move |moving: &[f64], label: usize| {
        let (dim, num_classes) = if matches!(input, Input::Features) { (moving.len(), CLASSES) } else { (2, moving.len()) };
        let weights =
            Mat::from_fn(dim, num_classes, |i, j| if matches!(input, Input::Weights) && i == 0 { moving[j] } else { fixed(i, j) });
        let bias = matches!(similarity, Similarity::Inner).then(|| match input {
            Input::Bias => moving.to_vec(),
            _ => vec![0.25; num_classes],
        });
        let features = Mat::from_fn(dim, 2, |i, b| if matches!(input, Input::Features) && b == 1 { moving[i] } else { fixed(i, b + 1) });
        let head = LinearHead::new(weights, bias, similarity).unwrap();
        let (mut scores, mut score_grads) = (Mat::zeros(num_classes, 2), Mat::zeros(num_classes, 2));
        head.forward(features.as_ref(), scores.as_mut(), Par::Seq).unwrap();
        let labels = [0, label % num_classes];
        let targets = Targets::new(&labels);
        let objective =
            objective_and_grads(&CrossEntropy, scores.as_ref(), &targets, Reduction::Mean, score_grads.as_mut(), Par::Seq).unwrap();
        let (mut weights, mut below) = (Mat::zeros(dim, num_classes), Mat::zeros(dim, 2));
        let mut bias = vec![0.0; head.bias().map_or(0, <[f64]>::len)];
        let grads = HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: Some(below.as_mut()) };
        head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::Seq).unwrap();
        let grad = match input {
            Input::Weights => weights.row(0).iter().copied().collect(),
            Input::Bias => bias,
            Input::Features => below.col(1).iter().copied().collect(),
        };
        (objective, grad)
    };
    loss_fn(move |moving: &[f64], label| step(moving, label).0, step)
}

loss_laws! {
    weights: f64 = |_| through_a_head(Similarity::Inner, Input::Weights);
    gradient_is_the_slope(ROUNDING), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING),
}
loss_laws! {
    bias: f64 = |_| through_a_head(Similarity::Inner, Input::Bias);
    gradient_is_the_slope(ROUNDING), is_convex(ROUNDING), gradient_sums_to(0.0, ROUNDING),
}
loss_laws! {
    features: f64 = |_| through_a_head(Similarity::Inner, Input::Features);
    gradient_is_the_slope(ROUNDING), is_convex(ROUNDING),
}
loss_laws! { weights_of_cosines: f64 = |_| through_a_head(Similarity::Cosine, Input::Weights); gradient_is_the_slope(ROUNDING) }
loss_laws! { features_of_cosines: f64 = |_| through_a_head(Similarity::Cosine, Input::Features); gradient_is_the_slope(ROUNDING) }
