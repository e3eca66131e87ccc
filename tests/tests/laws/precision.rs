//! What `f32` keeps of the losses that select, and what it promises alone.

use topk_loss::loss::{Focal, Hinge, SmoothTopKSvm, TopKSvm, TopKSvmForm};
use topk_loss::oracle::{KthLargest, Max, TopKSum};
use topk_loss::{CrossEntropy, Margins, Real, TopKHinge};
use topk_loss_laws::laws::agrees_in_single_precision;
use topk_loss_laws::strategies::moderate_example;
use topk_loss_laws::tolerances::{ROUNDING, quadrature};
use topk_loss_laws::{Example, Tolerance, holds, loss_laws};

fn margin<F: Real>() -> Margins<'static, F> {
    Margins::Uniform(F::one())
}

macro_rules! single_precision {
    ($($name:ident within $tolerance:expr, |$k:ident| $loss:expr;)+) => {$(
        #[test]
        fn $name() {
            holds(moderate_example(), |example: Example<f32>| {
                let $k = example.k;
                agrees_in_single_precision(&$loss, &$loss, &example, $tolerance)
            });
        }
    )+};
}

const SELECTED: Tolerance = ROUNDING;

single_precision! {
    calibrated_hinge within SELECTED, |k| TopKHinge::new(k).unwrap().with_margins(margin()).unwrap();
    hinge_over_the_maximum within SELECTED, |_k| Hinge::new(Max, margin(), 2.0).unwrap();
    hinge_over_a_sum within SELECTED, |k| Hinge::new(TopKSum::new(k).unwrap(), margin(), 1.0).unwrap();
    hinge_over_the_kth within SELECTED, |k| Hinge::new(KthLargest::new(k).unwrap(), margin(), 1.0).unwrap();
    svm_of_the_kth_other within SELECTED, |k| TopKSvm::new(k, TopKSvmForm::KthOther).unwrap().with_margins(margin()).unwrap();
    exactly_smoothed_hinge within quadrature::<f32>(), |k| TopKHinge::smoothed(k, 0.5).unwrap();
}

loss_laws! { cross_entropy: f32 = |_| CrossEntropy; gradient_is_the_slope(ROUNDING), is_convex(ROUNDING), gradient_sums_to(0.0, ROUNDING) }
loss_laws! { focal: f32 = |_| Focal::new(2.0).unwrap(); gradient_sums_to(0.0, ROUNDING), ignores_a_common_offset(ROUNDING) }
loss_laws! {
    calibrated_hinge_alone: f32 = |example| TopKHinge::new(example.k).unwrap().with_margins(margin()).unwrap();
    gradient_sums_to(0.0, ROUNDING), vanishes_with_the_lead(1.0, ROUNDING), ties_go_to_the_lowest_index(),
}
loss_laws! { exactly_smoothed: f32 = |example| TopKHinge::smoothed(example.k, 0.5).unwrap(); gradient_sums_to(0.0, quadrature::<f32>()) }
loss_laws! { smooth_top_k_svm: f32 = |example| SmoothTopKSvm::new(example.k, 0.5, 1.0).unwrap(); gradient_sums_to(0.0, quadrature::<f32>()) }
