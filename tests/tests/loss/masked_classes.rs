//! A class that cannot be guessed: a score of −1e30 is as if the class were not there.

use topk_loss::config::{BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKSvmForm;
use topk_loss::{Error, Key, Loss, Real, Smoothing};
use topk_loss_laws::property::evaluate;

/// What masks a class, as the docs of `Loss` say.
const MASK: f64 = -1e30;

type Base<F> = BaseConfig<F, Vec<F>>;

fn losses<F: Real>() -> Vec<(&'static str, Base<F>)> {
    let (one, k, margins) = (F::one(), 2, MarginConfig::Uniform(F::one()));
    let hinge = |smoothing| BaseConfig::TopKHinge { k, margins: margins.clone(), scale: one, smoothing, tolerance: None };
    let svm = |form| BaseConfig::TopKSvm { k, form, margins: margins.clone(), scale: one };
    let cross_entropy = |law| BaseConfig::TopKCrossEntropy { guesses: Guesses::K(k), law, epsilon: one };
    let halves = || vec![F::from_f64(0.5); 2];
    let hinges = |epsilon| BaseConfig::TopKHinges { shares: halves(), margins: margins.clone(), scale: one, epsilon };
    vec![
        ("cross-entropy", BaseConfig::CrossEntropy),
        ("focal", BaseConfig::Focal { gamma: F::from_f64(2.0) }),
        ("LDAM", BaseConfig::Ldam { margins: margins.clone(), scale: F::from_f64(30.0) }),
        ("hinge", hinge(Smoothing::None)),
        ("exact hinge", hinge(Smoothing::Exact { epsilon: one })),
        ("hinges", hinges(None)),
        ("exact hinges", hinges(Some(one))),
        ("SVM, K-th other", svm(TopKSvmForm::KthOther)),
        ("SVM, mean inside", svm(TopKSvmForm::MeanInside)),
        ("SVM, mean outside", svm(TopKSvmForm::MeanOutside)),
        ("smooth SVM", BaseConfig::SmoothTopKSvm { k, temperature: one, margin: one }),
        ("polyhedral hinge", BaseConfig::PolyhedralHinge { k, margins: margins.clone(), scale: one }),
        ("margin cross-entropy", BaseConfig::TopKMarginCrossEntropy { k, margins, scale: one }),
        ("normal cross-entropy", cross_entropy(Law::Normal)),
        ("Gumbel cross-entropy", cross_entropy(Law::Gumbel)),
        ("logistic cross-entropy", cross_entropy(Law::Logistic)),
        ("mixture", BaseConfig::TopKCrossEntropy { guesses: Guesses::Mixture(halves()), law: Law::Gumbel, epsilon: one }),
    ]
}

fn masked_as_if_not_there<F: Real>(tolerance: f64) {
    let to_f64 = |x: F| x.to_f64().unwrap();
    for (name, config) in losses::<F>() {
        let loss = LossConfig::from(config).build().unwrap();
        for masks in [1, 3, 60] {
            for label in 0..4 {
                let left: Vec<F> = [0.5, 2.0, -0.75, 1.25].map(F::from_f64).to_vec();
                let mut masked = left.clone();
                masked.resize(left.len() + masks, F::from_f64(MASK));
                let (expected, grad) = evaluate(&loss, &left, label);
                let (value, with_masks) = evaluate(&loss, &masked, label);
                assert!(to_f64(value - expected).abs() < tolerance, "{name}, {masks} masks, label {label}: {value} is {expected}");
                let (ours, others) = with_masks.split_at(left.len());
                let error: f64 = ours.iter().zip(&grad).map(|(&a, &b)| to_f64(a - b).abs()).sum();
                assert!(error < 10.0 * tolerance, "{name}, {masks} masks, label {label}: {ours:?} is {grad:?}");
                assert!(others.iter().all(|&entry| entry == F::zero()), "{name}, {masks} masks, label {label}: {others:?}");
            }
        }
    }
}

#[test]
fn a_masked_class_is_as_if_it_were_not_there() {
    masked_as_if_not_there::<f32>(3e-5);
    masked_as_if_not_there::<f64>(1e-7);
}

/// Draws that a class has for itself are the same with masks behind it.
#[test]
fn draws_do_not_see_masks() {
    let (epsilon, num_samples, key) = (0.5_f32, 5, Key::new(3));
    for smoothing in [Smoothing::Pathwise { epsilon, num_samples, key }, Smoothing::Conditional { epsilon, num_samples, key }] {
        let config: Base<f32> = BaseConfig::TopKHinge { k: 1, margins: MarginConfig::Uniform(1.0), scale: 1.0, smoothing, tolerance: None };
        let (loss, mask) = (config.build().unwrap(), MASK as f32);
        let (value, grad) = evaluate(&loss, &[0.5, 1.0, 0.75], 0);
        let (masked, with_masks) = evaluate(&loss, &[0.5, 1.0, 0.75, mask, mask], 0);
        assert!((masked - value).abs() < 1e-6 && with_masks[..3].iter().zip(&grad).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_eq!(with_masks[3..], [0.0; 2]);
    }
}

/// −∞ is refused, and the error says which class.
#[test]
fn minus_infinity_is_an_error() {
    for (name, config) in losses::<f64>() {
        let loss = config.build().unwrap();
        let mut scratch = vec![0.0; loss.scratch_len(4)];
        let error = loss.value(&[0.5, 1.0, 0.75, f64::NEG_INFINITY], 0, &mut scratch).unwrap_err();
        assert_eq!(error, Error::NotFinite { what: "scores", index: 3 }, "{name}");
        assert_eq!(error.to_string(), "scores is NaN or infinite at position 3: mask a class by -1e30, not by -inf");
    }
}
