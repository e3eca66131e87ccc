//! Every loss, with settings that were chosen by the validation rows: learning rates in steps of about 3.

mod support_vector_machines;

use BaseConfig::{CrossEntropy, Focal, Ldam, PolyhedralHinge, SmoothTopKSvm, TopKCrossEntropy, TopKHinge, TopKMarginCrossEntropy, TopKSvm};
use Similarity::{Cosine, Inner};
use topk_loss::Smoothing;
use topk_loss::config::{BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKSvmForm;
use topk_loss_batch::Similarity;

use super::{Config, Method};
use crate::settings::Settings;
use crate::setup::Setup;
use support_vector_machines::{CRAMMER_SINGER, SMOOTH_TOP_K_SVM, TOP_K_SVM_ALPHA, TOP_K_SVM_BETA, TOP_K_SVM_KTH, TOP_K_SVM_MEAN};

/// What `--compare all` compares.
pub static ALL: [Method; 23] = [
    HINGE,
    CRAMMER_SINGER,
    TOP_K_SVM_KTH,
    TOP_K_SVM_MEAN,
    TOP_K_SVM_ALPHA,
    TOP_K_SVM_BETA,
    SMOOTH_TOP_K_SVM,
    CROSS_ENTROPY,
    FOCAL,
    CLASS_WEIGHTED,
    LDAM,
    ADJUSTED,
    TOP_K,
    ADJUSTED_TOP_K,
    ADJUSTED_MIXTURE,
    MARGIN,
    ADJUSTED_MARGIN,
    POLYHEDRAL,
    WEIGHTED_POLYHEDRAL,
    NOISED_BALANCED,
    ADJUSTED_NOISED,
    IMBALANCED,
    NOISED_IMBALANCED,
];
/// What is compared unless told otherwise.
pub const USUAL: [Method; 4] = [HINGE, CROSS_ENTROPY, NOISED_BALANCED, NOISED_IMBALANCED];
/// What has estimators to compare.
pub const NOISED: [Method; 2] = [NOISED_BALANCED, NOISED_IMBALANCED];

const HINGE: Method = Method {
    flag: "hinge",
    name: "hinge",
    about: "Calibrated top-K hinge, not smoothed",
    similarity: Inner,
    // Two or three classes become squatters, 43 % macro top-5; at 1 it is one class, and 60 %.
    generated: Settings::rate(0.3),
    text: Settings::rate(1.0),
    unsmoothed: None,
    config: |setup| hinge(setup, Smoothing::None).into(),
};

pub const CROSS_ENTROPY: Method = Method {
    flag: "cross-entropy",
    name: "cross-entropy",
    about: "Cross-entropy of the softmax",
    similarity: Inner,
    generated: Settings::rate(10.0),
    text: Settings::rate(30.0),
    unsmoothed: None,
    config: |_| CrossEntropy.into(),
};

const FOCAL: Method = Method {
    flag: "focal",
    name: "focal",
    about: "Cross-entropy in which rows that are already learnt count less",
    similarity: Inner,
    generated: Settings::rate(10.0),
    text: Settings::rate(30.0),
    unsmoothed: None,
    config: |setup| Focal { gamma: setup.settings.gamma }.into(),
};

const CLASS_WEIGHTED: Method = Method {
    flag: "class-weighted",
    name: "class-weighted cross-entropy",
    about: "Cross-entropy in which rows of rarer classes count more",
    similarity: Inner,
    generated: Settings { rarity: 1.0, ..Settings::rate(0.1) },
    text: Settings { rarity: 1.0, ..Settings::rate(0.1) },
    unsmoothed: None,
    config: |setup| LossConfig { class_weights: Some(&setup.class_weights), ..CrossEntropy.into() },
};

const LDAM: Method = Method {
    flag: "ldam",
    name: "LDAM",
    about: "Cross-entropy of cosine scores, margins larger for rarer classes",
    similarity: Cosine,
    generated: Settings { max_margin: 0.2, scale: 20.0, ..Settings::rate(0.01) },
    text: Settings { max_margin: 0.5, scale: 80.0, ..Settings::rate(0.01) },
    unsmoothed: None,
    config: |setup| Ldam { margins: MarginConfig::PerClass(&setup.margins[..]), scale: setup.settings.scale }.into(),
};

const ADJUSTED: Method = Method {
    flag: "adjusted",
    name: "adjusted cross-entropy",
    about: "Logit-adjusted cross-entropy: of the scores plus the log frequencies",
    similarity: Inner,
    generated: Settings::rate(2.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    config: |setup| adjusted(setup, CrossEntropy),
};

const TOP_K: Method = Method {
    flag: "top-k-cross-entropy",
    name: "top-K cross-entropy",
    about: "Logarithm of the probability that the label is among K guesses, under Gumbel noise",
    similarity: Inner,
    generated: Settings::rate(3.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    config: |setup| top_k_cross_entropy(Guesses::K(setup.k)).into(),
};

const ADJUSTED_TOP_K: Method = Method {
    flag: "adjusted-top-k",
    name: "adjusted top-K cross-entropy",
    about: "The same, logit-adjusted",
    similarity: Inner,
    generated: Settings::rate(2.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    config: |setup| adjusted(setup, top_k_cross_entropy(Guesses::K(setup.k))),
};

const ADJUSTED_MIXTURE: Method = Method {
    flag: "adjusted-mixture",
    name: "adjusted mixture",
    about: "Half of it with one guess, half with K, logit-adjusted",
    similarity: Inner,
    generated: Settings::rate(2.0),
    text: Settings::rate(30.0),
    unsmoothed: None,
    config: |setup| adjusted(setup, top_k_cross_entropy(Guesses::Mixture(&setup.halves))),
};

const MARGIN: Method = Method {
    flag: "margin",
    name: "margin cross-entropy",
    about: "Cross-entropy with a margin for the K largest scores",
    similarity: Inner,
    generated: Settings { margin: 1.5, ..Settings::rate(3.0) },
    text: Settings { margin: 1.5, ..Settings::rate(10.0) },
    unsmoothed: None,
    config: |setup| margin_cross_entropy(setup).into(),
};

const ADJUSTED_MARGIN: Method = Method {
    flag: "adjusted-margin",
    name: "adjusted margin cross-entropy",
    about: "The same, logit-adjusted",
    similarity: Inner,
    generated: Settings { margin: 1.5, adjustment: 1.4, ..Settings::rate(1.0) },
    text: Settings { margin: 1.5, ..Settings::rate(10.0) },
    unsmoothed: None,
    config: |setup| adjusted(setup, margin_cross_entropy(setup)),
};

const POLYHEDRAL: Method = Method {
    flag: "polyhedral",
    name: "polyhedral hinge",
    about: "Convex calibrated top-K hinge",
    similarity: Inner,
    generated: Settings { margin: 3.0, ..Settings::rate(1.0) },
    text: Settings::rate(1.0),
    unsmoothed: None,
    config: |setup| polyhedral(setup).into(),
};

const WEIGHTED_POLYHEDRAL: Method = Method {
    flag: "class-weighted-polyhedral",
    name: "class-weighted polyhedral hinge",
    about: "The same, in which rows of rarer classes count more",
    similarity: Inner,
    generated: Settings { margin: 2.0, rarity: 0.9, ..Settings::rate(0.2) },
    text: Settings::rate(1.0),
    unsmoothed: None,
    config: |setup| LossConfig { class_weights: Some(&setup.class_weights), ..polyhedral(setup).into() },
};

const NOISED_BALANCED: Method = Method {
    flag: "noised-balanced",
    name: "noised balanced",
    about: "Smoothed top-K hinge, one margin for all classes",
    similarity: Inner,
    generated: Settings { epsilon: 0.2, ..Settings::rate(1.0) },
    text: Settings { epsilon: 0.5, ..Settings::rate(1.0) },
    unsmoothed: Some(&HINGE),
    config: |setup| hinge(setup, setup.smoothing).into(),
};

const ADJUSTED_NOISED: Method = Method {
    flag: "adjusted-noised-balanced",
    name: "adjusted noised balanced",
    about: "Logit-adjusted smoothed top-K hinge",
    similarity: Inner,
    generated: Settings { epsilon: 0.5, adjustment: 0.5, ..Settings::rate(0.3) },
    text: Settings { epsilon: 0.5, adjustment: 0.2, ..Settings::rate(1.0) },
    unsmoothed: None,
    config: |setup| adjusted(setup, hinge(setup, setup.smoothing)),
};

const IMBALANCED: Method = Method {
    flag: "imbalanced",
    name: "imbalanced",
    about: "Top-K hinge of cosine scores, margins larger for rarer classes, not smoothed",
    similarity: Cosine,
    generated: Settings { max_margin: 0.4, ..Settings::rate(0.01) },
    text: Settings { max_margin: 0.5, ..Settings::rate(0.01) },
    unsmoothed: None,
    config: |setup| imbalanced(setup, Smoothing::None),
};

pub const NOISED_IMBALANCED: Method = Method {
    flag: "noised-imbalanced",
    name: "noised imbalanced",
    about: "Smoothed top-K hinge of cosine scores, margins larger for rarer classes",
    similarity: Cosine,
    generated: Settings { epsilon: 0.1, max_margin: 0.4, ..Settings::rate(0.01) },
    text: Settings { epsilon: 0.01, max_margin: 0.5, ..Settings::rate(0.01) },
    unsmoothed: Some(&IMBALANCED),
    config: |setup| imbalanced(setup, setup.smoothing),
};

fn hinge<'a>(setup: &Setup, smoothing: Smoothing<f32>) -> BaseConfig<f32, &'a [f32]> {
    TopKHinge { k: setup.k, margins: MarginConfig::Uniform(setup.settings.margin), scale: 1.0, smoothing, tolerance: None }
}

fn imbalanced(setup: &Setup, smoothing: Smoothing<f32>) -> Config<'_> {
    let (margins, scale) = (MarginConfig::PerClass(&setup.margins[..]), setup.settings.scale);
    TopKHinge { k: setup.k, margins, scale, smoothing, tolerance: None }.into()
}

const fn top_k_cross_entropy(guesses: Guesses<&[f32]>) -> BaseConfig<f32, &[f32]> {
    TopKCrossEntropy { guesses, law: Law::Gumbel, epsilon: 1.0 }
}

fn margin_cross_entropy<'a>(setup: &Setup) -> BaseConfig<f32, &'a [f32]> {
    TopKMarginCrossEntropy { k: setup.k, margins: MarginConfig::Uniform(setup.settings.margin), scale: 1.0 }
}

fn polyhedral<'a>(setup: &Setup) -> BaseConfig<f32, &'a [f32]> {
    PolyhedralHinge { k: setup.k, margins: MarginConfig::Uniform(setup.settings.margin), scale: 1.0 }
}

fn adjusted<'a>(setup: &'a Setup, loss: BaseConfig<f32, &'a [f32]>) -> Config<'a> {
    LossConfig { adjustments: Some(&setup.adjustments), ..loss.into() }
}
