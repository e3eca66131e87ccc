//! The two convex losses of K guesses, and the soft mask, against a full sort and a bisection.

use proptest::prelude::*;
use topk_loss::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use topk_loss::maximizer::SoftTopKMask;
use topk_loss::{CrossEntropy, Error, Loss, Margins, Real};
use topk_loss_laws::property::evaluate;

#[derive(Debug, Clone)]
struct Case {
    scores: Vec<f64>,
    label: usize,
    k: usize,
    margin: f64,
}

/// Random, tied, clustered, with masks, and of a large offset.
fn cases() -> impl Strategy<Value = Case> {
    let len = prop_oneof![4 => 2..12_usize, 2 => 12..100_usize, 1 => 100..1000_usize];
    (len, 0..5_u8, prop_oneof![Just(1.0), 0.01..30.0]).prop_flat_map(|(len, family, margin)| {
        let scores = prop::collection::vec(-4.0..4.0_f64, len).prop_map(move |mut scores| {
            scores.iter_mut().enumerate().for_each(|(i, s)| {
                *s = match family {
                    1 => s.round(),
                    2 if i % 3 == 0 => 10.0 + *s * 1e-3,
                    3 if i % 4 == 3 => -1e30,
                    4 => 0.5,
                    _ => *s,
                };
            });
            scores
        });
        // No more guesses than there are classes that are not masked.
        let most = if family == 3 { len - len / 4 } else { len };
        (scores, 0..len, 1..most.max(2)).prop_map(move |(scores, label, k)| Case { scores, label, k, margin })
    })
}

/// So many guesses among so many more classes that the search begins with the largest of finer parts of the row.
fn many_of_more() -> impl Strategy<Value = Case> {
    let width = prop_oneof![0.01..0.1, 0.1..1.0, 1.0..10.0];
    (33..100_usize, 500..2000_usize, any::<bool>(), width).prop_flat_map(|(k, len, is_tied, margin)| {
        let score = (-4.0..4.0_f64).prop_map(move |score| if is_tied { (4.0 * score).round() } else { score * score * score });
        prop::collection::vec(score, len).prop_map(move |scores| Case { scores, label: 0, k, margin })
    })
}

fn sorted(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<_> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}

fn polyhedral_of<F: Real>(k: usize, margin: F) -> PolyhedralHinge<F> {
    PolyhedralHinge::new(k).unwrap().with_margins(Margins::Uniform(margin)).unwrap()
}

/// The formula, by a full sort.
fn polyhedral(Case { scores, label, k, margin }: &Case) -> f64 {
    let order = sorted(scores);
    let top = scores[order[0]];
    let (mut sum, mut best) = (0.0, 0.0_f64);
    for (j, &class) in (1..).zip(&order) {
        sum += scores[class] - top;
        if j > *k {
            best = best.max(margin + (sum - *k as f64 * margin) / j as f64);
        }
    }
    best + (top - scores[*label])
}

/// Where the ramp of a mask starts, by bisection.
fn start(scores: &[f64], k: usize, width: f64) -> f64 {
    let order = sorted(scores);
    let (mut low, mut high) = (scores[order[k - 1]] - width, scores[order[0]]);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        let sum: f64 = scores.iter().map(|s| ((s - middle) / width).clamp(0.0, 1.0)).sum();
        if sum > k as f64 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn mask(scores: &[f64], k: usize, width: f64) -> Vec<f64> {
    let start = start(scores, k, width);
    scores.iter().map(|s| ((s - start) / width).clamp(0.0, 1.0)).collect()
}

fn margin_cross_entropy(Case { scores, label, k, margin }: &Case) -> (f64, Vec<f64>) {
    let lowered: Vec<_> = scores.iter().zip(mask(scores, *k, *margin)).map(|(s, h)| s - margin * h).collect();
    let top = lowered.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = lowered.iter().map(|t| (t - top).exp()).sum();
    let mut grad: Vec<_> = lowered.iter().map(|t| (t - top).exp() / sum).collect();
    grad[*label] -= 1.0;
    (sum.ln() + (top - scores[*label]) + margin, grad)
}

fn near(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-12 * (1.0 + scale)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_polyhedral_hinge_is_its_formula(case in cases()) {
        let loss = polyhedral_of(case.k, case.margin);
        let (value, grad) = evaluate(&loss, &case.scores, case.label);
        let expected = polyhedral(&case);
        let range = (case.scores[sorted(&case.scores)[0]] - case.scores[case.label]).abs();
        prop_assert!(near(value, expected.max(0.0), range + case.margin * case.k as f64), "{value} {expected}");
        // 1/j on the j largest, the label's less 1.
        if value > 0.0 {
            let mut shares = grad.clone();
            shares[case.label] += 1.0;
            let counted: Vec<_> = (0..shares.len()).filter(|&i| shares[i] > 1e-9).collect();
            let j = counted.len();
            prop_assert!(counted.iter().all(|&i| (shares[i] - 1.0 / j as f64).abs() < 1e-12) && (j == 1 || j > case.k));
            let least = counted.iter().map(|&i| case.scores[i]).fold(f64::INFINITY, f64::min);
            prop_assert!((0..shares.len()).filter(|i| !counted.contains(i)).all(|i| case.scores[i] <= least));
        } else {
            prop_assert!(grad.iter().all(|&g| g == 0.0));
        }
    }

    #[test]
    fn the_soft_mask_is_the_bisections(case in prop_oneof![3 => cases(), 1 => many_of_more()]) {
        let (soft, mut ours) = (SoftTopKMask::new(case.k, case.margin).unwrap(), vec![f64::NAN; case.scores.len()]);
        soft.mask(&case.scores, &mut ours, &mut vec![0.0; case.scores.len()]).unwrap();
        let expected = mask(&case.scores, case.k, case.margin);
        for (ours, expected) in ours.iter().zip(&expected) {
            prop_assert!((ours - expected).abs() < 1e-9 && (0.0..=1.0).contains(ours), "{ours} {expected}");
        }
        let sum: f64 = ours.iter().sum();
        prop_assert!((sum - case.k as f64).abs() < 1e-9 * (1.0 + case.k as f64), "{sum}");
    }

    #[test]
    fn the_margin_cross_entropy_is_its_formula(case in cases()) {
        let loss = TopKMarginCrossEntropy::new(case.k, case.margin).unwrap();
        let (value, grad) = evaluate(&loss, &case.scores, case.label);
        let (expected, expected_grad) = margin_cross_entropy(&case);
        prop_assert!((value - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{value} {expected}");
        for (ours, expected) in grad.iter().zip(&expected_grad) {
            prop_assert!((ours - expected).abs() < 1e-8, "{ours} {expected}");
        }
    }

    #[test]
    fn a_product_with_the_jacobian_is_a_difference(case in cases(), seed in any::<u32>()) {
        let Case { scores, k, margin, .. } = &case;
        let soft = SoftTopKMask::new(*k, *margin).unwrap();
        let direction: Vec<f64> = (0..scores.len()).map(|i| f64::from((seed.wrapping_mul(2 * i as u32 + 1)) >> 16) / 65536.0 - 0.5).collect();
        let of = |step: f64| {
            let moved: Vec<_> = scores.iter().zip(&direction).map(|(s, v)| s + step * v).collect();
            let mut mask = vec![f64::NAN; moved.len()];
            soft.mask(&moved, &mut mask, &mut vec![0.0; moved.len()]).unwrap();
            mask
        };
        let (step, here) = (1e-7 * margin, of(0.0));
        let (ahead, behind) = (of(step), of(-step));
        let kind = |mask: &[f64]| mask.iter().map(|&h| u8::from(h > 0.0) + u8::from(h >= 1.0)).collect::<Vec<_>>();
        // Where no entry comes to a kink in between.
        prop_assume!(kind(&ahead) == kind(&here) && kind(&behind) == kind(&here));
        let mut product = vec![f64::NAN; scores.len()];
        soft.jacobian_product(&here, &direction, &mut product).unwrap();
        for ((ours, a), b) in product.iter().zip(ahead).zip(behind) {
            prop_assert!((ours - (a - b) / (2.0 * step)).abs() * margin < 1e-5, "{ours} {}", (a - b) / (2.0 * step));
        }
    }

    /// A table's margin is the label's; a scale multiplies the hinge, and the scores of the cross-entropy.
    #[test]
    fn tables_and_scales_are_what_they_say(case in cases(), scale in 0.1..30.0_f64) {
        let Case { scores, label, k, margin } = &case;
        let margins: Vec<_> = (0..scores.len()).map(|class| if class == *label { *margin } else { 0.5 + class as f64 }).collect();
        let times = |(value, grad): (f64, Vec<f64>), value_scale: f64, grad_scale: f64| {
            (value_scale * value, grad.into_iter().map(|g| grad_scale * g).collect::<Vec<_>>())
        };
        let scaled: Vec<_> = scores.iter().map(|s| scale * s).collect();
        let hinge = PolyhedralHinge::new(*k).unwrap().with_margins(&margins).unwrap().with_scale(scale).unwrap();
        let softmax = TopKMarginCrossEntropy::new(*k, 1.0).unwrap().with_margins(&margins).unwrap().with_scale(scale).unwrap();
        for ((value, grad), (expected, expected_grad)) in [
            (evaluate(&hinge, scores, *label), times(evaluate(&polyhedral_of(*k, *margin), scores, *label), scale, scale)),
            (
                evaluate(&softmax, scores, *label),
                times(evaluate(&TopKMarginCrossEntropy::new(*k, *margin).unwrap(), &scaled, *label), 1.0, scale),
            ),
        ] {
            let range = 1.0 + scores.iter().map(|s| (scores[*label] - s).abs()).filter(|&r| r < 1e20).fold(0.0, f64::max);
            prop_assert!((value - expected).abs() <= 1e-10 * (1.0 + expected.abs() + scale * range), "{value} {expected}");
            prop_assert!(grad.iter().zip(expected_grad).all(|(a, b)| (a - b).abs() < 1e-8 * (1.0 + scale)));
        }
    }

    /// In single precision what double precision says of the same numbers.
    #[test]
    fn single_precision_is_near(case in cases()) {
        let single: Vec<f32> = case.scores.iter().map(|&s| s as f32).collect();
        let case = Case { scores: single.iter().map(|&s| f64::from(s)).collect(), margin: f64::from(case.margin as f32), ..case };
        let largest = case.scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let scale = 1.0 + (largest - case.scores[case.label]).abs() + case.margin * case.k as f64;
        let (value, _) = evaluate(&polyhedral_of(case.k, case.margin as f32), &single, case.label);
        prop_assert!((f64::from(value) - polyhedral(&case).max(0.0)).abs() < 4e-6 * scale, "{value} {}", polyhedral(&case));
        let (value, grad) = evaluate(&TopKMarginCrossEntropy::new(case.k, case.margin as f32).unwrap(), &single, case.label);
        let (expected, expected_grad) = margin_cross_entropy(&case);
        prop_assert!((f64::from(value) - expected).abs() < 4e-6 * (scale + expected), "{value} {expected}");
        let error: f64 = grad.iter().zip(&expected_grad).map(|(&a, b)| (f64::from(a) - b).abs()).sum();
        prop_assert!(error < 3e-5 * (1.0 + case.margin), "{error}");
    }
}

/// A margin of nearly nothing leaves the cross-entropy.
#[test]
fn without_a_margin_it_is_the_cross_entropy() {
    let scores = [1.0_f64, 0.25, -0.5, 3.0];
    let (value, grad) = evaluate(&TopKMarginCrossEntropy::new(2, 1e-12).unwrap(), &scores, 1);
    let (expected, expected_grad) = evaluate(&CrossEntropy, &scores, 1);
    assert!((value - expected).abs() < 1e-11 && grad.iter().zip(expected_grad).all(|(a, b)| (a - b).abs() < 1e-11));
}

/// Scores near the ends of the range, and parameters that are none.
fn the_ends_of_the_range<F: Real>() {
    let (most, k) = (F::max_value(), 2);
    for scores in
        [[most, -most, F::zero(), -most], [most, most, most, most], [-most, -most, -most, -most], [F::zero(), -most, -most, -most]]
    {
        for label in 0..4 {
            let mut scratch = [F::zero(); 4];
            let polyhedral = PolyhedralHinge::new(k).unwrap().value(&scores, label, &mut scratch);
            let margin = TopKMarginCrossEntropy::new(k, F::one()).unwrap().value(&scores, label, &mut scratch);
            for outcome in [polyhedral, margin] {
                assert!(
                    outcome.map_or_else(|error| matches!(error, Error::Overflow { .. }), |value| value.is_finite() && value >= F::zero())
                );
            }
        }
    }
}

#[test]
fn nothing_is_infinite_or_nan() {
    the_ends_of_the_range::<f32>();
    the_ends_of_the_range::<f64>();
}

#[test]
fn what_is_wrong_is_refused() {
    let parameter = |name| Err(Error::Parameter { name, must: "positive and finite" });
    for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(PolyhedralHinge::new(1).unwrap().with_margins(Margins::Uniform(x)), parameter("margin"));
        assert_eq!(TopKMarginCrossEntropy::new(1, x), Err(Error::Parameter { name: "margin", must: "positive and finite" }));
        assert_eq!(SoftTopKMask::new(1, x), Err(Error::Parameter { name: "width", must: "positive and finite" }));
    }
    assert!(PolyhedralHinge::<f64>::new(0).is_err() && TopKMarginCrossEntropy::new(0, 1.0).is_err() && SoftTopKMask::new(0, 1.0).is_err());
    let (mut mask, soft) = ([7.0; 3], SoftTopKMask::new(3, 1.0).unwrap());
    assert_eq!(soft.mask(&[1.0, 2.0], &mut mask[..2], &mut [0.0; 2]), Err(Error::K { k: 3, max: 2 }));
    assert_eq!(soft.mask(&[1.0, f64::NAN, 2.0], &mut mask, &mut [0.0; 3]), Err(Error::NotFinite { what: "scores", index: 1 }));
    assert!(
        soft.mask(&[1.0, 0.5, 2.0], &mut mask, &mut [0.0; 2]).is_err() && soft.jacobian_product(&[0.5; 3], &[1.0; 2], &mut mask).is_err()
    );
    let narrow = SoftTopKMask::new(1, 0.5).unwrap();
    let beyond = narrow.jacobian_product(&[0.5, 0.5, 0.0], &[f64::MAX, f64::MIN, 0.0], &mut mask);
    assert_eq!(beyond, Err(Error::Overflow { what: "product" }));
    assert_eq!(mask, [7.0; 3]);
    soft.mask(&[1.0, 0.5, 2.0], &mut mask, &mut [0.0; 3]).unwrap();
    assert_eq!(mask, [1.0; 3]);
}
