//! Which losses are top-K calibrated: verdicts for up to three guesses and six classes, with the witnesses (`--nocapture` prints them).
//! Of the hinges, `tests/certificate.rs` decides what is only searched here.
//!
//! The losses that integrate under a quick search, for all sizes, and every loss under the full search, are
//! `cargo test --release -p topk-loss-laws --test calibration -- --ignored --nocapture`, with the name of either test before the `--` or both.

use std::time::Instant;

use topk_loss::estimator::Exact;
use topk_loss::loss::{
    ClassWeighted, ExpectedLoss, Hinge, PolyhedralHinge, SmoothTopKSvm, SoftLabelLoss, TopKCrossEntropy, TopKMarginCrossEntropy, TopKSvm,
    TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Normal};
use topk_loss::oracle::{KthLargest, Max, Oracle};
use topk_loss::{CrossEntropy, Loss, Margins, TopKHinge};
use topk_loss_laws::calibration::{Search, Verdict, calibration_curve, is_preserving, top_k_calibrated};
use topk_loss_laws::reference::top_k_sum;
use topk_loss_laws::tolerances::{CALIBRATION_CURVE, CALIBRATION_GAP};

const MARGIN: Margins<'static, f64> = Margins::Uniform(1.0);
const FORMS: [TopKSvmForm; 4] = [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside];

/// For losses that integrate: few distributions, few descents.
const QUICK: Search = Search { radius: 25.0, parts: 2, random: 0, descents: 2, ..Search::DEFAULT };

/// K and L.
type Size = (usize, usize);

fn sizes(most_classes: usize) -> impl Iterator<Item = Size> {
    (1..=3).flat_map(move |k| (3.max(k + 1)..=most_classes).map(move |num_classes| (k, num_classes)))
}

/// The verdict, printed; its witness is what it says it is.
fn judge(name: &str, loss: &dyn Loss<f64>, (k, num_classes): Size, search: &Search) -> Verdict {
    let start = Instant::now();
    let verdict = top_k_calibrated(&loss, k, num_classes, search).unwrap();
    println!("{name}, K = {k}, L = {num_classes} ({:.1?}): {verdict}\n", start.elapsed());
    let witness = verdict.witness();
    let risk = ExpectedLoss::new(loss);
    let mut scratch = vec![0.0; SoftLabelLoss::<f64>::soft_scratch_len(&risk, num_classes)];
    assert_eq!(risk.soft_value(&witness.scores, &witness.shares, &mut scratch), Ok(witness.risk));
    assert_eq!(risk.soft_value(&witness.best_scores, &witness.shares, &mut scratch), Ok(witness.least_risk));
    assert!(!is_preserving(&witness.scores, &witness.shares, k), "{verdict}");
    assert!(witness.gap() >= -CALIBRATION_CURVE * witness.risk, "{verdict}");
    verdict
}

fn calibrated_hinge(k: usize) -> TopKHinge<f64> {
    TopKHinge::new(k).unwrap().with_margins(MARGIN).unwrap()
}

#[test]
fn the_calibrated_hinge_is_not_refuted() {
    for size in sizes(6) {
        let verdict = judge("calibrated hinge", &calibrated_hinge(size.0), size, &Search::default());
        // The least risk is what the best guesses miss, and all of the regret is paid, at the rate of the margin.
        let witness = verdict.witness();
        let missed = 1.0 - top_k_sum(&witness.shares, size.0).0;
        assert!((witness.least_risk - missed).abs() < CALIBRATION_CURVE, "{verdict}");
        assert!(!verdict.is_refuted() && (witness.gap() - witness.regret).abs() < CALIBRATION_CURVE, "{verdict}");
    }
}

/// The convex ones need no noise to be trained with.
#[test]
fn the_convex_losses_are_not_refuted() {
    for size in sizes(6) {
        let verdict = judge("polyhedral hinge", &PolyhedralHinge::new(size.0).unwrap(), size, &Search::default());
        // As with the hard hinge, the least risk is what the best guesses miss.
        let witness = verdict.witness();
        let missed = 1.0 - top_k_sum(&witness.shares, size.0).0;
        assert!((witness.least_risk - missed).abs() < CALIBRATION_CURVE && !verdict.is_refuted(), "{verdict}");
    }
    for size in sizes(5) {
        let loss = TopKMarginCrossEntropy::new(size.0, 1.0).unwrap();
        assert!(!judge("top-K margin cross-entropy", &loss, size, &Search::default()).is_refuted());
    }
}

/// For K = 1 all four are the hinge of Crammer and Singer, which needs a class with more than half of the labels. For K ≥ 2 two of them
/// are saved where only one class is not among the guesses.
#[test]
fn the_other_hinges_are_refuted() {
    for (form, size) in FORMS.into_iter().flat_map(|form| sizes(6).map(move |size| (form, size))) {
        let loss = TopKSvm::new(size.0, form).unwrap().with_margins(MARGIN).unwrap();
        let verdict = judge(&format!("{form:?}"), &loss, size, &Search::default());
        let saved = matches!(form, TopKSvmForm::KthOther | TopKSvmForm::MeanInside) && size.0 >= 2 && size.1 == size.0 + 1;
        assert_eq!(verdict.is_refuted(), !saved, "{verdict}");
        // Where the wrong scores tie, they are as good as the best to the last digits.
        let witness = verdict.witness();
        assert!(saved || witness.gap() < CALIBRATION_CURVE, "{verdict}");
        // Where it is saved, the least risk is known: a multiple of the least share.
        let multiple = if form == TopKSvmForm::KthOther { 2.0 } else { size.1 as f64 };
        let least = multiple * witness.shares.iter().copied().fold(1.0, f64::min);
        assert!(!saved || (witness.least_risk - least).abs() < CALIBRATION_GAP, "{verdict}");
    }
}

#[test]
fn the_cross_entropy_is_not_refuted() {
    for size in sizes(6) {
        let verdict = judge("cross-entropy", &CrossEntropy, size, &Search::default());
        let witness = verdict.witness();
        let entropy: f64 = witness.shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
        assert!(!verdict.is_refuted() && (witness.least_risk - entropy).abs() < CALIBRATION_GAP, "{verdict}");
    }
}

#[test]
fn the_smooth_svm_is_not_refuted() {
    for size in sizes(6) {
        let smooth = SmoothTopKSvm::new(size.0, 1.0, 1.0).unwrap();
        assert!(!judge("smooth top-K SVM, τ = 1", &smooth, size, &Search::default()).is_refuted());
    }
}

/// Near its hard limit, `KthOther`, wrong guesses cost hardly more than right ones.
#[test]
fn the_gap_of_the_smooth_svm_vanishes_with_its_temperature() {
    for (k, num_classes) in [(1, 3), (2, 4)] {
        let gap = |temperature: f64| {
            let svm = SmoothTopKSvm::new(k, temperature, 1.0).unwrap();
            calibration_curve(&svm, k, num_classes, &[0.05], &Search::default()).unwrap()[0].1.gap()
        };
        let (smooth, nearly_hard) = (gap(1.0), gap(0.05));
        println!("K = {k}, L = {num_classes}: H(0.05) = {smooth:.1e} at τ = 1, {nearly_hard:.1e} at τ = 0.05");
        assert!(nearly_hard > CALIBRATION_GAP && nearly_hard < 0.2 * smooth);
    }
}

/// For K = 1 it is the cross-entropy; six classes are left to the whole table.
#[test]
fn the_top_k_cross_entropy_is_not_refuted() {
    for size in sizes(5).filter(|&(k, num_classes)| k > 1 || num_classes < 5) {
        let loss = TopKCrossEntropy::new(size.0, Gumbel, 1.0).unwrap();
        assert!(!judge("top-K cross-entropy", &loss, size, &QUICK).is_refuted());
    }
}

/// The ε at which K + 1 tied classes lead the smoothed (K+1)-th score by the margin of 1.
fn critical_epsilon(k: usize) -> f64 {
    let tied = vec![0.0; k + 1];
    let exact = Exact::new(Max, Normal, 1.0).unwrap();
    let mut scratch = vec![0.0; Oracle::<f64>::scratch_len(&exact, k + 1)];
    1.0 / exact.value(&tied, &mut scratch).unwrap()
}

#[test]
fn the_smoothed_hinge_is_refuted_from_a_scale_on() {
    for size in sizes(4) {
        let critical = critical_epsilon(size.0);
        for (epsilon, refuted) in [(0.9 * critical, false), (1.1 * critical, true)] {
            let verdict = judge(&format!("smoothed hinge, ε = {epsilon:.3}"), &TopKHinge::smoothed(size.0, epsilon).unwrap(), size, &QUICK);
            assert_eq!(verdict.is_refuted(), refuted, "{verdict}");
        }
    }
}

/// The published scales: 0.2 is small enough; 1 is too large for three guesses and more.
#[test]
fn the_published_scales() {
    for (size, epsilon, refuted) in [((2, 4), 0.2, false), ((2, 4), 1.0, false), ((3, 4), 1.0, true), ((3, 6), 1.0, true)] {
        let verdict = judge(&format!("smoothed hinge, ε = {epsilon}"), &TopKHinge::smoothed(size.0, epsilon).unwrap(), size, &QUICK);
        assert_eq!(verdict.is_refuted(), refuted, "{verdict}");
    }
}

/// Losses that answer another question than the one asked.
#[test]
fn faults_are_refuted() {
    let size = (2, 4);
    let one_rank_off = Hinge::new(KthLargest::new(2).unwrap(), MARGIN, 1.0).unwrap();
    assert!(judge("K for K + 1", &one_rank_off, size, &Search::default()).is_refuted());
    let no_margin = TopKHinge::new(2).unwrap().with_margins(Margins::Uniform(0.0)).unwrap();
    assert!(judge("no margin", &no_margin, size, &Search::default()).is_refuted());
    let weighted = ClassWeighted::new(calibrated_hinge(2), &[1.0, 1.0, 1.5, 1.0]).unwrap();
    assert!(judge("class weights", &weighted, size, &Search::default()).is_refuted());
}

/// Scores may be of any size, if the search is told; losses are of any size.
#[test]
fn any_size_will_do() {
    let margins = Margins::Uniform(0.02);
    let search = Search { unit: 0.02, ..Search::default() };
    assert!(
        !judge("small margin", &TopKHinge::new(2).unwrap().with_margins(margins).unwrap().with_scale(60.0).unwrap(), (2, 4), &search)
            .is_refuted()
    );
    assert!(
        judge(
            "small margin",
            &TopKSvm::new(2, FORMS[1]).unwrap().with_margins(margins).unwrap().with_scale(60.0).unwrap(),
            (2, 4),
            &search
        )
        .is_refuted()
    );
    for weights in [[1e-6; 4], [1e6; 4]] {
        let scaled = ClassWeighted::new(CrossEntropy, &weights).unwrap();
        assert!(!judge("scaled cross-entropy", &scaled, (2, 4), &Search::default()).is_refuted());
        let scaled = ClassWeighted::new(TopKSvm::new(2, FORMS[3]).unwrap().with_margins(MARGIN).unwrap(), &weights).unwrap();
        assert!(judge("scaled hinge", &scaled, (2, 4), &Search::default()).is_refuted());
    }
}

/// Whatever the scores allow to choose is best if and only if they are preserving.
#[test]
fn preserving_scores_allow_the_best_guesses_only() {
    let grid = |code: u32, class: u32| f64::from(code / 3_u32.pow(class) % 3);
    for (scores, shares) in (0..81).flat_map(|scores| (0..81).map(move |shares| (scores, shares))) {
        let [scores, shares] = [scores, shares].map(|code| (0..4).map(|class| grid(code, class)).collect::<Vec<f64>>());
        for k in 1..=3 {
            let total = |bits: u32| (0..4).filter(|class| bits >> class & 1 == 1).map(|class| shares[class]).sum::<f64>();
            let sets = (0..16_u32).filter(|bits| bits.count_ones() as usize == k);
            let most = sets.clone().map(total).fold(0.0, f64::max);
            let allowed = sets.filter(|bits| {
                let (inside, outside): (Vec<_>, Vec<_>) = (0..4).partition(|class| bits >> class & 1 == 1);
                inside.iter().all(|&i: &usize| outside.iter().all(|&j| scores[i] >= scores[j]))
            });
            assert_eq!(is_preserving(&scores, &shares, k), allowed.map(total).all(|share| share == most), "{scores:?} {shares:?} {k}");
        }
    }
}

/// Linear with the slope m for the calibrated hinge. For the cross-entropy and one guess, the divergence of two contenders from a tie.
#[test]
fn the_curve_is_the_known_one() {
    const REGRETS: [f64; 6] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
    for (k, num_classes) in [(1, 3), (2, 4)] {
        println!("K = {k}, L = {num_classes}: regret, H of the calibrated hinge, of the cross-entropy, of the smooth top-K SVM (τ = 1)");
        let curve = |loss: &dyn Loss<f64>| calibration_curve(&loss, k, num_classes, &REGRETS, &Search::default()).unwrap();
        let svm = curve(&SmoothTopKSvm::new(k, 1.0, 1.0).unwrap());
        let curves = curve(&calibrated_hinge(k)).into_iter().zip(curve(&CrossEntropy)).zip(svm);
        for (((regret, hinge), (_, entropy)), (_, svm)) in curves {
            println!("{regret:5} {:.6} {:.6} {:.6}", hinge.gap(), entropy.gap(), svm.gap());
            assert!((hinge.gap() - regret).abs() < CALIBRATION_CURVE, "{hinge}");
            let divergence = 0.5 * ((1.0 + regret) * regret.ln_1p() + (1.0 - regret) * (-regret).ln_1p());
            assert!(k > 1 || (entropy.gap() - divergence).abs() < CALIBRATION_GAP, "{entropy} not {divergence}");
        }
    }
}

#[test]
fn mistakes_are_named() {
    use topk_loss::Error;
    let search = Search::default();
    for k in [0, 3] {
        assert_eq!(top_k_calibrated(&CrossEntropy, k, 3, &search), Err(Error::K { k, max: 2 }));
    }
    let margins = TopKHinge::new(1).unwrap().with_margins(Margins::PerClass(&[1.0; 4])).unwrap();
    assert!(matches!(top_k_calibrated(&margins, 1, 3, &search), Err(Error::Length { .. })));
}

/// The sizes that take the other tests too long.
#[test]
#[ignore = "two minutes in release"]
fn losses_that_integrate_for_all_sizes() {
    for size in sizes(6).collect::<Vec<_>>().into_iter().rev() {
        let (k, critical) = (size.0, critical_epsilon(size.0));
        assert!(!judge("top-K cross-entropy", &TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap(), size, &QUICK).is_refuted());
        for epsilon in [1.05 * critical, 0.95 * critical, 0.2] {
            let verdict = judge(&format!("smoothed hinge, ε = {epsilon:.3}"), &TopKHinge::smoothed(k, epsilon).unwrap(), size, &QUICK);
            assert_eq!(verdict.is_refuted(), epsilon > critical);
        }
    }
}

#[test]
#[ignore = "some hours in release"]
fn the_whole_table() {
    let search = Search { parts: 10, random: 60, descents: 20, ..Search::default() };
    for size in sizes(6) {
        let k = size.0;
        assert!(!judge("calibrated hinge", &calibrated_hinge(k), size, &search).is_refuted());
        assert!(!judge("cross-entropy", &CrossEntropy, size, &search).is_refuted());
        assert!(!judge("smooth top-K SVM, τ = 1", &SmoothTopKSvm::new(k, 1.0, 1.0).unwrap(), size, &search).is_refuted());
        for form in [TopKSvmForm::KthOther, TopKSvmForm::MeanInside] {
            let verdict = judge(&format!("{form:?}"), &TopKSvm::new(k, form).unwrap().with_margins(MARGIN).unwrap(), size, &search);
            assert_eq!(verdict.is_refuted(), k == 1 || size.1 > k + 1);
        }
        let search = Search { random: 6, descents: 6, ..search };
        assert!(!judge("top-K cross-entropy", &TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap(), size, &search).is_refuted());
        for epsilon in [0.2, 0.95 * critical_epsilon(k), 1.05 * critical_epsilon(k)] {
            let verdict = judge(&format!("smoothed hinge, ε = {epsilon:.3}"), &TopKHinge::smoothed(k, epsilon).unwrap(), size, &search);
            assert_eq!(verdict.is_refuted(), epsilon > critical_epsilon(k));
        }
    }
}
