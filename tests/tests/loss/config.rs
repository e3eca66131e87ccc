//! Losses as data: what is written is read again, what it becomes is the loss, and what is wrong is refused.

use proptest::prelude::*;
use topk_loss::config::{AnyLoss, BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::{
    ClassWeighted, Focal, Ldam, LogitAdjusted, PolyhedralHinge, SmoothTopKSvm, TopKCrossEntropy, TopKHinges, TopKMarginCrossEntropy,
    TopKSvm, TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::{CrossEntropy, Error, FoldIn, Key, Loss, Margins, Smoothing, TopKHinge};
use topk_loss_batch::{Rows, Targets, Threads, values};
use topk_loss_laws::property::evaluate;

type Config = LossConfig<f64, Vec<f64>>;

const NUM_CLASSES: usize = 6;

fn list() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.0..2.0, NUM_CLASSES)
}

fn margins() -> impl Strategy<Value = MarginConfig<f64, Vec<f64>>> {
    prop_oneof![(0.0..2.0).prop_map(MarginConfig::Uniform), list().prop_map(MarginConfig::PerClass)]
}

fn smoothings() -> impl Strategy<Value = Smoothing<f64>> {
    let draws = (0.1..2.0, 1..5_usize, any::<u64>().prop_map(Key::new));
    prop_oneof![
        Just(Smoothing::None),
        (0.1..2.0).prop_map(|epsilon| Smoothing::Exact { epsilon }),
        draws.clone().prop_map(|(epsilon, num_samples, key)| Smoothing::Pathwise { epsilon, num_samples, key }),
        draws.prop_map(|(epsilon, num_samples, key)| Smoothing::Conditional { epsilon, num_samples, key }),
    ]
}

fn bases() -> impl Strategy<Value = BaseConfig<f64, Vec<f64>>> {
    let (k, scale) = (1..5_usize, 0.1..30.0);
    let form =
        prop::sample::select(vec![TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside]);
    let guesses = prop_oneof![k.clone().prop_map(Guesses::K), Just(Guesses::Mixture(vec![0.5, 0.0, 0.5]))];
    let law = prop::sample::select(vec![Law::Normal, Law::Gumbel, Law::Logistic]);
    let tolerance = prop::option::of(Just(1e-6));
    prop_oneof![
        Just(BaseConfig::CrossEntropy),
        (0.0..3.0).prop_map(|gamma| BaseConfig::Focal { gamma }),
        (margins(), scale.clone()).prop_map(|(margins, scale)| BaseConfig::Ldam { margins, scale }),
        (k.clone(), margins(), scale.clone(), smoothings(), tolerance)
            .prop_map(|(k, margins, scale, smoothing, tolerance)| BaseConfig::TopKHinge { k, margins, scale, smoothing, tolerance }),
        (margins(), scale.clone(), prop::option::of(0.1..2.0)).prop_map(|(margins, scale, epsilon)| BaseConfig::TopKHinges {
            shares: vec![0.25, 0.75],
            margins,
            scale,
            epsilon
        }),
        (k.clone(), form, margins(), scale.clone()).prop_map(|(k, form, margins, scale)| BaseConfig::TopKSvm { k, form, margins, scale }),
        (k.clone(), margins(), scale.clone()).prop_map(|(k, margins, scale)| BaseConfig::PolyhedralHinge { k, margins, scale }),
        (k.clone(), margins(), scale).prop_map(|(k, margins, scale)| BaseConfig::TopKMarginCrossEntropy { k, margins, scale }),
        (k, 0.1..2.0, 0.0..2.0).prop_map(|(k, temperature, margin)| BaseConfig::SmoothTopKSvm { k, temperature, margin }),
        (guesses, law, 0.5..2.0).prop_map(|(guesses, law, epsilon)| BaseConfig::TopKCrossEntropy { guesses, law, epsilon }),
    ]
}

fn configs() -> impl Strategy<Value = Config> {
    (bases(), prop::option::of(list()), prop::option::of(list())).prop_map(|(loss, adjustments, class_weights)| LossConfig {
        loss,
        adjustments,
        class_weights,
    })
}

/// The loss by its constructors, nothing around it.
fn by_hand(loss: &BaseConfig<f64, Vec<f64>>) -> Box<dyn Loss<f64> + '_> {
    fn of(margins: &MarginConfig<f64, Vec<f64>>) -> Margins<'_, f64> {
        match margins {
            MarginConfig::Uniform(margin) => Margins::Uniform(*margin),
            MarginConfig::PerClass(margins) => Margins::PerClass(margins),
        }
    }
    match loss {
        BaseConfig::CrossEntropy => Box::new(CrossEntropy),
        BaseConfig::Focal { gamma } => Box::new(Focal::new(*gamma).unwrap()),
        BaseConfig::Ldam { margins, scale } => Box::new(Ldam::new(of(margins), *scale).unwrap()),
        BaseConfig::TopKHinge { k, margins, scale, smoothing, tolerance } => {
            let loss = TopKHinge::new(*k).unwrap().with_margins(of(margins)).unwrap().with_scale(*scale).unwrap();
            let loss = loss.with_smoothing(*smoothing).unwrap();
            Box::new(tolerance.map_or(loss, |tolerance| loss.with_tolerance(tolerance).unwrap()))
        }
        BaseConfig::TopKHinges { shares, margins, scale, epsilon } => {
            let loss = TopKHinges::new(shares).unwrap().with_margins(of(margins)).unwrap();
            Box::new(loss.with_scale(*scale).unwrap().with_epsilon(*epsilon).unwrap())
        }
        BaseConfig::TopKSvm { k, form, margins, scale } => {
            Box::new(TopKSvm::new(*k, *form).unwrap().with_margins(of(margins)).unwrap().with_scale(*scale).unwrap())
        }
        BaseConfig::SmoothTopKSvm { k, temperature, margin } => Box::new(SmoothTopKSvm::new(*k, *temperature, *margin).unwrap()),
        BaseConfig::PolyhedralHinge { k, margins, scale } => {
            Box::new(PolyhedralHinge::new(*k).unwrap().with_margins(of(margins)).unwrap().with_scale(*scale).unwrap())
        }
        BaseConfig::TopKMarginCrossEntropy { k, margins, scale } => {
            Box::new(TopKMarginCrossEntropy::new(*k, 1.0).unwrap().with_margins(of(margins)).unwrap().with_scale(*scale).unwrap())
        }
        BaseConfig::TopKCrossEntropy { guesses: Guesses::K(k), law, epsilon } => match law {
            Law::Normal => Box::new(TopKCrossEntropy::new(*k, Normal, *epsilon).unwrap()),
            Law::Gumbel => Box::new(TopKCrossEntropy::new(*k, Gumbel, *epsilon).unwrap()),
            Law::Logistic => Box::new(TopKCrossEntropy::new(*k, Logistic, *epsilon).unwrap()),
        },
        BaseConfig::TopKCrossEntropy { guesses: Guesses::Mixture(shares), law, epsilon } => match law {
            Law::Normal => Box::new(TopKCrossEntropy::mixture(shares, Normal, *epsilon).unwrap()),
            Law::Gumbel => Box::new(TopKCrossEntropy::mixture(shares, Gumbel, *epsilon).unwrap()),
            Law::Logistic => Box::new(TopKCrossEntropy::mixture(shares, Logistic, *epsilon).unwrap()),
        },
    }
}

fn expected(config: &Config, scores: &[f64], label: usize) -> (f64, Vec<f64>) {
    let base = by_hand(&config.loss);
    match (&config.adjustments, &config.class_weights) {
        (None, None) => evaluate(&*base, scores, label),
        (Some(adjustments), None) => evaluate(&LogitAdjusted::new(&*base, adjustments).unwrap().shift_invariant(), scores, label),
        (None, Some(weights)) => evaluate(&ClassWeighted::new(&*base, weights).unwrap(), scores, label),
        (Some(adjustments), Some(weights)) => {
            let adjusted = LogitAdjusted::new(&*base, adjustments).unwrap().shift_invariant();
            evaluate(&ClassWeighted::new(adjusted, weights).unwrap(), scores, label)
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(config in configs()) {
        let text = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config, "{}", text);
    }

    #[test]
    fn a_config_becomes_its_loss(config in configs(), scores in prop::collection::vec(-3.0..3.0, NUM_CLASSES), label in 0..NUM_CLASSES) {
        let loss: AnyLoss<f64, Vec<f64>> = config.clone().build().unwrap();
        prop_assert_eq!(evaluate(&loss, &scores, label), expected(&config, &scores, label));
        // In a batch, as the example whose number is folded in.
        let mut batched = [f64::NAN];
        let targets = Targets::new(core::slice::from_ref(&label)).from_example(3);
        values(&loss, Rows::new(&scores, NUM_CLASSES).unwrap(), &targets, &mut batched, Threads::ONE).unwrap();
        prop_assert_eq!(batched[0], evaluate(&loss.fold_in(3), &scores, label).0);
    }
}

#[test]
fn a_file_is_short() {
    let config: Config = serde_json::from_str(r#"{"loss": {"top_k_hinge": {"k": 5, "smoothing": {"exact": {"epsilon": 0.2}}}}}"#).unwrap();
    let smoothing = Smoothing::Exact { epsilon: 0.2 };
    let whole = BaseConfig::TopKHinge { k: 5, margins: MarginConfig::Uniform(1.0), scale: 1.0, smoothing, tolerance: None };
    assert_eq!(config, LossConfig::from(whole));
}

#[test]
fn what_is_wrong_is_refused() {
    let read = |text: &str| serde_json::from_str::<Config>(text).map_err(|error| error.to_string());
    assert!(read(r#"{"loss": {"top_k_hinge": {"k": 5, "margin": 1.0}}}"#).unwrap_err().contains("unknown field `margin`"));
    assert!(read(r#"{"loss": {"top_k_hinges": {}}}"#).unwrap_err().contains("missing field `shares`"));
    assert!(read(r#"{"loss": "hinge"}"#).unwrap_err().contains("unknown variant `hinge`"));
    // Values are checked where the loss is made, by its constructors.
    let build = |text: &str| read(text).unwrap().build();
    let parameter = |name, must| Err(Error::Parameter { name, must });
    assert_eq!(build(r#"{"loss": {"top_k_hinge": {"k": 0}}}"#), parameter("k", "at least 1"));
    assert_eq!(build(r#"{"loss": {"focal": {"gamma": -1.0}}}"#), parameter("gamma", "at least 0 and finite"));
    assert_eq!(build(r#"{"loss": "cross_entropy", "class_weights": [1.0, -1.0]}"#), parameter("weights", "of entries that are at least 0"));
    let mixture = r#"{"loss": {"top_k_cross_entropy": {"guesses": {"mixture": [0.5, 0.2]}, "law": "gumbel"}}}"#;
    assert_eq!(build(mixture), parameter("shares", "of entries that sum to 1"));
}
