//! Every loss, with settings that were chosen by the validation rows: learning rates in steps of about 3.

use Similarity::{Cosine, Inner};
use topk_loss::{CrossEntropy, Margins, Smoothing, TopKHinge};
use topk_loss_batch::Similarity;

use super::Method;
use crate::settings::Settings;

/// What `--compare all` compares.
pub static ALL: [Method; 5] = [HINGE, CROSS_ENTROPY, NOISED_BALANCED, IMBALANCED, NOISED_IMBALANCED];
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
    build: |setup| Ok(Box::new(TopKHinge::new(setup.k, Margins::Uniform(setup.settings.margin), 1.0, Smoothing::None)?)),
};

pub const CROSS_ENTROPY: Method = Method {
    flag: "cross-entropy",
    name: "cross-entropy",
    about: "Cross-entropy of the softmax",
    similarity: Inner,
    generated: Settings::rate(10.0),
    text: Settings::rate(30.0),
    unsmoothed: None,
    build: |_| Ok(Box::new(CrossEntropy)),
};

const NOISED_BALANCED: Method = Method {
    flag: "noised-balanced",
    name: "noised balanced",
    about: "Smoothed top-K hinge, one margin for all classes",
    similarity: Inner,
    generated: Settings { epsilon: 0.2, ..Settings::rate(1.0) },
    text: Settings { epsilon: 0.5, ..Settings::rate(1.0) },
    unsmoothed: Some(&HINGE),
    build: |setup| Ok(Box::new(TopKHinge::new(setup.k, Margins::Uniform(setup.settings.margin), 1.0, setup.smoothing)?)),
};

const IMBALANCED: Method = Method {
    flag: "imbalanced",
    name: "imbalanced",
    about: "Top-K hinge of cosine scores, margins larger for rarer classes, not smoothed",
    similarity: Cosine,
    generated: Settings { max_margin: 0.4, ..Settings::rate(0.01) },
    text: Settings { max_margin: 0.5, ..Settings::rate(0.01) },
    unsmoothed: None,
    build: |setup| Ok(Box::new(TopKHinge::new(setup.k, Margins::PerClass(&setup.margins), setup.settings.scale, Smoothing::None)?)),
};

pub const NOISED_IMBALANCED: Method = Method {
    flag: "noised-imbalanced",
    name: "noised imbalanced",
    about: "Smoothed top-K hinge of cosine scores, margins larger for rarer classes",
    similarity: Cosine,
    generated: Settings { epsilon: 0.1, max_margin: 0.4, ..Settings::rate(0.01) },
    text: Settings { epsilon: 0.01, max_margin: 0.5, ..Settings::rate(0.01) },
    unsmoothed: Some(&IMBALANCED),
    build: |setup| Ok(Box::new(TopKHinge::new(setup.k, Margins::PerClass(&setup.margins), setup.settings.scale, setup.smoothing)?)),
};
