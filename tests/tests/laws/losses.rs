//! The losses, one module each.

use core::f64::consts::SQRT_2;

use topk_loss::estimator::{Exact, Pathwise};
use topk_loss::loss::{
    ClassWeighted, Focal, Hinge, Ldam, LogitAdjusted, MeanOfHinge, PolyhedralHinge, SmoothTopKSvm, SmoothedLoss, TopKCrossEntropy,
    TopKHinges, TopKMarginCrossEntropy, TopKSvm, TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::{KthLargest, Max, RankSum, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Key, Margins, Smoothing, TopKHinge};
use topk_loss_laws::certificate::Cells;
use topk_loss_laws::loss_laws;
use topk_loss_laws::tolerances::{ROUNDING, TOP_K_CROSS_ENTROPY, quadrature};

const UNIT: Margins<'static, f64> = Margins::Uniform(1.0);

/// A number between 0 and 1 for each of up to 40 classes: margins, adjustments, weights.
pub const PER_CLASS: [f64; 40] = {
    let mut numbers = [0.0; 40];
    let mut class = 0;
    while class < numbers.len() {
        numbers[class] = (class * 7 % 16) as f64 / 16.0;
        class += 1;
    }
    numbers
};

/// A share of ½ for one guess and for `k`, or all for the one.
fn half_and_half(k: usize) -> &'static [f64] {
    const SHARES: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5]];
    &SHARES[k.min(3) - 1]
}

loss_laws! {
    cross_entropy: f64 = |_| CrossEntropy;
    gradient_is_the_slope(ROUNDING), has_no_kink(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING),
    gradient_sums_to(0.0, ROUNDING), falls_with_the_label_score(ROUNDING), is_never_negative(), is_convex(ROUNDING),
    lies_above_its_tangents(ROUNDING), is_lipschitz(SQRT_2, ROUNDING), is_smooth(0.5, ROUNDING), zeros_of_both_signs_are_equal(),
    ignores_the_key(),
}

loss_laws! {
    polyhedral_hinge: f64 = |example| PolyhedralHinge::new(example.k).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_never_negative(), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING),
    is_lipschitz(SQRT_2, ROUNDING), zeros_of_both_signs_are_equal(), ignores_the_key(),
    is_linear_in_cells(Cells::of_sharing, 1.0, ROUNDING),
}

loss_laws! {
    top_k_margin_cross_entropy: f64 = |example| TopKMarginCrossEntropy::new(example.k, 1.5).unwrap();
    gradient_is_the_slope(ROUNDING), has_no_kink(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING),
    gradient_sums_to(0.0, ROUNDING), falls_with_the_label_score(ROUNDING), is_never_negative(), is_convex(ROUNDING),
    lies_above_its_tangents(ROUNDING), is_lipschitz(SQRT_2, ROUNDING), is_smooth(0.5, ROUNDING), zeros_of_both_signs_are_equal(),
    ignores_the_key(),
}

loss_laws! {
    focal: f64 = |_| Focal::new(2.0).unwrap();
    gradient_is_the_slope(ROUNDING), has_no_kink(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING),
    gradient_sums_to(0.0, ROUNDING), falls_with_the_label_score(ROUNDING), is_never_negative(), zeros_of_both_signs_are_equal(),
    ignores_the_key(),
}

loss_laws! {
    ldam: f64 = |example| Ldam::new(Margins::PerClass(&PER_CLASS[..example.scores.len()]), 4.0).unwrap();
    gradient_is_the_slope(ROUNDING), has_no_kink(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_never_negative(), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING),
    is_lipschitz(4.0 * SQRT_2, ROUNDING), is_smooth(8.0, ROUNDING), ignores_the_key(),
}

loss_laws! {
    class_weighted: f64 = |example| ClassWeighted::new(CrossEntropy, &PER_CLASS[..example.scores.len()]).unwrap();
    gradient_is_the_slope(ROUNDING), has_no_kink(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_convex(ROUNDING), is_lipschitz(SQRT_2, ROUNDING), is_smooth(0.5, ROUNDING), ignores_the_key(),
}

loss_laws! {
    logit_adjusted: f64 = |example| LogitAdjusted::new(CrossEntropy, &PER_CLASS[..example.scores.len()]).unwrap().shift_invariant();
    gradient_is_the_slope(ROUNDING), has_no_kink(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_convex(ROUNDING), is_smooth(0.5, ROUNDING), ignores_the_key(),
}

loss_laws! {
    calibrated_hinge: f64 = |example| TopKHinge::new(example.k).unwrap().with_margins(UNIT).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_never_negative(), is_lipschitz(SQRT_2, ROUNDING), vanishes_with_the_lead(1.0, ROUNDING),
    ties_go_to_the_lowest_index(), zeros_of_both_signs_are_equal(), ignores_the_key(),
    is_linear_in_cells(Cells::of_kth, 1.0, ROUNDING),
}

loss_laws! {
    calibrated_hinge_without_margin: f64 = |example| TopKHinge::new(example.k).unwrap().with_margins(Margins::Uniform(0.0)).unwrap();
    gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), vanishes_with_the_lead(0.0, ROUNDING), ties_go_to_the_lowest_index(),
}

loss_laws! {
    scaled_hinge_with_margins: f64 = |example|
        TopKHinge::new(example.k).unwrap().with_margins(Margins::PerClass(&PER_CLASS[..example.scores.len()])).unwrap().with_scale(40.0).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING), falls_with_the_label_score(ROUNDING),
    is_lipschitz(40.0 * SQRT_2, ROUNDING),
}

loss_laws! {
    exactly_smoothed_hinge: f64 = |example| TopKHinge::smoothed(example.k, 0.5).unwrap();
    gradient_is_the_slope(quadrature::<f64>()), ignores_a_common_offset(quadrature::<f64>()), treats_classes_alike(quadrature::<f64>()),
    gradient_sums_to(0.0, quadrature::<f64>()), falls_with_the_label_score(quadrature::<f64>()), is_never_negative(),
    is_lipschitz(SQRT_2, quadrature::<f64>()), zeros_of_both_signs_are_equal(), ignores_the_key(),
}

loss_laws! {
    drawn_hinge: f64 = |example|
        TopKHinge::new(example.k).unwrap().with_margins(UNIT).unwrap().with_smoothing(Smoothing::Pathwise { epsilon: 0.5, num_samples: 5, key: Key::new(3) }).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING), falls_with_the_label_score(ROUNDING),
    is_never_negative(), is_lipschitz(SQRT_2, ROUNDING), draws_follow_the_key(),
}

loss_laws! {
    conditional_hinge: f64 = |example|
        TopKHinge::new(example.k).unwrap().with_margins(UNIT).unwrap().with_smoothing(Smoothing::Conditional { epsilon: 0.5, num_samples: 5, key: Key::new(3) }).unwrap();
    ignores_a_common_offset(ROUNDING), falls_with_the_label_score(ROUNDING), is_never_negative(), is_lipschitz(SQRT_2, ROUNDING),
    draws_follow_the_key(),
}

loss_laws! {
    hinge_over_the_maximum: f64 = |_| Hinge::new(Max, UNIT, 2.0).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING), is_lipschitz(2.0 * SQRT_2, ROUNDING),
    ignores_the_key(),
}

loss_laws! {
    hinge_over_the_smoothed_maximum: f64 = |_|
        Hinge::new(Exact::new(KthLargest::new(1).unwrap(), Gumbel, 0.5).unwrap(), UNIT, 1.0).unwrap();
    gradient_is_the_slope(quadrature::<f64>()), ignores_a_common_offset(quadrature::<f64>()), is_convex(quadrature::<f64>()),
    lies_above_its_tangents(quadrature::<f64>()), ignores_the_key(),
}

loss_laws! {
    hinge_over_a_drawn_sum: f64 = |example|
        Hinge::new(Pathwise::new(TopKSum::new(example.k).unwrap(), MonteCarlo::new(Normal, 3).unwrap(), 0.5, Key::new(1)).unwrap(), UNIT, 1.0)
            .unwrap();
    gradient_is_the_slope(ROUNDING), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING), draws_follow_the_key(),
}

loss_laws! {
    top_k_hinges: f64 = |example| TopKHinges::new(half_and_half(example.k)).unwrap().with_margins(UNIT).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    falls_with_the_label_score(ROUNDING), is_never_negative(), is_lipschitz(SQRT_2, ROUNDING), ignores_the_key(),
}

loss_laws! {
    smoothed_top_k_hinges: f64 = |example| TopKHinges::new(half_and_half(example.k)).unwrap().with_margins(UNIT).unwrap().with_epsilon(Some(0.5)).unwrap();
    gradient_is_the_slope(quadrature::<f64>()), ignores_a_common_offset(quadrature::<f64>()), treats_classes_alike(quadrature::<f64>()),
    gradient_sums_to(0.0, quadrature::<f64>()), falls_with_the_label_score(quadrature::<f64>()), ignores_the_key(),
}

macro_rules! top_k_svms {
    ($($name:ident: $form:ident, $($law:ident($($argument:expr),*)),*;)+) => {$(
        loss_laws! {
            $name: f64 = |example| TopKSvm::new(example.k, TopKSvmForm::$form).unwrap().with_margins(UNIT).unwrap();
            gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING),
            falls_with_the_label_score(ROUNDING), is_never_negative(), is_lipschitz(SQRT_2, ROUNDING),
            zeros_of_both_signs_are_equal(), ignores_the_key(), $($law($($argument),*)),*
        }
    )+};
}

top_k_svms! {
    svm_of_the_kth_other: KthOther, treats_classes_alike(ROUNDING), ties_go_to_the_lowest_index(),
        is_linear_in_cells(Cells::of_kth, 1.0, ROUNDING);
    svm_of_the_mean_inside: MeanInside, treats_classes_alike(ROUNDING),
        is_convex(ROUNDING), lies_above_its_tangents(ROUNDING), ties_go_to_the_lowest_index(),
        is_linear_in_cells(Cells::of_mean, 1.0, ROUNDING);
    svm_of_the_mean_with_the_label: MeanWithLabel, is_convex(ROUNDING), lies_above_its_tangents(ROUNDING),
        is_linear_in_cells(Cells::of_mean_with_label, 1.0, ROUNDING);
    svm_of_the_mean_outside: MeanOutside, treats_classes_alike(ROUNDING), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING),
        is_linear_in_cells(Cells::of_each, 1.0, ROUNDING);
}

loss_laws! {
    smooth_top_k_svm: f64 = |example| SmoothTopKSvm::new(example.k, 0.5, 1.0).unwrap();
    gradient_is_the_slope(quadrature::<f64>()), ignores_a_common_offset(quadrature::<f64>()), treats_classes_alike(quadrature::<f64>()),
    gradient_sums_to(0.0, quadrature::<f64>()), falls_with_the_label_score(quadrature::<f64>()), is_never_negative(),
    zeros_of_both_signs_are_equal(), ignores_the_key(),
}

loss_laws! {
    top_k_cross_entropy: f64 = |example| TopKCrossEntropy::new(example.k, Gumbel, 0.5).unwrap();
    gradient_is_the_slope(TOP_K_CROSS_ENTROPY), ignores_a_common_offset(TOP_K_CROSS_ENTROPY), treats_classes_alike(TOP_K_CROSS_ENTROPY),
    gradient_sums_to(0.0, TOP_K_CROSS_ENTROPY), falls_with_the_label_score(TOP_K_CROSS_ENTROPY), is_never_negative(),
    zeros_of_both_signs_are_equal(), ignores_the_key(),
}

loss_laws! {
    logistic_top_k_cross_entropy: f64 = |example| TopKCrossEntropy::new(example.k, Logistic, 1.0).unwrap();
    gradient_is_the_slope(TOP_K_CROSS_ENTROPY), gradient_sums_to(0.0, TOP_K_CROSS_ENTROPY),
}

loss_laws! {
    mixed_top_k_cross_entropy: f64 = |example| TopKCrossEntropy::mixture(half_and_half(example.k), Normal, 1.0).unwrap();
    gradient_is_the_slope(TOP_K_CROSS_ENTROPY), gradient_sums_to(0.0, TOP_K_CROSS_ENTROPY),
}

loss_laws! {
    mean_of_hinge: f64 = |example|
        MeanOfHinge::new(KthLargest::new(example.k + 1).unwrap(), MonteCarlo::new(Normal, 5).unwrap(), 0.5, Key::new(2)).unwrap().with_margins(UNIT).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING), falls_with_the_label_score(ROUNDING),
    is_never_negative(), is_lipschitz(SQRT_2, ROUNDING), draws_follow_the_key(),
}

loss_laws! {
    smoothed_cross_entropy: f64 = |_|
        SmoothedLoss::new(CrossEntropy, MonteCarlo::new(Normal, 3).unwrap(), 0.5, Key::new(2)).unwrap().shift_invariant();
    gradient_is_the_slope(ROUNDING), has_no_kink(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING),
    is_convex(ROUNDING), is_smooth(0.5, ROUNDING), draws_follow_the_key(),
}

loss_laws! {
    hinge_over_two_ranks: f64 = |example|
        Hinge::new(RankSum::new(half_and_half(example.k.min(2))).unwrap(), UNIT, 1.0).unwrap();
    gradient_is_the_slope(ROUNDING), ignores_a_common_offset(ROUNDING), gradient_sums_to(0.0, ROUNDING), ignores_the_key(),
}
