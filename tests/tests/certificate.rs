//! The hinges' calibration, decided: certificates and witnesses for any guesses of up to six classes, all checked.
//!
//! `cargo test -p topk-loss-laws --test certificate -- --include-ignored --nocapture` prints them, those of seven classes too.

use std::time::Instant;

use proptest::prelude::*;
use topk_loss::config::{BaseConfig, BaseLoss, MarginConfig};
use topk_loss::loss::{ExpectedLoss, Hinge, SoftLabelLoss, TopKSvmForm};
use topk_loss::oracle::KthLargest;
use topk_loss::{CrossEntropy, Error, Loss, Margins, Result, Smoothing};
use topk_loss_laws::calibration::{Search, calibration_curve, is_preserving};
use topk_loss_laws::certificate::{Cells, Certificate, Cut, Verdict, Witness, certify, verify};
use topk_loss_laws::laws::is_linear_in_cells;
use topk_loss_laws::property::evaluate;
use topk_loss_laws::tolerances::{CALIBRATION_CURVE, ROUNDING};
use topk_loss_laws::{Example, Segment, check, holds};

/// K and L.
type Size = (usize, usize);

fn sizes_of(num_classes: usize) -> impl Iterator<Item = Size> {
    (1..num_classes).map(move |k| (k, num_classes))
}

fn sizes() -> impl Iterator<Item = Size> {
    (3..=6).flat_map(sizes_of)
}

/// A hinge: its loss for K guesses and a margin, its cells for L and K, its slope where it is calibrated.
struct Subject<L> {
    name: &'static str,
    loss: fn(usize, f64) -> Result<L>,
    cells: fn(usize, usize) -> Result<Cells>,
    slope: fn(Size) -> Option<f64>,
}

type AnyHinge = BaseLoss<f64, [f64; 0]>;

fn svm(k: usize, margin: f64, form: TopKSvmForm) -> Result<AnyHinge> {
    BaseConfig::TopKSvm { k, form, margins: MarginConfig::Uniform(margin), scale: 1.0 }.build()
}

fn calibrated_hinge(k: usize, margin: f64) -> Result<AnyHinge> {
    BaseConfig::TopKHinge { k, margins: MarginConfig::Uniform(margin), scale: 1.0, smoothing: Smoothing::None, tolerance: None }.build()
}

/// With one class beyond the guesses only the unlikeliest must be found.
fn if_one_is_missed((k, num_classes): Size) -> Option<f64> {
    (k >= 2 && num_classes == k + 1).then_some(1.0)
}

const HINGES: [Subject<AnyHinge>; 6] = [
    Subject { name: "calibrated hinge", loss: calibrated_hinge, cells: Cells::of_kth, slope: |_| Some(1.0) },
    Subject {
        name: "polyhedral hinge",
        loss: |k, margin| BaseConfig::PolyhedralHinge { k, margins: MarginConfig::Uniform(margin), scale: 1.0 }.build(),
        cells: Cells::of_sharing,
        slope: |(k, num_classes)| Some(1.0 / (k + 1).max(num_classes - k + 1) as f64),
    },
    Subject { name: "KthOther", loss: |k, margin| svm(k, margin, TopKSvmForm::KthOther), cells: Cells::of_kth, slope: if_one_is_missed },
    Subject {
        name: "MeanInside",
        loss: |k, margin| svm(k, margin, TopKSvmForm::MeanInside),
        cells: Cells::of_mean,
        slope: if_one_is_missed,
    },
    Subject {
        name: "MeanWithLabel",
        loss: |k, margin| svm(k, margin, TopKSvmForm::MeanWithLabel),
        cells: Cells::of_mean_with_label,
        slope: |_| None,
    },
    Subject { name: "MeanOutside", loss: |k, margin| svm(k, margin, TopKSvmForm::MeanOutside), cells: Cells::of_each, slope: |_| None },
];

impl<L: Loss<f64>> Subject<L> {
    fn certify(&self, (k, num_classes): Size) -> Verdict {
        certify(|margin| (self.loss)(k, margin), k, &(self.cells)(num_classes, k).unwrap()).unwrap()
    }

    fn is_verified(&self, (k, num_classes): Size, verdict: &Verdict) -> bool {
        verify(|margin| (self.loss)(k, margin), k, &(self.cells)(num_classes, k).unwrap(), verdict).is_ok()
    }
}

#[test]
fn all_hinges_are_decided() {
    sizes().for_each(decide_all_hinges);
}

#[test]
#[ignore = "a minute"]
fn all_hinges_of_seven_classes_are_decided() {
    sizes_of(7).for_each(decide_all_hinges);
}

fn decide_all_hinges(size: Size) {
    for hinge in &HINGES {
        let start = Instant::now();
        let verdict = hinge.certify(size);
        let decided = start.elapsed();
        assert!(hinge.is_verified(size, &verdict), "{verdict}");
        let verified = start.elapsed() - decided;
        println!("{}, K = {}, L = {} ({decided:.1?}, verified in {verified:.1?}): {verdict}\n", hinge.name, size.0, size.1);
        let slope = match verdict {
            Verdict::Calibrated(certificate) => Some(certificate.slope()),
            Verdict::Refuted(witness) => {
                assert_witness(hinge, size, &witness);
                None
            }
        };
        assert_eq!(slope, (hinge.slope)(size), "{}, {size:?}", hinge.name);
    }
}

/// The scores allow wrong guesses, and have the least risk that is known for a hinge: no more than any weak order of the classes.
fn assert_witness(hinge: &Subject<AnyHinge>, (k, num_classes): Size, witness: &Witness) {
    let total: i128 = witness.shares.iter().sum();
    let shares: Vec<f64> = witness.shares.iter().map(|&share| share as f64 / total as f64).collect();
    let scores: Vec<f64> = witness.scores.iter().map(|&score| score as f64 / witness.margin as f64).collect();
    assert!(!is_preserving(&scores, &shares, k), "{witness}");
    let risk = ExpectedLoss::new((hinge.loss)(k, 1.0).unwrap());
    let mut scratch = vec![0.0; SoftLabelLoss::<f64>::soft_scratch_len(&risk, num_classes)];
    let mut risk = |scores: &[f64]| risk.soft_value(scores, &shares, &mut scratch).unwrap();
    let least = risk(&scores);
    let classes = num_classes as u32;
    for code in 0..classes.pow(classes) {
        let order: Vec<f64> = (0..classes).map(|class| f64::from(code / classes.pow(class) % classes)).collect();
        assert!(risk(&order) >= least - CALIBRATION_CURVE, "{witness}, but {order:?} is better");
    }
}

/// No wrong scores that the search finds are cheaper than the certificate says.
#[test]
fn the_slope_is_below_the_curve() {
    let regrets = [0.01, 0.05, 0.2, 0.4];
    for (hinge, size) in HINGES[..2].iter().flat_map(|hinge| [(1, 3), (2, 4), (2, 3)].map(|size| (hinge, size))) {
        let Verdict::Calibrated(certificate) = hinge.certify(size) else { panic!("{} is calibrated", hinge.name) };
        let loss = (hinge.loss)(size.0, 1.0).unwrap();
        for (_, found) in calibration_curve(&loss, size.0, size.1, &regrets, &Search::default()).unwrap() {
            assert!(found.gap() >= certificate.slope() * found.regret - CALIBRATION_CURVE, "{found}");
        }
    }
}

/// The hinge over s₍K₎, which asks a label to lead its own place.
const ONE_RANK_OFF: Subject<Hinge<KthLargest, f64>> = Subject {
    name: "K for K + 1",
    loss: |k, margin| Hinge::new(KthLargest::new(k)?, Margins::Uniform(margin), 1.0),
    cells: |num_classes, k| Cells::of_kth(num_classes, k - 1),
    slope: |_| None,
};

#[test]
fn a_fault_is_refuted() {
    for size in sizes().filter(|size| size.0 > 1) {
        let verdict = ONE_RANK_OFF.certify(size);
        assert!(verdict.witness().is_some() && ONE_RANK_OFF.is_verified(size, &verdict), "{verdict}");
    }
}

/// A certificate of one loss is none of another.
#[test]
fn a_certificate_is_of_its_loss() {
    let size = (2, 4);
    let [hinge, _, of_kth, ..] = &HINGES;
    let (certificate, witness) = (hinge.certify(size), of_kth.certify(size));
    assert!(hinge.is_verified(size, &certificate) && of_kth.is_verified(size, &witness));
    assert!(!hinge.is_verified(size, &witness) && !of_kth.is_verified(size, &certificate));
    assert!(!hinge.is_verified((1, 4), &certificate) && !hinge.is_verified((2, 5), &certificate));
}

#[test]
fn tampered_certificates_are_rejected() {
    for (hinge, size) in HINGES[..2].iter().flat_map(|hinge| [(1, 3), (2, 4)].map(|size| (hinge, size))) {
        let Verdict::Calibrated(certificate) = hinge.certify(size) else { panic!("{} is calibrated", hinge.name) };
        let rejected = |tamper: &dyn Fn(&mut Certificate)| {
            let mut tampered = certificate.clone();
            tamper(&mut tampered);
            !hinge.is_verified(size, &Verdict::Calibrated(tampered))
        };
        assert!(!rejected(&|_| ()));
        for margin in [0, -certificate.margin, certificate.margin + 1, 2 * certificate.margin, i64::MAX] {
            assert!(rejected(&|tampered| tampered.margin = margin));
        }
        for i in 0..certificate.bounds.len() {
            assert!(rejected(&|tampered| drop(tampered.bounds.remove(i))));
            assert!(rejected(&|tampered| tampered.bounds[i].scores[0] += 1));
            assert!(rejected(&|tampered| tampered.bounds[i].likelier.reverse()) || size.0 == 1);
            assert!(rejected(&|tampered| tampered.bounds[i].divisor *= 3));
            assert!([0, -1, i128::MAX].into_iter().all(|divisor| rejected(&|tampered| tampered.bounds[i].divisor = divisor)));
            for rival in 0..certificate.bounds[i].rivals.len() {
                assert!(rejected(&|tampered| drop(tampered.bounds[i].rivals.remove(rival))));
                assert!([0, -1, i128::MAX].into_iter().all(|weight| rejected(&|tampered| tampered.bounds[i].rivals[rival].0 = weight)));
                assert!(rejected(&|tampered| tampered.bounds[i].rivals[rival].1 = certificate.bounds[i].scores.clone()));
                assert!(rejected(&|tampered| tampered.bounds[i].rivals[rival].1.truncate(1)));
            }
        }
    }
}

#[test]
fn tampered_witnesses_are_rejected() {
    for (hinge, size) in HINGES[2..].iter().flat_map(|hinge| [(1, 3), (2, 4)].map(|size| (hinge, size))) {
        let Verdict::Refuted(witness) = hinge.certify(size) else { panic!("{} is not calibrated", hinge.name) };
        let rejected = |tamper: &dyn Fn(&mut Witness)| {
            let mut tampered = witness.clone();
            tamper(&mut tampered);
            !hinge.is_verified(size, &Verdict::Refuted(tampered))
        };
        assert!(!rejected(&|_| ()));
        assert!(rejected(&|tampered| tampered.margin = 0));
        assert!(rejected(&|tampered| tampered.shares = vec![0; size.1]));
        assert!(rejected(&|tampered| tampered.shares.reverse()));
        assert!(rejected(&|tampered| tampered.shares[0] = -1));
        assert!(rejected(&|tampered| tampered.shares[0] = i128::MAX));
        assert!(rejected(&|tampered| tampered.shares.truncate(1)));
        assert!(rejected(&|tampered| tampered.scores[size.0 - 1] -= 1));
        assert!(rejected(&|tampered| tampered.scores[size.0] += 1));
        assert!(rejected(&|tampered| tampered.scores.truncate(1)));
        assert!(rejected(&|tampered| tampered.likelier = (0..size.0).collect()));
        assert!(rejected(&|tampered| tampered.likelier = vec![size.1; size.0]));
    }
}

/// Scores near one of two levels, a margin apart, or anywhere around them.
fn segment((k, num_classes): Size) -> impl Strategy<Value = Segment<f64>> {
    let score = || (prop_oneof![Just(0.0), Just(1.0), -2.0..2.0], -0.2..0.2).prop_map(|(level, offset)| level + offset);
    let scores = move || prop::collection::vec(score(), num_classes);
    (scores(), 0..num_classes, scores()).prop_map(move |(scores, label, to)| Segment { example: Example { scores, label, k }, to })
}

fn is_linear_in(cells: &Cells, hinge: &Subject<AnyHinge>, size: Size) -> bool {
    let loss = (hinge.loss)(size.0, 1.0).unwrap();
    check(segment(size), |segment| is_linear_in_cells(&loss, &segment, |_, _| Ok(cells.clone()), 1.0, ROUNDING)).is_ok()
}

/// What the proof takes for granted, and is tested for more classes among the laws.
#[test]
fn hinges_are_linear_in_their_cells() {
    for (hinge, size) in HINGES.iter().flat_map(|hinge| sizes().map(move |size| (hinge, size))) {
        assert!(is_linear_in(&(hinge.cells)(size.1, size.0).unwrap(), hinge, size), "{}", hinge.name);
    }
}

/// A certificate names the margin it is for; with any other the loss is the same in another unit.
#[test]
fn a_margin_is_a_unit() {
    const MARGIN: f64 = 60.0;
    for (hinge, (k, num_classes)) in HINGES.iter().flat_map(|hinge| sizes().map(move |size| (hinge, size))) {
        let [small, large] = [1.0, MARGIN].map(|margin| (hinge.loss)(k, margin).unwrap());
        holds(segment((k, num_classes)), |Segment { example: Example { scores, label, .. }, .. }| {
            let enlarged: Vec<f64> = scores.iter().map(|score| MARGIN * score).collect();
            let (value, expected) = (evaluate(&large, &enlarged, label).0, MARGIN * evaluate(&small, &scores, label).0);
            prop_assert!(ROUNDING.allows(value, expected, MARGIN), "{} instead of {}", value, expected);
            Ok(())
        });
    }
}

#[test]
fn a_missing_cut_is_found() {
    let size = (2, 4);
    for hinge in &HINGES {
        let cells = (hinge.cells)(size.1, size.0).unwrap();
        for missing in 0..cells.cuts().len() {
            let mut cuts = cells.cuts().to_vec();
            let missing = cuts.remove(missing);
            assert!(!is_linear_in(&Cells::new(size.1, cuts).unwrap(), hinge, size), "{} without {missing:?}", hinge.name);
        }
    }
}

#[test]
fn mistakes_are_named() {
    let cells = Cells::of_kth(4, 2).unwrap();
    for k in [0, 4] {
        assert_eq!(certify(|margin| calibrated_hinge(2, margin), k, &cells), Err(Error::K { k, max: 3 }));
        assert_eq!(Cells::of_sharing(4, k), Err(Error::K { k, max: 3 }));
    }
    assert_eq!(Cells::of_each(0, 1), Err(Error::K { k: 1, max: 0 }));
    let unbalanced = Cut { normal: vec![1, 0], offset: 1 };
    assert_eq!(Cells::new(2, vec![unbalanced.clone()]), Err(Error::Parameter { name: "normal", must: "entries that sum to zero" }));
    assert_eq!(Cells::new(3, vec![unbalanced]), Err(Error::Length { what: "normal", expected: 3, actual: 2 }));
    let many = Cells::of_kth(9, 2).unwrap();
    assert!(matches!(certify(|margin| calibrated_hinge(2, margin), 2, &many), Err(Error::Parameter { name: "num_classes", .. })));
    // The loss's own error; a loss that is not linear; one with a corner out of reach.
    assert_eq!(certify(|margin| calibrated_hinge(4, margin), 2, &cells), Err(Error::K { k: 4, max: 3 }));
    assert!(matches!(certify(|_| Ok(CrossEntropy), 2, &cells), Err(Error::Parameter { name: "loss", .. })));
    let far = Cells::new(4, vec![Cut { normal: vec![1, -1, 0, 0], offset: i64::MAX }]).unwrap();
    assert!(matches!(certify(|margin| calibrated_hinge(2, margin), 2, &far), Err(Error::Overflow { .. })));
}
