//! The oracles, one module each.

use topk_loss::estimator::Exact;
use topk_loss::maximizer::{Ranking, TopKMask};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::{KthLargest, Max, RankSum, SupportFunction, TopKSum};
use topk_loss_laws::oracle_laws;
use topk_loss_laws::tolerances::{ROUNDING, quadrature};

oracle_laws! {
    max: f64 = |_| Max;
    gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(1.0, ROUNDING),
    is_convex(ROUNDING), lies_above_its_tangents(ROUNDING), is_lipschitz(1.0, ROUNDING), ties_go_to_the_lowest_index(),
    zeros_of_both_signs_are_equal(), ignores_the_key(),
}

oracle_laws! {
    kth_largest: f64 = |example| KthLargest::new(example.k).unwrap();
    gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(1.0, ROUNDING),
    is_lipschitz(1.0, ROUNDING), ties_go_to_the_lowest_index(), zeros_of_both_signs_are_equal(), ignores_the_key(),
}

oracle_laws! {
    top_k_sum: f64 = |example| TopKSum::new(example.k).unwrap();
    gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), treats_classes_alike(ROUNDING), is_convex(ROUNDING),
    lies_above_its_tangents(ROUNDING), ties_go_to_the_lowest_index(), zeros_of_both_signs_are_equal(), ignores_the_key(),
}

oracle_laws! {
    rank_sum: f64 = |_| RankSum::new(&[0.5, 2.0]).unwrap();
    gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), treats_classes_alike(ROUNDING), gradient_sums_to(2.5, ROUNDING),
    ties_go_to_the_lowest_index(), zeros_of_both_signs_are_equal(), ignores_the_key(),
}

oracle_laws! {
    best_mask: f64 = |example| SupportFunction::new(TopKMask::new(example.k).unwrap());
    gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING), ignores_the_key(),
}

oracle_laws! {
    best_ranking: f64 = |_| SupportFunction::new(Ranking);
    gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), is_convex(ROUNDING), lies_above_its_tangents(ROUNDING), ignores_the_key(),
}

oracle_laws! {
    exact_kth_largest: f64 = |example| Exact::new(KthLargest::new(example.k).unwrap(), Normal, 0.5).unwrap();
    gradient_is_the_slope(quadrature::<f64>()), treats_classes_alike(quadrature::<f64>()), gradient_sums_to(1.0, quadrature::<f64>()),
    is_lipschitz(1.0, quadrature::<f64>()), zeros_of_both_signs_are_equal(), ignores_the_key(),
}

oracle_laws! {
    plain_kth_largest: f64 = |example| Exact::new(KthLargest::new(example.k).unwrap(), Logistic, 0.5).unwrap().plain();
    gradient_is_the_slope(quadrature::<f64>()), gradient_sums_to(1.0, quadrature::<f64>()), ignores_the_key(),
}

oracle_laws! {
    exact_top_k_sum: f64 = |example| Exact::new(TopKSum::new(example.k).unwrap(), Gumbel, 0.5).unwrap();
    gradient_is_the_slope(quadrature::<f64>()), treats_classes_alike(quadrature::<f64>()), is_convex(quadrature::<f64>()),
    lies_above_its_tangents(quadrature::<f64>()), ignores_the_key(),
}
